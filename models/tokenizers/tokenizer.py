"""The interface of all tokenizers, and what they share: special tokens and normalisation.

Everything runs in the TensorFlow graph with operations that a stock TensorFlow Serving has, so that the exported model
takes and gives plain strings.
"""

import tensorflow as tf
import tensorflow_text as tf_text

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID

# What stands before a text that goes on behind something. It is no letter, and no piece that is learned begins with it.
SOMETHING = "\u2585"


class Tokenizer(tf.Module):
    """Cuts strings into token ids and joins token ids to strings.

    B: batch, T: tokens of a text.

    Args:
        pieces: the vocabulary; the position of a piece is its token id. Starts with `SPECIAL_TOKENS`.
        settings: the tokenizer section of the configuration.
    """

    def __init__(self, pieces: list[str], settings: TokenizerSettings):
        super().__init__(name="tokenizer")
        if tuple(pieces[: len(SPECIAL_TOKENS)]) != SPECIAL_TOKENS:
            raise ValueError(f"A vocabulary must begin with {SPECIAL_TOKENS}. Received: {pieces[:4]}.")
        self.pieces = tuple(pieces)
        self.settings = settings

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids, special tokens included."""
        return len(self.pieces)

    def tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts texts.

        Args:
            texts: string (B,), UTF-8.

        Returns:
            int32 ragged (B, T), T at most `settings.max_sequence_length`; no start or end token is added.
        """
        return self.cut(self.tokenize_whole(texts))

    def tokenize_whole(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts texts into tokens, all of them: string (B,) to int32 ragged (B, T)."""
        return self._tokenize(self.normalize(texts, self.settings))

    def tokenize_behind(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts texts that go on, without a blank, behind something that is not known: as `tokenize_whole`.

        The first token has no space mark.
        """
        something = self._tokenize(tf.constant([SOMETHING])).row_lengths()[0]
        return self._tokenize(tf.strings.join([SOMETHING, self.normalize(texts, self.settings)]))[:, something:]

    def note(self, lengths: tf.Tensor) -> None:
        """Is told how long texts are before anything is cut off, int (B,), by who cuts without `tokenize`."""

    def cut(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Leaves `settings.max_sequence_length` tokens of each text at most; ragged (B, T)."""
        return token_ids[:, : self.settings.max_sequence_length]

    def whole_characters(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """Drops the tokens at the end that begin a character and do not finish it: ragged int32 (B, T) to the same."""
        return token_ids

    def lengths(self, texts: tf.Tensor) -> tf.Tensor:
        """How many tokens texts, string (B,), have before anything is cut off: int64 (B,)."""
        return self.tokenize_whole(texts).row_lengths()

    def detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        """Joins tokens to text; special tokens leave no trace.

        Args:
            token_ids: int32 ragged (B, T).

        Returns:
            string (B,).
        """
        return self._detokenize(tf.ragged.boolean_mask(token_ids, token_ids >= len(SPECIAL_TOKENS)))

    def look_up(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Returns the piece of every id as a person would read it: string, shape of `token_ids`; "" for padding."""
        names = tf.constant(["", *self.pieces[1:]])
        return tf.gather(names, token_ids)

    def words(self) -> list[str]:
        """For each token the whole word that it stands for, "" for one that stands for none."""
        start = len(SPECIAL_TOKENS)
        return [""] * start + [self.word_of(piece) for piece in self.pieces[start:]]

    @staticmethod
    def word_of(piece: str) -> str:
        """The whole word that a piece stands for, by default itself."""
        return piece

    @staticmethod
    def normalize(texts: tf.Tensor, settings: TokenizerSettings) -> tf.Tensor:
        """Applies Unicode normalisation and case folding; string (B,) to string (B,)."""
        # Invalid UTF-8 from a client must not fail the request of a batch-mate.
        texts = tf.strings.unicode_transcode(texts, "UTF-8", "UTF-8", errors="replace")
        if settings.lowercase:
            texts = tf_text.case_fold_utf8(texts)
        if settings.normalization != "none":
            texts = tf_text.normalize_utf8(texts, settings.normalization.upper())
        return texts

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Cuts normalised texts into the units that are counted to learn a vocabulary: string ragged (B, U)."""
        raise NotImplementedError

    @classmethod
    def learn(cls, counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
        """Chooses the pieces of a vocabulary, most frequent first, ties in code point order."""
        least = settings.minimum_count
        # Words that the data have cut may look like special ones.
        frequent = (unit for unit, count in counts.items() if count >= least and unit not in SPECIAL_TOKENS)
        ordered = sorted(frequent, key=lambda unit: (-counts[unit], unit))
        return [*SPECIAL_TOKENS, *ordered[: settings.vocabulary_size - len(SPECIAL_TOKENS)]]

    @classmethod
    def least_size(cls, counts: dict[str, int]) -> int:
        """Pieces that a vocabulary needs so that it knows all characters that were counted; 0 where it never can."""
        return 0

    def unit_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        """Token ids of units from `split`, string (N,): int32 ragged (N, P)."""
        raise NotImplementedError

    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        units = self.split(texts)
        return units.with_values(self.unit_ids(units.flat_values)).merge_dims(-2, -1)

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        raise NotImplementedError


class LookupTokenizer(Tokenizer):
    """A tokenizer whose units are looked up whole; what the vocabulary lacks becomes `[UNK]`."""

    def __init__(self, pieces: list[str], settings: TokenizerSettings):
        super().__init__(pieces, settings)
        initializer = tf.lookup.KeyValueTensorInitializer(list(pieces), tf.range(len(pieces), dtype=tf.int32))
        self.table = tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_TOKEN_ID)

    def unit_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        """Token ids of units from `split`, string (N,): int32 ragged (N, 1)."""
        return tf.RaggedTensor.from_uniform_row_length(self.table.lookup(units), 1)

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        return tf.strings.reduce_join(tf.gather(tf.constant(self.pieces), token_ids), axis=-1)
