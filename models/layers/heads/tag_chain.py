"""Tags of a sequence chosen together: a linear-chain conditional random field, and what may follow what.

Lafferty et al. (2001), with the scores of Lample et al. (2016), eq. 1: s(x, y) is the sum of transitions
A[y_t, y_t+1] and of emissions P[t, y_t]; p(y | x) = exp s(x, y) / Z(x). We differ in one point: Z is
taken over legal sequences alone, so that no probability lies on what is never answered.

B: batch, T: positions, K: tags. Everything is computed in float32, and padding is carried through: it changes nothing.
"""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from models.layers.masks import MASKED_SCORE
from models.layers.scan import scan

_INSIDE, _BEGIN, _OUTSIDE = "I-", "B-", "O"


class Allowed(NamedTuple):
    """Which tags may stand where, in bool.

    Attributes:
        first: (K,), at the beginning.
        behind: (K, K), a tag (column) right behind another one (row).
    """

    first: np.ndarray
    behind: np.ndarray


def allowed_in(tags: Sequence[str]) -> Allowed:
    """What the scheme BIO allows: I-x behind B-x and I-x alone. Where not all tags are of that scheme: everything."""
    count = len(tags)
    if not all(tag == _OUTSIDE or tag.startswith((_BEGIN, _INSIDE)) for tag in tags):
        return Allowed(np.ones(count, bool), np.ones((count, count), bool))
    first = np.array([not tag.startswith(_INSIDE) for tag in tags])
    goes_on = [[before[2:] == tag[2:] for tag in tags] for before in tags]
    return Allowed(first, first | np.array(goes_on))


