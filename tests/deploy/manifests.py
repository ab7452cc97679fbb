"""Reads the files of `deploy/` for tests."""

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from google.protobuf import text_format
from google.protobuf.message import Message
from tensorflow_serving.config import model_server_config_pb2

DEPLOY = Path(__file__).parents[2] / "deploy"
CONFIG = DEPLOY / "config"
BASE = DEPLOY / "kubernetes" / "base"
VOLUME = DEPLOY / "kubernetes" / "volume"
OBJECT_STORE = DEPLOY / "kubernetes" / "object-store"
KSERVE = DEPLOY / "kserve"

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Start:
    """How a file starts the server: image, binary and arguments.

    Attributes:
        mounts: Path in the container to what stands there: a volume's name, or a folder of this machine.
    """

    image: str
    command: list[str]
    arguments: list[str]
    mounts: dict[str, str]

    @property
    def flags(self) -> dict[str, str]:
        """Flag to value, without dashes; the last of several wins, as in the server."""
        return dict(argument.removeprefix("--").split("=", 1) for argument in self.arguments)


def load(path: Path) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(path.read_text(encoding="utf-8")) if document]


def load_one(path: Path, kind: str) -> Manifest:
    [found] = [document for document in load(path) if document["kind"] == kind]
    return found


def parse(path: Path, message: Message) -> Any:
    """A text proto; unknown fields are errors."""
    return text_format.Parse(path.read_text(encoding="utf-8"), message)


def models(path: Path) -> list[model_server_config_pb2.ModelConfig]:
    return list(parse(path, model_server_config_pb2.ModelServerConfig()).model_config_list.config)


def compose_service() -> Manifest:
    [document] = load(DEPLOY / "compose.yaml")
    [service] = document["services"].values()
    return service


def pod_container(pod: Manifest) -> Manifest:
    [container] = pod["containers"]
    return container


def container_start(container: Manifest) -> Start:
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    return Start(container["image"], container["command"], container["args"], mounts)


def deployment() -> Manifest:
    return load_one(BASE / "deployment.yaml", "Deployment")


def deployment_pod() -> Manifest:
    return deployment()["spec"]["template"]["spec"]


def serving_runtime() -> Manifest:
    return load_one(KSERVE / "serving-runtime.yaml", "ServingRuntime")


def starts() -> dict[str, Start]:
    """Every file that starts the server."""
    service = compose_service()
    return {
        "compose": Start(
            service["image"],
            service["entrypoint"],
            service["command"],
            {volume["target"]: volume["source"] for volume in service["volumes"]},
        ),
        "kubernetes": container_start(pod_container(deployment_pod())),
        "kserve": container_start(pod_container(serving_runtime()["spec"])),
    }


def kustomized(folder: Path) -> Iterator[Path]:
    """The manifests that a kustomization applies, those of the folders it builds on included; patches left out."""
    [kustomization] = load(folder / "kustomization.yaml")
    for resource in kustomization.get("resources", []):
        path = Path(posixpath.normpath((folder / resource).as_posix()))
        yield from kustomized(path) if path.is_dir() else [path]
