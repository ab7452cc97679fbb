"""Recurrent cells one over the other, a step at a time, as decoders need them.

N: rows, T: steps, D: input width, C: width of a context, H: `hidden_dim`, L: layers.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from models.architectures.roles import FinalStates
from models.layers.cells import CELLS
from models.layers.connections import CONNECTIONS
from models.layers.masks import dropout_mask

# For each layer its states, float (N, H) each.
States = list[list[keras.KerasTensor]]
# By what dropout multiplies at one step: what each layer but the first reads, float (N, any), and the states of each
# layer, float (N, H). Lists are empty where nothing is dropped.
Masks = tuple[list[keras.KerasTensor], list[keras.KerasTensor]]
NOTHING_DROPPED: Masks = ([], [])


class CellStack(keras.layers.Layer):
    """Stacked cells.

    Dropout is that of `RecurrentStack`: of what each layer but the first reads, and of the states.

    Args:
        cell: key of `CELLS`.
        hidden_dim: units of each layer.
        num_layers: L.
        connections: key of `CONNECTIONS`.
        first_connected: the first layer that has its connection; those below it have none. 1: the second layer.
        dropout: rate applied to what every layer but the first reads.
        variational_dropout: draw it once for all steps.
        recurrent_dropout: rate applied to the states where gates read them, always once for all steps.
        layer_normalization: normalise the summed inputs of the cells.
    """

    def __init__(
        self,
        cell: str,
        hidden_dim: int,
        num_layers: int,
        connections: str = "none",
        first_connected: int = 1,
        dropout: float = 0.0,
        variational_dropout: bool = False,
        recurrent_dropout: float = 0.0,
        layer_normalization: bool = False,
        name: str | None = None,
    ):
        super().__init__(name=name)
        self.hidden_dim = hidden_dim
        self.dropout = dropout
        self.variational_dropout = variational_dropout
        self.recurrent_dropout = recurrent_dropout
        self.cells = [
            CELLS[cell](hidden_dim, layer_normalization, name=f"{cell}_{index}") for index in range(num_layers)
        ]
        kinds = [connections if index >= first_connected else "none" for index in range(1, num_layers)]
        self.connections = [
            CONNECTIONS[kind](hidden_dim, name=f"{kind}_{index}") for index, kind in enumerate(kinds, start=1)
        ]
        # Bahdanau et al. (2015, A.2.2): the decoder starts from a learned reading of the encoder's end.
        self.bridges = [
            [keras.layers.Dense(hidden_dim, "tanh" if state == "h" else None) for state in CELLS[cell].states]
            for _ in range(num_layers)
        ]
        self.seed_generator = keras.random.SeedGenerator()
        self.widths: list[int] = []

    def build(self, inputs_shape: tuple[Any, ...], context_dim: int = 0) -> None:
        """Builds the cells for inputs float (..., D) and a context of so many values that every layer reads."""
        shape, widths = (None, self.hidden_dim), [inputs_shape[-1], self.hidden_dim]
        self.cells[0].build((None, inputs_shape[-1] + context_dim))
        for cell, connection in zip(self.cells[1:], self.connections, strict=True):
            self.widths.append(connection.width(widths) + context_dim)
            cell.build((None, self.widths[-1]))
            connection.build(shape, shape)
            widths.append(self.hidden_dim)
        self.built = True

    def start(self, batch_size: Any, final_states: FinalStates | None = None) -> States:
        """The first states: read from an encoder's final ones, float (N, any) each; without them zeros.

        Where the encoder has fewer layers, those above them start from its top.
        """
        if not final_states:
            zeros = ops.zeros((batch_size, self.hidden_dim), self.compute_dtype)
            return [[zeros] * len(cell.states) for cell in self.cells]
        found = [final_states[min(layer, len(final_states) - 1)] for layer in range(len(self.cells))]
        return [
            [bridge(state) for bridge, state in zip(bridges, states, strict=True)]
            for bridges, states in zip(self.bridges, found, strict=True)
        ]

    def draw(self, rows: Any, steps: Any, training: bool) -> tuple[Masks, Masks]:
        """Draws the masks of a whole sequence.

        Returns:
            those that change from step to step, float (N, T, any), and those that do not, float (N, any).
        """
        if not training:
            return NOTHING_DROPPED, NOTHING_DROPPED
        plain = () if self.variational_dropout else (steps,)
        reads = [self._mask((rows, *plain, width), self.dropout) for width in self.widths if self.dropout]
        states = [
            self._mask((rows, self.hidden_dim), self.recurrent_dropout) for _ in self.cells if self.recurrent_dropout
        ]
        return ((reads, []), ([], states)) if plain else (NOTHING_DROPPED, (reads, states))

    def _mask(self, shape: tuple[Any, ...], rate: float) -> keras.KerasTensor:
        return dropout_mask(shape, rate, self.seed_generator, self.compute_dtype)

    def step(
        self,
        inputs: keras.KerasTensor,
        states: States,
        context: keras.KerasTensor | None = None,
        masks: Masks = NOTHING_DROPPED,
    ) -> tuple[keras.KerasTensor, States]:
        """One step.

        Args:
            inputs: float (N, D).
            states: of the step before.
            context: float (N, C), read by every layer beside what stands below it.
            masks: of this step.

        Returns:
            what the top layer gives, float (N, H), and the next states.
        """
        return self._go_through(inputs, states, context, masks, lambda cell, *of_step: cell(*of_step))

    def read(
        self, inputs: keras.KerasTensor, states: States, masks: Masks = NOTHING_DROPPED
    ) -> tuple[keras.KerasTensor, States]:
        """All steps of a sequence, layer by layer, which is possible where no step asks for what another gave.

        Args:
            inputs: float (N, T, D).
            states: before the first step.
            masks: those of what is read float (N, T or 1, any), those of the states float (N, H).

        Returns:
            what the top layer gives, float (N, T, H), and the last states.
        """
        return self._go_through(inputs, states, None, masks, lambda cell, *of_sequence: cell.read(*of_sequence))

    def _go_through(
        self, inputs: keras.KerasTensor, states: States, context: Any, masks: Masks, run: Callable[..., Any]
    ) -> tuple[keras.KerasTensor, States]:
        reads, dropped = masks
        below, following = [inputs], []
        for layer, cell in enumerate(self.cells):
            read = self.connections[layer - 1].read(below) if layer else inputs
            read = read if context is None else ops.concatenate([read, context], -1)
            read = read * reads[layer - 1] if layer and reads else read
            mask = dropped[layer] if dropped else None
            found, states_of_layer = run(cell, cell.input_projection(read), states[layer], mask)
            below.append(self.connections[layer - 1](below[-1], found) if layer else found)
            following.append(states_of_layer)
        return below[-1], following
