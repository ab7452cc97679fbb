"""Documents in sentences, and the stretches of them that a model reads at a time.

B: batch, S: sentences of a document, T: tokens of it.
"""

from typing import NamedTuple

import tensorflow as tf

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.tokenizer import Tokenizer

# [CLS], and [SEP] behind each of two parts.
NUM_MARKS = 3
# What ends a sentence within a line, with the quotation marks and brackets that close behind it; also in full width.
_END = r"([.!?\x{2026}\x{3002}\x{FF01}\x{FF1F}]+[\"'\x{201D}\x{2019})\]]*)[\s\p{Z}]+"


class Documents(NamedTuple):
    """Tokens of documents, and how many of them each sentence has.

    Attributes:
        token_ids: int32, ragged (B, T); of one document (T,).
        sentence_lengths: int32, ragged (B, S); of one document (S,).
    """

    token_ids: tf.RaggedTensor
    sentence_lengths: tf.RaggedTensor


def sentences_of(texts: tf.Tensor) -> tf.RaggedTensor:
    """Cuts documents, string (B,), into sentences, ragged (B, S).

    A line ends one, and within a line so does a mark such as "." or "!" with a blank behind it. Blank lines are none.
    """
    lined = tf.strings.regex_replace(texts, _END, "\\1\n")
    lines = tf.strings.split(lined, "\n")
    lines = lines.with_flat_values(tf.strings.strip(lines.flat_values))
    return tf.ragged.boolean_mask(lines, lines != "")


def room_of(settings: TokenizerSettings) -> int:
    """Tokens of a stretch at most, beside the marks around and between its parts."""
    return max(1, settings.max_sequence_length - NUM_MARKS)


def read_documents(texts: tf.Tensor, tokenizer: Tokenizer) -> Documents:
    """Tokens of documents, string (B,); a sentence longer than a stretch counts as several."""
    sentences = sentences_of(texts)
    token_ids = tokenizer.tokenize_whole(sentences.flat_values)
    by_document = sentences.with_flat_values(tf.cast(token_ids.row_lengths(), tf.int32))
    room = room_of(tokenizer.settings)
    number = -(-by_document // room)
    index = tf.ragged.range(number.flat_values).flat_values
    lengths = tf.minimum(room, tf.repeat(by_document.flat_values, number.flat_values) - room * index)
    return Documents(
        sentences.with_flat_values(token_ids).merge_dims(1, 2),
        tf.RaggedTensor.from_row_lengths(lengths, tf.reduce_sum(number, axis=1)),
    )


def stretches_of(token_ids: tf.Tensor, sentence_lengths: tf.Tensor, room: int) -> Documents:
    """Cuts one document into stretches of whole sentences, each as long as fits.

    Args:
        token_ids: int32 (T,).
        sentence_lengths: int32 (S,), `room` at most.
        room: tokens of a stretch.

    Returns:
        documents, one for each stretch; none of an empty one.
    """

    def step(state: tuple[tf.Tensor, tf.Tensor], length: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        stretch, filled = state
        fits = filled + length <= room
        return tf.where(fits, stretch, stretch + 1), tf.where(fits, filled + length, length)

    stretches, _ = tf.scan(step, sentence_lengths, initializer=(tf.constant(0), tf.constant(0)))
    lengths = tf.RaggedTensor.from_value_rowids(sentence_lengths, stretches)
    return Documents(tf.RaggedTensor.from_row_lengths(token_ids, tf.reduce_sum(lengths, axis=1)), lengths)
