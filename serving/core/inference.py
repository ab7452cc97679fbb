"""Classify, Regress and MultiInference, without a transport: examples in, classes and values out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import input_pb2

from serving.core.examples import serialize_examples
from serving.core.inference_signatures import (
    CLASSIFY,
    REGRESS,
    check_classification,
    check_regression,
    check_signature,
)
from serving.core.predict import Predictor
from serving.core.servable import Servable
from serving.errors import InvalidRequestError, NotSupportedError


@dataclass(frozen=True)
class Task:
    """One of the signatures that a MultiInference runs.

    Attributes:
        signature_name: Its name.
        method_name: tensorflow/serving/classify or tensorflow/serving/regress.
    """

    signature_name: str
    method_name: str


@dataclass(frozen=True)
class Classes:
    """Answer of Classify.

    Attributes:
        labels: Object array of bytes (B, C); empty strings where the model gives none.
        scores: float32 (B, C); zeros where the model gives none.
    """

    labels: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Values:
    """Answer of Regress.

    Attributes:
        values: float32 (B).
    """

    values: np.ndarray


@dataclass(frozen=True)
class Inference:
    """Answers requests that bring examples.

    Attributes:
        predictor: Its runner runs the model; its settings say what is checked.
    """

    predictor: Predictor

    def classify(
        self, servable: Servable, signature_name: str, examples: input_pb2.Input, deadline: float = float("inf")
    ) -> Classes:
        """Classifies examples.

        Args:
            servable: The model version to ask.
            signature_name: Signature to run.
            examples: B examples, with a context or without.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`.

        Raises:
            ServingError: The signature does not classify, the model failed on the examples, or time ran out.
        """
        signature = self._find(servable, signature_name, CLASSIFY)
        serialized = serialize_examples(examples)
        [outputs] = self._run(servable, [signature], serialized, deadline)
        return _classes(outputs, len(serialized))

    def regress(
        self, servable: Servable, signature_name: str, examples: input_pb2.Input, deadline: float = float("inf")
    ) -> Values:
        """Gives a value for each example; arguments and errors as for `classify`."""
        signature = self._find(servable, signature_name, REGRESS)
        serialized = serialize_examples(examples)
        [outputs] = self._run(servable, [signature], serialized, deadline)
        return _values(outputs, len(serialized))

    def multi_inference(
        self, servable: Servable, tasks: Sequence[Task], examples: input_pb2.Input, deadline: float = float("inf")
    ) -> list[Classes | Values]:
        """Runs several signatures on the same examples, in one run of the graph; answers in the order of the tasks."""
        signatures = self._find_tasks(servable, tasks)
        serialized = serialize_examples(examples)
        found = self._run(servable, signatures, serialized, deadline)
        return [
            (_classes if task.method_name == CLASSIFY else _values)(outputs, len(serialized))
            for task, outputs in zip(tasks, found, strict=True)
        ]

    def _find_tasks(self, servable: Servable, tasks: Iterable[Task]) -> list[meta_graph_pb2.SignatureDef]:
        signatures: dict[str, meta_graph_pb2.SignatureDef] = {}
        for task in tasks:
            name = task.signature_name
            if name in signatures:
                raise InvalidRequestError(f"Duplicate evaluation of signature: {name}")
            if task.method_name not in (CLASSIFY, REGRESS):
                raise NotSupportedError(f"Unsupported signature method_name: {task.method_name}")
            if name not in servable.signatures:
                raise InvalidRequestError(f"Requested signature not found in model graph: {name}")
            signatures[name] = servable.signatures[name]
            check_signature(signatures[name], task.method_name, self.predictor.settings.check_method_names)
        return list(signatures.values())

    def _find(self, servable: Servable, name: str, method: str) -> meta_graph_pb2.SignatureDef:
        if name not in servable.signatures:
            raise InvalidRequestError(f"No signature was found with the name: {name}")
        signature = servable.signatures[name]
        check_signature(signature, method, self.predictor.settings.check_method_names)
        return signature

    def _run(
        self,
        servable: Servable,
        signatures: Sequence[meta_graph_pb2.SignatureDef],
        examples: np.ndarray,
        deadline: float,
    ) -> list[dict[str, np.ndarray]]:
        """Runs all signatures at once; for each, output alias to array."""
        feeds = tuple(sorted({signature.inputs["inputs"].name for signature in signatures}))
        fetches = tuple(sorted({info.name for signature in signatures for info in signature.outputs.values()}))
        program = servable.program(feeds, fetches)
        arrays = self.predictor.runner.run(program, [examples] * len(feeds), deadline)
        values = dict(zip(fetches, arrays, strict=True))
        return [{alias: values[info.name] for alias, info in signature.outputs.items()} for signature in signatures]


def _classes(outputs: dict[str, np.ndarray], num_examples: int) -> Classes:
    check_classification(outputs, num_examples)
    shape = next(outputs[alias] for alias in ("classes", "scores") if alias in outputs).shape
    labels = outputs.get("classes", np.full(shape, b"", dtype=object))
    return Classes(labels, outputs.get("scores", np.zeros(shape, np.float32)))


def _values(outputs: dict[str, np.ndarray], num_examples: int) -> Values:
    check_regression(outputs["outputs"], num_examples)
    return Values(outputs["outputs"].reshape(-1))
