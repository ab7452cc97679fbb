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
from serving.core.run import Run
from serving.core.servable import Servable
from serving.core.signature import check_sizes
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

    def classify(self, servable: Servable, signature_name: str, examples: input_pb2.Input) -> Run[Classes]:
        """Reads and checks a request that classifies examples.

        Args:
            servable: The model version to ask.
            signature_name: Signature to run.
            examples: B examples, with a context or without.

        Raises:
            ServingError: The signature does not classify, or there are no examples.
        """
        signature = self._find(servable, signature_name, CLASSIFY)
        serialized = serialize_examples(examples)
        return self._run(servable, [signature], serialized).then(lambda found: _classes(found[0], len(serialized)))

    def regress(self, servable: Servable, signature_name: str, examples: input_pb2.Input) -> Run[Values]:
        """The same for a value for each example."""
        signature = self._find(servable, signature_name, REGRESS)
        serialized = serialize_examples(examples)
        return self._run(servable, [signature], serialized).then(lambda found: _values(found[0], len(serialized)))

    def multi_inference(
        self, servable: Servable, tasks: Sequence[Task], examples: input_pb2.Input
    ) -> Run[list[Classes | Values]]:
        """The same for several signatures, in one run of the graph; answers come in the order of the tasks."""
        signatures = self._find_tasks(servable, tasks)
        serialized = serialize_examples(examples)
        return self._run(servable, signatures, serialized).then(
            lambda found: [
                (_classes if task.method_name == CLASSIFY else _values)(outputs, len(serialized))
                for task, outputs in zip(tasks, found, strict=True)
            ]
        )

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
        self, servable: Servable, signatures: Sequence[meta_graph_pb2.SignatureDef], examples: np.ndarray
    ) -> Run[list[dict[str, np.ndarray]]]:
        """All signatures at once; for each, output alias to array."""
        feeds = tuple(sorted({signature.inputs["inputs"].name for signature in signatures}))
        fetches = tuple(sorted({info.name for signature in signatures for info in signature.outputs.values()}))
        settings = self.predictor.settings
        check_sizes({"inputs": examples}, settings.max_rows, settings.max_string_bytes)

        def finish(arrays: list[np.ndarray]) -> list[dict[str, np.ndarray]]:
            values = dict(zip(fetches, arrays, strict=True))
            return [{alias: values[info.name] for alias, info in one.outputs.items()} for one in signatures]

        return Run(servable.program(feeds, fetches), [examples] * len(feeds), finish)


def _classes(outputs: dict[str, np.ndarray], num_examples: int) -> Classes:
    check_classification(outputs, num_examples)
    shape = next(outputs[alias] for alias in ("classes", "scores") if alias in outputs).shape
    labels = outputs.get("classes", np.full(shape, b"", dtype=object))
    return Classes(labels, outputs.get("scores", np.zeros(shape, np.float32)))


def _values(outputs: dict[str, np.ndarray], num_examples: int) -> Values:
    check_regression(outputs["outputs"], num_examples)
    return Values(outputs["outputs"].reshape(-1))
