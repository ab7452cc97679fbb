"""The one contract between decoders and the ways of decoding: the last token and a cache in, logits and a cache out.

N: rows, beams included; V: vocabulary.
"""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from models.layers.masks import MASKED_SCORE
from models.tokenizers.special import PAD_TOKEN_ID, START_TOKEN_ID, UNKNOWN_TOKEN_ID

NextToken = Callable[[tf.Tensor, Any], tuple[tf.Tensor, Any]]
"""(token_ids int32 (N,), cache) to (logits float (N, V), cache).

A step of a decoder: reads the token before the wanted one (the first is [START]) and says what may come next.

- The cache is a nest of tensors, and every one of them has N rows: a search reorders rows, and drops them, without
  knowing what they mean. What all rows share, or what no step changes, is better closed over than put in the cache.
- The returned cache has the shapes of the given one. A cache of keys and values has its full length from the start: one
  that grows would change the shape of what goes round the loop.
- A row's logits depend on that row alone.
- Inside a compiled piece (`models.decoding.pieces`), where no row is ever reordered, a carry of the decoder's own
  layout stands in the place of the cache.
"""

IMPOSSIBLE = MASKED_SCORE
# Tokens that no target holds. [UNK] among them: a person never sees one, the decoder takes its next best choice.
_FORBIDDEN = (PAD_TOKEN_ID, UNKNOWN_TOKEN_ID, START_TOKEN_ID)


def forbid(scores: tf.Tensor) -> tf.Tensor:
    """Makes [PAD], [UNK] and [START] impossible: logits or log probabilities, float32 (N, V) both."""
    forbidden = tf.reduce_any(tf.range(tf.shape(scores)[-1])[:, tf.newaxis] == tf.constant(_FORBIDDEN), axis=-1)
    return tf.where(forbidden, IMPOSSIBLE, scores)


def row_invariants(cache: Any) -> Any:
    """Shapes of a cache in a loop: any number of rows, all else as it is."""
    return tf.nest.map_structure(lambda tensor: tf.TensorShape([None, *tensor.shape[1:]]), cache)


def keep_rows(moves: tf.Tensor, following: Any, cache: Any) -> Any:
    """The following cache of the rows that move on, bool (N,), and the cache as it is of those that do not."""

    def chosen(after: tf.Tensor, before: tf.Tensor) -> tf.Tensor:
        rows = tf.reshape(moves, tf.concat([[-1], tf.ones([tf.rank(after) - 1], tf.int32)], axis=0))
        return tf.where(rows, after, before)

    # A cache is large, and mostly all rows move on.
    return tf.cond(tf.reduce_all(moves), lambda: following, lambda: tf.nest.map_structure(chosen, following, cache))
