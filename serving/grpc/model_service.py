"""tensorflow.serving.ModelService: messages in, core calls, messages out."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2

from serving.core.descriptions import describe_status
from serving.core.metrics import Metrics
from serving.core.model_config import model_configs
from serving.core.store import ModelStore
from serving.errors import InvalidRequestError
from serving.grpc.call import Answer
from serving.grpc.model_spec import query_of, require_spec

_RELOADS = 4


class ModelService:
    """Tells the state of models and changes which are served."""

    def __init__(self, store: ModelStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics
        # A reload waits for models to load; those that come too fast wait for each other.
        self._threads = ThreadPoolExecutor(_RELOADS, thread_name_prefix="seqline-reload")

    def methods(self) -> dict[str, Answer]:
        """What answers each method."""
        return {"GetModelStatus": self._tell_status, "HandleReloadConfigRequest": self._change}

    async def _tell_status(self, data: bytes, deadline: float) -> bytes:
        return self._status(get_model_status_pb2.GetModelStatusRequest.FromString(data)).SerializeToString()

    async def _change(self, data: bytes, deadline: float) -> bytes:
        request = model_management_pb2.ReloadConfigRequest.FromString(data)
        loop = asyncio.get_running_loop()
        response = await loop.run_in_executor(self._threads, self._reload, request, deadline)
        return response.SerializeToString()

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
