"""A client of the server, also of a stock TensorFlow Serving. It needs grpcio, protobuf and numpy, no TensorFlow."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self

import numpy as np

from serving.client_answers import CompletionPiece, ModelVersion, TextClass, TransformedText
from serving.client_tasks import TaskClient, stop_strings
from serving.wire import messages
from serving.wire.connection import Connection, Tls
from serving.wire.tensors import decode_tensor, encode_tensor
from serving.wire.values import to_array, to_input

__all__ = ["Client", "ModelVersion", "TextClass", "Tls", "TransformedText"]

_CLASSIFY, _REGRESS = "tensorflow/serving/classify", "tensorflow/serving/regress"
# The classes of one example, each with its score, in the model's order.
Scores = list[tuple[str, float]]


class Client(TaskClient):
    """Asks one model on one server.

    Answers of "unavailable" (no connection yet, queue full) are tried again for a while. Threads may share a client.
    Usable as a context manager.
    """

    def __init__(
        self,
        address: str,
        model_name: str,
        timeout: float = 30.0,
        retry_seconds: float = 5.0,
        *,
        version: int | None = None,
        label: str = "",
        tls: Tls | None = None,
        token: str = "",
    ) -> None:
        """Opens the channel; the first call connects.

        Args:
            address: Host and port, for example 127.0.0.1:8500, or unix:PATH.
            model_name: Name of the model.
            timeout: Time for each call, in seconds, retries included.
            retry_seconds: How long an unavailable server is tried again; never beyond the timeout.
            version: Model version to ask; None for the latest.
            label: Version label to ask, in place of a version; empty for none.
            tls: Encryption; None for none.
            token: Bearer token, where the server asks for one. Send it over an encrypted connection only.
        """
        self._model_name = model_name
        self._version, self._label = _choice(version, label)
        self._connection = Connection(address, timeout, retry_seconds, tls, token)

    def at(self, version: int | None = None, label: str = "", model_name: str = "") -> Self:
        """A client of another version, or another model, over the same connection; without a choice, of the latest."""
        other = copy.copy(self)
        other._version, other._label = _choice(version, label)
        other._model_name = model_name or self._model_name
        return other

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
            version: Model version; None for the client's own choice.
            output_filter: Outputs wanted; empty means all.
            timeout: Time for this call, in seconds; None for the client's own.

        Returns:
            Output name to array; texts as an object array of bytes.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        request = messages.PredictRequest(model_spec=self._spec(signature_name, version), output_filter=output_filter)
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(encode_tensor(to_array(value)))
        response = self._connection.call("Predict", request, timeout)
        return {name: decode_tensor(tensor) for name, tensor in response.outputs.items()}

    def classify(
        self,
        examples: Sequence[Mapping[str, Any]],
        signature_name: str = "",
        context: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> list[Scores]:
        """Asks a signature over tf.Example for classes.

        Args:
            examples: Feature name to a text, a number, or a list of them; one mapping for each example.
            signature_name: Signature; empty for the default one.
            context: Features that all examples share; an example's own win.
            timeout: Time for this call, in seconds; None for the client's own.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        request = messages.ClassificationRequest(
            model_spec=self._spec(signature_name), input=to_input(examples, context)
        )
        return _scores(self._connection.call("Classify", request, timeout).result)

    def regress(
        self,
        examples: Sequence[Mapping[str, Any]],
        signature_name: str = "",
        context: Mapping[str, Any] | None = None,
        timeout: float | None = None,
    ) -> list[float]:
        """Asks a signature over tf.Example for a number each. Arguments and errors as those of `classify`."""
        request = messages.RegressionRequest(model_spec=self._spec(signature_name), input=to_input(examples, context))
        return _values(self._connection.call("Regress", request, timeout).result)

    def multi_inference(
        self,
        examples: Sequence[Mapping[str, Any]],
        classify: Sequence[str] = (),
        regress: Sequence[str] = (),
        timeout: float | None = None,
    ) -> dict[str, list[Scores] | list[float]]:
        """Asks several signatures over the same examples in one run of the model.

        Args:
            examples: As for `classify`.
            classify: Names of signatures that give classes.
            regress: Names of signatures that give a number.
            timeout: Time for this call, in seconds; None for the client's own.

        Returns:
            Signature name to what `classify` or `regress` gives.

        Raises:
            ServingError: The server refused the request, or none answered.
        """
        methods = [(name, _CLASSIFY) for name in classify] + [(name, _REGRESS) for name in regress]
        if not methods:
            return {}
        tasks = [messages.InferenceTask(model_spec=self._spec(name), method_name=method) for name, method in methods]
        request = messages.MultiInferenceRequest(tasks=tasks, input=to_input(examples))
        results = self._connection.call("MultiInference", request, timeout).results
        return {
            name: _scores(result.classification_result) if method == _CLASSIFY else _values(result.regression_result)
            for (name, method), result in zip(methods, results, strict=True)
        }

    def stream(
        self,
        prompt: str,
        *,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        max_length: int | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] = (),
        timeout: float | None = None,
    ) -> Iterator[CompletionPiece]:
        """What follows a prompt, piece by piece as the model writes it; together they are what `complete` answers.

        The server writes for as long as the iterator is open: close it, or let it go, to end the text early. A stock
        TensorFlow Serving has no such call.

        Args:
            prompt: What to go on from.
            temperature: As the others a setting of `complete`; None for the model's own.
            top_k: See there.
            top_p: See there.
            max_length: See there.
            seed: See there.
            stop: See there.
            timeout: Time for the whole answer, in seconds; None for the client's own.

        Raises:
            ServingError: The server refused the request, or none answered; before the first piece or later.
        """
        settings = {"temperature": temperature, "top_k": top_k, "top_p": top_p, "max_length": max_length, "seed": seed}
        request = messages.GenerateRequest(model_spec=self._spec(), prompt=prompt, stop=stop_strings(stop))
        for name, value in settings.items():
            if value is not None:
                setattr(request, name, value)
        for piece in self._connection.stream("Generate", request, timeout):
            yield CompletionPiece(piece.text, piece.reason, piece.score, piece.num_tokens)

    def status(self, version: int | None = None, timeout: float | None = None) -> list[ModelVersion]:
        """State of the model's versions, highest number first.

        Raises:
            ServingError: The server knows no such model or version, or none answered.
        """
        request = messages.GetModelStatusRequest(model_spec=self._spec(version=version))
        response = self._connection.call("GetModelStatus", request, timeout)
        names = messages.ModelVersionStatus.State
        return [
            ModelVersion(entry.version, names.Name(entry.state), entry.status.error_message)
            for entry in response.model_version_status
        ]

    def versions(self, state: str = "AVAILABLE", timeout: float | None = None) -> list[int]:
        """Numbers of the versions in a state, highest first. Errors as those of `status`."""
        return [entry.version for entry in self.status(timeout=timeout) if entry.state == state]

    def metadata(self, version: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        """Signature name to SignatureDef of the model: `inputs` and `outputs` with dtype and shape, `method_name`.

        Raises:
            ServingError: The server knows no such model or version, or none answered.
        """
        request = messages.GetModelMetadataRequest(
            model_spec=self._spec(version=version), metadata_field=["signature_def"]
        )
        response = self._connection.call("GetModelMetadata", request, timeout)
        packed = response.metadata["signature_def"].value
        return dict(messages.SignatureDefMap.FromString(packed).signature_def)

    def close(self) -> None:
        """Closes the connection, also of the clients that `at` made."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _spec(self, signature_name: str = "", version: int | None = None) -> Any:
        spec = messages.ModelSpec(name=self._model_name, signature_name=signature_name)
        if version is None and self._label:
            spec.version_label = self._label
        elif (chosen := self._version if version is None else version) is not None:
            spec.version.value = chosen
        return spec


def _choice(version: int | None, label: str) -> tuple[int | None, str]:
    if version is not None and label:
        raise ValueError(f"a client asks a version or a label, got version {version} and label {label!r}: drop one")
    return version, label


def _scores(result: Any) -> list[Scores]:
    return [[(each.label, each.score) for each in example.classes] for example in result.classifications]


def _values(result: Any) -> list[float]:
    return [each.value for each in result.regressions]
