"""The two signatures by which a loaded model gives an answer piece by piece.

B: rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from serving.core.servable import Program, Servable
from serving.core.signature import find_signature
from serving.core.streaming.description import Streaming
from serving.core.streaming.rows import GOING, State
from serving.errors import FailedPreconditionError

_ANSWER = ("text", "score", "reason", "num_drawn", GOING)


class StreamPrograms:
    """Runs `prefill` and `step` of a servable; safe to use from several threads."""

    def __init__(self, servable: Servable, streaming: Streaming) -> None:
        """Looks the signatures up.

        Raises:
            FailedPreconditionError: The graph is not as the model says of itself.
        """
        prefill = find_signature(servable.signatures, streaming.prefill, False)
        step = find_signature(servable.signatures, streaming.step, False)
        given, changed = set(prefill.outputs), set(step.outputs)
        if not (set(step.inputs) == set(streaming.state) <= given and changed >= set(_ANSWER)):
            raise FailedPreconditionError(
                f"signatures {streaming.prefill} and {streaming.step} must hand the state on that the model's "
                "description names, and answer text, score and reason; export the model anew"
            )
        self._inputs, self._state, self._outputs = sorted(prefill.inputs), sorted(step.inputs), sorted(step.outputs)
        self._prefill = _program(servable, prefill.inputs, self._inputs, prefill.outputs, self._state)
        self._step = _program(servable, step.inputs, self._state, step.outputs, self._outputs)

    def prefill(self, requests: Sequence[Mapping[str, np.ndarray]]) -> list[State]:
        """Inputs of requests, (1,) each, to the state of each, (1, ...)."""
        together = [np.concatenate([request[name] for request in requests]) for name in self._inputs]
        outputs = self._prefill.run(together)
        return [
            {name: array[row : row + 1] for name, array in zip(self._state, outputs, strict=True)}
            for row in range(len(requests))
        ]

    def step(self, state: State) -> State:
        """The state of B rows to what changes in it, and to their answers so far."""
        outputs = self._step.run([state[name] for name in self._state])
        return dict(zip(self._outputs, outputs, strict=True))


def _program(
    servable: Servable, inputs: Mapping, feeds: Sequence[str], outputs: Mapping, fetches: Sequence[str]
) -> Program:
    return servable.program(
        tuple(inputs[alias].name for alias in feeds), tuple(outputs[alias].name for alias in fetches)
    )
