"""Lists of names, looked up in words that the data have cut.

A list says which words stand in one of its names, not that a name is meant: "May" is in a list of persons too. Ratinov
and Roth (2009, section 6.2) and Chiu and Nichols (2016, section 2.3.2) give a model such matches beside its words.

B: batch, W: words of a sequence, G: lists.
"""

from collections.abc import Mapping, Sequence

import tensorflow as tf

from models.tokenizers.settings import TokenizerSettings
from models.tokenizers.tokenizer import Tokenizer

# Longer names are hardly ever written in full, and each length costs a look-up for every word.
LONGEST = 6


class Gazetteers(tf.Module):
    """Finds names of any of the lists.

    Args:
        names: list to its names, as `learn_names` gives them.
        settings: the tokenizer section, which says how words are normalised.
    """

    def __init__(self, names: Mapping[str, Sequence[str]], settings: TokenizerSettings):
        super().__init__(name="gazetteers")
        self.settings = settings
        bits: dict[str, int] = {}
        for place, listed in enumerate(names.values()):
            for name in listed:
                bits[name] = bits.get(name, 0) | 1 << place
        self.longest = max((len(name.split(" ")) for name in bits), default=0)
        initializer = tf.lookup.KeyValueTensorInitializer(list(bits), tf.constant(list(bits.values()), tf.int32))
        self.table = tf.lookup.StaticHashTable(initializer, default_value=0) if bits else None

    def look_up(self, tokens: tf.RaggedTensor) -> tf.RaggedTensor:
        """Says in which lists each word stands, by itself or together with its neighbours.

        Args:
            tokens: string ragged (B, W).

        Returns:
            int32 ragged (B, W): bit g, worth 2**g, is set where a word stands in a name of list g.
        """
        if self.table is None:
            return tokens.with_flat_values(tf.zeros_like(tokens.flat_values, tf.int32))
        words = tokens.with_flat_values(Tokenizer.normalize(tokens.flat_values, self.settings)).to_tensor()
        found = tf.zeros_like(words, tf.int32)
        joined = words
        for length in range(1, self.longest + 1):
            if length > 1:
                # The name that begins at each word; what would reach beyond the end ends in a blank, and is no name.
                joined = tf.strings.join([joined, _moved(words, 1 - length)], " ")
            begins = self.table.lookup(joined)
            for place in range(length):
                found = tf.bitwise.bitwise_or(found, _moved(begins, place))
        return tf.RaggedTensor.from_tensor(found, lengths=tokens.row_lengths())


def learn_names(lists: Mapping[str, Sequence[str]], settings: TokenizerSettings) -> dict[str, list[str]]:
    """Normalises names, words joined by one blank, each once, in code point order.

    Args:
        lists: list to names as people write them.
        settings: the tokenizer section.

    Returns:
        list to names of `LONGEST` words at most; others are left out.
    """
    learned = {}
    for gazetteer, names in lists.items():
        normal = Tokenizer.normalize(tf.constant(list(names), tf.string), settings).numpy()
        split = (name.decode().split() for name in normal)
        learned[gazetteer] = sorted({" ".join(words) for words in split if 0 < len(words) <= LONGEST})
    return learned


def _moved(values: tf.Tensor, places: int) -> tf.Tensor:
    """Moves the columns of (B, W) to the right, or to the left; what comes in is "" or 0."""
    if not places:
        return values
    width = tf.shape(values)[1]
    empty = tf.zeros_like(values)[:, : tf.minimum(abs(places), width)]
    if places > 0:
        return tf.concat([empty, values], axis=1)[:, :width]
    return tf.concat([values, empty], axis=1)[:, -width:]
