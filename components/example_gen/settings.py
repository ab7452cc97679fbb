"""The `data` section of the configuration."""

import codecs
from typing import Annotated, Any, Literal, Self

import pydantic

from components.example_gen.formats import AUTO, READERS, SAMPLES, described, format_of_all, formats_with
from components.example_gen.gate_settings import GateSettings
from components.example_gen.name_rules import check_expression, check_name_keys
from components.example_gen.tag_schemes import SCHEMES
from models.settings import Settings, a_path, only_for, only_with

SPLITS = ("train", "eval", "test")

# YAML reads a column's number as a number.
_Column = Annotated[
    str,
    pydantic.BeforeValidator(lambda value: str(value) if type(value) is int else value),
    pydantic.WithJsonSchema({"type": ["string", "integer"]}),
]
Paths = str | list[str]
SplitPaths = Paths | dict[str, Paths]


class DataSettings(Settings):
    """Where the examples come from and how files are read.

    Exactly one of three ways: `source` (a built-in sample), `train` with `eval` (files per split), or `path` (files
    that `split` divides by a hash of their content, recordings by a hash of their name, or patterns by the name of the
    file). Paths may hold `*`, `?`, `[...]`, `**`, and, as every path of the configuration, `~` and `${VARIABLE}` or
    `${VARIABLE:-default}`; relative paths start at the working directory; packed files (gzip, bzip2, xz, zstd) are
    unpacked; a folder means, with `format`, all files of that format in it and below. `docs/data.md` tells what is
    read, refused and passed over.
    """

    source: str = pydantic.Field("", description=f"Built-in sample: {described(SAMPLES)}, or empty to read files.")

    sample_size: int = pydantic.Field(default=20_000, ge=100, json_schema_extra=only_with(source=True))
    """Number of examples made for a built-in sample, over all splits."""

    sample_seed: int = pydantic.Field(1, json_schema_extra=only_with(source=True))
    """Seed of a built-in sample; the same seed and size give the same examples."""

    train: SplitPaths = pydantic.Field(default="", json_schema_extra=a_path())
    """Files of the train split: path, list of paths, or for parallel text one path or list per feature."""

    eval: SplitPaths = pydantic.Field(default="", json_schema_extra=a_path())
    """Files of the eval split, in the form of `train`."""

    test: SplitPaths = pydantic.Field(default="", json_schema_extra=a_path())
    """Files of the test split (optional), in the form of `train`."""

    path: SplitPaths = pydantic.Field(default="", json_schema_extra=a_path())
    """Files that `split` divides, in the form of `train`."""

    split: dict[str, pydantic.PositiveInt] = pydantic.Field(
        default={"train": 9, "eval": 1}, json_schema_extra=only_with(train=False, eval_pattern=False)
    )
    """Relative sizes of the splits made from `path` or a built-in sample; equal inputs fall in one split."""

    split_by: Literal["hash", "order"] = pydantic.Field(
        "hash", json_schema_extra=only_with(train=False, eval_pattern=False)
    )
    """How `split` divides `path`. hash: by a hash of each record, which so keeps its split whatever comes beside it.
    order: the first records of each file are train, those behind them eval, and the last ones test, so that a
    long text is judged by its end."""

    eval_pattern: str = ""
    """Regular expression: files (or recordings in archives) of `path` whose name has it are the eval split, the rest
    train, instead of `split`. Formats lines and wav only."""

    test_pattern: str = ""
    """Regular expression: files (or recordings in archives) of `path` whose name has it are the test split (optional,
    with `eval_pattern`)."""

    ordered: bool = False
    """Keep the order of the files (as they are named; those of a pattern by name) and of the lines in them, within each
    split, for a model that reads a text in order. False: mix the examples, so that labels that come sorted do not stay
    so."""

    format: Literal[(AUTO, *READERS)] = pydantic.Field(  # type: ignore[valid-type]
        default=AUTO,
        description=f"File format: {described(READERS)}, or auto (by suffix; parallel for paths per feature).",
        json_schema_extra=only_with(source=False),
    )

    passage_length: int = pydantic.Field(default=2000, ge=1, json_schema_extra=only_with(format="text"))
    """Characters of a passage at most; it ends behind its last line break, or else its last blank. Passages are what is
    split, mixed and judged; a model that reads a text in order does not see where one ends."""

    context_length: int = pydantic.Field(default=256, ge=0, json_schema_extra=only_with(format="text"))
    """Characters before a passage that stand in its example too, so that it can be judged in its place."""

    columns: dict[str, _Column] = {}
    """Column (or JSON key) of each feature; a feature that is not named here has a column of its own name. In format
    conll a number, from 1, or from the end from -1, or a name that the file gives its columns in a line
    `# global.columns = NAME ...`; not named there: tokens in the first column, tags in the last."""

    tag_scheme: Literal[(AUTO, *SCHEMES)] = pydantic.Field(  # type: ignore[valid-type]
        default=AUTO, json_schema_extra=only_for("tags")
    )
    """How tags mark spans: iob1 (B only between neighbours of one type), bio (IOB2: B begins every span), bioes (or
    BILOU), none (no spans, such as parts of speech), or auto: by the tags of each file. All are converted to bio; a
    tag that cannot stand where it does makes its sentence a bad record."""

    comment_prefix: str = pydantic.Field(default="# ", json_schema_extra=only_for("tags"))
    """Beginning of a comment line in format conll, unless the line has the columns of a row. Empty: there are none."""

    delimiter: str = ""
    """The character between the columns, such as ";". Empty: a comma in csv, a tab in tsv. These two formats only."""

    quoting: Literal["auto", "minimal", "none"] = "auto"
    """How cells are written: minimal (one with a delimiter, a quote or a line end inside stands in quotes) or none (a
    quote is a character like any other). auto: minimal in csv, none in tsv. These two formats only."""

    max_record_megabytes: int = pydantic.Field(16, ge=1, json_schema_extra=only_with(source=False))
    """Longest line, and longest row of quoted cells over several lines, of a text file; a longer one is refused."""

    label_pattern: str = ""
    """Regular expression that finds labels in the file name by a group of the feature's name: `(?P<label>neg|pos)`; of
    optional features, such as the `speaker` of a recording, any may be missing. For wav the name is the path inside the
    archive or below the folder. Formats lines and wav only, and needed only where the task has labels."""

    label_names: dict[str, str] = {}
    """What the labels that `label_pattern` finds are called: {"0": zero, "1": one}. Empty: as they stand in the file
    name. If given, it names every label (of the task's first label feature)."""

    labels_file: str = pydantic.Field(default="", json_schema_extra=a_path())
    """TSV file with the columns file and one for each label feature, as label and/or speaker; file is a file's name, or
    for wav a recording's, or its path inside the archive or below the folder. Instead of `label_pattern`, formats lines
    and wav only."""

    encoding: str = pydantic.Field("utf-8", json_schema_extra=only_with(source=False))
    """Character encoding of text files, by Python's name (utf-8, cp1252, cp949, ...)."""

    max_bad_fraction: float = pydantic.Field(default=0.0, ge=0.0, lt=1.0)
    """Share of a split's records (0 to 1) that may be refused before the run stops."""

    gate: GateSettings = GateSettings()
    """What is done about records that can be read and look wrong."""

    too_long: Literal["cut", "skip", "fail"] = pydantic.Field("cut", json_schema_extra=only_for("pieces"))
    """What training does with a text of more tokens than `tokenizer.max_sequence_length`. cut: it loses its end; skip:
    its example is left out; fail: the run stops. They are counted and told in any case."""

    too_long_target: Literal["cut", "skip", "fail"] | None = pydantic.Field(None, json_schema_extra=only_for("source"))
    """The same for targets, which are also too long for an answer beyond `decoding.max_length`; empty: as `too_long`.
    A target that is cut is not taught to end there."""

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

    @pydantic.field_validator("delimiter")
    @classmethod
    def _one_character(cls, delimiter: str) -> str:
        if len(delimiter) > 1 or delimiter in tuple('"\r\n'):
            raise ValueError(
                '"data.delimiter" must be one character, neither a quote nor a line end. '
                f'Received: {delimiter!r}. A tab is written "\\t", in double quotes.'
            )
        return delimiter

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
        if any(per_feature.values()) and not (parallel and self.format in (AUTO, *formats_with("per_feature"))):
            raise ValueError(
                "Paths per feature mean parallel text: give them for every split, with data.format parallel or auto. "
                f"Received: data.format {self.format}, per feature: {_names(per_feature, True)}, "
                f"plain: {_names(per_feature, False)}."
            )
        if self.format in formats_with("per_feature") and not parallel:
            raise ValueError(
                f"data.format {self.format} needs one path per feature, such as {{source: train.en.gz, target: "
                f"train.de.gz}}. Received: {self.files()}."
            )
        told = self.told_format()
        if self.label_names and not self.label_pattern:
            raise ValueError(
                '"data.label_names" names what a group of "data.label_pattern" finds. '
                f"Received: data.label_names {self.label_names} alone. Give the pattern, or remove the names."
            )
        if self.columns and (self.source or (told and not READERS[told].columns)):
            raise ValueError(
                f'"data.columns" is for tables only ({", ".join(formats_with("columns"))}). Received: {self.columns}.'
            )
        for key, unset in (("delimiter", ""), ("quoting", AUTO)):
            if getattr(self, key) != unset and (self.source or (told and not READERS[told].delimiter)):
                raise ValueError(
                    f'"data.{key}" is for {" and ".join(formats_with("delimiter"))} only. '
                    f"Received: {getattr(self, key)!r}. Remove it."
                )
        values = {key: getattr(self, key) for key in ("label_pattern", "labels_file", "eval_pattern", "test_pattern")}
        check_name_keys(values, told, self.format, bool(self.path), self._plain_paths())
        return self

    def files(self) -> dict[str, SplitPaths]:
        """Returns what is set of train, eval, test and path."""
        return {key: getattr(self, key) for key in (*SPLITS, "path") if getattr(self, key)}

    @property
    def actions_on_too_long(self) -> dict[str, Literal["cut", "skip", "fail"]]:
        """What `too_long` and `too_long_target` say of a `source` and of a `target`."""
        return {"source": self.too_long, "target": self.too_long_target or self.too_long}

    @property
    def longest_record(self) -> int:
        """`max_record_megabytes` in bytes."""
        return self.max_record_megabytes << 20

    def told_format(self) -> str:
        """The format that is known before any file is looked for: by `format`, or where that is auto by all paths.

        "" where their suffixes tell none, or not all the same.
        """
        if self.format != AUTO:
            return self.format
        paths = list(self.files().values())
        if any(isinstance(part, dict) for part in paths):
            return formats_with("per_feature")[0]
        return format_of_all(self._plain_paths())

    def _plain_paths(self) -> list[str]:
        """All paths that are not per feature."""
        parts = [part for part in self.files().values() if not isinstance(part, dict)]
        return [path for part in parts for path in ([part] if isinstance(part, str) else part)]

    def splits(self) -> tuple[str, ...]:
        """Returns the names of the splits that come out, in the order train, eval, test."""
        if self.eval_pattern:
            return SPLITS if self.test_pattern else SPLITS[:2]
        made: Any = self.files() if self.train else self.split
        return tuple(split for split in SPLITS if split in made)


def _names(flags: dict[str, bool], wanted: bool) -> str:
    return ", ".join(f"data.{key}" for key, flag in flags.items() if flag == wanted) or "none"
