"""Derived features by which the evaluation is sliced; TFX's Evaluator calls `custom_extractors` by name."""

import copy
import re
from collections.abc import Sequence
from typing import Any

import apache_beam as beam
import numpy as np

# Registers the TF Text operations in every process that loads a model for evaluation.
import tensorflow_text  # noqa: F401

from components.evaluation.predictions import keeping_extractors
from components.evaluation.tfma import tfma

_RECIPE = re.compile(r"^(?P<text>\w+?)_length_in_(?P<unit>words|characters)(?P<ends>(_\d+)+)$")


def length_feature(text_key: str, unit: str, ends: Sequence[int]) -> str:
    """Name of the derived feature, which is its own recipe: TFX hands `custom_extractors` slice names, no settings."""
    return f"{text_key}_length_in_{unit}_{'_'.join(map(str, ends))}"


def is_length_feature(name: str) -> bool:
    """Whether a slice's feature is one of ours."""
    return _RECIPE.match(name) is not None


def length_bucket(text: str, unit: str, ends: Sequence[int]) -> str:
    """Range into which the length of `text` falls, such as `0-10`, `11-20` or `41+`."""
    length = len(text.split()) if unit == "words" else len(text)
    start = 0
    for end in ends:
        if length <= end:
            return f"{start}-{end}"
        start = end + 1
    return f"{start}+"


def slice_name(parts: Sequence[tuple[str, Any]]) -> str:
    """What people read of a slice, from the columns and values that it is made of: `label=pos`, `length=0-10`."""
    named = (("length" if is_length_feature(column) else column, value) for column, value in parts)
    texts = (
        (column, value.decode("utf-8", "replace") if isinstance(value, bytes) else value) for column, value in named
    )
    return ", ".join(f"{column}={'(empty)' if text == '' else text}" for column, text in texts)


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """TFMA's extractors, with the length ranges added before the examples are sliced, and the predictions kept."""
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model, eval_config=eval_config, tensor_adapter_config=tensor_adapter_config
    )
    names = {key for spec in eval_config.slicing_specs for key in spec.feature_keys if is_length_feature(key)}
    # The last extractor makes the slice keys; the one before it has split batches into examples.
    extractors.insert(len(extractors) - 1, _length_extractor(sorted(names)))
    return [*extractors, *keeping_extractors(slice_name, names)]


def _length_extractor(names: list[str]) -> Any:
    return tfma.extractors.Extractor(stage_name="AddLengthRanges", ptransform=beam.Map(_add_length_ranges, names=names))


def _add_length_ranges(extracts: dict[str, Any], names: list[str]) -> dict[str, Any]:
    result = copy.copy(extracts)
    features = dict(extracts[tfma.FEATURES_KEY])
    for name in names:
        recipe = _RECIPE.match(name)
        if recipe is None or features.get(recipe["text"]) is None:
            continue
        # Of a feature with many values each is a word.
        values = np.asarray(features[recipe["text"]], dtype=object).ravel()
        text = " ".join(value.decode("utf-8", "replace") for value in values)
        ends = [int(end) for end in recipe["ends"].split("_")[1:]]
        features[name] = np.array([length_bucket(text, recipe["unit"], ends).encode()], dtype=object)
    result[tfma.FEATURES_KEY] = features
    return result
