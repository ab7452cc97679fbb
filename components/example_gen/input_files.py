"""Which files a run reads, and whether they and the settings fit the task."""

import os
import re
from collections.abc import Iterator, Sequence

from components.errors import DataError
from components.example_gen.formats import AUTO, READERS, SAMPLES, formats_with, known_suffixes, suffix_of
from components.example_gen.name_rules import names_problems
from components.example_gen.records import InputFile
from components.example_gen.settings import DataSettings, Paths, SplitPaths
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import find_below, find_files
from models.features import Feature, given_features
from models.registry import TASKS


def input_files(settings: DataSettings, features: Sequence[Feature]) -> list[InputFile]:
    """Finds every file of the run.

    Raises:
        DataError: if the settings do not fit the task's features, a pattern matches nothing, the format of a file is
            not known, or one file stands in two splits.
    """
    features = given_features(features)
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
    for file_format in dict.fromkeys(file.format for file in files):
        problems += names_problems(settings, features, file_format)
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


def _check_features(settings: DataSettings, features: Sequence[Feature]) -> None:
    names = [feature.name for feature in features]
    if settings.source:
        _check_sample(settings.source, names)
    for column_of in settings.columns:
        if column_of not in names:
            raise DataError(
                f'"data.columns" may name the task\'s features only: {quoted(names)}. Received: "{column_of}".'
                f"{did_you_mean(column_of, names)}"
            )


def _check_sample(source: str, names: Sequence[str]) -> None:
    made = SAMPLES[source].features
    if set(names) != set(made):
        tasks = [task.name for task in TASKS.values() if {feature.name for feature in task.features} == set(made)]
        raise DataError(
            f'The sample "{source}" has the features {" and ".join(made)} (task {", ".join(tasks)}). Received: a task '
            f"with the features {quoted(names)}."
        )


def _files_of(
    key: str, paths: SplitPaths, split: str | None, settings: DataSettings, features: Sequence[Feature]
) -> list[InputFile]:
    if isinstance(paths, dict):
        return _parallel_files(key, paths, split, features, settings)
    files = []
    for path, root in _expand(paths, key, settings).items():
        file_format = _format_of(path, key, settings)
        _check_fit(file_format, f"{key}: {path}", features)
        files.append(InputFile(file_format, (path,), split, root))
    return files


def _check_fit(file_format: str, received: str, features: Sequence[Feature]) -> None:
    reader, names = READERS[file_format], quoted(feature.name for feature in features)
    if reader.fits(features):
        return
    if reader.by_name and len(features) - len(reader.named(features)) > 1:
        raise DataError(
            f"data.format {file_format} fits tasks with one {_kinds(reader.kinds)}. Received: a task with {names}."
        )
    fitting = [other for other in READERS.values() if other.fits(features)]
    for other in fitting:
        if other.offer:
            raise DataError(
                f"The task learns from {other.holds}: {other.offer}. Received: {received}, format {file_format}."
            )
    instead = f"Give {fitting[0].holds}, or choose" if fitting else "Choose"
    raise DataError(
        f"{reader.holds.capitalize()} fit tasks with {_kinds(reader.kinds)} only. Received: {received}, for a task "
        f"with {names}. {instead} a task with {_kinds(reader.kinds)}."
    )


def _kinds(kinds: frozenset[str]) -> str:
    return " or ".join(sorted(kinds))


def _expand(paths: Paths, key: str, settings: DataSettings) -> dict[str, str]:
    """Returns each file with the folder that its name is relative to, should its name tell something."""
    found: dict[str, str] = {}
    below = () if settings.format == AUTO else READERS[settings.format].below
    for pattern in [paths] if isinstance(paths, str) else paths:
        folder = bool(below) and os.path.isdir(pattern)
        for path in find_below(pattern, key, below) if folder else find_files(pattern, key):
            found.setdefault(path, pattern if folder else _root(pattern))
    return found


def _root(pattern: str) -> str:
    """The folder in front of the first wildcard."""
    fixed = pattern if os.path.exists(pattern) else re.split(r"[*?\[]", pattern)[0]
    return os.path.dirname(fixed)


def _parallel_files(
    key: str, paths: dict[str, Paths], split: str | None, features: Sequence[Feature], settings: DataSettings
) -> list[InputFile]:
    file_format = settings.told_format()
    _check_fit(file_format, key, features)
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
    return [InputFile(file_format, paired, split) for paired in zip(*columns, strict=True)]


def _format_of(path: str, key: str, settings: DataSettings) -> str:
    if settings.format != AUTO:
        return settings.format
    known, suffix = known_suffixes(), suffix_of(path)
    if suffix not in known:
        per_feature = formats_with("per_feature")
        raise DataError(
            f'"{key}": the suffix of {path} tells no format. Known suffixes: {", ".join(known)}. '
            f"Set data.format ({', '.join(name for name in READERS if name not in per_feature)}), or give a path per "
            "feature for parallel text."
        )
    return known[suffix]


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
