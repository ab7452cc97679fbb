"""The kustomizations: their parts exist, and where kustomize is installed, what it makes of them is valid."""

import os
import shutil
import subprocess
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from tests.deploy.manifests import (
    CONFIG,
    DEPLOY,
    KSERVE,
    OBJECT_STORE,
    VOLUME,
    Manifest,
    container_start,
    deployment_pod,
    load,
    pod_container,
    serving_runtime,
)

VARIANTS = [VOLUME, OBJECT_STORE, KSERVE]
FOLDERS = sorted(path.parent for path in DEPLOY.rglob("kustomization.yaml"))


def config_map() -> Manifest:
    [kustomization] = load(CONFIG / "kustomization.yaml")
    [generator] = kustomization["configMapGenerator"]
    return generator


@pytest.fixture(scope="module", params=VARIANTS, ids=lambda folder: folder.name)
def built(request, tmp_path_factory) -> tuple[Path, list[Manifest]]:
    """A variant as kustomize builds it. It reads files only; no cluster is asked, and none is configured."""
    program = shutil.which("kustomize") or shutil.which("kubectl")
    if program is None:
        pytest.skip("neither kustomize nor kubectl is installed")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path_factory.mktemp("home")), "KUBECONFIG": os.devnull}
    action = "build" if Path(program).name == "kustomize" else "kustomize"
    text = subprocess.run(
        [program, action, request.param], env=environment, capture_output=True, text=True, check=True, timeout=60
    ).stdout
    return request.param, list(yaml.safe_load_all(text))


def test_every_part_of_a_kustomization_exists():
    for folder in FOLDERS:
        [kustomization] = load(folder / "kustomization.yaml")
        for resource in kustomization.get("resources", []):
            path = folder / resource
            assert (path / "kustomization.yaml").is_file() if path.is_dir() else path.is_file(), path
        patches = [patch["path"] for patch in kustomization.get("patches", []) if "path" in patch]
        files = [file for map_ in kustomization.get("configMapGenerator", []) for file in map_["files"]]
        for name in [*patches, *files, *kustomization.get("configurations", [])]:
            assert (folder / name).is_file(), folder / name


def test_the_config_map_holds_every_config_file():
    assert {*config_map()["files"]} == {path.name for path in CONFIG.glob("*.config")}


def test_the_object_store_variant_replaces_a_file_of_the_same_config_map():
    [kustomization] = load(OBJECT_STORE / "kustomization.yaml")
    [generator] = kustomization["configMapGenerator"]
    assert (generator["name"], generator["behavior"]) == (config_map()["name"], "merge")
    assert {*generator["files"]} <= {*config_map()["files"]}


@pytest.mark.parametrize("pod", [deployment_pod(), serving_runtime()["spec"]], ids=["kubernetes", "kserve"])
def test_pods_mount_the_config_map_where_the_flags_look(pod: Manifest):
    [volume] = [volume for volume in pod["volumes"] if "configMap" in volume]
    assert volume["configMap"]["name"] == config_map()["name"]
    assert container_start(pod_container(pod)).mounts["/etc/tensorflow-serving"] == volume["name"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_no_kustomization_builds_on_a_folder_around_it_which_kustomize_refuses(folder: Path):
    [kustomization] = load(folder / "kustomization.yaml")
    assert not {(folder / resource).resolve() for resource in kustomization.get("resources", [])} & {*folder.parents}


def test_kustomize_is_told_where_a_serving_runtime_names_a_config_map():
    [references] = load(KSERVE / "name-references.yaml")
    [reference] = references["nameReference"]
    assert reference["kind"] == "ConfigMap"
    assert reference["fieldSpecs"] == [{"kind": serving_runtime()["kind"], "path": "spec/volumes/configMap/name"}]


def test_kustomize_points_the_pods_at_the_config_map_with_its_hash(built):
    folder, manifests = built
    [made] = [document["metadata"]["name"] for document in manifests if document["kind"] == "ConfigMap"]
    assert made.startswith(f"{config_map()['name']}-")
    [server] = [document for document in manifests if document["kind"] in ("Deployment", "ServingRuntime")]
    pod = server["spec"] if folder == KSERVE else server["spec"]["template"]["spec"]
    assert made in [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]


def test_what_kustomize_builds_fits_the_schemas_of_kubernetes(built):
    _, manifests = built
    version = kubernetes_validate.latest_version()
    own = [document for document in manifests if "kserve" not in document["apiVersion"]]
    assert own
    for document in own:
        kubernetes_validate.validate(document, version, strict=True)


def test_kustomize_applies_the_patches_of_each_variant(built):
    folder, manifests = built
    if folder == KSERVE:
        return
    [server] = [document for document in manifests if document["kind"] == "Deployment"]
    start = container_start(pod_container(server["spec"]["template"]["spec"]))
    assert ("/models" in start.mounts) == (folder == VOLUME)
    assert ("file_system_poll_wait_seconds" in start.flags) == (folder == OBJECT_STORE)
