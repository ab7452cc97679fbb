"""What is known of a recording beside its sound: labels and split, by its name or a row of a TSV file."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from components.errors import DataError
from components.example_gen.records import Unusable
from components.example_gen.settings import DataSettings
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import Line, find_files, read_lines
from components.example_gen.wav_rules import WAV_FEATURES
from models.audio_settings import AudioSettings
from models.features import Feature


@dataclass(frozen=True)
class Clips:
    """What reading recordings needs beside the data section.

    Attributes:
        audio: the audio section.
        rows: per recording of `data.labels_file`, its labels by feature.
    """

    audio: AudioSettings = AudioSettings()
    rows: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: DataSettings, features: Sequence[Feature], audio: AudioSettings) -> "Clips":
        """Reads the labels file, if there is one.

        Raises:
            DataError: if it cannot be used, or nothing gives a label that the task needs.
        """
        rows = _read_rows(settings) if settings.labels_file else {}
        if settings.reads_wav():
            _check_labels_come(settings, features, rows)
        return cls(audio, rows)


def labels_of(name: str, features: Sequence[Feature], settings: DataSettings, clips: Clips) -> dict[str, str]:
    """Returns the value of each label feature, "" where an optional one has none.

    Args:
        name: path of the recording inside its archive or below its folder.
        features: the task's.
        settings: the data section.
        clips: with the rows of the labels file.

    Raises:
        Unusable: if the pattern does not match, there is no row, or a label that must be there is not.
    """
    found = _find(name, settings, clips)
    labels = {feature.name: found.get(feature.name, "") for feature in features if feature.kind == "label"}
    for feature in features:
        if feature.kind == "label" and not feature.optional and not labels[feature.name].strip():
            raise Unusable(f'"{feature.name}" is empty')
    return labels


def split_by_name(name: str, settings: DataSettings) -> str:
    """Returns the split that `data.eval_pattern` and `data.test_pattern` say, or "" where they are not set.

    Raises:
        Unusable: if both match.
    """
    if not settings.eval_pattern:
        return ""
    patterns = {"eval": settings.eval_pattern, "test": settings.test_pattern}
    found = [split for split, pattern in patterns.items() if pattern and re.search(pattern, name)]
    if len(found) > 1:
        raise Unusable("its name has both data.eval_pattern and data.test_pattern")
    return found[0] if found else "train"


def _find(name: str, settings: DataSettings, clips: Clips) -> Mapping[str, str]:
    if settings.labels_file:
        row = clips.rows.get(name) or clips.rows.get(os.path.basename(name))
        if row is None:
            raise Unusable(f"no row for it in data.labels_file ({settings.labels_file})")
        return row
    if not settings.label_pattern:
        return {}
    match = re.search(settings.label_pattern, name)
    if match is None:
        raise Unusable(f"its name does not match data.label_pattern ({settings.label_pattern})")
    found = match.groupdict(default="")
    if found.get("label"):
        found["label"] = name_of(found["label"], settings)
    return found


def name_of(label: str, settings: DataSettings) -> str:
    """What a label of a file name is called.

    Raises:
        Unusable: if there are names and none for it.
    """
    if settings.label_names and label not in settings.label_names:
        raise Unusable(f'label "{label}" is not in data.label_names ({quoted(settings.label_names)})')
    return settings.label_names.get(label, label)


def _check_labels_come(
    settings: DataSettings, features: Sequence[Feature], rows: Mapping[str, Mapping[str, str]]
) -> None:
    groups = re.compile(settings.label_pattern).groupindex
    given = set(groups) | {feature for row in rows.values() for feature in row}
    for feature in features:
        if feature.kind == "label" and not feature.optional and feature.name not in given:
            raise DataError(
                f'The task needs a "{feature.name}" for every recording. Received: data.label_pattern '
                f"{settings.label_pattern!r}, data.labels_file {settings.labels_file!r}. Give the pattern a group "
                f'"(?P<{feature.name}>...)", or name a TSV file with the columns file and {feature.name}.'
            )


def _read_rows(settings: DataSettings) -> dict[str, dict[str, str]]:
    path, *more = find_files(settings.labels_file, "data.labels_file")
    if more:
        raise DataError(f'"data.labels_file" must name one file. Received: {settings.labels_file}, {1 + len(more)}.')
    lines = read_lines(path, settings.encoding)
    header = _cells(next(lines), path)
    _check_header(header, path)
    rows: dict[str, dict[str, str]] = {}
    for line in lines:
        cells = _cells(line, path)
        if len(cells) != len(header):
            raise DataError(
                f"{path}:{line.number}: {len(cells)} fields where the header has {len(header)} ({quoted(header)}). "
                "Correct the row."
            )
        row = {column: cell for column, cell in zip(header, cells, strict=True) if column in WAV_FEATURES}
        name = cells[header.index("file")].removeprefix("./")
        if rows.setdefault(name, row) != row:
            raise DataError(f'{path}:{line.number}: "{name}" has another row that differs. Keep one of them.')
    return rows


def _cells(line: Line, path: str) -> list[str]:
    if line.problem:
        raise DataError(f"{path}:{line.number}: {line.problem}. Set data.encoding to the file's encoding.")
    return line.text.split("\t")


def _check_header(header: Sequence[str], path: str) -> None:
    if header.count("file") == 1 and any(header.count(name) == 1 for name in WAV_FEATURES):
        if all(header.count(name) <= 1 for name in WAV_FEATURES):
            return
    raise DataError(
        f"{path}:1: the header must name the columns file and label or speaker or both, once each, with tabs between. "
        f"Received: {quoted(header)}.{did_you_mean('file', header) if 'file' not in header else ''}"
    )
