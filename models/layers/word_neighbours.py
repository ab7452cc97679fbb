"""Rows of words in blocks, with what stands around each block: which words are near which costs no row times row.

B: batch, T: words of a row, S: words of a block, R: blocks of a row, W: words that are looked at on each side, C: S +
2 W.
"""

import dataclasses

import keras
from keras import ops

# Words of a block at most: the fewer, the less is scored in vain, the more, the longer the matrix products.
BLOCK = 16


@dataclasses.dataclass(frozen=True)
class Neighbours:
    """Each word of a row once as a centre, and whatever may be near it.

    Attributes:
        centres: word ids int (B, R, S), 0 = padding.
        contexts: word ids int (B, R, C) of a block and of W words before and behind it; 0 = padding.
        near: bool (B, R, S, C), whether a context is within the radius of a centre, in the same text, and not itself;
            padding is near nothing.
    """

    centres: keras.KerasTensor
    contexts: keras.KerasTensor
    near: keras.KerasTensor


def neighbours(
    word_ids: keras.KerasTensor, text_ids: keras.KerasTensor, radii: keras.KerasTensor, reach: int
) -> Neighbours:
    """Cuts rows into blocks.

    Args:
        word_ids: int (B, T), 0 = padding.
        text_ids: int (B, T), not negative, the same for words of the same text.
        radii: int (B, T), at most `reach`.
        reach: W.

    Returns:
        the blocks, R the fewest that hold a row.
    """
    length = ops.shape(word_ids)[1]
    size = ops.minimum(length, BLOCK)
    starts = ops.arange(0, length, size)[:, None]
    places = starts + ops.arange(-reach, size + reach)[None, :]  # (R, C)
    within = ops.logical_and(places >= 0, places < length)
    places = ops.clip(places, 0, length - 1)
    contexts, texts = (ops.where(within, ops.take(each, places, axis=1), 0) for each in (word_ids, text_ids))
    own = slice(reach, reach + size)
    centres = contexts[:, :, own]
    # Padding is of no text: of another one as a centre than as a context.
    text_of_centres = ops.where(ops.not_equal(centres, 0), texts[:, :, own], -1)
    text_of_contexts = ops.where(ops.not_equal(contexts, 0), texts, -2)
    radii = ops.take(radii, places[:, own], axis=1)
    distance = ops.abs(ops.arange(size)[:, None] + reach - ops.arange(size + 2 * reach)[None, :])
    in_reach = ops.logical_and(distance > 0, distance <= ops.expand_dims(radii, 3))
    same_text = ops.equal(ops.expand_dims(text_of_centres, 3), ops.expand_dims(text_of_contexts, 2))
    return Neighbours(centres, contexts, ops.logical_and(in_reach, same_text))
