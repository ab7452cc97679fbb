"""Transformed examples to batches of sequences of similar length, without holding a split in memory.

B: batch, T: the length of a bucket.
"""

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from models.errors import SeqlineError
from models.too_long import Limit, length_specs, limits_of, without_too_long

if TYPE_CHECKING:
    from models.tasks.code import TaskCode, Transformed

# What a tensor takes beside its values.
_BYTES_OF_A_TENSOR = 128


@dataclasses.dataclass(frozen=True)
class Batches:
    """An endless, deterministic stream of training batches and what is known of it.

    Attributes:
        dataset: of (inputs, labels, weights), `batch_size` rows each; sequences are (B, T), padded with 0.
        steps_per_epoch: batches that hold as many examples as the split.
        rows: of a batch, on average.
    """

    dataset: tf.data.Dataset
    steps_per_epoch: int
    rows: float


@dataclasses.dataclass(frozen=True)
class Measured:
    """What is known of a split after one pass.

    Attributes:
        boundaries: the longest length of each bucket, ascending, evenly filled.
        num_examples: in the split.
        bytes_per_example: in memory, on average.
        positions_per_example: length of the longest sequence of an example, on average.
        counts: examples of each bucket.
    """

    boundaries: list[int]
    num_examples: int
    bytes_per_example: float
    positions_per_example: float = 0.0
    counts: tuple[int, ...] = ()

    def shuffle_buffer(self, megabytes: float) -> int:
        """Examples that fit into so much memory, at least one, at most all."""
        return int(np.clip(megabytes * 2**20 / self.bytes_per_example, 1, self.num_examples))

    def batches(self, batch_size: int, batch_tokens: int) -> float:
        """Batches that hold as many examples as the split; arguments as for `rows_of`."""
        if not batch_tokens:
            return self.num_examples / batch_size
        pairs = zip(self.counts, self.boundaries, strict=True)
        return sum(count / rows_of(boundary, batch_size, batch_tokens) for count, boundary in pairs)


