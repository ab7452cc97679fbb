"""The file formats by name, and which files a run reads."""

import itertools
import os
import re
from collections.abc import Callable, Iterator, Sequence

from components.errors import DataError
from components.example_gen.clips import Clips
from components.example_gen.readers.delimited import read_csv, read_tsv
from components.example_gen.readers.jsonl import read_jsonl
from components.example_gen.readers.lines import read_labelled_lines
from components.example_gen.readers.parallel import read_parallel
from components.example_gen.readers.parquet import read_parquet
from components.example_gen.records import BadRecord, InputFile, Record
from components.example_gen.sample_dates import read_dates
from components.example_gen.settings import DataSettings, Paths, SplitPaths
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import find_files, find_recordings
from components.example_gen.wav_rules import WAV_SUFFIXES, suffix_of
from models.audio_settings import AudioSettings
from models.features import Feature

Reader = Callable[[InputFile, Sequence[Feature], DataSettings], Iterator[Record | BadRecord]]

READERS: dict[str, Reader] = {
    "tsv": read_tsv,
    "csv": read_csv,
    "jsonl": read_jsonl,
    "parquet": read_parquet,
    "parallel": read_parallel,
    "lines": read_labelled_lines,
    "sample:dates": read_dates,
}

# A second at most.
_PEEKED_FILES, _PEEKED_RECORDS = 20, 1000
_SUFFIXES = {
    ".tsv": "tsv",
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
} | dict.fromkeys(WAV_SUFFIXES, "wav")


def input_files(settings: DataSettings, features: Sequence[Feature]) -> list[InputFile]:
    """Finds every file of the run.

    Raises:
        DataError: if the settings do not fit the task's features, a pattern matches nothing, the format of a file is
            not known, or one file stands in two splits.
    """
    _check_features(settings, features)
    if settings.source:
        return [InputFile(settings.source, (settings.source,))]
    files: list[InputFile] = []
    problems = []
    for key, paths in settings.files().items():
        try:
            files += _files_of(f"data.{key}", paths, None if key == "path" else key, settings, features)
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))
    _check_distinct(files)
    return files


def paths_of(settings: DataSettings) -> Iterator[tuple[str, str]]:
    """Yields every file of the run with the setting that names it; nothing for a built-in sample.

    Raises:
        DataError: if a pattern matches nothing.
    """
    for key, paths in settings.files().items():
        named = {f".{name}": part for name, part in paths.items()} if isinstance(paths, dict) else {"": paths}
        for suffix, part in named.items():
            for path in _expand(part, f"data.{key}{suffix}", settings):
                yield f"data.{key}{suffix}", path
    if settings.labels_file:
        for path in find_files(settings.labels_file, "data.labels_file"):
            yield "data.labels_file", path


def read_file(
    file: InputFile, features: Sequence[Feature], settings: DataSettings, clips: Clips
) -> Iterator[Record | BadRecord]:
    """Yields the records of one file, good and bad; `clips` is for recordings only.

    Raises:
        DataError: if the file as a whole cannot be used. It may come after records were handed out.
    """
    empty = True
    for item in _records(file, features, settings, clips):
        empty = False
        yield item
    if empty:
        raise DataError(f"{file.name}: the file has no records. Give a file with some, or take it out of the settings.")


def _records(
    file: InputFile, features: Sequence[Feature], settings: DataSettings, clips: Clips
) -> Iterator[Record | BadRecord]:
    if file.format != "wav":
        return READERS[file.format](file, features, settings)
    # Only recordings need the libraries that decode and resample them.
    from components.example_gen.readers.wav import read_wav

    return read_wav(file, features, settings, clips)


def check_beginnings(
    files: Sequence[InputFile],
    features: Sequence[Feature],
    settings: DataSettings,
    audio: AudioSettings | None = None,
) -> None:
    """Reads the first records of the first files, so that a mistake shows before minutes have gone by.

    Raises:
        DataError: with one line for each file that cannot be used.
    """
    problems = []
    clips = Clips.of(settings, features, audio or AudioSettings())
    for file in [] if settings.source else files[:_PEEKED_FILES]:
        try:
            for _ in itertools.islice(read_file(file, features, settings, clips), _PEEKED_RECORDS):
                pass
        except DataError as error:
            problems.append(str(error))
    if problems:
        raise DataError("\n".join(problems))


