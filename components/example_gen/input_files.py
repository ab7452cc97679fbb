"""Which files a run reads, and whether they and the settings fit the task."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from components.errors import DataError
from components.example_gen.finding import find_below, find_files, local_path, root_of
from components.example_gen.formats import AUTO, READERS, SAMPLES, formats_with, known_suffixes, suffix_hint, suffix_of
from components.example_gen.name_rules import names_problems
from components.example_gen.passing_over import OTHERS, TWICE
from components.example_gen.records import InputFile
from components.example_gen.settings import DataSettings, Paths, SplitPaths
from components.example_gen.suggestions import did_you_mean, quoted
from models.features import Feature, given_features
from models.registry import TASKS


@dataclass(frozen=True, slots=True)
class _Found:
    """How a path was found.

    Attributes:
        root: folder that its name is relative to, should it tell something.
        named: whether the settings name it by itself, not by a pattern or a folder.
    """

    root: str
    named: bool


def input_files(
    settings: DataSettings, features: Sequence[Feature], passed: Counter[str] | None = None
) -> list[InputFile]:
    """Finds every file of the run.

    Args:
        settings: the data section.
        features: the task's.
        passed: gets the number of files that are passed over, by the words of `passing_over`.

    Raises:
        DataError: if the settings do not fit the task's features, a pattern matches nothing, the format of a file is
            not known, or one file stands in two splits.
    """
    features = given_features(features)
    _check_features(settings, features)
    if settings.source:
        return [InputFile(settings.source, (settings.source,))]
    over = Counter[str]() if passed is None else passed
    files: list[InputFile] = []
    problems = []
    for key, paths in settings.files().items():
        try:
            files += _files_of(f"data.{key}", paths, None if key == "path" else key, settings, features, over)
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
            for path in _expand(part, f"data.{key}{suffix}", settings, Counter()):
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
    key: str,
    paths: SplitPaths,
    split: str | None,
    settings: DataSettings,
    features: Sequence[Feature],
    passed: Counter[str],
) -> list[InputFile]:
    if isinstance(paths, dict):
        return _parallel_files(key, paths, split, features, settings, passed)
    found = _expand(paths, key, settings, passed)
    formats = {path: _format_of(path, key, settings) for path in found}
    some_fit = any(READERS[file_format].fits(features) for file_format in formats.values())
    files = []
    for path, how in found.items():
        if some_fit and not how.named and not READERS[formats[path]].fits(features):
            passed[OTHERS] += 1
            continue
        _check_fit(formats[path], f"{key}: {path}", features)
        files.append(InputFile(formats[path], (path,), split, how.root, not how.named))
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


def _expand(paths: Paths, key: str, settings: DataSettings, passed: Counter[str]) -> dict[str, _Found]:
    """Returns each file once, with how it was found; of what a pattern matches only what can be data."""
    found: dict[str, _Found] = {}
    known: dict[str, str] = {}
    for pattern in [paths] if isinstance(paths, str) else paths:
        pattern = local_path(pattern, key)
        below = _below(pattern, settings)
        matched = find_below(pattern, key, below, passed) if below else find_files(pattern, key, passed)
        how = _Found(pattern if below else root_of(pattern), matched == [pattern])
        for path in matched if how.named else _of_known_kinds(matched, settings, passed):
            same = os.path.realpath(path) if "://" not in path else path
            if known.setdefault(same, path) != path or path in found:
                passed[TWICE] += 1
            else:
                found[path] = how
    return found


def _below(pattern: str, settings: DataSettings) -> tuple[str, ...]:
    """The suffixes of the files that a folder stands for; none where it is no folder, or the format is not known."""
    if not os.path.isdir(pattern):
        return ()
    file_format = known_suffixes().get(suffix_of(pattern), "") if settings.format == AUTO else settings.format
    return READERS[file_format].below if file_format else ()


def _of_known_kinds(paths: Sequence[str], settings: DataSettings, passed: Counter[str]) -> list[str]:
    """Passes over what has another suffix beside files that have one of the format, or of any where it is auto."""
    if settings.format == AUTO:
        suffixes = tuple(known_suffixes())
    else:
        # Where a folder can be read, a pattern means the same files.
        suffixes = READERS[settings.format].suffixes if READERS[settings.format].by_name else ()
    known = [path for path in paths if suffix_of(path) in suffixes]
    if not known:
        return list(paths)
    if len(known) < len(paths):
        passed[OTHERS] += len(paths) - len(known)
    return known


def _parallel_files(
    key: str,
    paths: dict[str, Paths],
    split: str | None,
    features: Sequence[Feature],
    settings: DataSettings,
    passed: Counter[str],
) -> list[InputFile]:
    file_format = settings.told_format()
    _check_fit(file_format, key, features)
    names = [feature.name for feature in features]
    if set(paths) != set(names):
        raise DataError(f'"{key}" must name one path per feature: {quoted(names)}. Received: {quoted(paths)}.')
    columns = [list(_expand(paths[name], f"{key}.{name}", settings, passed).items()) for name in names]
    if len({len(column) for column in columns}) > 1:
        counts = ", ".join(f"{name} {len(column)}" for name, column in zip(names, columns, strict=True))
        raise DataError(
            f'"{key}" must match as many files for each feature; they are paired in the order of their names. '
            f"Received: {counts}."
        )
    return [
        InputFile(file_format, tuple(path for path, _ in pair), split, found=not any(how.named for _, how in pair))
        for pair in zip(*columns, strict=True)
    ]


def _format_of(path: str, key: str, settings: DataSettings) -> str:
    if settings.format != AUTO:
        return settings.format
    known, suffix = known_suffixes(), suffix_of(path)
    if suffix not in known:
        per_feature = formats_with("per_feature")
        hint = f" {hint}" if (hint := suffix_hint(path)) else ""
        raise DataError(
            f'"{key}": the suffix of {path} tells no format.{hint} Known suffixes: {", ".join(known)}. '
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
