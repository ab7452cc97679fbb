"""Predict, without a transport: names and tensors in, tensors out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from serving.core.batching import Arrays, BatchRunner
from serving.core.servable import Program, Servable
from serving.core.signature import Value, check_types, choose_outputs, find_signature, read_inputs
from serving.errors import DeadlineExceededError
from serving.settings import ServingSettings


class Runner(Protocol):
    """What runs programs: at once, or in batches."""

    def run(self, program: Program, arrays: Arrays, deadline: float) -> list[np.ndarray]:
        """Runs a program on the arrays of one request and waits for the answer."""

    def stop(self) -> None:
        """Takes no more work."""


class DirectRunner:
    """Runs each request by itself, in the thread that brings it."""

    def run(self, program: Program, arrays: Arrays, deadline: float) -> list[np.ndarray]:
        """Runs a program on the arrays of one request."""
        if time.monotonic() >= deadline:
            raise DeadlineExceededError("Timed out waiting for notification")
        return program.run(arrays)

    def stop(self) -> None:
        """Nothing waits here."""


def make_runner(settings: ServingSettings) -> Runner:
    """The runner that the settings ask for."""
    return BatchRunner(settings.batching) if settings.batching.enabled else DirectRunner()


@dataclass(frozen=True)
class Predictor:
    """Answers Predict calls on a given servable.

    Attributes:
        settings: Limits and checks.
        runner: Where the model runs.
    """

    settings: ServingSettings
    runner: Runner

    def predict(
        self,
        servable: Servable,
        signature_name: str,
        inputs: Mapping[str, Value],
        output_filter: Sequence[str] = (),
        deadline: float = float("inf"),
    ) -> dict[str, np.ndarray]:
        """Runs one signature.

        Args:
            servable: The model version to ask.
            signature_name: Signature to run.
            inputs: Input alias to tensor.
            output_filter: Output aliases wanted; empty means all.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`.

        Returns:
            Output alias to array.

        Raises:
            ServingError: The request is wrong, the model failed on it, or time ran out.
        """
        signature = find_signature(servable.signatures, signature_name, self.settings.check_method_names)
        arrays = read_inputs(signature, inputs, self.settings.max_message_bytes)
        aliases = choose_outputs(signature, output_filter)
        check_types(signature, arrays)
        fetches = tuple(sorted({signature.outputs[alias].name for alias in aliases}))
        program = servable.program(tuple(signature.inputs[alias].name for alias in arrays), fetches)
        values = dict(zip(fetches, self.runner.run(program, list(arrays.values()), deadline), strict=True))
        return {alias: values[signature.outputs[alias].name] for alias in aliases}
