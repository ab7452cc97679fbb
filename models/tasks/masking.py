"""What is drawn of a stretch of a document: which part stands behind which, and what is hidden (Devlin et al., 2019).

[START] and [END] play [CLS] and [SEP]; [MASK] has the id behind the last piece, so that a vocabulary serves other tasks
as it is. We differ in where a text is cut in two: anew in each epoch, behind any sentence.

T: tokens of an example, P: positions that are to be guessed, S: sentences.
"""

from typing import NamedTuple

import tensorflow as tf

from models.masking_settings import MaskingSettings
from models.tasks.code import Example
from models.tasks.documents import Documents
from models.tasks.inputs import at_least_one_position
from models.tokenizers.special import END_TOKEN_ID, SPECIAL_TOKENS, START_TOKEN_ID

FOLLOWS = 1
_NUM_SPECIAL = len(SPECIAL_TOKENS)


class Pair(NamedTuple):
    """One part, or two.

    Attributes:
        token_ids: int32 (T,), with the marks around them.
        segment_ids: int32 (T,), 0 for the first part, 1 for the second.
        follows: int32 (), `FOLLOWS` where the second part stands behind the first, else 0.
        is_pair: bool (), whether there are two.
    """

    token_ids: tf.Tensor
    segment_ids: tf.Tensor
    follows: tf.Tensor
    is_pair: tf.Tensor


def mask_token_id(vocabulary_size: int) -> int:
    """The id of [MASK]."""
    return vocabulary_size


def framed(first: tf.Tensor, second: tf.Tensor | None = None) -> tuple[tf.Tensor, tf.Tensor]:
    """Token ids and segment ids, int32 (T,), of one part or two, int32 (any,)."""
    marked = tf.concat([[START_TOKEN_ID], first, [END_TOKEN_ID]], axis=0)
    if second is None:
        return marked, tf.zeros_like(marked)
    behind = tf.concat([second, [END_TOKEN_ID]], axis=0)
    return tf.concat([marked, behind], 0), tf.concat([tf.zeros_like(marked), tf.ones_like(behind)], 0)


def framed_rows(token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
    """The same for rows of one part, ragged int32 (B, T)."""
    first, last = (tf.fill([token_ids.nrows(), 1], mark) for mark in (START_TOKEN_ID, END_TOKEN_ID))
    return tf.concat([first, token_ids, last], axis=1)


def draw_pair(stretch: Documents, other: Documents, room: int, seed: tf.Tensor) -> Pair:
    """Cuts a stretch in two, and for one half of all puts what stands elsewhere in the place of the second part.

    Args:
        stretch: of one document.
        other: of another one; without tokens there is nothing to put there.
        room: tokens of both parts at most.
        seed: int64 (2,).

    Returns:
        two parts; of a stretch of one sentence that alone.
    """
    seeds = tf.random.experimental.stateless_split(seed, 3)
    is_pair = tf.size(stretch.sentence_lengths) > 1
    first, rest = _parts(stretch, _any_place(stretch, seeds[0]))
    # What follows something is never the first sentence of a document, so neither is what does not.
    stranger = _parts(other, _any_place(other, seeds[1]))[1][: room - tf.size(first)]
    changed = (tf.random.stateless_uniform([], seeds[2]) < 0.5) & (tf.size(stranger) > 0)
    second = tf.cond(changed, lambda: stranger, lambda: rest)
    token_ids, segment_ids = tf.cond(is_pair, lambda: framed(first, second), lambda: framed(stretch.token_ids))
    return Pair(token_ids, segment_ids, tf.where(changed, 1 - FOLLOWS, FOLLOWS), is_pair)


def _any_place(stretch: Documents, seed: tf.Tensor) -> tf.Tensor:
    """A sentence behind the first, int32 (); 0 where there is none."""
    number = tf.size(stretch.sentence_lengths)
    drawn = tf.random.stateless_uniform([], seed, minval=1, maxval=tf.maximum(number, 2), dtype=tf.int32)
    return tf.where(number > 1, drawn, 0)


def _parts(stretch: Documents, place: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Tokens before a sentence, and from it on."""
    before = tf.reduce_sum(stretch.sentence_lengths[:place])
    return stretch.token_ids[:before], stretch.token_ids[before:]


def alone(stretch: Documents) -> Pair:
    """A stretch as one part."""
    return Pair(*framed(stretch.token_ids), tf.constant(FOLLOWS), tf.constant(False))


def draw_masks(pair: Pair, settings: MaskingSettings, vocabulary_size: int, seed: tf.Tensor) -> Example:
    """Hides pieces; special ones never.

    Args:
        pair: of one example.
        settings: how much of it, and how.
        vocabulary_size: pieces; the next id is that of [MASK].
        seed: int64 (2,).

    Returns:
        inputs `token_ids` and `segment_ids` int32 (T,), `positions` int32 (P,), ascending; labels `masked` int32 (P,),
        the pieces that stood there, and `next` int32 (); weights `masked` float32 (P,) and `next` (), 0 where there is
        no second part. P is one at least; without anything to hide its weight is 0.
    """
    seeds = tf.random.experimental.stateless_split(seed, 3)
    may_be_hidden = tf.cast(tf.where(pair.token_ids >= _NUM_SPECIAL)[:, 0], tf.int32)
    most = tf.size(may_be_hidden)
    count = tf.minimum(most, tf.maximum(1, tf.cast(tf.round(settings.share * tf.cast(most, tf.float32)), tf.int32)))
    order = tf.argsort(tf.random.stateless_uniform([most], seeds[0]))[:count]
    positions = tf.sort(tf.gather(may_be_hidden, order))
    labels = tf.gather(pair.token_ids, positions)
    drawn = tf.random.stateless_uniform([count], seeds[1])
    any_piece = tf.random.stateless_uniform([count], seeds[2], _NUM_SPECIAL, vocabulary_size, tf.int32)
    shown = tf.where(drawn < settings.mask_share + settings.random_share, any_piece, labels)
    shown = tf.where(drawn < settings.mask_share, mask_token_id(vocabulary_size), shown)
    token_ids = tf.tensor_scatter_nd_update(pair.token_ids, positions[:, tf.newaxis], shown)
    inputs = {
        "token_ids": token_ids,
        "segment_ids": pair.segment_ids,
        "positions": at_least_one_position(positions),
    }
    weights = at_least_one_position(tf.ones_like(labels, tf.float32))
    return (
        inputs,
        {"masked": at_least_one_position(labels), "next": pair.follows},
        {"masked": weights, "next": tf.cast(pair.is_pair, tf.float32)},
    )
