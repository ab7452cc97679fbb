"""WordPiece: frequent parts of words (Schuster and Nakajima, 2012; Wu et al., 2016, section 4.1).

Learned and applied by tensorflow-text. We differ from BERT's use of it in one point: a piece that follows a space
carries a space mark, so that joining the pieces restores the text.
"""

import tensorflow as tf
import tensorflow_text as tf_text
from tensorflow_text.tools.wordpiece_vocab import wordpiece_tokenizer_learner_lib as learner

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.special import SPECIAL_TOKENS, UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer
from models.tokenizers.word import SPACE_MARK, join_words, split_words

_JOINER = "##"
# Korean and Chinese need thousands of characters; the learner's own default of 1,000 makes the rest unknown.
_MAX_UNIQUE_CHARACTERS = 6000
# Bounds of the learner's pure Python work; rarer words and longer pieces hardly change the vocabulary.
_MAX_WORDS = 50_000
_MAX_PIECE_LENGTH = 20


class WordPieceTokenizer(Tokenizer):
    """One token a frequent part of a word; a word with a character that was never seen is `[UNK]`."""

    def __init__(self, pieces: list[str], settings: TokenizerSettings):
        super().__init__(pieces, settings)
        self.wordpiece = tf_text.FastWordpieceTokenizer(
            list(pieces),
            token_out_type=tf.int32,
            unknown_token=SPECIAL_TOKENS[UNKNOWN_TOKEN_ID],
            no_pretokenization=True,
        )

    @classmethod
    def split(cls, texts: tf.Tensor) -> tf.RaggedTensor:
        """Words with their space marks: string ragged (B, U)."""
        return split_words(texts)

    @classmethod
    def learn(cls, counts: dict[str, int], settings: TokenizerSettings) -> list[str]:
        """Learns pieces from word counts; their number comes close to `vocabulary_size`."""
        ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_MAX_WORDS]
        # The learner searches for the count a piece must have. It lies near the count of the word at the vocabulary's
        # end; the learner's own range, 10 to 10 million, costs minutes and misses small corpora.
        rarest = max(1, ordered[min(settings.vocabulary_size, len(ordered)) - 1][1] if ordered else 1)
        return learner.learn(
            ordered,
            vocab_size=settings.vocabulary_size,
            reserved_tokens=list(SPECIAL_TOKENS),
            lower_thresh=rarest,
            upper_thresh=50 * rarest,
            max_token_length=_MAX_PIECE_LENGTH,
            max_unique_chars=min(_MAX_UNIQUE_CHARACTERS, settings.vocabulary_size // 2),
            joiner=_JOINER,
        )[: settings.vocabulary_size]

    @staticmethod
    def word_of(piece: str) -> str:
        """The piece without its space mark; "" for one from within a word."""
        return "" if piece.startswith(_JOINER) and len(piece) > len(_JOINER) else piece.removeprefix(SPACE_MARK)

    def _tokenize(self, texts: tf.Tensor) -> tf.RaggedTensor:
        return self.wordpiece.tokenize(split_words(texts)).merge_dims(-2, -1)

    def _detokenize(self, token_ids: tf.RaggedTensor) -> tf.Tensor:
        bare = tuple(piece.removeprefix(_JOINER) if len(piece) > len(_JOINER) else piece for piece in self.pieces)
        return join_words(tf.gather(tf.constant(bare), token_ids))
