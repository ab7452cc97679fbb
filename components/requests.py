"""Which request an example makes: one place, for the server's validation and warm-up, `seqline predict` and benchmarks.

B: batch, N: values of the longest row. Without TensorFlow.
"""

import dataclasses
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from components.sameness import Tensors
from models.description import ModelDescription
from models.features import Feature
from models.registry import TASKS
from serving.wire.messages import Example
from serving.wire.tensors import numpy_type

DEFAULT_SIGNATURE = "serving_default"
# Inputs that take a whole serialized tf.Example instead of one of its features.
_SERIALIZED_INPUTS = ("examples", "inputs")

# A question of tests and demonstrations: characters of a text that a model is to go on from.
_PROMPT_CHARACTERS = 24

# What a request says of one row: input name to a text, a number, or several of them.
Row = Mapping[str, Any]


@dataclasses.dataclass(frozen=True)
class InputSpec:
    """What an input of a signature takes.

    Attributes:
        dtype: object for texts; None for a type that numpy lacks.
        rank: number of dimensions; None for any.
    """

    dtype: np.dtype | None
    rank: int | None


def signature_specs(signature: Any) -> dict[str, InputSpec]:
    """The inputs of a SignatureDef, as a server describes it (`Client.metadata`) or a SavedModel holds it."""
    return {
        name: InputSpec(
            numpy_type(info.dtype),
            None if info.tensor_shape.unknown_rank else len(info.tensor_shape.dim),
        )
        for name, info in signature.inputs.items()
    }


def requests_of(
    description: ModelDescription | None,
    signatures: Mapping[str, Mapping[str, InputSpec]],
    examples: Sequence[bytes],
) -> dict[str, Tensors]:
    """Inputs by signature, for every signature whose inputs the examples can fill, but those that stream an answer.

    Their states, many megabytes for each row, are no answer to anybody.

    What the examples do not hold is a setting of the request and takes its probe, which makes little work. Where a
    signature takes the length of a recording beside other settings, it makes something as long: then the length is its
    probe too, where that is less.

    Args:
        description: what the model says of itself; None for a model of another maker.
        signatures: signature name to its inputs.
        examples: serialized raw tf.Examples.
    """
    probes = description.request_defaults if description else {}
    features = features_of(description)
    rows = [_with_words(as_question(row_of(example), features), description) for example in examples]
    requests = {}
    internal = description.streaming_signatures if description else frozenset()
    for name, specs in sorted(signatures.items()):
        if name in internal:
            continue
        short = [_with_short_lengths(row, specs, features, probes) for row in rows]
        if inputs := form_inputs(specs, short, features, probes):
            requests[name] = inputs
    return requests


def _with_words(row: Row, description: ModelDescription | None) -> Row:
    """Words of the texts for the inputs that take one."""
    inputs = TASKS[description.task].word_inputs if description and description.task in TASKS else ()
    words = {
        each.name: row[each.feature].split()[each.place : each.place + 1] for each in inputs if each.feature in row
    }
    return {**row, **{name: found[0] if found else b"" for name, found in words.items()}}


def _with_short_lengths(
    row: Row, specs: Mapping[str, InputSpec], features: Iterable[Feature], probes: Mapping[str, float | str]
) -> Row:
    lengths = length_inputs(specs, features)
    if not specs.keys() & (probes.keys() - lengths.keys()):
        return row
    pairs = [(length, name) for length, name in lengths.items() if length in probes and name in row]
    return {**row, **{length: min(int(probes[length]), len(row[name])) for length, name in pairs}}


def as_question(row: Row, features: Iterable[Feature]) -> Row:
    """The row with the beginnings of its texts as prompts to go on from, and with holes in texts that may have some."""
    prompts = {
        feature.prompt: row[feature.name].decode("utf-8", "ignore")[:_PROMPT_CHARACTERS].encode()
        for feature in features
        if feature.prompt and isinstance(row.get(feature.name), bytes)
    }
    return {**row, **prompts, **_with_holes(row, features)}


def _with_holes(row: Row, features: Iterable[Feature]) -> Row:
    """The texts that may have holes, with one in the place of their second word, or of the only one."""
    holes = {feature.name: feature.hole.encode() for feature in features if feature.hole}
    texts = {name: row[name].split(b" ") for name in holes if isinstance(row.get(name), bytes) and row[name].strip()}
    return {name: b" ".join([*words[:1][: len(words) - 1], holes[name], *words[2:]]) for name, words in texts.items()}


