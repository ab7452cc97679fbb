"""The servers that are compared, each in a process of its own, all hosting the same version folder."""

import contextlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.processes import BenchmarkError, Program, Target, free_port, our_server
from benchmarks.serving.requests import (
    PEERS_PYTHON,
    ROOT,
    json_requests,
    predict_requests,
    read_requests,
    v2_requests,
    write_requests,
)

PEERS = ROOT / "benchmarks" / "peers"
MAX_BATCH_SIZE = 64
# A peer's batch waits this long for more; without a wait, MLServer merges nothing and LitServe's loop never rests.
BATCH_SECONDS = 0.002


@dataclass(frozen=True)
class Job:
    """What is served and asked.

    Attributes:
        base: Folder with one folder per version; its name is the model's.
        version: The folder of the version that is served.
        texts: One group for each request.
        folder: Room for logs, requests and settings.
    """

    base: Path
    version: Path
    signature: str
    alias: str
    texts: Sequence[Sequence[str]]
    folder: Path

    @property
    def peer_environment(self) -> dict[str, str]:
        """How the peers' code knows what to load."""
        return {
            "PEER_MODEL": str(self.version),
            "PEER_SIGNATURE": self.signature,
            "PYTHONPATH": str(PEERS),
            "TF_CPP_MIN_LOG_LEVEL": "2",
        }


def newest_version(base: Path) -> Path:
    """The version folder with the highest number.

    Raises:
        BenchmarkError: There is none.
    """
    versions = [path for path in base.iterdir() if path.name.isdigit()] if base.is_dir() else []
    if not versions:
        raise BenchmarkError(f"{base} must hold one folder per version (NAME/1/saved_model.pb); run the pipeline first")
    return max(versions, key=lambda path: int(path.name))


def text_input(version: Path, signature: str) -> str:
    """Name of the one input of a signature.

    Raises:
        BenchmarkError: There is no such signature, or it has other inputs.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    saved = saved_model_pb2.SavedModel.FromString((version / "saved_model.pb").read_bytes())
    inputs = list(saved.meta_graphs[0].signature_def[signature].inputs)
    if len(inputs) != 1:
        raise BenchmarkError(f"signature {signature} of {version} must have one input of texts, got {inputs}")
    return inputs[0]


@contextlib.contextmanager
def start(server: str, job: Job) -> Iterator[tuple[Program, Target]]:
    """Starts a server of `SERVERS` and waits until it answers."""
    with SERVERS[server](job) as (program, target):
        first = read_requests(target.requests)[0]
        program.wait_until(lambda: target.answers(first))
        yield program, target


@contextlib.contextmanager
def _ours(job: Job) -> Iterator[tuple[Program, Target]]:
    requests = predict_requests(job.base.name, job.signature, job.alias, job.texts)
    path = write_requests(job.folder / "predict.json", requests)
    batching = job.folder / "batching.pbtxt"
    # The defaults of `seqline serve`; those of the flags are TensorFlow Serving's.
    batching.write_text(
        f"max_batch_size {{ value: {MAX_BATCH_SIZE} }} batch_timeout_micros {{ value: 0 }} "
        "max_enqueued_batches { value: 100 }"
    )
    flags = (f"--model_name={job.base.name}", f"--model_base_path={job.base.resolve()}")
    batched = ("--enable_batching", f"--batching_parameters_file={batching}")
    with our_server(job.folder / "ours.log", *flags, *batched) as (program, address):
        yield program, Target(address, path)


@contextlib.contextmanager
def _echo(job: Job) -> Iterator[tuple[Program, Target]]:
    """Answers what ours answers: so it has to be asked for after ours."""
    port, response = free_port(), job.folder / "response.bin"
    with _ours(job) as (ours, target):
        first = read_requests(target.requests)[0]
        ours.wait_until(lambda: target.answers(first))
        response.write_bytes(target.ask(first))
    command = [sys.executable, "-m", "benchmarks.serving.echo", f"--port={port}", f"--response={response}"]
    with Program(command, job.folder / "echo.log") as program:
        yield program, Target(f"127.0.0.1:{port}", target.requests)


@contextlib.contextmanager
def _mlserver(job: Job, is_batched: bool) -> Iterator[tuple[Program, Target]]:
    folder = job.folder / f"mlserver-{is_batched}"
    folder.mkdir()
    ports = {f"{kind}_port": free_port() for kind in ("http", "grpc", "metrics")}
    (folder / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "debug": False, **ports}))
    batching = {"max_batch_size": MAX_BATCH_SIZE, "max_batch_time": BATCH_SECONDS} if is_batched else {}
    model = {"name": "model", "implementation": "mlserver_model.SavedModelRuntime", **batching}
    (folder / "model-settings.json").write_text(json.dumps(model))
    path = write_requests(folder / "requests.json", v2_requests("model", job.alias, job.texts))
    command = [PEERS_PYTHON.with_name("mlserver"), "start", folder]
    with Program(command, folder / "log", folder, **job.peer_environment) as program:
        method = "/inference.GRPCInferenceService/ModelInfer"
        yield program, Target(f"127.0.0.1:{ports['grpc_port']}", path, method)


@contextlib.contextmanager
def _litserve(job: Job, is_batched: bool) -> Iterator[tuple[Program, Target]]:
    folder = job.folder / f"litserve-{is_batched}"
    folder.mkdir()
    port = free_port()
    path = write_requests(folder / "requests.json", json_requests(job.texts))
    batching = (MAX_BATCH_SIZE, BATCH_SECONDS) if is_batched else (1, 0.0)
    command = [PEERS_PYTHON, PEERS / "litserve_model.py", port, *batching]
    with Program(command, folder / "log", folder, **job.peer_environment) as program:
        yield program, Target(f"http://127.0.0.1:{port}/predict", path)


OURS, ECHO = "seqline", "grpc.aio echo"
SERVERS = {
    OURS: _ours,
    ECHO: _echo,
    "MLServer": lambda job: _mlserver(job, is_batched=False),
    "MLServer, batching": lambda job: _mlserver(job, is_batched=True),
    "LitServe": lambda job: _litserve(job, is_batched=False),
    "LitServe, batching": lambda job: _litserve(job, is_batched=True),
}
