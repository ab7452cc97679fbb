"""The Compose file holds what it must. Nothing here knows the Compose schema, so this does not prove it valid."""

import re

from tests.deploy.manifests import CONFIG, DEPLOY, compose_service, load, models, starts

# The keys of the Compose specification that the file may use: a mistyped one is found.
SERVICE_KEYS = {
    *("image", "entrypoint", "command", "init", "ports", "volumes", "healthcheck", "restart", "user", "read_only"),
    *("tmpfs", "cap_drop", "security_opt", "cpus", "mem_limit"),
}


def test_only_known_keys_are_used():
    [document] = load(DEPLOY / "compose.yaml")
    assert set(document) == {"name", "services"}
    assert set(compose_service()) <= SERVICE_KEYS


def test_both_ports_are_published_to_this_machine_only():
    flags = starts()["compose"].flags
    assert compose_service()["ports"] == [
        f"127.0.0.1:{port}:{port}" for port in (flags["port"], flags["rest_api_port"])
    ]


def test_the_models_that_a_run_pushes_are_mounted_where_the_config_looks():
    mounts = starts()["compose"].mounts
    [source] = re.findall(r"\$\{SEQLINE_MODELS:-(.+)\}", mounts["/models"])
    assert (DEPLOY / source).resolve() == DEPLOY.parent / "outputs" / "serving"
    assert [model.base_path for model in models(CONFIG / "models.config")] == ["/models/dates"]


def test_the_config_folder_is_mounted():
    assert (DEPLOY / starts()["compose"].mounts["/etc/tensorflow-serving"]).resolve() == CONFIG


def test_every_volume_is_read_only_and_must_be_there():
    for volume in compose_service()["volumes"]:
        assert volume["type"] == "bind"
        assert volume["read_only"]
        assert volume["bind"] == {"create_host_path": False}


def test_health_asks_a_port_of_the_server():
    service = compose_service()
    assert service["healthcheck"]["test"][-1].endswith(f"/{starts()['compose'].flags['rest_api_port']}")


def test_an_init_process_passes_the_stop_signal_on():
    assert compose_service()["init"] is True


def test_the_container_has_as_many_processors_as_the_server_uses():
    assert compose_service()["cpus"] == int(starts()["compose"].flags["tensorflow_intra_op_parallelism"])
