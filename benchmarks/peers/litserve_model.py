"""LitServe's side: the SavedModel as a LitAPI, JSON over HTTP, strings in and strings out.

python litserve_model.py PORT MAX_BATCH_SIZE BATCH_TIMEOUT
"""

import itertools
import sys

import litserve
from saved_model import hosted


class SavedModelApi(litserve.LitAPI):
    """{"texts": [...]} in, {output: [...]} out."""

    def setup(self, device: str) -> None:
        self._hosted = hosted()

    def decode_request(self, request: dict) -> list[str]:
        return request["texts"]

    def predict(self, texts: list[str]) -> dict:
        return self._hosted(texts)

    def encode_response(self, output: dict) -> dict:
        return {name: _plain(array) for name, array in output.items()}


class BatchedApi(SavedModelApi):
    """The same with LitServe's batching; a request may hold several texts."""

    def batch(self, inputs: list[list[str]]) -> list[str]:
        self._ends = list(itertools.accumulate(map(len, inputs)))
        return [text for texts in inputs for text in texts]

    def unbatch(self, output: dict) -> list[dict]:
        starts = [0, *self._ends]
        return [{name: array[start:end] for name, array in output.items()} for start, end in itertools.pairwise(starts)]


def _plain(array) -> list:  # noqa: ANN001
    return array.tolist() if array.dtype != object else _decode(array.tolist())


def _decode(value):  # noqa: ANN001, ANN202
    return [_decode(one) for one in value] if isinstance(value, list) else value.decode()


if __name__ == "__main__":
    port, size, timeout = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    api = BatchedApi(max_batch_size=size, batch_timeout=timeout) if size > 1 else SavedModelApi()
    server = litserve.LitServer(api, accelerator="cpu")
    server.run(host="127.0.0.1", port=port, generate_client_file=False, log_level="warning")
