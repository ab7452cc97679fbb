"""What a person would want to hear of the data, and what stops nothing. A new check is a function and a line here."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from components.errors import DataError
from components.example_gen.gate_settings import GateSettings
from components.example_gen.overlap import Overlap
from components.example_gen.report import FileReport, labels_of
from components.example_gen.suggestions import difference, looks, quoted
from models.features import Feature

# Of the records, from where on a likeness is no chance: short texts come twice in any data.
_REPEATED, _SAME = 0.01, 0.5
_SHOWN = 10


@dataclass(frozen=True)
class Evidence:
    """What the checks look at.

    Attributes:
        reports: of all files.
        overlap: of all records.
        features: the task's.
        splits: names of the splits.
        whole: whether all records were read.
        moved: feature and label of those so rare that all their examples were moved to train.
        gate: the section `data.gate`.
    """

    reports: Sequence[FileReport]
    overlap: Overlap
    features: Sequence[Feature]
    splits: Sequence[str]
    whole: bool = True
    moved: Collection[tuple[str, str]] = ()
    gate: GateSettings = GateSettings()

    @property
    def kept(self) -> Mapping[str, int]:
        """Number of records in each split."""
        return {split: sum(report.kept[split] for report in self.reports) for split in self.splits}


def find_refused(evidence: Evidence) -> Iterator[str]:
    """Records that were left out."""
    for split in dict.fromkeys(report.split for report in evidence.reports):
        files = [report for report in evidence.reports if report.split == split]
        refused, read = sum(file.refused for file in files), sum(file.read for file in files)
        if refused:
            of_split = f" of split {split}" if split else ""
            first = next(file.first_refused for file in files if file.refused)
            yield f"{refused} of {read} records{of_split} were left out ({refused / read:.2%}); the first: {first}"


def find_set_aside(evidence: Evidence) -> Iterator[str]:
    """Records that a rule of the gate keeps out."""
    total: Counter[str] = sum((report.set_aside for report in evidence.reports), Counter())
    for rule, count in total.items():
        yield f"{count} {'record is' if count == 1 else 'records are'} in quarantine (data.gate.{rule})"


def find_repeated(evidence: Evidence) -> Iterator[str]:
    """Inputs of another split that train holds too."""
    if evidence.gate.repeated != "off":
        yield from repeated(evidence)


def repeated(evidence: Evidence) -> Iterator[str]:
    """One sentence for each split of which train holds more than 1 %."""
    for split, count in evidence.overlap.repeated.items():
        of_split = evidence.kept.get(split, 0)
        if of_split and count / of_split > _REPEATED:
            yield (
                f"{count} of {of_split} records of split {split} ({count / of_split:.2%}) have a "
                f"{evidence.features[0].name} that stands in train too: figures on them say how well the model "
                "remembers, not how well it has learned"
            )


def find_disputed(evidence: Evidence) -> Iterator[str]:
    """Inputs with two labels."""
    if evidence.overlap.disputed:
        yield (
            f"The same {evidence.features[0].name} comes with different labels, {evidence.overlap.disputed} of them, "
            f"such as {evidence.overlap.example}; no model can give both"
        )


def find_answers_given(evidence: Evidence) -> Iterator[str]:
    """What is asked for stands in the input."""
    total = sum(evidence.kept.values())
    same: Counter[str] = sum((report.same for report in evidence.reports), Counter())
    for name, count in same.items():
        if count / total > _SAME:
            first = evidence.features[0].name
            yield (
                f"{name} and {first} are the same in {count} of {total} records ({count / total:.0%}): the model is "
                "told the answer. Do data.columns name one column for both?"
            )


def find_missing_classes(evidence: Evidence) -> Iterator[str]:
    """Labels of train that another split lacks."""
    for feature in evidence.features if evidence.whole else ():
        if feature.facts.learned == "categories":
            known = labels_of(evidence.reports, "train", feature.name)
            for split in evidence.splits:
                moved = {label for name, label in evidence.moved if name == feature.name}
                seen = labels_of(evidence.reports, split, feature.name).keys()
                missing = sorted(known.keys() - seen - moved - {""})
                if missing and evidence.kept[split]:
                    yield (
                        f"Split {split} has no example of {feature.name} {quoted(missing, 5)}: how well the model does "
                        "there is not measured"
                    )


def find_moved(evidence: Evidence) -> Iterator[str]:
    """Labels so rare that a hash gave train none."""
    for name in dict.fromkeys(feature for feature, _ in evidence.moved):
        labels = sorted(label for feature, label in evidence.moved if feature == name)
        yield (
            f"{name} {quoted(labels, 5)} {'is' if len(labels) == 1 else 'are'} so rare that all examples are in train; "
            "no figure tells how well it is known"
        )


def find_remarks(evidence: Evidence) -> Iterator[str]:
    """What readers remarked of single records, such as silence."""
    remarks: dict[str, tuple[int, str]] = {}
    for report in evidence.reports:
        for remark, (count, place) in report.remarks.items():
            before, first = remarks.get(remark, (0, place))
            remarks[remark] = (before + count, first)
    for remark, (count, place) in remarks.items():
        yield f"{count} {'record' if count == 1 else 'records'}: {remark}; the first: {place}"


def find_told_of_files(evidence: Evidence) -> Iterator[str]:
    """What readers told of the files as they went."""
    told = [warning for report in evidence.reports for warning in report.warnings]
    yield from told[:_SHOWN]
    if len(told) > _SHOWN:
        yield f"... {len(told) - _SHOWN} more of this kind"


def find_look_alikes(evidence: Evidence) -> Iterator[str]:
    """Labels of train that look the same, and differ."""
    for feature in evidence.features:
        if feature.facts.learned == "categories":
            labels = labels_of(evidence.reports, "train", feature.name)
            first: dict[str, str] = {}
            for label in labels:
                if (other := first.setdefault(looks(label), label)) != label:
                    yield (
                        f"{labels[label]}: {feature.name} {quoted([label])} looks like {quoted([other])} "
                        f"({labels[other]}), and is another class. {difference(label, other)} Write them alike if they "
                        "are one."
                    )


CHECKS: tuple[Callable[[Evidence], Iterator[str]], ...] = (
    find_refused,
    find_set_aside,
    find_repeated,
    find_disputed,
    find_answers_given,
    find_missing_classes,
    find_moved,
    find_remarks,
    find_told_of_files,
    find_look_alikes,
)


def check(evidence: Evidence) -> list[str]:
    """Asks every check; one sentence for each thing that it found.

    Raises:
        DataError: a check whose action in `data.gate` is fail found something.
    """
    # Further records may mend it.
    fails = evidence.gate.repeated == "fail" and evidence.whole
    if fails and (found := list(repeated(evidence))):
        raise DataError(
            "\n".join(f"{sentence} (data.gate.repeated)." for sentence in found)
            + "\n  Take them out of one of the splits, or let them pass this once: seqline run --approve repeated."
        )
    return [found for one in CHECKS for found in one(evidence)]
