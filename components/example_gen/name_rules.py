"""Which settings of the `data` section fit formats whose files are known by their names, the task, and each other."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from components.example_gen.formats import READERS, formats_with, suffix_hint
from models.features import Feature, given_features

if TYPE_CHECKING:
    from components.example_gen.settings import DataSettings


def check_expression(key: str, pattern: str) -> str:
    """Returns the pattern.

    Raises:
        ValueError: if it is no regular expression.
    """
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f'"data.{key}" must be a regular expression. Received: {pattern!r} ({error}).') from error
    return pattern


def check_name_keys(
    values: Mapping[str, str], file_format: str, data_format: str, has_path: bool, paths: Iterable[str] = ()
) -> None:
    """Checks the keys that say what a file's name tells.

    Args:
        values: `label_pattern`, `labels_file`, `eval_pattern` and `test_pattern`.
        file_format: `DataSettings.told_format()`.
        data_format: `data.format`, for the message.
        has_path: whether `data.path` is set.
        paths: all that are set, for the message.

    Raises:
        ValueError: if one of them has no use, or two exclude each other.
    """
    by_name = formats_with("by_name")
    hint = next((f" {hint}" for path in paths if not file_format and (hint := suffix_hint(path))), "")
    for key, value in values.items():
        if value and file_format not in by_name:
            raise ValueError(
                f'"data.{key}" and data.format {" or ".join(by_name)} go together. '
                f"Received: data.format {data_format}, data.{key} {value!r}.{hint} Set data.format, or remove the key."
            )
    if values["label_pattern"] and values["labels_file"]:
        raise ValueError(
            'Labels come from "data.label_pattern" or from "data.labels_file", not from both. '
            f"Received: {values['label_pattern']!r} and {values['labels_file']!r}. Remove one of them."
        )
    for key in ("eval_pattern", "test_pattern"):
        if values[key] and not has_path:
            raise ValueError(
                f'"data.{key}" divides the files of "data.path". Received: {values[key]!r} without data.path. '
                "Give all files as data.path, or remove the pattern."
            )
    if values["test_pattern"] and not values["eval_pattern"]:
        raise ValueError(
            '"data.eval_pattern" must be set where "data.test_pattern" is. '
            f"Received: data.test_pattern {values['test_pattern']!r} alone. Say which files are for eval."
        )


def names_problems(settings: "DataSettings", features: Sequence[Feature], file_format: str) -> list[str]:
    """What of `label_pattern`, `label_names` and `labels_file` does not fit the features that come by name.

    What columns the labels file has, only `FileFacts.of` can say.

    Args:
        settings: the data section.
        features: the task's.
        file_format: of the files.

    Returns:
        One sentence, or none.
    """
    reader, features = READERS.get(file_format), given_features(features)
    if reader is None or not reader.by_name:
        return []
    named, pattern = reader.named(features), settings.label_pattern
    names, groups = [feature.name for feature in named], set(re.compile(pattern).groupindex)
    label = label_of(named)
    useless = [
        key for key, use in (("label_pattern", names), ("labels_file", names), ("label_names", label)) if not use
    ]
    for key in useless:
        if getattr(settings, key):
            return [_no_use(key, getattr(settings, key), features)]
    if pattern and not (groups and groups <= set(names)):
        example = "".join(f"(?P<{name}>...)" for name in names)
        return [
            f'"data.label_pattern" must hold a group named {any_of(names)}, and no other named group: "{example}". '
            f"Received: {pattern!r}."
        ]
    if settings.label_names and label not in groups:
        return [
            f'"data.label_names" names what a group {label} of "data.label_pattern" finds. '
            f"Received: data.label_pattern {pattern!r}. Add (?P<{label}>...) to it, or remove the names."
        ]
    return [] if settings.labels_file else missing_problems(settings, named, groups, reader.example)


def missing_problems(settings: "DataSettings", named: Sequence[Feature], given: set[str], example: str) -> list[str]:
    """Tells which feature that the task needs for every example nothing gives: a sentence for the first, or none."""
    return [
        f'The task needs a "{feature.name}" for every {example}. Received: data.label_pattern '
        f"{settings.label_pattern!r}, data.labels_file {settings.labels_file!r}. Give the pattern a group "
        f'"(?P<{feature.name}>...)", or name a TSV file with the columns file and {feature.name}.'
        for feature in named
        if not feature.optional and feature.name not in given
    ][:1]


def label_of(named: Sequence[Feature]) -> str:
    """The feature whose values `data.label_names` names: the first that has categories; "" where none has."""
    return next((feature.name for feature in named if feature.facts.learned == "categories"), "")


def any_of(names: Sequence[str]) -> str:
    """The names, of which one or several must be there."""
    *some, last = names
    if not some:
        return last
    return f"{', '.join(some)} or {last} or {'both' if len(names) == 2 else 'several'}"


def _no_use(key: str, value: Any, features: Sequence[Feature]) -> str:
    return (
        f'"data.{key}" is about what the names of files tell, and the task has nothing to be told so: its '
        f"features are {', '.join(feature.name for feature in features)}. Received: {value!r}. Remove the key."
    )
