"""Moves the examples of `rare_labels` to train, in Beam.

Records with the same input as one that is moved go with it, for a text must not stand in both train and eval.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import tensorflow as tf

from components.example_gen.rare_labels import Rare, rare_in
from components.example_gen.report import FileReport
from models.features import Feature

_KEPT = "kept"
_MOVED = "moved"


def move_to_train(
    splits: Mapping[str, beam.PCollection], reports: beam.PCollection, features: Sequence[Feature]
) -> tuple[dict[str, beam.PCollection], beam.PCollection]:
    """Moves the examples of rare labels.

    Args:
        splits: per split elements (number of the file, (bucket, (position, serialized tf.Example))).
        reports: of all files, as JSON.
        features: the task's, in the order of which the first is the input.

    Returns:
        The splits, without the number, and a JSON line `[number, split]` for each example that left its split.
    """
    categories = [feature.name for feature in features if feature.facts.learned == "categories"]
    rare = beam.pvalue.AsSingleton(
        reports | "Labels" >> beam.combiners.ToList() | "Rare" >> beam.Map(lambda texts: _rare_of(texts))
    )
    others = [split for split in splits if split != "train"]
    keys = beam.pvalue.AsList(
        [splits[split] for split in others]
        | "HeldOut" >> beam.Flatten()
        | "RareKeys" >> beam.FlatMap(_keys_of_rare, rare, categories, features[0].name)
    )
    train = [splits["train"] | "Train" >> beam.Map(lambda numbered: numbered[1])]
    divided, moved = {}, []
    for split in others:
        parts = splits[split] | f"Divide[{split}]" >> beam.ParDo(_Divide(split, features[0].name), keys).with_outputs(
            _KEPT, _MOVED, "train"
        )
        divided[split] = parts[_KEPT]
        train.append(parts.train)
        moved.append(parts[_MOVED])
    divided["train"] = train | "AllOfTrain" >> beam.Flatten()
    return divided, moved | "AllMoved" >> beam.Flatten()


class _Divide(beam.DoFn):
    """Hands on what stays, and what goes to train."""

    def __init__(self, split: str, key: str) -> None:
        self._split, self._key = split, key

    def process(self, numbered: tuple[int, Any], keys: list[bytes]) -> Iterator[Any]:
        """Looks at one example."""
        number, placed = numbered
        if keys and _key_of(_parsed(placed), self._key) in keys:
            yield beam.pvalue.TaggedOutput("train", placed)
            yield beam.pvalue.TaggedOutput(_MOVED, json.dumps([number, self._split]))
        else:
            yield beam.pvalue.TaggedOutput(_KEPT, placed)


def _keys_of_rare(numbered: tuple[int, Any], rare: Rare, categories: Sequence[str], key: str) -> Iterator[bytes]:
    if not rare:
        return
    example = _parsed(numbered[1])
    labels = ((name, label.decode()) for name in categories for label in example.feature[name].bytes_list.value)
    if any(label in rare for label in labels):
        yield _key_of(example, key)


def _parsed(placed: Any) -> tf.train.Features:
    return tf.train.Example.FromString(placed[1][1]).features


def _key_of(example: tf.train.Features, key: str) -> bytes:
    return example.feature[key].SerializeToString(deterministic=True)


def _rare_of(texts: Sequence[str]) -> Rare:
    return rare_in([FileReport.from_json(text) for text in texts])
