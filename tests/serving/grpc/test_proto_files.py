"""The .proto files of the API: protobuf's own compiler reads them, and stubs made of them ask the server."""

import os
import subprocess
import sys
from pathlib import Path

import grpc_tools
import pytest
from google.protobuf import descriptor_pb2

from serving.grpc.proto_files import write_protos
from serving.grpc.reflection import service_pool
from tests.serving import saved_models

KNOWN = Path(grpc_tools.__file__).parent / "_proto"
ASK = """
import sys
import grpc
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

with grpc.insecure_channel(sys.argv[1]) as channel:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].dtype = types_pb2.DT_FLOAT
    request.inputs["x"].tensor_shape.dim.add(size=2)
    request.inputs["x"].float_val.extend([2, 4])
    answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=20)
print(list(answer.outputs["y"].float_val), "tensorflow.python" in sys.modules)
"""


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory) -> Path:
    """The files, with the stubs and the descriptors that the compiler makes of them."""
    folder = tmp_path_factory.mktemp("protos")
    files = write_protos(folder / "protos")
    (folder / "stubs").mkdir()
    places = [f"-I{folder / 'protos'}", f"-I{KNOWN}"]
    outputs = [f"--python_out={folder / 'stubs'}", f"--grpc_python_out={folder / 'stubs'}"]
    outputs.append(f"--descriptor_set_out={folder / 'set.pb'}")
    command = [sys.executable, "-m", "grpc_tools.protoc", *places, *outputs, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    # Packages, so that they come before the TensorFlow that is installed here.
    for package in {file.parent for file in (folder / "stubs").rglob("*.py")} | {folder / "stubs" / "tensorflow"}:
        (package / "__init__.py").touch()
    return folder


def test_the_compiler_reads_what_the_server_means(made):
    compiled = descriptor_pb2.FileDescriptorSet.FromString((made / "set.pb").read_bytes())
    pool, names = service_pool(with_health=False), [file.name for file in compiled.file]
    assert {"seqline/serving/generation.proto", "tensorflow_serving/apis/predict.proto"} <= set(names)
    for file in compiled.file:
        meant = descriptor_pb2.FileDescriptorProto()
        pool.FindFileByName(file.name).CopyToProto(meant)
        assert plain(file) == plain(meant), file.name


def plain(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """Without what says nothing: the order of nested types, and names in JSON, which follow from the names."""
    copy = descriptor_pb2.FileDescriptorProto.FromString(file.SerializeToString())
    waiting = list(copy.message_type)
    while waiting:
        message = waiting.pop()
        message.nested_type.sort(key=lambda one: one.name)
        waiting += message.nested_type
        for field in message.field:
            field.ClearField("json_name")
    return copy


def test_stubs_of_them_ask_the_server_without_tensorflow(serve, base, exported, made):
    saved_models.publish(exported / "line2", base, 1)
    server, _ = serve()
    environment = {**os.environ, "PYTHONPATH": str(made / "stubs")}
    command = [sys.executable, "-c", ASK, server.address]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, env=environment)
    assert done.stdout.strip() == "[3.0, 4.0] False", done.stderr
