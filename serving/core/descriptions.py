"""What the API tells about models: the states of their versions, and their signatures."""

from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2

from serving.core.status_names import status_number
from serving.core.store import ModelQuery, ModelStore
from serving.core.version_records import State, VersionStatus

_Wire = get_model_status_pb2.ModelVersionStatus
_STATES = {
    State.START: _Wire.START,
    State.LOADING: _Wire.LOADING,
    State.AVAILABLE: _Wire.AVAILABLE,
    State.UNLOADING: _Wire.UNLOADING,
    State.END: _Wire.END,
}


def describe_status(store: ModelStore, query: ModelQuery) -> get_model_status_pb2.GetModelStatusResponse:
    """The states of a model's versions, highest first, or of the one asked for. A label in the query does not matter.

    Raises:
        NotFoundError: No such version was ever seen.
    """
    response = get_model_status_pb2.GetModelStatusResponse()
    for status in store.status(query.name, query.version):
        response.model_version_status.append(_to_wire(status))
    return response


def describe_model(store: ModelStore, query: ModelQuery) -> get_model_metadata_pb2.GetModelMetadataResponse:
    """The signatures of a model.

    Raises:
        InvalidRequestError: No model is named, or its label is unknown.
        NotFoundError: Nothing loaded answers to the query.
    """
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    signatures = get_model_metadata_pb2.SignatureDefMap()
    with store.lease(query) as lease:
        response.model_spec.name = query.name
        response.model_spec.version.value = lease.number
        for name, signature in lease.servable.signatures.items():
            signatures.signature_def[name].CopyFrom(signature)
    response.metadata["signature_def"].Pack(signatures)
    return response


def _to_wire(status: VersionStatus) -> get_model_status_pb2.ModelVersionStatus:
    entry = _Wire(version=status.number, state=_STATES[status.state])
    entry.status.error_code = status_number(status.error)  # type: ignore[assignment]
    if status.error:
        entry.status.error_message = str(status.error)
    return entry
