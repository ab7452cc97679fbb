"""Held-out recordings: how long they are, and some of each label to hear beside the generated clips."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf


@dataclasses.dataclass(frozen=True)
class Recording:
    """One held-out recording.

    Attributes:
        values: of the task's label features, in their order; "" where one is not known.
        samples: float32 (N,), in [-1, 1].
    """

    values: dict[str, str]
    samples: np.ndarray


@dataclasses.dataclass(frozen=True)
class HeldOut:
    """What is kept of a split.

    Attributes:
        lengths: samples of every recording of the split.
        groups: the first recordings of each group.
    """

    lengths: list[int]
    groups: dict[str, list[Recording]]

    @property
    def median_length(self) -> int:
        """In samples; 0 where there are no recordings."""
        return int(np.median(self.lengths)) if self.lengths else 0


def read_held_out(
    folder: Path, labels: Sequence[str], group_of: Callable[[dict[str, str]], str | None], most: int
) -> HeldOut:
    """Reads a split once, from its first example to its last.

    Args:
        folder: of the TFRecord files of raw examples.
        labels: the task's label features.
        group_of: from their values to the group; None for a recording that is only measured.
        most: recordings kept of each group.
    """
    held_out = HeldOut([], {})
    for example in _examples(folder):
        samples = np.asarray(example["audio"].float_list.value, np.float32)
        held_out.lengths.append(len(samples))
        values = {name: _text(example, name) for name in labels}
        group = group_of(values)
        if group is not None and len(kept := held_out.groups.setdefault(group, [])) < most:
            kept.append(Recording(values, samples))
    return held_out


def padded(clips: list[np.ndarray]) -> tuple[tf.Tensor, tf.Tensor]:
    """Clips float (N,) as one batch: float32 (B, longest N), 0 behind a clip's own end, and lengths int32 (B,)."""
    lengths = [len(clip) for clip in clips]
    batch = np.zeros((len(clips), max(lengths)), np.float32)
    for row, clip in zip(batch, clips, strict=True):
        row[: len(clip)] = clip
    return tf.constant(batch), tf.constant(lengths, tf.int32)


def _examples(folder: Path) -> Iterator[Any]:
    files = sorted(str(path) for path in folder.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    for serialized in tf.data.TFRecordDataset(files, compression_type=compression).as_numpy_iterator():
        yield tf.train.Example.FromString(serialized).features.feature


def _text(example: Any, name: str) -> str:
    values = example[name].bytes_list.value if name in example else ()
    return values[0].decode() if values else ""
