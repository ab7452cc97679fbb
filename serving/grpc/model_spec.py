"""The model that a message asks for."""

from tensorflow_serving.apis import model_pb2

from serving.core.store import ModelQuery
from serving.errors import InvalidRequestError


def query_of(spec: model_pb2.ModelSpec) -> ModelQuery:
    """What a ModelSpec asks for."""
    return ModelQuery(spec.name, spec.version.value if spec.HasField("version") else None, spec.version_label)


def require_spec(has_spec: bool) -> None:
    """Refuses a request that names no model at all.

    Raises:
        InvalidRequestError: It names none.
    """
    if not has_spec:
        raise InvalidRequestError("Missing ModelSpec")