def _check_features(settings: DataSettings, features: Sequence[Feature]) -> None:
    names = [feature.name for feature in features]
    if settings.source == "sample:dates" and set(names) != {"source", "target"}:
        raise DataError(
            'The sample "sample:dates" has the features source and target (task text_to_text). Received: a task with '
            f"the features {quoted(names)}."
        )
    for column_of in settings.columns:
        if column_of not in names:
            raise DataError(
                f'"data.columns" may name the task\'s features only: {quoted(names)}. Received: "{column_of}".'
                f"{did_you_mean(column_of, names)}"
            )
    texts = [feature.name for feature in features if feature.kind == "text"]
    if settings.format == "lines" and len(texts) != 1:
        raise DataError(f"data.format lines fits tasks with one text. Received: a task with {quoted(names)}.")


def _files_of(
    key: str, paths: SplitPaths, split: str | None, settings: DataSettings, features: Sequence[Feature]
) -> list[InputFile]:
    if isinstance(paths, dict):
        _check_kind("parallel", key, features)
        return _parallel_files(key, paths, split, features, settings)
    files = []
    for path, root in _expand(paths, key, settings).items():
        file_format = _format_of(path, key, settings)
        _check_kind(file_format, f"{key}: {path}", features)
        files.append(InputFile(file_format, (path,), split, root))
    return files


def _check_kind(file_format: str, received: str, features: Sequence[Feature]) -> None:
    audio = any(feature.kind == "audio" for feature in features)
    if audio and file_format != "wav":
        raise DataError(
            f"The task learns from recordings: give WAV files, tar archives of them, or with data.format wav a folder. "
            f"Received: {received}, format {file_format}."
        )
    if file_format == "wav" and not audio:
        raise DataError(
            f"Recordings fit tasks with audio only. Received: {received}, for a task with "
            f"{quoted(feature.name for feature in features)}. Give texts, or choose an audio task."
        )


def _expand(paths: Paths, key: str, settings: DataSettings) -> dict[str, str]:
    """Returns each file with the folder that its name is relative to, should it be a recording."""
    found: dict[str, str] = {}
    for pattern in [paths] if isinstance(paths, str) else paths:
        folder = settings.format == "wav" and os.path.isdir(pattern)
        for path in find_recordings(pattern, key) if folder else find_files(pattern, key):
            found.setdefault(path, pattern if folder else _root(pattern))
    return found


def _root(pattern: str) -> str:
    """The folder in front of the first wildcard."""
    fixed = pattern if os.path.exists(pattern) else re.split(r"[*?\[]", pattern)[0]
    return os.path.dirname(fixed)


def _parallel_files(
    key: str, paths: dict[str, Paths], split: str | None, features: Sequence[Feature], settings: DataSettings
) -> list[InputFile]:
    names = [feature.name for feature in features]
    if set(paths) != set(names):
        raise DataError(f'"{key}" must name one path per feature: {quoted(names)}. Received: {quoted(paths)}.')
    columns = [list(_expand(paths[name], f"{key}.{name}", settings)) for name in names]
    if len({len(column) for column in columns}) > 1:
        counts = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns, strict=True))
        raise DataError(
            f'"{key}" must match as many files for each feature; they are paired in the order of their names. '
            f"Received: {counts}."
        )
    return [InputFile("parallel", paired, split) for paired in zip(*columns, strict=True)]


def _format_of(path: str, key: str, settings: DataSettings) -> str:
    if settings.format != "auto":
        return settings.format
    suffix = suffix_of(path)
    if suffix not in _SUFFIXES:
        raise DataError(
            f'"{key}": the suffix of {path} tells no format. Known suffixes: {", ".join(_SUFFIXES)}. '
            "Set data.format (tsv, csv, jsonl, parquet, lines, wav), or give a path per feature for parallel text."
        )
    return _SUFFIXES[suffix]


def _check_distinct(files: Sequence[InputFile]) -> None:
    seen: dict[str, InputFile] = {}
    for file in files:
        for path in file.paths:
            other = seen.setdefault(os.path.realpath(path) if "://" not in path else path, file)
            if other.split != file.split:
                raise DataError(
                    f"A file may stand in one split only. Received: {path} in {other.split} and {file.split}. "
                    "Name different files, or give all as data.path, which is divided by data.split."
                )
            if other is not file:
                raise DataError(f"A file may be named once only. Received: {path} in {other.name} and {file.name}.")
            if len(set(file.paths)) < len(file.paths):
                raise DataError(f"Parallel text needs a file of its own per feature. Received: {file.name}.")
