"""A client of the server, also of a stock TensorFlow Serving."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

import grpc
import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from serving.core.tensors import decode_tensor, encode_tensor
from serving.errors import InvalidRequestError, NoServerError, ServingError
from serving.grpc.status import error_of

Response = TypeVar("Response")

_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0


@dataclass(frozen=True)
class TextClass:
    """Answer of a text_classification model to one text.

    Attributes:
        label: The most probable class.
        scores: Class to probability.
    """

    label: str
    scores: dict[str, float]


@dataclass(frozen=True)
class TransformedText:
    """Answer of a text_to_text model to one source.

    Attributes:
        target: The text produced.
        score: Log probability per token.
    """

    target: str
    score: float


@dataclass(frozen=True)
class ModelVersion:
    """State of one version on the server.

    Attributes:
        version: Version number.
        state: START, LOADING, AVAILABLE, UNLOADING or END.
        error: Why its load failed; empty where it did not.
    """

    version: int
    state: str
    error: str


class Client:
    """Asks one model on one server.

    Answers of "unavailable" (no connection yet, queue full) are tried again for a while. Usable as a context manager.
    """

    def __init__(self, address: str, model_name: str, timeout: float = 30.0, retry_seconds: float = 5.0) -> None:
        """Opens the channel; the first call connects.

        Args:
            address: Host and port, for example 127.0.0.1:8500, or unix:PATH.
            model_name: Name of the model.
            timeout: Time for each call, in seconds, retries included.
            retry_seconds: How long an unavailable server is tried again; never beyond the timeout.
        """
        self._address = address
        self._model_name = model_name
        self._timeout = timeout
        self._retry_seconds = retry_seconds
        unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
        # A server that just started is found at once, not after the library's 20 s of growing pauses.
        reconnect = [("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 500)]
        self._channel = grpc.insecure_channel(address, options=unlimited + reconnect)
        self._prediction = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._model = model_service_pb2_grpc.ModelServiceStub(self._channel)

    def predict(
        self,
        inputs: Mapping[str, Any],
        signature_name: str = "",
        version: int | None = None,
        output_filter: Sequence[str] = (),
        timeout: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            inputs: Input name to array or (nested) list. Texts may be str. Numbers in lists become float32 or int64;
                an array keeps its type.
            signature_name: Signature; empty for the default one.
            version: Model version; None for the latest.
            output_filter: Outputs wanted; empty means all.
            timeout: Time for this call, in seconds; None for the client's own.

        Returns:
            Output name to array; texts as an object array of bytes.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        request = predict_pb2.PredictRequest(
            model_spec=self._spec(version, signature_name), output_filter=output_filter
        )
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(encode_tensor(_to_array(value)))
        response = self._call(self._prediction.Predict, request, timeout)
        return {name: decode_tensor(tensor) for name, tensor in response.outputs.items()}

    def classify_texts(self, texts: Sequence[str], timeout: float | None = None) -> list[TextClass]:
        """Asks a text_classification model for the classes of texts.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        if not texts:
            return []
        outputs = self.predict({"text": list(texts)}, timeout=timeout)
        rows = zip(outputs["label"], outputs["classes"], outputs["scores"], strict=True)
        return [
            TextClass(
                label.decode(),
                {name.decode(): float(score) for name, score in zip(classes, scores, strict=True)},
            )
            for label, classes, scores in rows
        ]

    def transform_texts(self, sources: Sequence[str], timeout: float | None = None) -> list[TransformedText]:
        """Asks a text_to_text model for the targets of sources.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        if not sources:
            return []
        outputs = self.predict({"source": list(sources)}, timeout=timeout)
        rows = zip(outputs["target"], outputs["score"], strict=True)
        return [TransformedText(target.decode(errors="replace"), float(score)) for target, score in rows]

    def status(self, version: int | None = None, timeout: float | None = None) -> list[ModelVersion]:
        """State of the model's versions, highest number first.

        Raises:
            ServingError: The server knows no such model or version, or none answered.
        """
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self._spec(version))
        response = self._call(self._model.GetModelStatus, request, timeout)
        names = get_model_status_pb2.ModelVersionStatus.State
        return [
            ModelVersion(entry.version, names.Name(entry.state), entry.status.error_message)
            for entry in response.model_version_status
        ]

    def metadata(
        self, version: int | None = None, timeout: float | None = None
    ) -> dict[str, meta_graph_pb2.SignatureDef]:
        """Signature name to SignatureDef of the model.

        Raises:
            ServingError: The server knows no such model or version, or none answered.
        """
        request = get_model_metadata_pb2.GetModelMetadataRequest(
            model_spec=self._spec(version), metadata_field=["signature_def"]
        )
        response = self._call(self._prediction.GetModelMetadata, request, timeout)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        response.metadata["signature_def"].Unpack(signatures)
        return dict(signatures.signature_def)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _spec(self, version: int | None, signature_name: str = "") -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=self._model_name, signature_name=signature_name)
        if version is not None:
            spec.version.value = version
        return spec

    def _call(self, method: Callable[..., Response], request: Any, timeout: float | None) -> Response:
        started = time.monotonic()
        deadline = started + (self._timeout if timeout is None else timeout)
        give_up = min(deadline, started + self._retry_seconds)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return method(request, timeout=max(deadline - time.monotonic(), 0.001))
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE or time.monotonic() + pause > give_up:
                    raise self._explain(error) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _explain(self, error: grpc.RpcError) -> ServingError:
        code, details = error.code(), error.details() or ""
        # The server's own "unavailable" is the full queue; everything else of that code comes from the connection.
        if code is grpc.StatusCode.UNAVAILABLE and "batch scheduling queue" not in details:
            return NoServerError(
                f"no server answers at {self._address} ({details}). Start one with `seqline serve`, or with "
                f"`python -m serving --port=PORT --model_name={self._model_name} --model_base_path=FOLDER`, "
                "and check the address"
            )
        return error_of(code, details)


def _to_array(value: Any) -> np.ndarray:
    """A request's value as an array: texts as bytes, numbers of lists as float32 or int64."""
    is_array = isinstance(value, np.ndarray | np.generic)
    is_text = np.asarray(value).dtype.kind in "USO" if is_array else isinstance(_first_leaf(value), str | bytes)
    try:
        # Never numpy's own choice for texts: its fixed-width strings lose trailing zero bytes.
        array = np.array(value, dtype=object) if is_text else np.asarray(value)
    except ValueError as error:
        raise InvalidRequestError(f"the lists of an input have different lengths: {error}") from error
    if is_text:
        return _encode_texts(array)
    return array.astype(np.float32) if array.dtype == np.float64 and not is_array else array


def _first_leaf(value: Any) -> Any:
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return value


def _encode_texts(array: np.ndarray) -> np.ndarray:
    encoded = np.empty(array.size, dtype=object)
    for index, item in enumerate(array.reshape(-1)):
        if not isinstance(item, str | bytes):
            raise InvalidRequestError(f"an input of texts takes str and bytes only, got {item!r}")
        encoded[index] = item.encode() if isinstance(item, str) else item
    return encoded.reshape(array.shape)
