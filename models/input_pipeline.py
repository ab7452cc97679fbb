"""Transformed examples to batches of sequences of similar length.

B: batch, T: the length of a bucket.
"""

import dataclasses
from types import ModuleType
from typing import Any

import numpy as np
import tensorflow as tf

from models.registry import TASKS
from models.run_settings import RunSettings


@dataclasses.dataclass(frozen=True)
class Batches:
    """An endless, deterministic stream of training batches and what is known of it.

    Attributes:
        dataset: of (inputs, labels, weights), `batch_size` rows each; sequences are int32 (B, T), padded with 0.
        steps_per_epoch: batches that hold as many examples as the split.
    """

    dataset: tf.data.Dataset
    steps_per_epoch: int


def read_features(files: list[str], task: ModuleType) -> tf.data.Dataset:
    """Reads transformed examples.

    Args:
        files: TFRecord files, gzip.
        task: module of the task.

    Returns:
        dataset of feature name to int32, (T,) for `task.SEQUENCE_FEATURES` and () for `task.SCALAR_FEATURES`.
    """
    features: dict[str, Any] = {
        name: tf.io.RaggedFeature(tf.int64, row_splits_dtype=tf.int64) for name in task.SEQUENCE_FEATURES
    }
    features |= {name: tf.io.FixedLenFeature([], tf.int64) for name in task.SCALAR_FEATURES}

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_single_example(serialized, features)
        return {name: tf.cast(value, tf.int32) for name, value in parsed.items()}

    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP", num_parallel_reads=None)
    return records.map(parse, num_parallel_calls=tf.data.AUTOTUNE)


def read_examples(files: list[str], settings: RunSettings) -> tf.data.Dataset:
    """Reads what is trained on.

    Args:
        files: TFRecord files of transformed examples, gzip.
        settings: of the run.

    Returns:
        dataset of what the task's `training_examples` makes of them.
    """
    task = TASKS[settings.task].load()
    return task.training_examples(read_features(files, task), settings).cache()


def longest_length(*example: Any) -> tf.Tensor:
    """Length of the longest sequence of an example: int32 scalar, at least 1."""
    lengths = [tf.shape(part)[0] for part in tf.nest.flatten(example) if part.shape.rank]
    return tf.reduce_max(tf.stack([1, *lengths]))


def bucket_boundaries(examples: tf.data.Dataset, length_buckets: int) -> tuple[list[int], int]:
    """Measures a split.

    Args:
        examples: of `read_examples`.
        length_buckets: buckets wanted.

    Returns:
        the longest length of each bucket, ascending, evenly filled; and the number of examples.
    """
    lengths = np.fromiter(examples.map(longest_length).as_numpy_iterator(), dtype=np.int64)
    quantiles = np.quantile(lengths, np.linspace(0, 1, length_buckets + 1)[1:], method="higher")
    return sorted({int(length) for length in quantiles}), len(lengths)


def training_batches(
    examples: tf.data.Dataset, batch_size: int, boundaries: list[int], num_examples: int, seed: int
) -> Batches:
    """Shuffles, groups by length, pads and repeats without end.

    Args:
        examples: of `read_examples`.
        batch_size: rows of a batch.
        boundaries: of `bucket_boundaries`.
        num_examples: in the split.
        seed: of the shuffling. The same seed gives the same stream every time: a resumed run skips what it has seen.

    Returns:
        the stream.
    """

    def epoch(index: tf.Tensor) -> tf.data.Dataset:
        # Reshuffling by tf.data itself would give another order when the same dataset is iterated again. The seed set
        # here is that of this traced function alone: the stream depends on nothing but `seed`.
        tf.random.set_seed(1)
        return examples.shuffle(min(num_examples, 100_000), seed=seed + index, reshuffle_each_iteration=False)

    shuffled = tf.data.Dataset.counter().flat_map(epoch)
    batches = _bucketed(shuffled, batch_size, boundaries)
    return Batches(batches.prefetch(tf.data.AUTOTUNE), max(1, round(num_examples / batch_size)))


def evaluation_batches(examples: tf.data.Dataset, batch_size: int, boundaries: list[int]) -> tf.data.Dataset:
    """Every example once, grouped by length."""
    return _bucketed(examples, batch_size, boundaries).prefetch(tf.data.AUTOTUNE)


def _bucketed(examples: tf.data.Dataset, batch_size: int, boundaries: list[int]) -> tf.data.Dataset:
    # A boundary is exclusive here.
    return examples.bucket_by_sequence_length(
        longest_length,
        bucket_boundaries=[boundary + 1 for boundary in boundaries],
        bucket_batch_sizes=[batch_size] * (len(boundaries) + 1),
    )
