"""tensorflow.serving.ModelService: messages in, core calls, messages out."""

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2_grpc

from serving.core.descriptions import describe_status
from serving.core.metrics import Metrics
from serving.core.model_config import model_configs
from serving.core.store import ModelStore
from serving.errors import InvalidRequestError
from serving.grpc.call import answer, deadline_of, query_of, require_spec


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells the state of models and changes which are served."""

    def __init__(self, store: ModelStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the state of a model's versions."""
        return answer(context, lambda: self._status(request))

    def HandleReloadConfigRequest(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        """Changes which models are served."""
        return answer(context, lambda: self._reload(request, deadline_of(context)))

    def _reload(
        self, request: model_management_pb2.ReloadConfigRequest, deadline: float
    ) -> model_management_pb2.ReloadConfigResponse:
        counters = {name: self._metrics.counter(name) for name in request.metric_names}
        before = {name: counter.first() for name, counter in counters.items() if counter}
        self._store.reload(model_configs(request.config, self._store.configured), deadline)
        if any(model.HasField("logging_config") for model in request.config.model_config_list.config):
            raise InvalidRequestError("No request-logger-creator provided.")
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0
        for name, value in before.items():
            counter = counters[name]
            increase = int(counter.first() - value) if counter else 0
            response.metric.add(name=name, int64_value_increase=increase)
        return response

    def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        require_spec(request.HasField("model_spec"))
        return describe_status(self._store, query_of(request.model_spec))
