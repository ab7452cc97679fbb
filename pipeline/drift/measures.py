"""What is counted in a text to see whether texts have changed."""

from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf

from components.example_gen.scripts import script_of
from models.tokenizers.special import UNKNOWN_TOKEN_ID
from models.tokenizers.tokenizer import Tokenizer
from pipeline.drift.distance import Counts, counted

_AT_ONCE = 1024


def lengths(text: str) -> Counts:
    """The range of its number of words, each twice as long as the one before."""
    return counted([length_range(len(text.split()))])


def scripts(text: str) -> Counts:
    """The script of each letter, by the first word of its Unicode name."""
    return counted([script_of(character) for character in text if character.isalpha()])


def tokens(token_ids: np.ndarray) -> Counts:
    """Each token id, of int (T,)."""
    return counted(token_ids.tolist())


def unknown(token_ids: np.ndarray) -> Counts:
    """Tokens that are unknown, and that are not, of int (T,)."""
    return counted(["unknown" if one else "known" for one in token_ids == UNKNOWN_TOKEN_ID])


OF_TEXTS: dict[str, Callable[[str], Counts]] = {"lengths": lengths, "scripts": scripts}
OF_TOKENS: dict[str, Callable[[np.ndarray], Counts]] = {"tokens": tokens, "unknown": unknown}


def length_range(length: int) -> str:
    """The range of a length: 0, 1, 2, 3-4, 5-8, 9-16, ..."""
    if length <= 2:
        return str(length)
    high = 1 << (length - 1).bit_length()
    return f"{high // 2 + 1}-{high}"


def token_ids_of(texts: Sequence[str], tokenizer: Tokenizer) -> list[np.ndarray]:
    """Token ids of each text, not cut for its length."""
    found: list[np.ndarray] = []
    for start in range(0, len(texts), _AT_ONCE):
        cut = tokenizer.tokenize_whole(tf.constant(texts[start : start + _AT_ONCE]))
        found += [np.asarray(row) for row in np.split(cut.flat_values.numpy(), cut.row_splits.numpy()[1:-1])]
    return found
