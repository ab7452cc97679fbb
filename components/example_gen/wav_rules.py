"""Which settings of the `data` section fit recordings, and each other."""

import os
import re
from collections.abc import Iterable, Mapping

WAV_FEATURES = ("label", "speaker")
WAV_SUFFIXES = (".wav", ".tar", ".tgz")


def suffix_of(path: str) -> str:
    """Returns the suffix of a path in lower case, looking behind `.gz`."""
    return os.path.splitext(path.removesuffix(".gz"))[1].lower()


def names_recordings(paths: Iterable[str]) -> bool:
    """Whether every path, and at least one, ends as WAV files and tar archives do."""
    suffixes = {suffix_of(path) for path in paths}
    return bool(suffixes) and suffixes <= set(WAV_SUFFIXES)


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


def check_label_pattern(pattern: str, data_format: str, wav: bool) -> None:
    """Checks that the pattern has a use and the groups that go with it.

    Raises:
        ValueError: if not.
    """
    groups = set(re.compile(pattern).groupindex)
    if data_format == "lines" and not pattern:
        raise ValueError(
            '"data.label_pattern" and data.format lines go together. '
            f"Received: data.format {data_format}, data.label_pattern {pattern!r}."
        )
    if not pattern:
        return
    if data_format != "lines" and not wav:
        raise ValueError(
            '"data.label_pattern" and data.format lines or wav go together. '
            f"Received: data.format {data_format}, data.label_pattern {pattern!r}."
        )
    if data_format == "lines" and "label" not in groups:
        raise ValueError(
            f'"data.label_pattern" must hold a group named label: "(?P<label>neg|pos)". Received: {pattern!r}.'
        )
    if wav and not (groups and groups <= set(WAV_FEATURES)):
        raise ValueError(
            '"data.label_pattern" must hold a group named label or speaker or both, and no other named group: '
            f'"(?P<label>\\d)_(?P<speaker>[a-z]+)_". Received: {pattern!r}.'
        )


def check_wav_keys(values: Mapping[str, str], wav: bool, has_path: bool, data_format: str) -> None:
    """Checks the keys that only recordings have.

    Args:
        values: `label_pattern`, `labels_file`, `eval_pattern` and `test_pattern`.
        wav: whether the files are recordings.
        has_path: whether `data.path` is set.
        data_format: `data.format`, for the message.

    Raises:
        ValueError: if one of them has no use, or two exclude each other.
    """
    for key in ("labels_file", "eval_pattern", "test_pattern"):
        if values[key] and not wav:
            raise ValueError(
                f'"data.{key}" is for recordings only. Received: data.format {data_format}, data.{key} '
                f"{values[key]!r}. Set data.format wav, or remove the key."
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
