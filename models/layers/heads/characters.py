"""Words by their characters.

B: batch, T: words, C: characters of a word, E: `character_dim`, H: `hidden_dim`.
"""

import math
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from models.layers.masks import masked_max, padding_mask


class CharacterReader(keras.layers.Layer):
    """A vector of each word, from the vectors of its characters.

    Args:
        num_characters: ids, 0 = padding.
        character_dim: width of a character's vector, drawn between the roots of 3 / E (Ma and Hovy, 2016, section 3.1).
        dropout: share of the values of these vectors that are dropped.
    """

    def __init__(self, num_characters: int, character_dim: int, dropout: float, name: str | None = None):
        super().__init__(name=name)
        self.character_dim = character_dim
        bound = math.sqrt(3 / character_dim)
        self.embedding = keras.layers.Embedding(
            num_characters, character_dim, keras.initializers.RandomUniform(-bound, bound), name="embedding"
        )
        self.dropout = keras.layers.Dropout(dropout, name="dropout")

    def build(self, character_ids_shape: tuple[int | None, ...]) -> None:
        """Makes the vectors of the characters."""
        self.embedding.build(character_ids_shape)
        self.build_reader((None, None, self.character_dim))
        self.built = True

    def call(self, character_ids: keras.KerasTensor, training: bool = False) -> keras.KerasTensor:
        """Int (B, T, C), padded with 0, to float (B, T, H or 2H); zeros for a word without characters."""
        batch, words, characters = ops.shape(character_ids)
        flat = ops.reshape(character_ids, (-1, characters))
        real = padding_mask(flat)
        vectors = self.dropout(self.embedding(flat), training=training)
        vectors = vectors * ops.cast(ops.expand_dims(real, -1), vectors.dtype)
        read = self.read(vectors, real, training)
        return ops.reshape(read, (batch, words, read.shape[-1]))

    def build_reader(self, vectors_shape: tuple[int | None, ...]) -> None:
        """Makes the weights of what reads vectors."""
        raise NotImplementedError

    def read(self, vectors: keras.KerasTensor, real: keras.KerasTensor, training: bool) -> keras.KerasTensor:
        """Reads words: float (N, C, E), zeros where padded, and bool (N, C) to float (N, any)."""
        raise NotImplementedError


class CharacterCnn(CharacterReader):
    """Convolution over the characters and the maximum of each filter (Ma and Hovy, 2016, section 2.1).

    Args:
        num_characters: as of `CharacterReader`.
        character_dim: the same.
        hidden_dim: filters.
        window: characters that each of them sees.
        dropout: as of `CharacterReader`.
    """

    def __init__(
        self,
        num_characters: int,
        character_dim: int,
        hidden_dim: int,
        window: int,
        dropout: float,
        name: str | None = None,
    ):
        super().__init__(num_characters, character_dim, dropout, name)
        self.convolution = keras.layers.Conv1D(hidden_dim, window, padding="same", name="convolution")

    def build_reader(self, vectors_shape: tuple[int | None, ...]) -> None:
        """Makes the filters."""
        self.convolution.build(vectors_shape)

    def read(self, vectors: keras.KerasTensor, real: keras.KerasTensor, training: bool) -> keras.KerasTensor:
        """Float (N, C, E) to float (N, H)."""
        return masked_max(self.convolution(vectors), real)


class CharacterLstm(CharacterReader):
    """Where an LSTM over the characters ends in either direction (Lample et al., 2016, section 4.1).

    Args:
        num_characters: as of `CharacterReader`.
        character_dim: the same.
        hidden_dim: units of each direction.
        dropout: as of `CharacterReader`.
    """

    def __init__(
        self, num_characters: int, character_dim: int, hidden_dim: int, dropout: float, name: str | None = None
    ):
        super().__init__(num_characters, character_dim, dropout, name)
        self.lstm = keras.layers.Bidirectional(keras.layers.LSTM(hidden_dim, name="lstm"), name="bidirectional")

    def build_reader(self, vectors_shape: tuple[int | None, ...]) -> None:
        """Makes the weights of both directions."""
        self.lstm.build(vectors_shape)

    def read(self, vectors: keras.KerasTensor, real: keras.KerasTensor, training: bool) -> keras.KerasTensor:
        """Float (N, C, E) to float (N, 2H)."""
        # The GPU kernel fails on a row without any real position.
        first = ops.expand_dims(ops.arange(ops.shape(real)[1]) == 0, 0)
        read = self.lstm(vectors, mask=real | first, training=training)
        return read * ops.cast(ops.any(real, axis=1, keepdims=True), read.dtype)


# Kind to its class, and to the keys of the section `labeling` that say its sizes, in the order of the arguments.
READERS: dict[str, tuple[Callable[..., CharacterReader], tuple[str, ...]]] = {
    "cnn": (CharacterCnn, ("character_dim", "character_hidden_dim", "character_window")),
    "lstm": (CharacterLstm, ("character_dim", "character_hidden_dim")),
}


def character_reader(kind: str, num_characters: int, dropout: float, settings: Any) -> CharacterReader | None:
    """What the section `labeling` asks for; None for a model without characters."""
    if kind not in READERS:
        return None
    reader, sizes = READERS[kind]
    return reader(num_characters, *(getattr(settings, size) for size in sizes), dropout, name="characters")
