"""The roles that architectures play; tasks put embedding, pooling and projection around them.

B: batch, T: positions, S: positions of a source, N: rows that are decoded together, E: width of the vectors, H: width
of the hidden states, V: values of an element. Masks are bool, True = real.
"""

from collections.abc import Mapping
from typing import Any, Protocol

import keras

from models.decoding.next_token import NextToken

# What an encoder hands to a decoder that starts where it ended: for each layer its states, each float (B, any).
FinalStates = list[list[keras.KerasTensor]]
# What the steps of a decoder share: a source, prepared once. Every tensor has B rows.
Memory = Any
# What a step of a decoder hands to the next: a nest of tensors with N rows each, of the same shapes from `start` on
# (keys and values of all positions to come included), since a loop in the graph can neither grow nor reorder others.
Cache = Any


class Encoder(Protocol):
    """Reads a whole sequence; each position sees both sides.

    As a Keras layer it has `supports_masking` and a `compute_mask` that gives None: the mask is an argument of its own,
    and one that Keras hands on beside it would reach the loss.
    """

    def __call__(
        self, vectors: keras.KerasTensor, padding_mask: keras.KerasTensor, training: bool = False
    ) -> tuple[keras.KerasTensor, FinalStates]:
        """Reads.

        Args:
            vectors: float (B, T, E); what stands behind a row's end changes nothing.
            padding_mask: bool (B, T).
            training: whether dropout is active.

        Returns:
            hidden states, float (B, T, H), and the final states; an empty list where there are no such states.
        """


class Decoder(Protocol):
    """Sees the past alone, and the memory of a source where there is one. Step by step equals the whole at once.

    The function that makes it takes `has_source`, True by default: without, it need not be able to read one.
    """

    def remember(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> Memory:
        """Prepares a source, float (B, S, H) and bool (B, S), for all steps."""

    def start(self, batch_size: Any, max_length: Any, final_states: FinalStates | None = None) -> Cache:
        """Makes the first cache.

        Args:
            batch_size: rows, N.
            max_length: steps at most.
            final_states: of an encoder over the source; None where there is none.
        """

    def step(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """Decodes one position.

        Args:
            vectors: float (N, E), the element before.
            cache: of the step before, or of `start`.
            memory: with N rows; None without a source.

        Returns:
            hidden states, float (N, H); the next cache; attention weights, float32 (N, S), zeros for a decoder without
            attention.
        """

    def __call__(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Decodes all positions of which the element before is known: float (B, T, E) to (B, T, H) and (B, T, S).

        The cache is one of `start`: nothing was decoded before.
        """

    def advance(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """As `__call__`, with the cache behind the last position, from which `step` or another call goes on."""


class SoundDecoder(Protocol):
    """Sees the past samples of a sound, and what steers it. A whole Keras model, since it scores samples itself."""

    def __call__(self, inputs: Mapping[str, keras.KerasTensor], training: bool = False) -> keras.KerasTensor:
        """Scores all samples: `audio_ids` int (B, T), shifted right, and conditions, to logits float32 (B, T, V)."""

    def start(self, batch_size: Any, max_length: Any) -> Cache:
        """Makes the first cache for generating `max_length` samples at most."""

    def conditions_of(self, inputs: Mapping[str, Any], batch_size: Any) -> Any:
        """What steers: a nest of tensors for each sample, float (N, T, any), or for all of them alike, (N, 1, any)."""

    def step(self, audio_ids: keras.KerasTensor, cache: Cache, conditions: Any) -> tuple[keras.KerasTensor, Cache]:
        """Scores one sample: last ones int (N,), steered by (N, 1, any) each, to logits (N, V) and next cache."""

    # Samples come by the thousand: the same in the layout of a piece, as `models.decoding.pieces.Pieces` asks for it.

    def enter_piece(self, cache: Cache) -> Any:
        """The cache in the layout of the carry."""

    def leave_piece(self, carry: Any) -> Cache:
        """The carry as a cache."""

    def next_in_piece(self, conditions: Any) -> NextToken:
        """A step over the carry; what all steps share, such as weights, is read here, once."""


class WordVectors(Protocol):
    """Holds a vector of each word and learns it by predicting words from those around them; no role sees a sequence.

    As a Keras layer it has `vectors`, an embedding whose row 0 stands for no word. Arguments and results as of
    `models.layers.word_vectors.WordVectors`.
    """

    vectors: keras.layers.Embedding

    def __call__(
        self,
        word_ids: keras.KerasTensor,
        text_ids: keras.KerasTensor,
        radii: keras.KerasTensor,
        noise_ids: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """The loss of all predictions of a row and their number, float32 (B,) each, by drawn noise words."""

    def expected_loss(
        self,
        word_ids: keras.KerasTensor,
        text_ids: keras.KerasTensor,
        radii: keras.KerasTensor,
        noise_probabilities: keras.KerasTensor,
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """The same with the expectation over all noise words."""
