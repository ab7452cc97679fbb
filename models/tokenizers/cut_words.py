"""Words that the data have cut already: each is looked up whole, and so is each of its characters.

B: batch, W: words of a sequence, C: characters of a word.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import tensorflow as tf

from models.tokenizers.gazetteers import Gazetteers
from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import LookupTokenizer, Tokenizer

_BATCH = 10_000
# Characters of a word that anything may read.
MOST_CHARACTERS = 64
# What is not in a language at all, such as one symbol in a million words, would only be noise.
_LEAST_CHARACTERS = 2
# Shapes are told apart by a hash, so that none need be learned.
NUM_SHAPES = 512
# Longer runs of a kind count as two.
_SHAPES = (
    (r"\p{Lu}", "X"),
    (r"[\p{Ll}\p{Lo}]", "x"),
    (r"\p{N}", "d"),
    ("X{3,}", "XX"),
    ("x{3,}", "xx"),
    ("d{3,}", "dd"),
)


class CutWords(LookupTokenizer):
    """Ids of words, characters and shapes.

    Args:
        pieces: words, behind `SPECIAL_TOKENS`; the position is the id.
        characters: the same for characters.
        settings: the tokenizer section; `unit` counts for nothing.
        gazetteers: list of names to its names.
        parts: cuts words into the pieces that a model reads in their place; None: it reads whole words.
    """

    def __init__(
        self,
        pieces: list[str],
        characters: list[str],
        settings: TokenizerSettings,
        gazetteers: Mapping[str, Sequence[str]] | None = None,
        parts: Tokenizer | None = None,
    ):
        super().__init__(pieces, settings)
        self.characters = tuple(characters)
        initializer = tf.lookup.KeyValueTensorInitializer(list(characters), tf.range(len(characters), dtype=tf.int32))
        self.character_table = tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_TOKEN_ID)
        self.gazetteers = Gazetteers(gazetteers or {}, settings)
        self.parts = parts

    def look_up_words(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Looks up words, normalised as the settings say: string ragged (B, W) to int32 ragged (B, W)."""
        return tokens.with_flat_values(self._word_ids(tokens.flat_values))

    def unit_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        """Ids of what is read of words as they stand, string (N,): int32 ragged (N, P); P is 1 for whole words."""
        if self.parts:
            return self.parts.tokenize_whole(units)
        return tf.RaggedTensor.from_uniform_row_length(self._word_ids(units), 1)

    def _word_ids(self, words: tf.Tensor) -> tf.Tensor:
        """String (N,) to int32 (N,); what looks like a special token is unknown."""
        ids = self.table.lookup(self.normalize(words, self.settings))
        return tf.where(ids < len(SPECIAL_TOKENS), UNKNOWN_TOKEN_ID, ids)

    def look_up_pieces(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Cuts each word by itself: string ragged (B, W) to int32 ragged (B, W, P); no pieces where words are whole.

        A word has the space mark before it, so these are the pieces of the text that has blanks between its words.
        """
        tokens = tokens.with_row_splits_dtype(tf.int64)
        if self.parts:
            return tokens.with_flat_values(self.parts.tokenize_whole(tokens.flat_values))
        none = tf.RaggedTensor.from_uniform_row_length(
            tf.zeros([0], tf.int32), 0, tf.size(tokens.flat_values, tf.int64)
        )
        return tokens.with_flat_values(none)

    def look_up_characters(self, tokens: tf.RaggedTensor, most: int) -> tf.RaggedTensor:
        """Looks up characters as they stand, upper case and all.

        Args:
            tokens: string ragged (B, W).
            most: characters of a word.

        Returns:
            int32 ragged (B, W, C).
        """
        tokens = tokens.with_row_splits_dtype(tf.int64)
        characters = tf.strings.unicode_split(_valid(tokens.flat_values), "UTF-8")[:, :most]
        return tokens.with_flat_values(characters.with_flat_values(self.character_table.lookup(characters.flat_values)))

    def cut_off(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Leaves at most `settings.max_sequence_length` words of each row."""
        return tokens[:, : self.settings.max_sequence_length]


def shapes(tokens: tf.RaggedTensor) -> tf.RaggedTensor:
    """Shapes of words, such as Xxx-dd for Abc-12, as numbers from 1 to `NUM_SHAPES`: string to int32, ragged (B, W)."""
    shape = _valid(tokens.flat_values)
    for pattern, letter in _SHAPES:
        shape = tf.strings.regex_replace(shape, pattern, letter)
    return tokens.with_flat_values(tf.cast(tf.strings.to_hash_bucket_fast(shape, NUM_SHAPES), tf.int32) + 1)


def learn_words(counts: Mapping[str, int], settings: TokenizerSettings) -> tuple[list[str], list[str]]:
    """Learns the words, normalised, and the characters, as they stand, from the counts of words as they stand.

    Returns:
        words and characters, special tokens first.
    """
    words: Counter[str] = Counter()
    characters: Counter[str] = Counter()
    found = sorted(counts)
    for start in range(0, len(found), _BATCH):
        batch = found[start : start + _BATCH]
        normalized = Tokenizer.normalize(tf.constant(batch), settings).numpy()
        for word, key in zip(batch, normalized, strict=True):
            words[key.decode()] += counts[word]
            characters.update(dict.fromkeys(word, counts[word]))
    # A word may normalise to nothing, which stands for padding.
    del words[""]
    often = [character for character, count in characters.items() if count >= _LEAST_CHARACTERS]
    return CutWords.learn(words, settings), [*SPECIAL_TOKENS, *sorted(often)]


def _valid(words: tf.Tensor) -> tf.Tensor:
    # Invalid UTF-8 from a client must not fail the request of a batch-mate.
    return tf.strings.unicode_transcode(words, "UTF-8", "UTF-8", errors="replace")
