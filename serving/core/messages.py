"""Request messages of the API to runs that finish with response messages, on a version that has been found.

No transport, no lookup.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.core.inference import Classes, Inference, Task, Values
from serving.core.predict import Predictor
from serving.core.run import Run
from serving.core.signature import DEFAULT_SIGNATURE
from serving.core.tensors import write_tensor
from serving.core.version_records import Lease
from serving.errors import InvalidRequestError

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Messages:
    """Answers requests on a leased version.

    Attributes:
        predictor: Runs the model.
    """

    predictor: Predictor
    _inference: Inference = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_inference", Inference(self.predictor))

    def predict(self, request: predict_pb2.PredictRequest, lease: Lease) -> Run[predict_pb2.PredictResponse]:
        """Reads a Predict request.

        Args:
            request: Names and tensors.
            lease: The version that answers.

        Returns:
            What to run; it finishes with the response. So below.

        Raises:
            ServingError: The request is wrong.
        """
        spec = answering_spec(request.model_spec, lease)
        run = self.predictor.prepare(lease.servable, spec.signature_name, request.inputs, request.output_filter)
        as_content = self.predictor.settings.outputs_as_tensor_content
        return run.then(lambda outputs: _predict_response(spec, outputs, as_content))

    def classify(
        self, request: classification_pb2.ClassificationRequest, lease: Lease
    ) -> Run[classification_pb2.ClassificationResponse]:
        """Reads a Classify request."""
        spec = answering_spec(request.model_spec, lease)
        run = self._inference.classify(lease.servable, spec.signature_name, request.input)
        return run.then(lambda classes: _classes_response(spec, classes))

    def regress(
        self, request: regression_pb2.RegressionRequest, lease: Lease
    ) -> Run[regression_pb2.RegressionResponse]:
        """Reads a Regress request."""
        spec = answering_spec(request.model_spec, lease)
        run = self._inference.regress(lease.servable, spec.signature_name, request.input)
        return run.then(lambda values: _values_response(spec, values))

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, lease: Lease
    ) -> Run[inference_pb2.MultiInferenceResponse]:
        """Reads a MultiInference request. The version is that of the first task, whatever the others ask for."""
        _check_names(request.tasks)
        specs = [answering_spec(task.model_spec, lease) for task in request.tasks]
        tasks = [Task(spec.signature_name, task.method_name) for spec, task in zip(specs, request.tasks, strict=True)]
        run = self._inference.multi_inference(lease.servable, tasks, request.input)
        return run.then(lambda results: _multi_response(specs, results))

    def wait(self, run: Run[Answer]) -> Answer:
        """Runs what has been read and waits for its answer.

        Raises:
            ServingError: The model failed on it.
        """
        return run.finish(self.predictor.runner.run(run.program, run.arrays, float("inf")))


def answering_spec(asked: model_pb2.ModelSpec, lease: Lease) -> model_pb2.ModelSpec:
    """What answered: the name as asked, the signature that ran, the version used; a label is not repeated."""
    spec = model_pb2.ModelSpec(name=asked.name, signature_name=asked.signature_name or DEFAULT_SIGNATURE)
    spec.version.value = lease.number
    return spec


def _check_names(tasks: Sequence[inference_pb2.InferenceTask]) -> None:
    first = tasks[0].model_spec.name
    for task in tasks:
        if not task.model_spec.name:
            raise InvalidRequestError("Found ModelSpec with an empty model name.")
        if task.model_spec.name != first:
            raise InvalidRequestError("All ModelSpecs in a MultiInferenceRequest must access the same model name.")


def _predict_response(
    spec: model_pb2.ModelSpec, outputs: Mapping[str, np.ndarray], as_content: bool
) -> predict_pb2.PredictResponse:
    response = predict_pb2.PredictResponse(model_spec=spec)
    for alias, array in outputs.items():
        write_tensor(array, response.outputs[alias], as_content)
    return response


def _classes_response(spec: model_pb2.ModelSpec, classes: Classes) -> classification_pb2.ClassificationResponse:
    response = classification_pb2.ClassificationResponse(model_spec=spec)
    _fill_classes(response.result, classes)
    return response


def _values_response(spec: model_pb2.ModelSpec, values: Values) -> regression_pb2.RegressionResponse:
    response = regression_pb2.RegressionResponse(model_spec=spec)
    _fill_values(response.result, values)
    return response


def _multi_response(
    specs: Sequence[model_pb2.ModelSpec], results: Sequence[Classes | Values]
) -> inference_pb2.MultiInferenceResponse:
    response = inference_pb2.MultiInferenceResponse()
    for spec, result in zip(specs, results, strict=True):
        entry = response.results.add(model_spec=spec)
        if isinstance(result, Classes):
            _fill_classes(entry.classification_result, result)
        else:
            _fill_values(entry.regression_result, result)
    return response


def _fill_classes(result: classification_pb2.ClassificationResult, classes: Classes) -> None:
    result.SetInParent()
    for labels, scores in zip(classes.labels, classes.scores.tolist(), strict=True):
        row = result.classifications.add()
        for label, score in zip(labels, scores, strict=True):
            row.classes.add(label=label, score=score)


def _fill_values(result: regression_pb2.RegressionResult, values: Values) -> None:
    result.SetInParent()
    for value in values.values.tolist():
        result.regressions.add(value=value)
