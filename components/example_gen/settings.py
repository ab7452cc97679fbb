"""The `data` section of the configuration."""

import codecs
import itertools
import os
import re
from typing import Any, Literal, Self

import pydantic

from components.example_gen.wav_rules import check_expression, check_label_pattern, check_wav_keys, names_recordings
from models.settings import Settings

SAMPLES = ("sample:dates",)
SPLITS = ("train", "eval", "test")
TABLE_FORMATS = ("tsv", "csv", "jsonl", "parquet")

_VARIABLE = re.compile(r"\$\{(?P<name>\w+)(?::-(?P<default>[^}]*))?\}")

Paths = str | list[str]
SplitPaths = Paths | dict[str, Paths]


class DataSettings(Settings):
    """Where the examples come from and how files are read.

    Exactly one of three ways: `source` (a built-in sample), `train` with `eval` (files per split), or `path` (files
    that `split` divides by a hash of their content, recordings by a hash of their name or by patterns). Paths may hold
    `*`, `?`, `[...]`, `**`, and `${VARIABLE}` or `${VARIABLE:-default}`; relative paths start at the working directory;
    files that end in `.gz` are unpacked; a folder means, for recordings, all WAV files in it and below.
    """

    source: str = ""
    """Built-in sample: sample:dates (dates as people write them, with their ISO form), or empty to read files."""

    sample_size: int = pydantic.Field(default=20_000, ge=100)
    """Number of examples made for a built-in sample, over all splits."""

    sample_seed: int = 1
    """Seed of a built-in sample; the same seed and size give the same examples."""

    train: SplitPaths = ""
    """Files of the train split: path, list of paths, or for parallel text one path or list per feature."""

    eval: SplitPaths = ""
    """Files of the eval split, in the form of `train`."""

    test: SplitPaths = ""
    """Files of the test split (optional), in the form of `train`."""

    path: SplitPaths = ""
    """Files that `split` divides, in the form of `train`."""

    split: dict[str, pydantic.PositiveInt] = {"train": 9, "eval": 1}
    """Relative sizes of the splits made from `path` or a built-in sample; equal inputs fall in one split."""

    eval_pattern: str = ""
    """Regular expression: recordings of `path` whose name has it are the eval split, the rest train, instead of
    `split`."""

    test_pattern: str = ""
    """Regular expression: recordings of `path` whose name has it are the test split (optional, with
    `eval_pattern`)."""

    format: Literal["auto", "tsv", "csv", "jsonl", "parquet", "parallel", "lines", "wav"] = "auto"
    """File format: tsv (no quoting), csv (quoted), jsonl, parquet, parallel (line-aligned files, one per feature),
    lines (one text per line, label in the file name), wav (recordings, in folders or tar archives too), or auto (by
    suffix; parallel for paths per feature)."""

    columns: dict[str, str] = {}
    """Column (or JSON key) of each feature; a feature that is not named here has a column of its own name."""

    label_pattern: str = ""
    """Regular expression that finds the label in the file name by a group `label`; for wav also or only the speaker by
    a group `speaker`, and the name is the path inside the archive or below the folder. Formats lines and wav only."""

    label_names: dict[str, str] = {}
    """What the labels that `label_pattern` finds are called: {"0": zero, "1": one}. Empty: as they stand in the file
    name. If given, it names every label."""

    labels_file: str = ""
    """TSV file with the columns file, label and/or speaker; file is a recording's name, or its path inside the archive
    or below the folder. Instead of `label_pattern`, format wav only."""

    encoding: str = "utf-8"
    """Character encoding of text files, by Python's name (utf-8, cp1252, cp949, ...)."""

    max_bad_fraction: float = pydantic.Field(default=0.0, ge=0.0, lt=1.0)
    """Share of a split's records (0 to 1) that may be refused before the run stops."""

    @pydantic.field_validator("train", "eval", "test", "path", "labels_file", mode="before")
    @classmethod
    def _expand(cls, value: Any, info: pydantic.ValidationInfo) -> Any:
        return expand_variables(value, f"data.{info.field_name}")

    @pydantic.field_validator("source")
    @classmethod
    def _known_sample(cls, source: str) -> str:
        if source and source not in SAMPLES:
            raise ValueError(f'"data.source" must be empty or one of {", ".join(SAMPLES)}. Received: {source!r}.')
        return source

    @pydantic.field_validator("split")
    @classmethod
    def _known_splits(cls, split: dict[str, int]) -> dict[str, int]:
        if not {"train", "eval"} <= set(split) <= set(SPLITS):
            raise ValueError(
                f'"data.split" must give sizes for train and eval, and may give one for test. Received: {split}.'
            )
        return split

    @pydantic.field_validator("encoding")
    @classmethod
    def _line_wise_encoding(cls, encoding: str) -> str:
        try:
            name = codecs.lookup(encoding).name
            newline = "\n".encode(name)
        except (LookupError, TypeError) as error:
            raise ValueError(
                f'"data.encoding" must be a text encoding that Python knows, such as utf-8. Received: {encoding!r}.'
            ) from error
        if name == "utf-8-sig":
            return "utf-8"  # a byte order mark is dropped anyway
        if newline != b"\n":
            raise ValueError(
                f'"data.encoding" must write a line end as one byte. Received: {encoding!r}. Convert the files first: '
                f"iconv -f {encoding} -t UTF-8 FILE > NEW_FILE."
            )
        return encoding

    @pydantic.field_validator("label_pattern", "eval_pattern", "test_pattern")
    @classmethod
    def _expression(cls, pattern: str, info: pydantic.ValidationInfo) -> str:
        return check_expression(str(info.field_name), pattern)

    @pydantic.model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [name for name in ("source", "train", "path") if getattr(self, name)]
        if len(ways) != 1:
            received = " and ".join(ways) if ways else "none"
            raise ValueError(
                'Exactly one of "data.source", "data.train" (with "data.eval") and "data.path" must be set. '
                f"Received: {received}."
            )
        if self.train and not self.eval:
            raise ValueError(
                '"data.eval" must be set where "data.train" is. Name the files of the eval split, or give all files as '
                '"data.path", which is divided by "data.split".'
            )
        if (self.eval or self.test) and not self.train:
            given = "eval" if self.eval else "test"
            raise ValueError(
                f'"data.{given}" goes with "data.train" only. Received: data.{given} beside data.{ways[0]}.'
            )
        return self

    @pydantic.model_validator(mode="after")
    def _keys_that_fit_the_format(self) -> Self:
        per_feature = {key: isinstance(value, dict) for key, value in self.files().items()}
        parallel = all(per_feature.values()) and bool(per_feature)
        if any(per_feature.values()) and not (parallel and self.format in ("auto", "parallel")):
            raise ValueError(
                "Paths per feature mean parallel text: give them for every split, with data.format parallel or auto. "
                f"Received: data.format {self.format}, per feature: {_names(per_feature, True)}, "
                f"plain: {_names(per_feature, False)}."
            )
        if self.format == "parallel" and not parallel:
            raise ValueError(
                "data.format parallel needs one path per feature, such as {source: train.en.gz, target: train.de.gz}. "
                f"Received: {self.files()}."
            )
        check_label_pattern(self.label_pattern, self.format, self.reads_wav())
        if self.label_names and "(?P<label>" not in self.label_pattern:
            raise ValueError(
                '"data.label_names" names what a group label of "data.label_pattern" finds. '
                f"Received: data.label_pattern {self.label_pattern!r}. Add (?P<label>...) to it, or remove the names."
            )
        if self.columns and (parallel or self.format == "lines" or self.source or self.reads_wav()):
            raise ValueError(
                f'"data.columns" is for tables only ({", ".join(TABLE_FORMATS)}). Received: {self.columns}.'
            )
        values = {key: getattr(self, key) for key in ("label_pattern", "labels_file", "eval_pattern", "test_pattern")}
        check_wav_keys(values, self.reads_wav(), bool(self.path), self.format)
        return self

    def files(self) -> dict[str, SplitPaths]:
        """Returns what is set of train, eval, test and path."""
        return {key: getattr(self, key) for key in (*SPLITS, "path") if getattr(self, key)}

    def reads_wav(self) -> bool:
        """Whether the files are recordings: by `format`, or where that is auto by the suffixes of all paths."""
        paths = self.files().values()
        if self.format != "auto" or any(isinstance(part, dict) for part in paths):
            return self.format == "wav"
        return names_recordings(itertools.chain.from_iterable([p] if isinstance(p, str) else p for p in paths))

    def splits(self) -> tuple[str, ...]:
        """Returns the names of the splits that come out, in the order train, eval, test."""
        if self.eval_pattern:
            return SPLITS if self.test_pattern else SPLITS[:2]
        made: Any = self.files() if self.train else self.split
        return tuple(split for split in SPLITS if split in made)


def _names(flags: dict[str, bool], wanted: bool) -> str:
    return ", ".join(f"data.{key}" for key, flag in flags.items() if flag == wanted) or "none"


def expand_variables(value: Any, key: str) -> Any:
    """Replaces `${VARIABLE}` and `${VARIABLE:-default}` in every text inside `value`."""
    if isinstance(value, dict):
        return {name: expand_variables(item, key) for name, item in value.items()}
    if isinstance(value, list):
        return [expand_variables(item, key) for item in value]
    if not isinstance(value, str):
        return value

    def replace(match: re.Match[str]) -> str:
        # Empty counts as unset, as in the shell.
        found = os.environ.get(match["name"]) or match["default"]
        if found is None:
            raise ValueError(
                f'"{key}" names the environment variable {match["name"]}, which is not set. Received: {value!r}. '
                f"Set it, or give a default: ${{{match['name']}:-some/folder}}."
            )
        return found

    return _VARIABLE.sub(replace, value)
