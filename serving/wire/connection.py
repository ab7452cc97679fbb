"""The connection to a server: encryption, token, deadlines and retries."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc

from serving.errors import STARTING, STOPPING, NoServerError, ServingError
from serving.grpc.status import error_of
from serving.wire import messages

Answer = TypeVar("Answer")
# Nobody cancels a call of ours: CANCELLED is what a server says whose port closed while the call was on its way, before
# anybody looked at it.
_AGAIN = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED)
_FIRST_PAUSE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 1.0
_PREDICTION, _MODEL = "/tensorflow.serving.PredictionService/", "/tensorflow.serving.ModelService/"
# Method to its response.
_METHODS = {
    _PREDICTION + "Predict": messages.PredictResponse,
    _PREDICTION + "Classify": messages.ClassificationResponse,
    _PREDICTION + "Regress": messages.RegressionResponse,
    _PREDICTION + "MultiInference": messages.MultiInferenceResponse,
    _PREDICTION + "GetModelMetadata": messages.GetModelMetadataResponse,
    _MODEL + "GetModelStatus": messages.GetModelStatusResponse,
}
# The same for methods whose answer comes in pieces.
_STREAMS = {"/seqline.serving.GenerationService/Generate": messages.GenerateResponse}
# Messages of a server that is there; every other "unavailable" comes from the connection.
_BUSY = ("batch scheduling queue", STARTING, STOPPING)
# Signs that two sides do not agree on encryption.
_ENCRYPTION = ("handshake", "verification", "socket closed")


@dataclass(frozen=True)
class Tls:
    """Encryption of a connection: PEM files, or what stands in them as bytes.

    Attributes:
        authority: Certificate of the authority that signed the server's; None for those that gRPC knows.
        certificate: The client's own, where the server asks for one (mutual TLS).
        key: Private key of that certificate.
        server_name: Name in the server's certificate, where it is not the host of the address.
    """

    authority: str | Path | bytes | None = None
    certificate: str | Path | bytes | None = None
    key: str | Path | bytes | None = None
    server_name: str = ""

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("Tls takes certificate and key together, got one of them: give both or none")

    def credentials(self) -> grpc.ChannelCredentials:
        """What gRPC makes of the files.

        Raises:
            OSError: A file cannot be read.
        """
        return grpc.ssl_channel_credentials(*map(_pem, (self.authority, self.key, self.certificate)))


def _pem(source: str | Path | bytes | None) -> bytes | None:
    return Path(source).read_bytes() if isinstance(source, str | Path) else source


class Connection:
    """A channel to one server that tries again for a while what no server has taken up."""

    def __init__(self, address: str, timeout: float, retry_seconds: float, tls: Tls | None, token: str) -> None:
        """Opens the channel; the first call connects.

        Args:
            address: Host and port, or unix:PATH.
            timeout: Time for a call that brings no other, in seconds, retries included.
            retry_seconds: How long an unavailable server is tried again; never beyond the timeout.
            tls: Encryption; None for none.
            token: Bearer token that each call brings; empty for none.
        """
        self.address = address
        self._timeout = timeout
        self._retry_seconds = retry_seconds
        self._metadata = [("authorization", f"Bearer {token.strip()}")] if token else []
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", -1),
            ("grpc.max_send_message_length", -1),
            # A server that just started is found at once, not after the library's 20 s of growing pauses.
            ("grpc.initial_reconnect_backoff_ms", 100),
            ("grpc.max_reconnect_backoff_ms", 500),
        ]
        if tls and tls.server_name:
            options.append(("grpc.ssl_target_name_override", tls.server_name))
        self._channel = (
            grpc.secure_channel(address, tls.credentials(), options) if tls else grpc.insecure_channel(address, options)
        )
        self._methods = {
            path.rpartition("/")[2]: kind(path, _serialize, response.FromString)
            for kind, table in ((self._channel.unary_unary, _METHODS), (self._channel.unary_stream, _STREAMS))
            for path, response in table.items()
        }

    def call(self, method: str, request: Any, timeout: float | None = None) -> Any:
        """Calls a method of the API by its name.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        return self._try(lambda left: self._ask(method, request, left), request, timeout)

    def stream(self, method: str, request: Any, timeout: float | None = None) -> Iterator[Any]:
        """Calls a method whose answer comes in pieces; tried again until the first one is there.

        A caller that closes the iterator ends the call.

        Raises:
            ServingError: As above.
        """

        def begin(left: float) -> tuple[Any, Any]:
            call = self._ask(method, request, left)
            return call, next(call, None)

        call, piece = self._try(begin, request, timeout)
        try:
            while piece is not None:
                yield piece
                piece = next(call, None)
        except grpc.RpcError as error:
            raise self._explain(error, request) from error
        finally:
            call.cancel()

    def _ask(self, method: str, request: Any, left: float) -> Any:
        ask: Callable[..., Any] = self._methods[method]
        return ask(request, timeout=left, metadata=self._metadata)

    def _try(self, ask: Callable[[float], Answer], request: Any, timeout: float | None) -> Answer:
        """Asks, with the seconds that are left, and again while no server is there and time is."""
        started = time.monotonic()
        deadline = started + (self._timeout if timeout is None else timeout)
        give_up = min(deadline, started + self._retry_seconds)
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return ask(max(deadline - time.monotonic(), 0.001))
            except grpc.RpcError as error:
                if error.code() not in _AGAIN or time.monotonic() + pause > give_up:
                    raise self._explain(error, request) from error
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def _explain(self, error: grpc.RpcError, request: Any) -> ServingError:
        code, details = error.code(), error.details() or ""
        if code is not grpc.StatusCode.UNAVAILABLE or any(words in details for words in _BUSY):
            return error_of(code, details)
        if "failed to connect" in details and any(words in details.lower() for words in _ENCRYPTION):
            return NoServerError(
                f"a port answers at {self.address}, but no connection comes about ({details}). Give `tls` where the "
                "server encrypts, and there alone; its `authority` must have signed the server's certificate, which "
                "must be for this host or for `server_name`; add `certificate` and `key` if the server asks for them"
            )
        name = getattr(request, "tasks", [request])[0].model_spec.name
        return NoServerError(
            f"no server answers at {self.address} ({details}). Start one with `seqline serve`, or with "
            f"`python -m serving --port=PORT --model_name={name} --model_base_path=FOLDER`, and check the address"
        )


def _serialize(request: Any) -> bytes:
    # The same request is the same bytes always, whatever order its inputs came in.
    return bytes(request.SerializeToString(deterministic=True))
