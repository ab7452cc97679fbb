"""tensorflow.serving.PredictionService: messages in, core calls, messages out."""

from typing import Any

import grpc
from tensorflow_serving.apis import (
    classification_pb2,
    get_model_metadata_pb2,
    inference_pb2,
    predict_pb2,
    prediction_service_pb2_grpc,
    regression_pb2,
)

from serving.core.predict import Predictor
from serving.core.signature import DEFAULT_SIGNATURE
from serving.core.store import ModelStore
from serving.core.tensors import encode_tensor
from serving.errors import InvalidRequestError
from serving.grpc.call import answer, deadline_of, query_of, refuse, require_spec


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Serves Predict and GetModelMetadata."""

    def __init__(self, store: ModelStore, predictor: Predictor) -> None:
        self._store = store
        self._predictor = predictor

    def Predict(
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        """Runs a signature."""
        return answer(context, lambda: self._predict(request, deadline_of(context)))

    def GetModelMetadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        """Tells the signatures of a model."""
        return answer(context, lambda: self._metadata(request))

    def Classify(self, request: classification_pb2.ClassificationRequest, context: grpc.ServicerContext) -> Any:
        """Not served."""
        return answer(context, lambda: refuse("Classify"))

    def Regress(self, request: regression_pb2.RegressionRequest, context: grpc.ServicerContext) -> Any:
        """Not served."""
        return answer(context, lambda: refuse("Regress"))

    def MultiInference(self, request: inference_pb2.MultiInferenceRequest, context: grpc.ServicerContext) -> Any:
        """Not served."""
        return answer(context, lambda: refuse("MultiInference"))

    def _predict(self, request: predict_pb2.PredictRequest, deadline: float) -> predict_pb2.PredictResponse:
        require_spec(request.HasField("model_spec"))
        signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        with self._store.lease(query_of(request.model_spec)) as lease:
            version = lease.number
            outputs = self._predictor.predict(
                lease.servable, signature_name, request.inputs, request.output_filter, deadline
            )
        response = predict_pb2.PredictResponse()
        response.model_spec.name = request.model_spec.name
        response.model_spec.signature_name = signature_name
        response.model_spec.version.value = version
        as_content = self._predictor.settings.outputs_as_tensor_content
        for alias, array in outputs.items():
            response.outputs[alias].CopyFrom(encode_tensor(array, as_content))
        return response

    def _metadata(
        self, request: get_model_metadata_pb2.GetModelMetadataRequest
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        require_spec(request.HasField("model_spec"))
        if not request.metadata_field:
            raise InvalidRequestError("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != "signature_def":
                raise InvalidRequestError(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        signatures = get_model_metadata_pb2.SignatureDefMap()
        with self._store.lease(query_of(request.model_spec)) as lease:
            response.model_spec.name = request.model_spec.name
            response.model_spec.version.value = lease.number
            for name, signature in lease.servable.signatures.items():
                signatures.signature_def[name].CopyFrom(signature)
        response.metadata["signature_def"].Pack(signatures)
        return response