def rows_of(length: int, batch_size: int, batch_tokens: int) -> int:
    """Rows of a batch of sequences of a length: `batch_size`, or as many as have `batch_tokens` positions, if given."""
    return max(1, batch_tokens // length) if batch_tokens else batch_size


def read_features(
    files: list[str], transformed: "Mapping[str, Transformed]", more: Mapping[str, Any] | None = None
) -> tf.data.Dataset:
    """Reads transformed examples.

    Args:
        files: TFRecord files, gzip.
        transformed: the features, of the task.
        more: what else to parse, as `tf.io.parse_single_example` takes it.

    Returns:
        dataset of feature name to its values, (T,) for a sequence, else (); int32 where they are whole numbers.
    """
    features: dict[str, Any] = {
        name: tf.io.RaggedFeature(feature.dtype, row_splits_dtype=tf.int64)
        if feature.sequence
        else tf.io.FixedLenFeature([], feature.dtype)
        for name, feature in transformed.items()
    } | dict(more or {})

    def parse(serialized: tf.Tensor) -> dict[str, tf.Tensor]:
        parsed = tf.io.parse_single_example(serialized, features)
        return {name: tf.cast(value, tf.int32) if value.dtype.is_integer else value for name, value in parsed.items()}

    records = tf.data.TFRecordDataset(sorted(files), compression_type="GZIP", num_parallel_reads=None)
    return records.map(parse, num_parallel_calls=tf.data.AUTOTUNE)


def read_examples(
    files: list[str], task: "TaskCode", settings: Any, folder: str, limits: list[Limit] | None = None
) -> tf.data.Dataset:
    """Makes what is trained on, once, and lays it on the disk.

    Args:
        files: TFRecord files of transformed examples, gzip.
        task: what makes examples of them.
        settings: of the run.
        folder: where they lie, so that no pass parses them again; not there yet.
        limits: of its texts; None: those that are too long are cut.

    Returns:
        dataset of what the task's `training_examples` makes of them, read from the folder.

    Raises:
        SeqlineError: all examples are left out.
    """
    limits = limits_of(task.task, settings) if limits is None else limits
    features = without_too_long(read_features(files, task.transformed, length_specs(limits)), limits)
    examples = task.keep(task.training_examples(features, settings), settings, folder)
    if int(examples.cardinality()) == 0 and any(limit.action == "skip" for limit in limits):
        raise SeqlineError(
            "A split must keep an example to train on. Received: none whose texts are short enough; raise "
            "tokenizer.max_sequence_length or decoding.max_length, or let data.too_long cut them."
        )
    return examples


def longest_length(*example: Any) -> tf.Tensor:
    """Length of the longest sequence of an example: int32 scalar, at least 1."""
    lengths = [tf.shape(part)[0] for part in tf.nest.flatten(example) if part.shape.rank]
    return tf.reduce_max(tf.stack([1, *lengths]))


def measure(examples: tf.data.Dataset, length_buckets: int) -> Measured:
    """Measures a split in one pass; `length_buckets` is the number of buckets wanted."""

    def sizes(*example: Any) -> tuple[tf.Tensor, tf.Tensor]:
        parts = tf.nest.flatten(example)
        taken = [tf.size(part, tf.int64) * part.dtype.size + _BYTES_OF_A_TENSOR for part in parts]
        return tf.cast(longest_length(*example), tf.int64), tf.add_n(taken)

    found = np.concatenate([np.stack(pair, 1) for pair in examples.map(sizes).batch(1024).as_numpy_iterator()])
    quantiles = np.quantile(found[:, 0], np.linspace(0, 1, length_buckets + 1)[1:], method="higher")
    positions, size = found.mean(axis=0)
    boundaries = sorted({int(length) for length in quantiles})
    counts = np.bincount(np.searchsorted(boundaries, found[:, 0]), minlength=len(boundaries))
    return Measured(boundaries, len(found), float(size), float(positions), tuple(counts.tolist()))


def training_batches(
    task: "TaskCode",
    examples: tf.data.Dataset,
    measured: Measured,
    batch_size: int,
    buffer: int,
    seed: int,
    batch_tokens: int = 0,
) -> Batches:
    """Shuffles, groups and repeats without end.

    Args:
        task: says what changes anew in each epoch, and how examples are grouped.
        examples: of `read_examples`.
        measured: of `measure`.
        batch_size: rows of a batch.
        buffer: examples among which the next one is drawn; 1 keeps their order.
        seed: of the shuffling. The same seed gives the same stream every time: a resumed run skips what it has seen.
        batch_tokens: positions of a batch, in place of its rows; 0: the rows count.

    Returns:
        the stream.
    """

    def epoch(index: tf.Tensor) -> tf.data.Dataset:
        # Reshuffling by tf.data itself would give another order when the same dataset is iterated again. The seed set
        # here is that of this traced function alone: the stream depends on nothing but `seed`.
        tf.random.set_seed(1)
        shuffled = examples.shuffle(buffer, seed=seed + index, reshuffle_each_iteration=False)
        return shuffled.enumerate().map(
            lambda number, example: task.each_epoch(example, tf.stack([seed + index, number])),
            num_parallel_calls=tf.data.AUTOTUNE,
        )

    shuffled = tf.data.Dataset.counter().flat_map(epoch)
    batches = task.batches(shuffled, batch_size, measured.boundaries, batch_tokens)
    number = measured.batches(batch_size, batch_tokens)
    return Batches(batches.prefetch(tf.data.AUTOTUNE), max(1, round(number)), measured.num_examples / number)


def evaluation_batches(
    task: "TaskCode", examples: tf.data.Dataset, batch_size: int, boundaries: list[int], batch_tokens: int = 0
) -> tf.data.Dataset:
    """Every example once, grouped by the task; what is drawn for an epoch is drawn once for all."""
    fixed = examples.enumerate().map(
        lambda number, example: task.each_epoch(example, tf.stack([tf.constant(-1, tf.int64), number]))
    )
    return task.batches(fixed, batch_size, boundaries, batch_tokens).prefetch(tf.data.AUTOTUNE)


def bucketed(
    examples: tf.data.Dataset, batch_size: int, boundaries: list[int], batch_tokens: int = 0
) -> tf.data.Dataset:
    """Pads examples of similar length to batches; arguments as for `TaskCode.batches`."""
    rows = [rows_of(boundary, batch_size, batch_tokens) for boundary in boundaries]
    return examples.bucket_by_sequence_length(
        longest_length,
        # A boundary is exclusive here.
        bucket_boundaries=[boundary + 1 for boundary in boundaries],
        bucket_batch_sizes=[*rows, rows[-1]],
    )
