"""The command lines: every flag is one of TensorFlow Serving 2.20 and of the right type, every file is there."""

import posixpath

import pytest

from serving.flags import FLAGS
from tests.deploy.manifests import CONFIG, KSERVE, OBJECT_STORE, load, starts

# Flags of TensorFlow Serving 2.20 by the type of their value. `serving.flags.FLAGS` also holds some of our own, which
# the stock server would not know.
STOCK_FLAGS: dict[type, str] = {
    bool: """
        allow_version_labels_for_unavailable_models enable_batching enable_grpc_healthcheck_service
        enable_model_warmup enable_per_model_batching_parameters enable_profiler
        enable_serialization_as_tensor_content enable_signature_method_name_check flush_filesystem_caches
        prefer_tflite_model remove_unused_fields_from_bundle_metagraph rest_api_enable_cors_support
        skip_initialize_tpu use_alts_credentials version xla_cpu_compilation_enabled xla_gpu_compilation_enabled
    """,
    int: """
        file_system_poll_wait_seconds grpc_max_threads load_retry_interval_micros max_num_load_retries
        model_config_file_poll_wait_seconds num_load_threads num_request_iterations_for_warmup
        num_tflite_interpreters_per_pool num_tflite_pools num_unload_threads port rest_api_num_threads rest_api_port
        rest_api_timeout_in_ms tensorflow_inter_op_parallelism tensorflow_intra_op_parallelism
        tensorflow_session_parallelism
    """,
    float: "per_process_gpu_memory_fraction",
    str: """
        batching_parameters_file grpc_channel_arguments grpc_socket_path mixed_precision model_base_path
        model_config_file model_name monitoring_config_file platform_config_file saved_model_tags ssl_config_file
        tensorflow_session_config_file thread_pool_factory_config_file
    """,
}
TYPES = {name: kind for kind, names in STOCK_FLAGS.items() for name in names.split()}
POLLING = "model_config_file_poll_wait_seconds"


def command_lines() -> dict[str, list[str]]:
    """Arguments by file, with those that a kustomization adds."""
    lines = {where: start.arguments for where, start in starts().items()}
    [kustomization] = load(OBJECT_STORE / "kustomization.yaml")
    patches = [patch["patch"] for patch in kustomization["patches"] if "patch" in patch]
    lines["object-store"] = [word for patch in patches for word in patch.split() if word.startswith("--")]
    return lines


def check(argument: str) -> str:
    """What is wrong with an argument; empty when nothing is."""
    name, equals, value = argument.removeprefix("--").partition("=")
    if not argument.startswith("--") or not equals:
        return f"{argument}: not of the form --name=value, the only one the server reads"
    if name not in TYPES:
        return f"--{name}: no flag of TensorFlow Serving 2.20"
    try:
        fits = value in ("true", "false") if TYPES[name] is bool else TYPES[name](value) is not None
    except ValueError:
        fits = False
    return "" if fits else f"{argument}: needs {TYPES[name].__name__}"


def test_the_list_of_flags_agrees_with_that_of_the_embedded_server():
    ours = {flag.name: type(flag.default) for flag in FLAGS}
    assert {name: ours.get(name) for name in TYPES} == TYPES


@pytest.mark.parametrize("where", command_lines())
def test_every_argument_is_a_flag_of_the_stock_server(where: str):
    assert command_lines()[where]
    assert [check(argument) for argument in command_lines()[where] if check(argument)] == []


@pytest.mark.parametrize(
    ("argument", "problem"),
    [
        ("--host=0.0.0.0", "--host: no flag of TensorFlow Serving 2.20"),
        ("--rest_port=8501", "--rest_port: no flag of TensorFlow Serving 2.20"),
        ("--port", "--port: not of the form --name=value, the only one the server reads"),
        ("--port=http", "--port=http: needs int"),
        ("--enable_batching=yes", "--enable_batching=yes: needs bool"),
    ],
)
def test_a_wrong_argument_is_found(argument: str, problem: str):
    assert check(argument) == problem


@pytest.mark.parametrize("where", starts())
def test_no_flag_stands_twice(where: str):
    assert len(starts()[where].flags) == len(starts()[where].arguments)


@pytest.mark.parametrize("where", starts())
def test_every_file_that_a_flag_names_is_mounted(where: str):
    start = starts()[where]
    files = {value for name, value in start.flags.items() if name.endswith("_file")}
    assert files
    for file in files:
        assert posixpath.dirname(file) in start.mounts
        assert (CONFIG / posixpath.basename(file)).is_file()


@pytest.mark.parametrize("where", starts())
def test_flags_that_need_another_have_it(where: str):
    flags = starts()[where].flags
    assert "model_config_file" in flags or {"model_name", "model_base_path"} <= set(flags)
    assert flags["enable_batching"] == "true"  # or the server refuses batching_parameters_file
    assert int(flags["rest_api_port"]) > 0  # metrics live there
    assert flags["port"] != flags["rest_api_port"]


@pytest.mark.parametrize("where", starts())
def test_functions_compiled_by_xla_stay_compiled(where: str):
    assert starts()[where].flags["xla_cpu_compilation_enabled"] == "true"


@pytest.mark.parametrize("where", starts())
def test_the_profiler_is_closed(where: str):
    assert starts()[where].flags["enable_profiler"] == "false"


def test_the_server_is_the_same_in_compose_and_kubernetes():
    flags = {where: start.flags for where, start in starts().items()}
    assert int(flags["compose"].pop(POLLING)) > 0
    assert flags["compose"] == flags["kubernetes"]


@pytest.mark.parametrize("where", starts())
def test_image_and_binary_are_the_stock_ones_of_the_pinned_version(where: str):
    start = starts()[where]
    assert start.image == "tensorflow/serving:2.20.0"
    assert start.command == ["/usr/bin/tensorflow_model_server"]


def test_the_kserve_folder_starts_no_other_server():
    assert [path.name for path in KSERVE.glob("*.yaml") if "image:" in path.read_text()] == ["serving-runtime.yaml"]
