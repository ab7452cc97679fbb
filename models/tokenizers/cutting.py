"""Uncut text to tokens, as people who label words cut them.

B: batch, W: tokens of a text.
"""

from typing import Literal, NamedTuple

import tensorflow as tf
import tensorflow_text as tf_text

Cut = Literal["words", "punctuation", "blanks"]

_BLANK = r"[\s\p{Z}]"
_LETTER = r"[\p{L}\p{M}\p{N}_]"
# In the order in which they are tried. RE2 knows no looking ahead, so what goes with a word is part of its expression.
_WORDS = "|".join(
    (
        r"(?:https?://|www\.)[^\s\p{Z}]+",
        r"[\p{L}\p{N}._%+\-]+@[\p{L}\p{N}\-]+(?:\.[\p{L}\p{N}\-]+)+",
        rf"[@#]{_LETTER}+",
        r"&#?[\p{L}\p{N}]+;",
        r"[:;=][\-'^]?[()\[\]DPpOo/\\|*]+",
        r"<3+",
        r"[$£€]?\p{N}+(?:[.,:/\-]\p{N}+)*[\p{L}\p{N}]*%?",
        rf"{_LETTER}+(?:['’\-]{_LETTER}+)*",
        r"['’]\p{L}+",
        r"[.!?]+",
        r"-+|,+|\*+|=+|~+|_+|:+|/+",
        r"[^\s\p{Z}]",
    )
)
_EXPRESSIONS: dict[str, str] = {
    "words": _WORDS,
    "punctuation": rf"{_LETTER}+|[^\s\p{{Z}}]",
    "blanks": r"[^\s\p{Z}]+",
}


class CutText(NamedTuple):
    """Texts in pieces.

    Attributes:
        tokens: string ragged (B, W).
        starts: int32 ragged (B, W), the byte of the UTF-8 text at which each token begins.
        ends: int32 ragged (B, W), the byte behind each.
    """

    tokens: tf.RaggedTensor
    starts: tf.RaggedTensor
    ends: tf.RaggedTensor


def cut_texts(texts: tf.Tensor, rule: Cut) -> CutText:
    """Cuts texts by a rule; what is left out is white space alone.

    Args:
        texts: string (B,), UTF-8. Bytes that are none count as U+FFFD, and offsets are those of the text so repaired.
        rule: as `models.labeling_settings` tells.
    """
    # Invalid UTF-8 from a client must not fail the request of a batch-mate.
    texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
    kept = _EXPRESSIONS[rule]
    tokens, starts, ends = tf_text.regex_split_with_offsets(texts, rf"{_BLANK}+|{kept}", kept)
    return CutText(tokens, tf.cast(starts, tf.int32), tf.cast(ends, tf.int32))


def is_cut_alike(tokens: tf.RaggedTensor, rule: Cut) -> tf.Tensor:
    """Whether the rule cuts tokens, joined with blanks, into the same again: string ragged (B, W) to bool (B,)."""
    again = cut_texts(tf.strings.reduce_join(tokens, axis=-1, separator=" "), rule).tokens
    # A text that holds the token's bounds; no token holds a line end.
    return tf.equal(*(tf.strings.reduce_join(each, axis=-1, separator="\n") for each in (tokens, again)))
