"""Requests whose answer is known: a server that is well answers them right."""

import http.client
import json

import grpc
import numpy as np
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.core.tensors import decode_tensor, encode_tensor

_SECONDS = 15.0


class KnownGood:
    """Asks half_plus_two over both ports, and the classifier over one."""

    def __init__(self, address: str, rest_port: int) -> None:
        self._channel = grpc.insecure_channel(address)
        self._stub = prediction_service_pb2_grpc.PredictionServiceStub(self._channel)
        self._rest_port = rest_port

    def check(self) -> str | None:
        """Says which answer is wrong; None when all are right."""
        try:
            found = {"gRPC": self._predict(), **self._over_rest()}
        except (grpc.RpcError, OSError, http.client.HTTPException) as error:
            return f"a request that is right failed: {error}"
        wanted = {"gRPC": [2.5, 3.0], "predict": {"outputs": [2.5, 3.0]}, "regress": {"results": [2.5, 3.0]}}
        wanted = {api: {"y": value} if api == "gRPC" else value for api, value in wanted.items()}
        return None if found == wanted else f"requests that are right got {found}, not {wanted}"

    def close(self) -> None:
        """Ends the connection."""
        self._channel.close()

    def _predict(self) -> dict[str, list[float]]:
        request = predict_pb2.PredictRequest(output_filter=["y"])
        request.model_spec.name = "line"
        request.inputs["x"].CopyFrom(encode_tensor(np.array([1.0, 2.0], np.float32)))
        response = self._stub.Predict(request, timeout=_SECONDS)
        return {alias: decode_tensor(tensor).tolist() for alias, tensor in response.outputs.items()}

    def _over_rest(self) -> dict[str, object]:
        calls = {
            "predict": ("shapes:predict", {"signature_name": "add", "inputs": {"a": [1.0, 2.0], "b": [1.5, 1.0]}}),
            "regress": ("examples:regress", {"signature_name": "regress", "examples": [{"x": 1.0}, {"x": 2.0}]}),
        }
        return {api: self._post(path, document) for api, (path, document) in calls.items()}

    def _post(self, path: str, document: object) -> object:
        connection = http.client.HTTPConnection("127.0.0.1", self._rest_port, timeout=_SECONDS)
        try:
            connection.request("POST", f"/v1/models/{path}", json.dumps(document))
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()
