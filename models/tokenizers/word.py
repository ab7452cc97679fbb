"""Words and punctuation marks, each a token."""

import tensorflow as tf
import tensorflow_text as tf_text

from models.tokenizers.tokenizer import LookupTokenizer

# Stands for the space before a word, so that joining the pieces restores the text: "Hi, you" is "▁Hi" "," "▁you".
# The idea is SentencePiece's (Kudo and Richardson, 2018).
SPACE_MARK = "\u2581"
_WORD = r"\x{2581}?[\p{L}\p{M}\p{N}]+|\x{2581}?[^\p{L}\p{M}\p{N}\x{2581}]|\x{2581}"


def normal_spaces(texts: tf.Tensor) -> tf.Tensor:
    """String (B,) with single spaces within and none around; the space mark, where a text has it, becomes _."""
    texts = tf.strings.regex_replace(texts, SPACE_MARK, "_")
    return tf.strings.strip(tf.strings.regex_replace(texts, r"[\s\p{Z}]+", " "))


def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Cuts texts into words and single other characters, each with its `SPACE_MARK` if a space stood before it.

    Args:
        texts: string (B,).

    Returns:
        string ragged (B, W). Runs of white space count as one space.
    """
    marked = tf.strings.regex_replace(tf.strings.join([" ", normal_spaces(texts)]), " ", SPACE_MARK)
    words = tf_text.regex_split(marked, _WORD, _WORD)
    # The empty text leaves a lone mark.
    return tf.ragged.boolean_mask(words, words != SPACE_MARK)


def join_words(pieces: tf.RaggedTensor) -> tf.Tensor:
    """Undoes `split_words`: string ragged (B, W) to string (B,)."""
    joined = tf.strings.reduce_join(pieces, axis=-1)
    return tf.strings.strip(tf.strings.regex_replace(joined, SPACE_MARK, " "))


class WordTokenizer(LookupTokenizer):
    """One token a word or punctuation mark.

    A word outside the vocabulary is `[UNK]` on the way in; decoders never choose it on the way out.
    """

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Words with their space marks: string ragged (B, U)."""
        return split_words(texts)

    @staticmethod
    def word_of(piece: str) -> str:
        """The piece without its space mark."""
        return piece.removeprefix(SPACE_MARK)

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        return join_words(tf.gather(tf.constant(self.pieces), token_ids))
