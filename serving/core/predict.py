"""Predict, without a transport: names and tensors in, tensors out."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from serving.core.batching import BatchRunner
from serving.core.padded_outputs import cut
from serving.core.run import Run
from serving.core.servable import Servable
from serving.core.signature import Value, check_sizes, check_types, choose_outputs, find_signature, read_inputs
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
        """Runs one signature and waits for the outputs; arguments and errors as for `prepare`."""
        run = self.prepare(servable, signature_name, inputs, output_filter)
        return run.finish(self.runner.run(run.program, run.arrays, deadline))

    def prepare(
        self,
        servable: Servable,
        signature_name: str,
        inputs: Mapping[str, Value],
        output_filter: Sequence[str] = (),
    ) -> Run[dict[str, np.ndarray]]:
        """Reads and checks a request for one signature.

        Args:
            servable: The model version to ask.
            signature_name: Signature to run.
            inputs: Input alias to tensor.
            output_filter: Output aliases wanted; empty means all.

        Returns:
            What to run; it finishes with output alias to array.

        Raises:
            ServingError: The request is wrong.
        """
        signature = find_signature(servable.signatures, signature_name, self.settings.check_method_names)
        arrays = read_inputs(signature, inputs, self.settings.max_tensor_bytes, self.settings.max_repeated_values)
        check_sizes(arrays, self.settings.max_rows, self.settings.max_string_bytes)
        aliases = choose_outputs(signature, output_filter)
        check_types(signature, arrays)
        feeds = tuple(signature.inputs[alias].name for alias in arrays)
        known = {*signature.inputs, *signature.outputs}
        axes = [axis for axis in servable.padded_axes.get(signature_name, ()) if axis.told_by in known]
        telling = {axis.told_by for axis in axes if axis.concerns(aliases)} & set(signature.outputs)
        fetched = telling.union(aliases)
        program = servable.program(feeds, _names(signature, fetched), _names(signature, signature.outputs))

        def finish(outputs: list[np.ndarray]) -> dict[str, np.ndarray]:
            values = dict(zip(program.fetches, outputs, strict=True))
            found = {alias: values[signature.outputs[alias].name] for alias in sorted(fetched)}
            found = cut(found, arrays, axes) if axes else found
            return {alias: found[alias] for alias in aliases}

        return Run(program, list(arrays.values()), finish)


def _names(signature: meta_graph_pb2.SignatureDef, aliases: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted({signature.outputs[alias].name for alias in aliases}))