class TagChain(keras.layers.Layer):
    """Scores sequences of tags.

    Args:
        allowed: what may follow what.
        learned: whether transitions have weights: A of the paper, and its rows for beginning and end. Else a sequence
            is as good as its emissions, and legal.
    """

    def __init__(self, allowed: Allowed, learned: bool, name: str | None = None):
        # A sum of many terms, and differences between such sums, are too coarse in bfloat16.
        super().__init__(name=name, dtype="float32")
        self.allowed = allowed
        self.learned = learned
        self.num_tags = len(allowed.first)

    def build(self, emissions_shape: tuple[int | None, ...] = ()) -> None:
        """Makes the weights; whoever uses the layer calls this, since what it computes has several names."""
        if self.learned:
            self.transitions = self.add_weight((self.num_tags, self.num_tags), "zeros", name="transitions")
            self.first = self.add_weight((self.num_tags,), "zeros", name="first")
            self.last = self.add_weight((self.num_tags,), "zeros", name="last")
        self.built = True

    def log_likelihood(
        self, emissions: keras.KerasTensor, tag_ids: keras.KerasTensor, padding_mask: keras.KerasTensor
    ) -> keras.KerasTensor:
        """Log of p(y | x).

        Args:
            emissions: float (B, T, K).
            tag_ids: int (B, T), a legal sequence; anything where padded.
            padding_mask: bool (B, T), True = real; real positions stand first.

        Returns:
            float32 (B,); 0 for a row without any position.
        """
        score = self._score(emissions, tag_ids, padding_mask)
        any_real = ops.cast(ops.any(padding_mask, axis=1), "float32")
        return (score - self.log_partition(emissions, padding_mask)) * any_real

    def log_partition(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Log of Z(x), by the forward algorithm: float32 (B,); arguments as of `log_likelihood`."""
        return ops.logsumexp(self._forward(emissions, padding_mask)[:, -1] + self._last(), axis=-1)

    def marginals(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Probability of each tag at each position, by forward and backward: float32 (B, T, K); sums to 1."""
        both = self._forward(emissions, padding_mask) + self._backward(emissions, padding_mask)
        return ops.softmax(both, axis=-1)

    def best(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """The best legal sequence (Viterbi): int32 (B, T); where padded the last real one goes on."""
        transitions = self._transitions()
        stay = ops.arange(self.num_tags, dtype="int32")

        def step(before: keras.KerasTensor, now: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            emission, real, is_first = self._parts(now)
            ways = ops.expand_dims(before, 2) + transitions  # (B, K, K)
            scores = ops.where(is_first, self._first(), ops.max(ways, axis=1)) + emission
            came_from = ops.cast(ops.argmax(ways, axis=1), "int32")
            best = ops.where(real | is_first, scores, before)
            return best, (best, ops.where(real & ~is_first, came_from, stay))

        def back(tag: keras.KerasTensor, came_from: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            return ops.take_along_axis(came_from, tag[:, None], axis=1)[:, 0], tag

        inputs = self._sequence(emissions, padding_mask)
        _, (scores, came_from) = scan(step, ops.zeros_like(inputs[:, 0, : self.num_tags]), inputs)
        tag = ops.cast(ops.argmax(scores[:, -1] + self._last(), axis=-1), "int32")
        return ops.flip(scan(back, tag, ops.flip(came_from, axis=1))[1], axis=1)

    def _score(
        self, emissions: keras.KerasTensor, tag_ids: keras.KerasTensor, padding_mask: keras.KerasTensor
    ) -> keras.KerasTensor:
        """s(x, y): float32 (B,)."""
        chosen = ops.one_hot(tag_ids, self.num_tags, dtype="float32")  # (B, T, K)
        real = ops.cast(padding_mask, "float32")
        emitted = ops.sum(ops.sum(chosen * ops.cast(emissions, "float32"), axis=-1) * real, axis=1)
        pairs = ops.sum(ops.matmul(chosen[:, :-1], self._transitions()) * chosen[:, 1:], axis=-1)
        lasts = chosen * ops.expand_dims(real - ops.pad(real[:, 1:], ((0, 0), (0, 1))), -1)  # the last real one
        ends = ops.sum(chosen[:, 0] * self._first(), axis=-1) + ops.sum(lasts * self._last(), axis=(1, 2))
        return emitted + ops.sum(pairs * real[:, 1:], axis=1) + ends

    def _forward(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Log of the sum over all sequences up to a position that end in a tag: float32 (B, T, K)."""
        transitions = self._transitions()

        def step(before: keras.KerasTensor, now: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            emission, real, is_first = self._parts(now)
            reached = ops.logsumexp(ops.expand_dims(before, 2) + transitions, axis=1)
            scores = ops.where(is_first, self._first(), reached) + emission
            after = ops.where(real | is_first, scores, before)
            return after, after

        inputs = self._sequence(emissions, padding_mask)
        return scan(step, ops.zeros_like(inputs[:, 0, : self.num_tags]), inputs)[1]

    def _backward(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """Log of the sum over all that may come behind a tag at a position: float32 (B, T, K)."""
        transitions = self._transitions()

        def step(behind: keras.KerasTensor, after: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor]:
            emission, real, _ = self._parts(after)
            here = ops.logsumexp(transitions + ops.expand_dims(emission + behind, 1), axis=2)
            now = ops.where(real, here, behind)
            return now, now

        inputs = self._sequence(emissions, padding_mask)
        following = ops.pad(inputs[:, 1:], ((0, 0), (0, 1), (0, 0)))
        last = ops.zeros_like(inputs[:, 0, : self.num_tags]) + self._last()
        return ops.flip(scan(step, last, ops.flip(following, axis=1))[1], axis=1)

    def _sequence(self, emissions: keras.KerasTensor, padding_mask: keras.KerasTensor) -> keras.KerasTensor:
        """What the steps of a scan read: emissions, whether real, whether first: float32 (B, T, K + 2)."""
        real = ops.cast(ops.expand_dims(padding_mask, -1), "float32")
        is_first = ops.zeros_like(real) + ops.cast(ops.arange(ops.shape(real)[1]) == 0, "float32")[None, :, None]
        return ops.concatenate([ops.cast(emissions, "float32"), real, is_first], axis=-1)

    def _parts(self, now: keras.KerasTensor) -> tuple[keras.KerasTensor, keras.KerasTensor, keras.KerasTensor]:
        """A position of `_sequence`: emission float32 (B, K), and two bools (B, 1)."""
        count = self.num_tags
        return now[:, :count], now[:, count : count + 1] > 0, now[:, count + 1 :] > 0

    def _transitions(self) -> keras.KerasTensor:
        forbidden = ops.convert_to_tensor(np.where(self.allowed.behind, 0, MASKED_SCORE).astype("float32"))
        return self.transitions + forbidden if self.learned else forbidden

    def _first(self) -> keras.KerasTensor:
        forbidden = ops.convert_to_tensor(np.where(self.allowed.first, 0, MASKED_SCORE).astype("float32"))
        return self.first + forbidden if self.learned else forbidden

    def _last(self) -> keras.KerasTensor:
        return ops.convert_to_tensor(self.last) if self.learned else ops.zeros((self.num_tags,))
