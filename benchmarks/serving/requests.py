"""Requests made once, before anything is measured: the same texts in the protocol of each server."""

import base64
import itertools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[2]
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
MOST_REQUESTS = 512


def read_requests(path: Path) -> list[bytes]:
    """Reads what `write_requests` wrote."""
    return [base64.b64decode(request) for request in json.loads(path.read_text())]


def write_requests(path: Path, requests: Sequence[bytes]) -> Path:
    """Writes prepared requests, as a JSON list of base64."""
    path.write_text(json.dumps([base64.b64encode(request).decode() for request in requests]))
    return path


def read_texts(files: Sequence[Path]) -> list[str]:
    """The lines of the files that hold something."""
    return [line for file in files for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]


def groups(texts: Sequence[str], rows: int) -> list[list[str]]:
    """The texts in groups of `rows`, each text once or more."""
    count = min(max(len(texts) // rows, 1), MOST_REQUESTS)
    turns = itertools.cycle(texts)
    return [list(itertools.islice(turns, rows)) for _ in range(count)]


def predict_requests(name: str, signature: str, alias: str, texts: Sequence[Sequence[str]]) -> list[bytes]:
    """TensorFlow Serving's PredictRequest, by the official messages; one for each group of texts."""
    # Seconds to import: the generator, which imports this module too, does without.
    import tensorflow as tf
    from tensorflow_serving.apis import predict_pb2

    requests = []
    for group in texts:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = name
        request.model_spec.signature_name = signature
        request.inputs[alias].CopyFrom(tf.make_tensor_proto(group))
        requests.append(request.SerializeToString(deterministic=True))
    return requests


def json_requests(texts: Sequence[Sequence[str]]) -> list[bytes]:
    """What `benchmarks/peers/litserve_model.py` reads; one for each group of texts."""
    return [json.dumps({"texts": group}, ensure_ascii=False).encode() for group in texts]


def v2_requests(name: str, alias: str, texts: Sequence[Sequence[str]]) -> list[bytes]:
    """ModelInferRequest of the V2 inference protocol, made by MLServer's own messages in its own environment."""
    job = json.dumps({"name": name, "alias": alias, "texts": texts})
    script = ROOT / "benchmarks" / "peers" / "v2_requests.py"
    done = subprocess.run([PEERS_PYTHON, script], input=job, capture_output=True, text=True, check=True, timeout=120)
    return [base64.b64decode(line) for line in done.stdout.splitlines()[-1].split()]
