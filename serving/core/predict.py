"""Predict, without a transport: names and tensors in, tensors out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serving.core.batching import BatchRunner
from serving.core.servable import Servable
from serving.core.signature import Value, check_types, choose_outputs, find_signature, read_inputs
from serving.settings import ServingSettings


@dataclass(frozen=True)
class Predictor:
    """Answers Predict calls on a given servable.

    Attributes:
        settings: Limits and checks.
        runner: Where the model runs.
    """

    settings: ServingSettings
    runner: BatchRunner

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
        arrays = read_inputs(signature, inputs, self.settings.max_tensor_bytes)
        aliases = choose_outputs(signature, output_filter)
        check_types(signature, arrays)
        fetches = tuple(sorted({signature.outputs[alias].name for alias in aliases}))
        program = servable.program(tuple(signature.inputs[alias].name for alias in arrays), fetches)
        values = dict(zip(fetches, self.runner.run(program, list(arrays.values()), deadline), strict=True))
        return {alias: values[signature.outputs[alias].name] for alias in aliases}
