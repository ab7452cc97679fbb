"""The Kubernetes manifests: valid by the schemas of Kubernetes, and in agreement with each other."""

from pathlib import Path

import kubernetes_validate
import pytest

from serving.core.config_messages import MonitoringConfig
from tests.deploy.manifests import (
    BASE,
    CONFIG,
    DEPLOY,
    OBJECT_STORE,
    VOLUME,
    Manifest,
    deployment,
    deployment_pod,
    kustomized,
    load,
    load_one,
    models,
    parse,
    pod_container,
    starts,
)

# The oldest that the manifests are meant for, and the newest known.
VERSIONS = ["1.30", kubernetes_validate.latest_version()]
APPLIED = sorted({*kustomized(VOLUME), *kustomized(OBJECT_STORE)})
LABEL = "app.kubernetes.io/name"


def all_manifests() -> list[Manifest]:
    return [document for path in APPLIED for document in load(path)]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", APPLIED, ids=lambda path: path.name)
def test_every_manifest_fits_the_schemas_of_kubernetes(path: Path, version: str):
    for document in load(path):
        used = kubernetes_validate.validate(document, version, strict=True)
        assert version.startswith(used)


def test_a_mistyped_key_does_not_fit_the_schema():
    broken = deployment()
    pod_container(broken["spec"]["template"]["spec"])["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_all_kinds_of_a_production_service_are_there():
    kinds = {"ServiceAccount", "Deployment", "Service", "HorizontalPodAutoscaler", "PodDisruptionBudget"}
    assert {document["kind"] for document in all_manifests()} == kinds | {"PersistentVolumeClaim"}


def test_names_are_unique_within_a_kind():
    names = [(document["kind"], document["metadata"]["name"]) for document in all_manifests()]
    assert len(names) == len(set(names))


def test_container_ports_are_those_of_the_flags():
    flags = starts()["kubernetes"].flags
    ports = {port["name"]: port["containerPort"] for port in pod_container(deployment_pod())["ports"]}
    assert ports == {"grpc": int(flags["port"]), "rest": int(flags["rest_api_port"])}


def test_services_lead_to_ports_of_the_container():
    ports = {port["name"]: port["containerPort"] for port in pod_container(deployment_pod())["ports"]}
    services = load(BASE / "service.yaml")
    assert [service["spec"].get("clusterIP") for service in services] == [None, "None"]
    for port in (port for service in services for port in service["spec"]["ports"]):
        assert port["port"] == ports[port["targetPort"]], port


def test_every_selector_finds_the_pods():
    [name] = deployment()["spec"]["template"]["metadata"]["labels"].values()
    wanted = {LABEL: name}
    assert deployment()["spec"]["selector"]["matchLabels"] == wanted
    assert [service["spec"]["selector"] for service in load(BASE / "service.yaml")] == [wanted, wanted]
    [budget] = load(BASE / "disruption-budget.yaml")
    assert budget["spec"]["selector"]["matchLabels"] == wanted
    [spread] = deployment_pod()["topologySpreadConstraints"]
    assert spread["labelSelector"]["matchLabels"] == wanted


def test_the_autoscaler_scales_the_deployment():
    [scaler] = load(BASE / "autoscaler.yaml")
    target = scaler["spec"]["scaleTargetRef"]
    assert target == {"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment()["metadata"]["name"]}
    assert "replicas" not in deployment()["spec"]


def test_the_autoscaler_keeps_more_pods_than_the_budget_lets_go():
    [scaler], [budget] = load(BASE / "autoscaler.yaml"), load(BASE / "disruption-budget.yaml")
    assert scaler["spec"]["minReplicas"] > budget["spec"]["maxUnavailable"]


def test_a_share_of_processor_use_has_a_request_to_be_a_share_of():
    requested = pod_container(deployment_pod())["resources"]["requests"]["cpu"]
    assert int(requested) == int(starts()["kubernetes"].flags["tensorflow_intra_op_parallelism"])


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_every_probe_asks_a_named_port(probe: str):
    container = pod_container(deployment_pod())
    [action] = [container[probe][key] for key in ("tcpSocket", "httpGet") if key in container[probe]]
    assert action["port"] in {port["name"] for port in container["ports"]}


@pytest.mark.parametrize("path", [CONFIG, OBJECT_STORE], ids=lambda path: path.name)
def test_readiness_asks_for_a_model_that_is_served(path: Path):
    asked = pod_container(deployment_pod())["readinessProbe"]["httpGet"]["path"]
    assert asked in {f"/v1/models/{model.name}" for model in models(path / "models.config")}


def test_startup_waits_longer_than_the_server_tries_to_load():
    flags = starts()["kubernetes"].flags
    retries = int(flags["max_num_load_retries"]) * int(flags["load_retry_interval_micros"]) / 1e6
    probe = pod_container(deployment_pod())["startupProbe"]
    wait = probe["periodSeconds"] * probe["failureThreshold"]
    assert retries < wait < deployment()["spec"]["progressDeadlineSeconds"]


def test_requests_have_time_to_end_after_the_endpoints_are_gone():
    [program, seconds] = pod_container(deployment_pod())["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert deployment_pod()["terminationGracePeriodSeconds"] - int(seconds) >= 10


def test_no_pod_goes_before_its_successor_is_ready():
    assert deployment()["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_every_mount_has_its_volume():
    assert set(starts()["kubernetes"].mounts.values()) == {volume["name"] for volume in deployment_pod()["volumes"]}


def test_the_pod_runs_under_the_service_account_that_both_variants_have():
    account = load_one(BASE / "service-account.yaml", "ServiceAccount")["metadata"]["name"]
    assert deployment_pod()["serviceAccountName"] == account
    assert load_one(OBJECT_STORE / "service-account.yaml", "ServiceAccount")["metadata"]["name"] == account


def test_prometheus_is_told_the_path_of_the_monitoring_config():
    annotations = deployment()["spec"]["template"]["metadata"]["annotations"]
    path = parse(CONFIG / "monitoring.config", MonitoringConfig()).prometheus_config.path
    assert annotations["prometheus.io/path"] == path
    assert annotations["prometheus.io/port"] == starts()["kubernetes"].flags["rest_api_port"]


def test_the_volume_variant_mounts_its_claim_where_the_models_are_looked_for():
    patch, claim = (
        load_one(VOLUME / "mount-models.yaml", "Deployment"),
        load_one(VOLUME / "model-volume.yaml", "PersistentVolumeClaim"),
    )
    assert patch["metadata"]["name"] == deployment()["metadata"]["name"]
    pod = patch["spec"]["template"]["spec"]
    assert pod_container(pod)["name"] == pod_container(deployment_pod())["name"]
    [mount], [volume] = pod_container(pod)["volumeMounts"], pod["volumes"]
    assert (mount["name"], mount["readOnly"]) == (volume["name"], True)
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert all(model.base_path == f"{mount['mountPath']}/{model.name}" for model in models(CONFIG / "models.config"))


def test_every_manifest_is_reached_by_a_kustomization_and_so_by_the_schema():
    patches = {VOLUME / "mount-models.yaml", OBJECT_STORE / "service-account.yaml"}
    manifests = {path for path in (DEPLOY / "kubernetes").rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert manifests == {*APPLIED} | patches
