"""The KServe manifests. No schema of KServe is at hand: pods are checked as pods, the rest by the keys it must have."""

import kubernetes_validate
import pytest

from serving.core.config_messages import MonitoringConfig
from tests.deploy.manifests import (
    CONFIG,
    KSERVE,
    VOLUME,
    load_one,
    models,
    parse,
    pod_container,
    serving_runtime,
    starts,
)

RUNTIME_KEYS = {"annotations", "supportedModelFormats", "protocolVersions", "containers", "volumes"}
PREDICTOR_KEYS = {
    *("minReplicas", "maxReplicas", "scaleMetric", "scaleTarget", "terminationGracePeriodSeconds", "model"),
}
MODEL_KEYS = {"modelFormat", "runtime", "storageUri"}


def inference_service():
    return load_one(KSERVE / "inference-service.yaml", "InferenceService")


def predictor():
    return inference_service()["spec"]["predictor"]


def test_only_known_keys_are_used():
    assert set(serving_runtime()["spec"]) <= RUNTIME_KEYS
    assert set(predictor()) <= PREDICTOR_KEYS
    assert set(predictor()["model"]) <= MODEL_KEYS


def test_the_containers_and_volumes_of_the_runtime_make_a_valid_pod():
    spec = {key: serving_runtime()["spec"][key] for key in ("containers", "volumes")}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "runtime"}, "spec": spec}
    kubernetes_validate.validate(pod, kubernetes_validate.latest_version(), strict=True)


def test_kserve_finds_the_container_by_its_name():
    assert pod_container(serving_runtime()["spec"])["name"] == "kserve-container"


def test_the_service_names_our_runtime_and_a_format_that_it_serves():
    model = predictor()["model"]
    assert model["runtime"] == serving_runtime()["metadata"]["name"]
    [served] = serving_runtime()["spec"]["supportedModelFormats"]
    assert model["modelFormat"] == {"name": served["name"], "version": served["version"]}


def test_other_services_are_not_moved_to_our_runtime():
    assert [each["autoSelect"] for each in serving_runtime()["spec"]["supportedModelFormats"]] == [False]


def test_the_service_reads_the_model_folder_of_the_shared_claim():
    claim = load_one(VOLUME / "model-volume.yaml", "PersistentVolumeClaim")["metadata"]["name"]
    [model] = models(CONFIG / "models.config")
    assert predictor()["model"]["storageUri"] == f"pvc://{claim}/{model.name}"
    assert inference_service()["metadata"]["name"] == model.name


def test_the_server_takes_the_name_and_the_mount_of_kserve():
    flags = starts()["kserve"].flags
    assert (flags["model_name"], flags["model_base_path"]) == ("{{.Name}}", "/mnt/models")


def test_container_ports_are_those_of_the_flags_rest_first():
    flags = starts()["kserve"].flags
    ports = [(port["name"], port["containerPort"]) for port in pod_container(serving_runtime()["spec"])["ports"]]
    assert ports == [("rest", int(flags["rest_api_port"])), ("grpc", int(flags["port"]))]


def test_two_ports_need_the_mode_without_knative():
    assert inference_service()["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "RawDeployment"


@pytest.mark.parametrize("probe", ["startupProbe", "readinessProbe", "livenessProbe"])
def test_every_probe_asks_a_port_of_the_server(probe: str):
    container = pod_container(serving_runtime()["spec"])
    assert container[probe]["tcpSocket"]["port"] in {port["containerPort"] for port in container["ports"]}


def test_requests_have_time_to_end_after_the_endpoints_are_gone():
    [program, seconds] = pod_container(serving_runtime()["spec"])["lifecycle"]["preStop"]["exec"]["command"]
    assert program == "sleep"
    assert predictor()["terminationGracePeriodSeconds"] - int(seconds) >= 10


def test_prometheus_is_told_the_path_of_the_monitoring_config():
    annotations = serving_runtime()["spec"]["annotations"]
    path = parse(CONFIG / "monitoring.config", MonitoringConfig()).prometheus_config.path
    assert annotations["prometheus.kserve.io/path"] == path
    assert annotations["prometheus.kserve.io/port"] == starts()["kserve"].flags["rest_api_port"]
