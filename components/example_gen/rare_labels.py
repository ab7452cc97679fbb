"""A hash may give train no example of a rare label: then all that it has are moved there, whatever the hash says.

A label that train lacks cannot be learned, so the run would stop. No other record changes its split.
"""

from collections import Counter
from collections.abc import Sequence

from components.example_gen.report import FileReport
from components.example_gen.settings import DataSettings
from models.features import Feature

# Feature and label of what train lacks.
Rare = set[tuple[str, str]]


def split_by_hash(settings: DataSettings, features: Sequence[Feature]) -> bool:
    """Whether a hash divides records that have labels."""
    has_labels = any(feature.facts.learned == "categories" for feature in features)
    return has_labels and settings.split_by == "hash" and not settings.train and not settings.eval_pattern


def rare_in(reports: Sequence[FileReport]) -> Rare:
    """The labels that another split has, and train lacks."""
    found: dict[bool, Rare] = {True: set(), False: set()}
    for report in reports:
        for split, features in report.labels.items():
            found[split == "train"] |= {(name, label) for name, labels in features.items() for label in labels}
    return found[False] - found[True]


def account_for_moves(reports: Sequence[FileReport], moved: Counter[tuple[int, str]]) -> Rare:
    """Corrects the reports.

    Args:
        reports: in the order of the files.
        moved: how many examples left a split, by number of the file and split.

    Returns:
        the labels that were moved.
    """
    for (number, split), count in moved.items():
        reports[number].kept[split] -= count
        reports[number].kept["train"] += count
    rare = rare_in(reports)
    for report in reports:
        for split in [split for split in report.labels if split != "train"]:
            for name, labels in report.labels[split].items():
                for label in [label for label in labels if (name, label) in rare]:
                    report.add_label("train", name, label, labels.pop(label))
    return rare