def features_of(description: ModelDescription | None) -> tuple[Feature, ...]:
    """The raw features of the model's task; those of all tasks, without holes, where it does not say which one."""
    if description and description.task in TASKS:
        return TASKS[description.task].features
    every = itertools.chain.from_iterable(task.features for task in TASKS.values())
    return tuple(dict.fromkeys(dataclasses.replace(feature, hole="") for feature in every))


def row_of(serialized: bytes) -> Row:
    """What a raw tf.Example says, by feature, and itself for the inputs that take it whole."""
    features = Example.FromString(serialized).features.feature
    return dict.fromkeys(_SERIALIZED_INPUTS, serialized) | {
        name: values[0] if feature.WhichOneof("kind") == "bytes_list" and len(values) == 1 else values
        for name, feature in features.items()
        for values in [_values(feature)]
    }


def _values(feature: Any) -> list[bytes] | np.ndarray:
    if (kind := feature.WhichOneof("kind")) == "float_list":
        return np.array(feature.float_list.value, np.float32)
    return list(getattr(feature, kind).value) if kind else []


def form_inputs(
    specs: Mapping[str, InputSpec],
    rows: Sequence[Row],
    features: Iterable[Feature] = (),
    settings: Mapping[str, float | str] | None = None,
) -> Tensors | None:
    """Fills the inputs of a signature.

    1. With what the rows say.
    2. With the many texts that a row says of a feature as one, where the signature takes that.
    3. With how much of each row is real, where the signature takes what is padded.
    4. With settings that all rows share.

    Args:
        specs: input name to what it takes.
        rows: what each row says.
        features: raw features; their kinds say which input holds the length of which.
        settings: values of inputs of which a row says nothing.

    Returns:
        Input name to values (B,), or (B, N) padded with 0 or "", or None when an input has no value.
    """
    lengths, joined = length_inputs(specs, features), joined_inputs(specs, features)
    settings = settings or {}
    filled = {}
    for name, spec in specs.items():
        values = _fill(spec, [row.get(name) for row in rows])
        if values is None and name in joined:
            values = _fill(spec, [_joined(row.get(joined[name])) for row in rows])
        if values is None and name in lengths:
            values = _fill(spec, [len(row[lengths[name]]) if lengths[name] in row else None for row in rows])
        if values is None and name in settings:
            values = _fill(spec, [settings[name]] * len(rows))
        if values is None:
            return None
        filled[name] = values
    return filled or None


def length_inputs(specs: Mapping[str, InputSpec], features: Iterable[Feature]) -> dict[str, str]:
    """Input that says how much of a row is real, to the input that holds the row; both of the signature."""
    pairs = ((feature.facts.length, feature.name) for feature in features)
    return {length: name for length, name in pairs if length in specs and name in specs}


def joined_inputs(specs: Collection[str], features: Iterable[Feature]) -> dict[str, str]:
    """Input of a signature that takes the values of a feature as one text, to the name of the feature."""
    return {feature.facts.joined: feature.name for feature in features if feature.facts.joined in specs}


def _joined(values: Any) -> Any:
    if not isinstance(values, list):
        return values
    return b" ".join(_encoded(value) for value in values)


def _fill(spec: InputSpec, values: Sequence[Any]) -> np.ndarray | None:
    """One input of all rows; None where a row lacks it, or has another form than the input takes."""
    # Of one text a row does not say whether there could be more.
    if spec.rank == 2:
        values = [[value] if isinstance(value, str | bytes) else value for value in values]
    if spec.dtype is None or not all(_fits(value, spec.dtype, spec.rank) for value in values):
        return None
    if spec.rank == 2:
        return _padded(values, spec.dtype)
    return np.array([_encoded(value) for value in values], spec.dtype)


def _fits(value: Any, dtype: np.dtype, rank: int | None) -> bool:
    several = isinstance(value, list | np.ndarray)
    if value is None or rank != 1 + several:
        return False
    return all(isinstance(each, str | bytes) == (dtype.kind == "O") for each in (value[:1] if several else [value]))


def _padded(rows: Sequence[Any], dtype: np.dtype) -> np.ndarray:
    padded = np.full((len(rows), max(map(len, rows))), b"" if dtype.kind == "O" else 0, dtype)
    for values, row in zip(padded, rows, strict=True):
        values[: len(row)] = [_encoded(value) for value in row] if dtype.kind == "O" else row
    return padded


def _encoded(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value
