"""Words and punctuation marks, each a token."""

import tensorflow as tf
import tensorflow_text as tf_text

from models.tokenizers.tokenizer import LookupTokenizer

# Stands for the space before a word, so that joining the pieces restores the text: "Hi, you" is "▁Hi" "," "▁you".
# The idea is SentencePiece's (Kudo and Richardson, 2018).
SPACE_MARK = "\u2581"
# The learner and the matcher of WordPiece take no longer word, and no language has one.
LONGEST_WORD = 100
# Scripts that put no blank between words. A word cannot be told there without a dictionary, so a character stands for
# it, as BERT (Devlin et al., 2019) does for Chinese. U+30FC and U+FF70 lengthen a vowel in several scripts.
_UNSPACED = (
    r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Yi}\x{30FC}\x{FF70}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
    r"\p{Tai_Le}\p{New_Tai_Lue}\p{Tai_Tham}\p{Tai_Viet}\p{Javanese}\p{Balinese}]"
)
# A blank cuts: by now the blanks of the text are marks.
_WORD = r"\x{2581}?[\p{L}\p{M}\p{N}]+|\x{2581}?[^\p{L}\p{M}\p{N}\x{2581} ]|\x{2581}"


def normal_spaces(texts: tf.Tensor) -> tf.Tensor:
    """String (B,) with single spaces within and none around; the space mark, where a text has it, becomes _."""
    texts = tf.strings.regex_replace(texts, SPACE_MARK, "_")
    return tf.strings.strip(tf.strings.regex_replace(texts, r"[\s\p{Z}]+", " "))


# Traced once for all signatures that cut texts: its many small operations take longest of an export.
@tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
def split_words(texts: tf.Tensor) -> tf.RaggedTensor:
    """Cuts texts into words and single other characters, each with its `SPACE_MARK` if a space stood before it.

    In scripts without blanks, and in words of more than `LONGEST_WORD` bytes, each character is a unit, and so is the
    space mark before it, so that whatever text was seen of characters is known in every order. No mark stands alone
    at the start of a text.

    Args:
        texts: string (B,).

    Returns:
        string ragged (B, W). Runs of white space count as one space.
    """
    spaced = tf.strings.join([" ", normal_spaces(texts)])
    marked = tf.strings.regex_replace(spaced, " ", SPACE_MARK)
    parted = tf.strings.regex_replace(marked, f"({_UNSPACED})", r" \1 ")
    words = _cut_long(tf_text.regex_split(parted, f"{_WORD}| +", _WORD))
    first = tf.ragged.range(words.row_lengths()) == 0
    return tf.ragged.boolean_mask(words, ~first | (words != SPACE_MARK))


def join_words(pieces: tf.RaggedTensor) -> tf.Tensor:
    """Undoes `split_words`: string ragged (B, W) to string (B,)."""
    joined = tf.strings.reduce_join(pieces, axis=-1)
    return tf.strings.strip(tf.strings.regex_replace(joined, SPACE_MARK, " "))


def is_unspaced(characters: tf.Tensor) -> tf.Tensor:
    """Whether each character, string (N,), is of a script without blanks, and so always a unit by itself: bool (N,)."""
    return tf.strings.regex_full_match(characters, _UNSPACED)


def is_spaced_word(units: tf.Tensor) -> tf.Tensor:
    """Whether each unit, string (N,), is letters or digits of a script with blanks, without a space mark: bool (N,)."""
    return tf.strings.regex_full_match(units, r"[\p{L}\p{M}\p{N}]+") & ~is_unspaced(units)


def replace_rows(rows: tf.RaggedTensor, chosen: tf.Tensor, instead: tf.RaggedTensor) -> tf.RaggedTensor:
    """Puts other rows in the place of some.

    Args:
        rows: ragged (N, P).
        chosen: bool (N,), M of them True.
        instead: ragged (M, Q), of the type of `rows`.

    Returns:
        ragged (N, ...): row i of `rows`, or where it was chosen the next one of `instead`.
    """
    number = tf.cumsum(tf.cast(chosen, tf.int64), exclusive=True)
    place = tf.where(chosen, rows.nrows() + number, tf.range(rows.nrows()))
    return tf.gather(tf.concat([rows, instead], axis=0), place)


def _cut_long(words: tf.RaggedTensor) -> tf.RaggedTensor:
    """Cuts words, string ragged (B, W), of more than `LONGEST_WORD` bytes into their characters."""
    flat = words.flat_values
    long = tf.strings.length(flat) > LONGEST_WORD
    characters = tf.strings.unicode_split(tf.boolean_mask(flat, long), "UTF-8")
    single = tf.RaggedTensor.from_uniform_row_length(flat, 1)
    return words.with_values(replace_rows(single, long, characters)).merge_dims(-2, -1)


class WordTokenizer(LookupTokenizer):
    """One token a word or punctuation mark, or a character of a script without blanks.

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
