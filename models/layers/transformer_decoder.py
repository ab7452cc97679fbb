"""The decoder of a Transformer: a step at a time over a cache, or a whole sequence at once.

N: rows, T: positions, S: positions of a source, E: width of what comes in, H: width of the hidden states, A: heads, D:
width of a head, K: positions of the cache.
"""

from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.layers.masks import past_visible, real_visible
from models.layers.multi_head_attention import KeysAndValues
from models.layers.positions import Entrance
from models.layers.scan import scan
from models.layers.transformer_block import BlockSizes, TransformerBlock, layer_norm
from models.layers.windows import Windows, at_most

# "layers": for each layer its keys and values of the source, (N, A, S, D); "padding_mask" bool (N, S).
Memory = dict[str, Any]
# "position" int32 (N,), within the window; "vectors" (N, K, E), what came in; "layers": for each
# layer its keys and values, (N, A, K, D). What stands at later positions means nothing.
Cache = dict[str, Any]


class TransformerDecoder(keras.layers.Layer):
    """Layers that see the past, and a source where there is one; plays the decoder.

    The attention weights that it tells are those of the last layer, the mean over its heads.

    Each row of a cache is at a position of its own. Where the window of a row is full, its second half becomes the
    first of the next one, and is read anew: its positions have changed.

    Args:
        sizes: of the layers.
        num_layers: how many.
        positions: key of `POSITIONS`.
        context_length: positions of a window.
        has_source: whether it can look at a source.
    """

    def __init__(
        self, sizes: BlockSizes, num_layers: int, positions: str, context_length: int, has_source: bool, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.sizes, self.context_length = sizes, context_length
        self.entrance = Entrance(sizes.hidden_dim, positions, context_length, sizes.norm, name="entrance")
        self.blocks = [TransformerBlock(sizes, has_source, name=f"layer_{index}") for index in range(num_layers)]
        self.norm = layer_norm("norm") if sizes.norm == "before" else None

    def build(self, vectors_shape: tuple[Any, Any, int]) -> None:
        """Builds all layers; vectors are float (N, T, E)."""
        self.embedding_dim = vectors_shape[-1]
        self.entrance.build(vectors_shape)
        for part in (*self.blocks, self.norm):
            if part is not None:
                part.build((None, None, self.sizes.hidden_dim))
        self.built = True

    def remember(self, hidden_states: keras.KerasTensor, padding_mask: keras.KerasTensor) -> Memory:
        """Computes what each layer asks of the source: float (N, S, H) and bool (N, S), True = real token."""
        layers = [block.source_attention.keys_and_values(hidden_states) for block in self.blocks]
        return {"layers": layers, "padding_mask": padding_mask}

    def start(self, batch_size: Any, max_length: Any, final_states: FinalStates | None = None) -> Cache:
        """Makes an empty cache of its full length.

        Args:
            batch_size: N.
            max_length: steps at most; the cache is no longer than a window.
            final_states: of no effect, since all that is known of a source is in the memory.
        """
        length, sizes = at_most(max_length, self.context_length), self.sizes
        shape = (batch_size, sizes.num_heads, length, sizes.hidden_dim // sizes.num_heads)
        return {
            "position": ops.zeros((batch_size,), "int32"),
            "vectors": ops.zeros((batch_size, length, self.embedding_dim), self.compute_dtype),
            "layers": [
                (ops.zeros(shape, self.compute_dtype), ops.zeros(shape, self.compute_dtype)) for _ in self.blocks
            ],
        }

    def step(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """Decodes one position, as `models.architectures.roles.Decoder` says."""
        cache = self._in_the_next_window_if_full(cache, memory)
        position, length = cache["position"], ops.shape(cache["vectors"])[1]
        at_position = ops.arange(length) == position[:, None]
        hidden_states, layers, weights = self._through(
            vectors[:, None], position[:, None], past_visible(position[:, None], length), memory, cache["layers"]
        )
        following = {
            "position": position + 1,
            "vectors": ops.where(at_position[:, :, None], vectors[:, None], cache["vectors"]),
            "layers": layers,
        }
        return hidden_states[:, 0], following, weights[:, 0]

    def call(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        """Decodes a whole sequence whose elements are given (teacher forcing).

        Args:
            vectors: float (N, T, E), shifted right.
            cache: of `start`, which says nothing yet and is not read.
            memory: of `remember`; None without a source.
            training: whether dropout is active.

        Returns:
            hidden states, float (N, T, H), and attention weights, float32 (N, T, S).
        """
        windows = Windows(ops.shape(vectors)[1], self.context_length)
        positions = ops.arange(2 * windows.half)
        hidden_states, _, weights = self._through(
            windows.cut(vectors), positions, past_visible(positions, 2 * windows.half), memory, None, training
        )
        return windows.join(hidden_states), windows.join(weights)

    def advance(
        self, vectors: keras.KerasTensor, cache: Cache, memory: Memory | None = None, training: bool = False
    ) -> tuple[keras.KerasTensor, Cache, keras.KerasTensor]:
        """Decodes from wherever the cache stands, step by step, without dropout; as `call`, with the cache behind."""

        def one(cache: Cache, vectors: keras.KerasTensor) -> tuple[Cache, tuple[Any, Any]]:
            hidden_states, cache, weights = self.step(vectors, cache, memory)
            return cache, (hidden_states, weights)

        cache, (hidden_states, weights) = scan(one, cache, vectors)
        return hidden_states, cache, weights

    def _through(
        self,
        vectors: keras.KerasTensor,
        positions: keras.KerasTensor,
        visible: keras.KerasTensor,
        memory: Memory | None,
        past: list[KeysAndValues] | None,
        training: bool = False,
    ) -> tuple[keras.KerasTensor, list[KeysAndValues], keras.KerasTensor]:
        """All layers; arguments and results as of `TransformerBlock`."""
        hidden_states = self.entrance(vectors, positions)
        # Nowhere to look.
        weights = ops.cast(hidden_states[:, :, :0], "float32")
        visible_of_source = None if memory is None else real_visible(memory["padding_mask"])
        layers = []
        for index, block in enumerate(self.blocks):
            hidden_states, seen, looked = block(
                hidden_states,
                visible,
                positions,
                past=past[index] if past else None,
                source=memory["layers"][index] if memory else None,
                source_visible=visible_of_source,
                training=training,
            )
            layers.append(seen)
            weights = weights if looked is None else looked
        return self.norm(hidden_states) if self.norm else hidden_states, layers, weights

    def _in_the_next_window_if_full(self, cache: Cache, memory: Memory | None) -> Cache:
        length = cache["vectors"].shape[1]
        if length is not None and length < self.context_length:
            return cache
        is_full = cache["position"] >= self.context_length

        def moved() -> Cache:
            def chosen(after: keras.KerasTensor, before: keras.KerasTensor) -> keras.KerasTensor:
                return ops.where(ops.reshape(is_full, (-1, *[1] * (len(before.shape) - 1))), after, before)

            return keras.tree.map_structure(chosen, self._moved(cache, memory), cache)

        return ops.cond(ops.any(is_full), moved, lambda: cache)

    def _moved(self, cache: Cache, memory: Memory | None) -> Cache:
        """The cache of the next window, whose first half is known."""
        half, length = self.context_length // 2, ops.shape(cache["vectors"])[1]
        vectors, positions = cache["vectors"][:, half : 2 * half], ops.arange(half)
        _, layers, _ = self._through(vectors, positions, past_visible(positions, half), memory, None)
        behind = length - half
        return {
            "position": ops.zeros_like(cache["position"]) + half,
            "vectors": ops.pad(vectors, [(0, 0), (0, behind), (0, 0)]),
            "layers": [
                tuple(ops.pad(part, [(0, 0), (0, 0), (0, behind), (0, 0)]) for part in of_layer) for of_layer in layers
            ],
        }
