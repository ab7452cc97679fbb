"""Held-out texts with the tags of an exported model beside the right ones."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401

from components.review.result import MarkedText, ReviewResult, Sample, Share
from components.review.settings import TaggedTextReviewSettings
from models.description import ModelDescription

_BATCH = 64
_MISTAKEN, _RIGHT = "with mistakes", "right"
_OUTSIDE = "O"


class Tagged(NamedTuple):
    """A text with the tags that are right and those that the model answers, one each for a token."""

    tokens: list[str]
    expected: list[str]
    answered: list[str]

    @property
    def mistakes(self) -> int:
        """Tokens with another tag."""
        return sum(self.wrong)

    @property
    def wrong(self) -> list[bool]:
        """Whether each token has another tag."""
        return [right != answer for right, answer in zip(self.expected, self.answered, strict=True)]


def review(
    model: Path,
    examples: Path,
    settings: TaggedTextReviewSettings,
    judge: Path | None,
    on_progress: Callable[[int, int], None],
) -> ReviewResult:
    """Has texts tagged, those with most mistakes first; arguments as of `components.review.catalogue.MakeReview`."""
    # The training may hold all memory of the GPU, and the server will answer on the processor too.
    with tf.device("/CPU:0"):
        tagged = list(_tagged(model, examples, settings.looked_at, on_progress))
    # Among those without a mistake the ones that something is to be seen in.
    order = sorted(tagged, key=lambda one: (-one.mistakes, -sum(tag != _OUTSIDE for tag in one.expected)))
    right = sum(not one.mistakes for one in tagged)
    shown = order[: settings.texts]
    groups = [name for name in (_MISTAKEN, _RIGHT) if any(_group(one) == name for one in shown)]
    share = {"texts without a mistake": Share(right=right, judged=len(tagged))}
    return ReviewResult(
        review="tagged_texts",
        model=ModelDescription.read(model).name,
        judge=None,
        metrics={"texts_without_mistake": right / len(tagged)} if tagged else {},
        shortfalls=[],
        notes=[] if tagged else ["no held-out text"],
        facts={"looked_at": len(tagged)},
        shares=dict.fromkeys(groups, share),
        samples=[_sample(one, number) for number, one in enumerate(shown, start=1)],
    )


def _tagged(model: Path, examples: Path, most: int, on_progress: Callable[[int, int], None]) -> Iterator[Tagged]:
    signature = tf.saved_model.load(str(model)).signatures["examples"]
    files = sorted(str(path) for path in examples.iterdir() if path.is_file())
    compression = "GZIP" if files and files[0].endswith(".gz") else ""
    rows = list(tf.data.TFRecordDataset(files, compression_type=compression).take(most).as_numpy_iterator())
    for start in range(0, len(rows), _BATCH):
        batch = rows[start : start + _BATCH]
        answers = signature(examples=tf.constant(batch))["tags"].numpy()
        for serialized, answer in zip(batch, answers, strict=True):
            features = tf.train.Example.FromString(serialized).features.feature
            tokens, expected = (_texts(features[name].bytes_list.value) for name in ("tokens", "tags"))
            yield Tagged(tokens, expected, _as_long(_texts(answer), len(tokens)))
        on_progress(min(start + _BATCH, len(rows)), len(rows))


def _as_long(tags: list[str], length: int) -> list[str]:
    """Beyond the longest text that the model reads there is no answer."""
    return [*tags[:length], *[_OUTSIDE] * (length - len(tags))]


def _texts(values: Sequence[bytes] | np.ndarray) -> list[str]:
    return [value.decode("utf-8", "replace") for value in values]


def _group(one: Tagged) -> str:
    return _MISTAKEN if one.mistakes else _RIGHT


def _sample(one: Tagged, number: int) -> Sample:
    nothing = [False] * len(one.tokens)
    answer = MarkedText(text="Model", tokens=one.tokens, tags=one.answered, wrong=one.wrong)
    expected = MarkedText(text="Right answer", tokens=one.tokens, tags=one.expected, wrong=nothing)
    return Sample(
        title=f"Text {number}",
        group=_group(one),
        held_out=False,
        asked={},
        expected=" ".join(one.expected),
        answer=" ".join(one.answered),
        certainty=None,
        facts={"mistakes": one.mistakes},
        media=[answer, expected] if one.mistakes else [answer],
    )
