"""What docs/client.md shows, run as it stands."""

import json
import re
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from serving.client import Client
from serving.server import Server
from serving.settings import ServingSettings
from tests.serving import saved_models, task_models
from tests.serving.conftest import QUICK

TEXT = (Path(__file__).parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
GRPCURL = re.findall(r"grpcurl .*-d '(.*?)' \S+ \S+/(\w+)$", TEXT, re.MULTILINE)
_MODELS = {
    "sentiment": saved_models.save_text_classifier,
    "dates": task_models.save_text_to_text,
    "shakespeare": task_models.save_language_model,
    "entities": task_models.save_sequence_labeler,
    "digits": task_models.save_audio_generator,
    "recognizer": task_models.save_audio_classifier,
    "reviews": task_models.save_masked_language_model,
    "words": task_models.save_word_embedding,
    "houses": saved_models.save_examples,
}


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Address of a server that has the models of the document."""
    folder = tmp_path_factory.mktemp("models")
    models = []
    for name, save in _MODELS.items():
        save(folder / name / "1")
        models.append(f'config {{name: "{name}" base_path: "{folder / name}" model_platform: "tensorflow"}}')
    config = folder / "models.pbtxt"
    config.write_text(f"model_config_list {{{' '.join(models)}}}")
    with Server("", "", ServingSettings(**QUICK, models={"config_file": str(config)})) as server:
        server.wait_until_available(30)
        yield server.address


@pytest.mark.parametrize("block", range(len(PYTHON)))
def test_every_example_in_python_runs(block, address, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for file in ("authority.pem", "client.pem", "client.key"):
        Path(file).touch()  # no connection is made by those who name them
    code = PYTHON[block].replace("127.0.0.1:8500", address)
    exec(compile(code, f"docs/client.md, example {block}", "exec"), {"Client": Client})


def test_there_are_examples():
    assert len(PYTHON) > 5
    assert len(GRPCURL) == 3


@pytest.mark.parametrize(("body", "method"), GRPCURL)
def test_every_message_for_grpcurl_is_answered(body, method, address):
    kinds = {
        "Predict": predict_pb2.PredictRequest,
        "GetModelStatus": get_model_status_pb2.GetModelStatusRequest,
        "GetModelMetadata": get_model_metadata_pb2.GetModelMetadataRequest,
    }
    service = "ModelService" if method == "GetModelStatus" else "PredictionService"
    request = json_format.ParseDict(json.loads(body), kinds[method]())
    with grpc.insecure_channel(address) as channel:
        call = channel.unary_unary(f"/tensorflow.serving.{service}/{method}")
        assert call(request.SerializeToString(), timeout=10)
