"""tensorflow.serving.ModelService: messages in, core calls, messages out."""

from typing import Any

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2_grpc

from serving.core.model import State, VersionStatus
from serving.core.store import ModelStore
from serving.grpc.call import answer, query_of, refuse, require_spec
from serving.grpc.status import code_of

_Wire = get_model_status_pb2.ModelVersionStatus
_STATES = {
    State.START: _Wire.START,
    State.LOADING: _Wire.LOADING,
    State.AVAILABLE: _Wire.AVAILABLE,
    State.UNLOADING: _Wire.UNLOADING,
    State.END: _Wire.END,
}


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Serves GetModelStatus."""

    def __init__(self, store: ModelStore) -> None:
        self._store = store

    def GetModelStatus(
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        """Tells the state of a model's versions."""
        return answer(context, lambda: self._status(request))

    def HandleReloadConfigRequest(
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> Any:
        """Not served."""
        return answer(context, lambda: refuse("HandleReloadConfigRequest"))

    def _status(
        self, request: get_model_status_pb2.GetModelStatusRequest
    ) -> get_model_status_pb2.GetModelStatusResponse:
        require_spec(request.HasField("model_spec"))
        query = query_of(request.model_spec)
        response = get_model_status_pb2.GetModelStatusResponse()
        for status in self._store.status(query.name, query.version):
            response.model_version_status.append(_to_wire(status))
        return response


def _to_wire(status: VersionStatus) -> get_model_status_pb2.ModelVersionStatus:
    entry = _Wire(version=status.number, state=_STATES[status.state])
    entry.status.error_code = 0
    if status.error:
        entry.status.error_code = code_of(status.error).value[0]
        entry.status.error_message = str(status.error)
    return entry
