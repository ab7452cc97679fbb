"""Request messages of the API to response messages, on a version that has been found: no transport, no lookup."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from tensorflow_serving.apis import (
    classification_pb2,
    inference_pb2,
    model_pb2,
    predict_pb2,
    regression_pb2,
)

from serving.core.inference import Classes, Inference, Task, Values
from serving.core.predict import Predictor
from serving.core.signature import DEFAULT_SIGNATURE
from serving.core.tensors import encode_tensor
from serving.core.version_records import Lease
from serving.errors import InvalidRequestError

FOREVER = float("inf")


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

    def predict(
        self, request: predict_pb2.PredictRequest, lease: Lease, deadline: float = FOREVER
    ) -> predict_pb2.PredictResponse:
        """Answers Predict.

        Args:
            request: Names and tensors.
            lease: The version that answers.
            deadline: Time at which the caller gives up, on the clock of `time.monotonic`.

        Raises:
            ServingError: The request is wrong, the model failed on it, or time ran out. So below.
        """
        response = predict_pb2.PredictResponse(model_spec=answering_spec(request.model_spec, lease))
        outputs = self.predictor.predict(
            lease.servable, response.model_spec.signature_name, request.inputs, request.output_filter, deadline
        )
        as_content = self.predictor.settings.outputs_as_tensor_content
        for alias, array in outputs.items():
            response.outputs[alias].CopyFrom(encode_tensor(array, as_content))
        return response

    def classify(
        self, request: classification_pb2.ClassificationRequest, lease: Lease, deadline: float = FOREVER
    ) -> classification_pb2.ClassificationResponse:
        """Answers Classify."""
        response = classification_pb2.ClassificationResponse(model_spec=answering_spec(request.model_spec, lease))
        signature_name = response.model_spec.signature_name
        classes = self._inference.classify(lease.servable, signature_name, request.input, deadline)
        _fill_classes(response.result, classes)
        return response

    def regress(
        self, request: regression_pb2.RegressionRequest, lease: Lease, deadline: float = FOREVER
    ) -> regression_pb2.RegressionResponse:
        """Answers Regress."""
        response = regression_pb2.RegressionResponse(model_spec=answering_spec(request.model_spec, lease))
        signature_name = response.model_spec.signature_name
        _fill_values(response.result, self._inference.regress(lease.servable, signature_name, request.input, deadline))
        return response

    def multi_inference(
        self, request: inference_pb2.MultiInferenceRequest, lease: Lease, deadline: float = FOREVER
    ) -> inference_pb2.MultiInferenceResponse:
        """Answers MultiInference. The version is that of the first task, whatever the others ask for."""
        _check_names(request.tasks)
        specs = [answering_spec(task.model_spec, lease) for task in request.tasks]
        tasks = [Task(spec.signature_name, task.method_name) for spec, task in zip(specs, request.tasks, strict=True)]
        results = self._inference.multi_inference(lease.servable, tasks, request.input, deadline)
        response = inference_pb2.MultiInferenceResponse()
        for spec, result in zip(specs, results, strict=True):
            entry = response.results.add(model_spec=spec)
            if isinstance(result, Classes):
                _fill_classes(entry.classification_result, result)
            else:
                _fill_values(entry.regression_result, result)
        return response


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
