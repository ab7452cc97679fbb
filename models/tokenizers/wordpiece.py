"""WordPiece: frequent parts of words (Schuster and Nakajima, 2012; Wu et al., 2016, section 4.1).

Learned and applied by tensorflow-text. We differ from BERT's use of it in three points: a piece that follows a space
carries a space mark, so that joining the pieces restores the text; every character that was seen has its pieces, as
long as the vocabulary has room; and a word with a character that was not seen is cut into characters, so that only
that character is `[UNK]`, not the word.
"""

from collections import Counter
from collections.abc import Iterable

import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import SOMETHING, Tokenizer
from models.tokenizers.word import (
    LONGEST_WORD,
    SPACE_MARK,
    is_spaced_word,
    is_unspaced,
    join_words,
    replace_rows,
    split_words,
)

_JOINER = "##"
# Korean needs thousands of characters; the learner's own default of 1,000 makes the rest unknown.
_MAX_UNIQUE_CHARACTERS = 6000
# Bounds of the learner's pure Python work; rarer words and longer pieces hardly change the vocabulary.
_MAX_WORDS = 50_000
_MAX_PIECE_LENGTH = 20


class WordPieceTokenizer(Tokenizer):
    """One token a frequent part of a word, down to its characters; a character that was never seen is `[UNK]`."""

    def __init__(self, pieces: list[str], settings: TokenizerSettings):
        super().__init__(pieces, settings)
        self.wordpiece = tf_text.FastWordpieceTokenizer(
            list(pieces),
            max_bytes_per_word=LONGEST_WORD,
            token_out_type=tf.int32,
            unknown_token=SPECIAL_TOKENS[UNKNOWN_TOKEN_ID],
            no_pretokenization=True,
        )
        initializer = tf.lookup.KeyValueTensorInitializer(list(pieces), tf.range(len(pieces), dtype=tf.int32))
        self.table = tf.lookup.StaticHashTable(initializer, default_value=UNKNOWN_TOKEN_ID)

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Words with their space marks: string ragged (B, U)."""
        return split_words(texts)

    @classmethod
    def learn(cls, counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
        """Learns pieces from word counts; their number comes close to `vocabulary_size`.

        The pieces of single characters come before all others. Where not even they have room, the rarest characters
        are left out, and are unknown.
        """
        room = settings.vocabulary_size - len(SPECIAL_TOKENS)
        alphabet: list[str] = []
        for forms in _alphabet(counts):
            if len(alphabet) + len(forms) > room:
                break
            alphabet += forms
        needed = set(alphabet)
        learned = _learn_from_words(counts, settings)[len(SPECIAL_TOKENS) :]
        others = [piece for piece in learned if piece not in needed][: room - len(alphabet)]
        kept = needed.union(others)
        ordered = [piece for piece in learned if piece in kept]
        return [*SPECIAL_TOKENS, *ordered, *sorted(needed.difference(ordered))]

    @classmethod
    def least_size(cls, counts: dict[str, int]) -> int:
        """The special tokens, and the pieces of each character."""
        return len(SPECIAL_TOKENS) + sum(map(len, _alphabet(counts)))

    def tokenize_behind(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """As `Tokenizer` says; letters go on within a word."""
        units = self.split(tf.strings.join([SOMETHING, self.normalize(texts, self.settings)]))[:, 1:]
        flat = units.flat_values
        within = (tf.ragged.range(units.row_lengths()).flat_values == 0) & is_spaced_word(flat)
        # The matcher reads the joiner as the vocabulary writes it.
        joined = tf.where(within, tf.strings.join([_JOINER, flat]), flat)
        return units.with_values(self.unit_ids(joined)).merge_dims(-2, -1)

    def unit_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        """Token ids of units from `split`, string (N,): int32 ragged (N, P)."""
        token_ids = self.wordpiece.tokenize(units)
        unknown = tf.reduce_any(token_ids == UNKNOWN_TOKEN_ID, axis=-1)
        return replace_rows(token_ids, unknown, self._character_ids(tf.boolean_mask(units, unknown)))

    def _character_ids(self, units: tf.Tensor) -> tf.RaggedTensor:
        within = tf.strings.regex_full_match(units, f"{_JOINER}.+")
        characters = tf.strings.unicode_split(tf.strings.regex_replace(units, f"^{_JOINER}", ""), "UTF-8")
        first = (tf.ragged.range(characters.row_lengths()) == 0) & ~within[:, tf.newaxis]
        prefix = tf.where(first.flat_values, "", _JOINER)
        return characters.with_flat_values(self.table.lookup(prefix + characters.flat_values))

    @staticmethod
    def word_of(piece: str) -> str:
        """The piece without its space mark; "" for one from within a word."""
        return "" if piece.startswith(_JOINER) and len(piece) > len(_JOINER) else piece.removeprefix(SPACE_MARK)

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        bare = tuple(piece.removeprefix(_JOINER) if len(piece) > len(_JOINER) else piece for piece in self.pieces)
        return join_words(tf.gather(tf.constant(bare), token_ids))


def _alphabet(counts: dict[str, int]) -> list[list[str]]:
    """For each character, the most frequent first, the pieces that it needs.

    One of a script without blanks never stands inside a word, so it needs none that continues one.
    """
    characters: Counter[str] = Counter()
    for unit, count in counts.items():
        for character in unit:
            characters[character] += count
    alone = _unspaced(characters)
    ordered = sorted(characters, key=lambda character: (-characters[character], character))
    return [[one] if one in alone else [one, _JOINER + one] for one in ordered]


def _learn_from_words(counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
    alone = _unspaced(unit for unit in counts if len(unit) == 1)
    words = [(unit, count) for unit, count in counts.items() if unit not in alone]
    room = settings.vocabulary_size - len(alone)
    if not words or room <= len(SPECIAL_TOKENS):
        return list(SPECIAL_TOKENS)
    ordered = sorted(words, key=lambda item: (-item[1], item[0]))[:_MAX_WORDS]
    # The learner searches for the count a piece must have. It lies near the count of the word at the vocabulary's end;
    # the learner's own range, 10 to 10 million, costs minutes and misses small corpora.
    rarest = max(1, ordered[min(room, len(ordered)) - 1][1])
    return learner.learn(
        ordered,
        vocab_size=room,
        reserved_tokens=list(SPECIAL_TOKENS),
        lower_thresh=rarest,
        upper_thresh=50 * rarest,
        max_token_length=_MAX_PIECE_LENGTH,
        max_unique_chars=min(_MAX_UNIQUE_CHARACTERS, room // 2),
        joiner=_JOINER,
    )


def _unspaced(characters: Iterable[str]) -> set[str]:
    ordered = list(characters)
    found = is_unspaced(tf.constant(ordered, tf.string)).numpy()
    return {character for character, unspaced in zip(ordered, found, strict=True) if unspaced}
