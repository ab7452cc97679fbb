"""The words that vectors are learned of: the pieces of a word tokenizer without their space marks.

"king" behind a space and "king" behind a quotation mark are two pieces, but one word.
"""

import dataclasses
from collections import Counter
from typing import Any

import tensorflow as tf

from models.tokenizers.special import UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import LookupTokenizer
from models.tokenizers.vocabularies import Vocabularies
from models.tokenizers.word import SPACE_MARK


@dataclasses.dataclass(frozen=True)
class Words:
    """Words by id, which is 1 for the most frequent one; 0 stands for no word.

    B: batch, T: words of a text.

    Attributes:
        tokenizer: of the texts.
        names: of all words, in the order of their ids.
        counts: how often each stands in the train split.
    """

    tokenizer: LookupTokenizer
    names: tuple[str, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, vocabularies: Vocabularies, feature: str) -> "Words":
        """The words of a text feature.

        Raises:
            ValueError: the vocabularies do not hold how often each piece was counted.
        """
        if feature not in vocabularies.counts:
            raise ValueError(f"Vectors of words need the counts of {feature}. Received vocabularies without them.")
        tokenizer: Any = vocabularies.tokenizer(feature)
        counts: Counter[str] = Counter()
        for word, count in zip(tokenizer.words(), vocabularies.counts[feature], strict=True):
            counts[word] += count
        ordered = sorted(filter(None, counts), key=lambda word: (-counts[word], word))
        return cls(tokenizer, tuple(ordered), tuple(counts[word] for word in ordered))

    def ids_of_tokens(self, token_ids: tf.Tensor) -> tf.Tensor:
        """Token ids, int of any shape, to word ids int32; 0 for one that is no known word."""
        numbers = {name: number for number, name in enumerate(self.names, 1)}
        return tf.gather(tf.constant([numbers.get(word, 0) for word in self.tokenizer.words()], tf.int32), token_ids)

    def cut(self, texts: tf.Tensor) -> tf.RaggedTensor:
        """String (B,) to the words of each text, known or not, without space marks: string ragged (B, T)."""
        units = self.tokenizer.split(self.tokenizer.normalize(texts, self.tokenizer.settings))
        self.tokenizer.note(units.row_lengths())
        units = units[:, : self.tokenizer.settings.max_sequence_length]
        bare = units.with_flat_values(tf.strings.regex_replace(units.flat_values, f"^{SPACE_MARK}", ""))
        return tf.ragged.boolean_mask(bare, bare != "")

    def ids(self, words: tf.Tensor) -> tf.Tensor:
        """Words as `cut` gives them, string of any shape, to ids int32; 0 for what is unknown."""
        bare = self.tokenizer.table.lookup(words)
        marked = self.tokenizer.table.lookup(tf.strings.join([SPACE_MARK, words]))
        return self.ids_of_tokens(tf.where(marked == UNKNOWN_TOKEN_ID, bare, marked))

    def look_up(self, ids: tf.Tensor) -> tf.Tensor:
        """Ids of any shape to words, string; "" for 0."""
        return tf.gather(tf.constant(["", *self.names]), ids)
