"""The command line of `tensorflow_model_server`, as settings of ours.

One table lists every flag of TensorFlow Serving 2.20. A flag that this server does not support is refused when it is
set to something else than its default: a silently ignored `--use_alts_credentials` would be worse than no start.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from serving.errors import ServerStartError
from serving.settings import ServingSettings

Value = bool | int | float | str


@dataclass(frozen=True)
class Flag:
    """One command line flag.

    Attributes:
        name: Its name, without dashes.
        default: Value when not given; its type is the flag's type.
        help: What it does.
        setting: Dotted name of the ServingSettings field that takes the value; empty for what `CommandLine` holds
            itself.
        supported: False for flags of TensorFlow Serving that this server refuses; `help` says why.
    """

    name: str
    default: Value
    help: str
    setting: str = ""
    supported: bool = True


def _unsupported(name: str, default: Value, why: str) -> Flag:
    return Flag(name, default, why, supported=False)


FLAGS: tuple[Flag, ...] = (
    Flag("port", 8500, "TCP port of the gRPC API", "port"),
    Flag(
        "host", "127.0.0.1", "address to listen on; 0.0.0.0 for every interface (not a TensorFlow Serving flag)", "host"
    ),
    Flag("grpc_socket_path", "", "unix socket to listen on as well", "grpc_socket_path"),
    Flag("model_name", "default", "name of the model"),
    Flag("model_base_path", "", "folder with one folder per version"),
    Flag("model_config_file", "", "text file of ModelServerConfig: several models", "models.config_file"),
    Flag(
        "model_config_file_poll_wait_seconds",
        0,
        "seconds between two looks into model_config_file; 0: it is read once",
        "models.config_file_poll_seconds",
    ),
    Flag(
        "allow_version_labels_for_unavailable_models",
        False,
        "let a new version label name a version that is not available",
        "models.labels_for_unavailable_versions",
    ),
    Flag("file_system_poll_wait_seconds", 1, "seconds between two looks for new versions", "poll_seconds"),
    Flag("load_retry_interval_micros", 60_000_000, "microseconds between two tries of a version that fails to load"),
    Flag("max_num_load_retries", 5, "tries after the first; then the version is given up", "models.max_load_retries"),
    # Not flags of TensorFlow Serving. Each brings back what `seqline serve` does by default.
    Flag("retry_for_ever", False, "never give up a version, wait longer each time, and tell its error meanwhile"),
    Flag("ports_open_at_once", False, "do not wait for the models", "models.ports_open_at_once"),
    Flag("labels_after_load", False, "apply labels when the versions have loaded", "models.labels_after_load"),
    Flag(
        "skip_incomplete_versions",
        False,
        "leave a version folder without saved_model.pb alone",
        "models.skip_incomplete_versions",
    ),
    Flag("require_base_path", False, "do not start where model_base_path is not there", "models.require_base_path"),
    Flag("enable_batching", False, "merge requests, with TensorFlow Serving's refusals", "batching.enabled"),
    Flag("saved_model_tags", "serve", "tags of the graph to load, comma separated"),
    Flag("tensorflow_session_parallelism", 0, "threads inside an op and between ops; 0: TensorFlow chooses"),
    Flag("tensorflow_intra_op_parallelism", 0, "threads inside an op", "intra_op_threads"),
    Flag("tensorflow_inter_op_parallelism", 0, "threads between ops", "inter_op_threads"),
    Flag("enable_model_warmup", True, "run the warm-up requests of a new version first", "enable_model_warmup"),
    Flag("num_request_iterations_for_warmup", 0, "times that each warm-up request is run; 0 means 1"),
    Flag("grpc_max_threads", 64, "requests without batching that run at the same time", "max_threads"),
    Flag("enable_signature_method_name_check", False, "check method names of signatures", "check_method_names"),
    Flag("enable_serialization_as_tensor_content", False, "encode outputs as raw bytes", "outputs_as_tensor_content"),
    # Without a meaning here: this server has no such caches, passes or profiler to switch.
    Flag("flush_filesystem_caches", True, "accepted, without effect"),
    Flag("remove_unused_fields_from_bundle_metagraph", True, "accepted, without effect"),
    Flag("num_load_threads", 0, "accepted, without effect: each model has its own thread"),
    Flag("num_unload_threads", 0, "accepted, without effect: each model has its own thread"),
    Flag("enable_profiler", True, "accepted, without effect"),
    Flag("xla_cpu_compilation_enabled", False, "accepted, without effect: functions marked for XLA are compiled"),
    Flag("xla_gpu_compilation_enabled", False, "accepted, without effect: functions marked for XLA are compiled"),
    Flag("skip_initialize_tpu", False, "accepted, without effect: no TPU is used"),
    Flag("rest_api_port", 0, "TCP port of REST, metrics and health; 0: none of them", "rest.port"),
    Flag("rest_api_num_threads", 64, "large REST requests that are read at the same time", "rest.max_threads"),
    Flag("rest_api_timeout_in_ms", 30000, "longest run of the model for a REST request; 0 or less: no limit"),
    Flag("rest_api_enable_cors_support", False, "let web pages of other origins call REST", "rest.cors"),
    Flag("rest_tls", False, "encrypt REST too, with the keys of ssl_config_file", "rest.tls"),
    Flag("batching_parameters_file", "", "text file of BatchingParameters", "batching.parameters_file"),
    Flag(
        "enable_per_model_batching_parameters",
        False,
        "read batching_params.pbtxt from each version folder; models without it are not batched",
        "batching.per_model_parameters",
    ),
    Flag("tensorflow_session_config_file", "", "text file of ConfigProto", "session_config_file"),
    Flag("per_process_gpu_memory_fraction", 0.0, "share of a GPU's memory; 0: growing", "gpu_memory_fraction"),
    Flag("ssl_config_file", "", "text file of SSLConfig: encrypts the gRPC port", "security.ssl_config_file"),
    Flag("monitoring_config_file", "", "text file of MonitoringConfig: metrics on REST", "monitoring.config_file"),
    Flag("grpc_channel_arguments", "", "options of the gRPC server, name=value,...", "grpc_channel_arguments"),
    Flag("enable_grpc_healthcheck_service", False, "serve grpc.health.v1", "grpc_health"),
    # Not flags of TensorFlow Serving.
    Flag("token_file", "", "file of accepted bearer tokens, one per line", "security.token_file"),
    Flag("request_log_folder", "", "where a sample of the requests is kept", "request_log.folder"),
    Flag("request_log_sampling_rate", 0.01, "share of the requests that is kept", "request_log.sampling_rate"),
    Flag("max_concurrent_requests", 1024, "requests accepted at the same time on each port", "max_concurrent_requests"),
    Flag("max_stream_rows", 32, "texts written piece by piece at the same time, each version", "streaming.max_rows"),
    Flag("max_waiting_streams", 256, "texts that may wait for one of these places", "streaming.max_waiting"),
    Flag("max_message_bytes", 100 * 2**20, "largest gRPC request, unpacked, in bytes", "max_message_bytes"),
    Flag("max_body_bytes", 100 * 2**20, "largest REST request, unpacked, in bytes", "rest.max_body_bytes"),
    Flag("max_rows", 1_000_000, "most rows of a request", "max_rows"),
    Flag("max_string_bytes", 10_000_000, "longest string of a request, in bytes", "max_string_bytes"),
    Flag("max_repeated_values", 10_000, "most values that an input claims and does not bring", "max_repeated_values"),
    Flag("max_connections", 0, "connections to each port; 0: as the limit of open files allows", "max_connections"),
    Flag("message_seconds", 120.0, "time that a gRPC call may take to send its message", "message_seconds"),
    Flag("idle_seconds", 900.0, "time that a gRPC connection without calls stays open", "idle_seconds"),
    Flag("rest_api_idle_seconds", 60.0, "time that a REST client may stay silent", "rest.idle_seconds"),
    Flag("lame_duck_seconds", 3.0, "on SIGTERM: time in which health says no and requests pass", "lame_duck_seconds"),
    Flag("max_tensor_bytes", 2**29, "largest tensor that an input may unfold to, in bytes", "max_tensor_bytes"),
    Flag("request_timeout_seconds", 0.0, "longest run of the model for a gRPC request", "request_timeout_seconds"),
    Flag("grace_seconds", 10.0, "on SIGTERM: time for running requests to finish", "grace_seconds"),
    _unsupported("use_alts_credentials", False, "ALTS exists inside Google's cloud only; use --ssl_config_file"),
    _unsupported("prefer_tflite_model", False, "TFLite models are not served; export a SavedModel"),
    _unsupported("num_tflite_pools", 0, "TFLite models are not served"),
    _unsupported("num_tflite_interpreters_per_pool", 1, "TFLite models are not served"),
    _unsupported("platform_config_file", "", "TensorFlow is the only platform; use the flags of its parts"),
    _unsupported("mixed_precision", "", "set it in --tensorflow_session_config_file"),
    _unsupported("thread_pool_factory_config_file", "", "use --tensorflow_intra_op_parallelism and its sisters"),
    Flag("version", False, "print the version and exit"),
)


@dataclass(frozen=True)
class CommandLine:
    """A parsed command line.

    Attributes:
        values: Flag name to value, defaults included.
        unknown: Arguments that are no flag. TensorFlow Serving names the first and starts all the same.
    """

    values: dict[str, Value]
    unknown: list[str]

    def settings(self) -> ServingSettings:
        """The settings that the flags ask for.

        Raises:
            ServerStartError: A value is illegal.
        """
        fields: dict[str, Any] = {}
        for flag in FLAGS:
            if flag.setting:
                _put(fields, flag.setting, self.values[flag.name])
        # TensorFlow Serving's own limits, for those who switch batching on in its words.
        fields["batching"] |= {"strict": True, "max_batch_size": 1000, "max_enqueued_batches": 10}
        fields["saved_model_tags"] = tuple(str(self.values["saved_model_tags"]).split(","))
        fields["num_warmup_iterations"] = self.values["num_request_iterations_for_warmup"] or 1
        fields["load_retry_seconds"] = max(float(self.values["load_retry_interval_micros"]) / 1e6, 0.001)
        fields["max_load_retry_seconds"] = max(60.0, fields["load_retry_seconds"])
        if self.values["retry_for_ever"]:
            fields["models"]["max_load_retries"] = -1
            fields["load_retry_seconds"] = min(fields["load_retry_seconds"], 1.0)
        fields["grpc_tcp"] = self.values["port"] != 0
        # TensorFlow Serving has no metrics without a file that asks for them, and starts without REST if it must.
        fields["monitoring"]["enabled"] = False
        fields["rest"] |= {"enabled": self.values["rest_api_port"] != 0, "required": False}
        fields["rest"]["timeout_seconds"] = float(self.values["rest_api_timeout_in_ms"]) / 1000
        if both := self.values["tensorflow_session_parallelism"]:
            fields["intra_op_threads"] = fields["inter_op_threads"] = both
        try:
            return ServingSettings(**fields)
        except ValidationError as error:
            problems = (
                f"{'.'.join(map(str, item['loc']))}: {item['msg']}, got {item['input']}" for item in error.errors()
            )
            raise ServerStartError(f"illegal flag value: {'; '.join(problems)}") from error


def parse(arguments: Sequence[str]) -> CommandLine:
    """Reads arguments of the form `--name=value`; a bare `--name` switches a boolean on. The last of several wins.

    Raises:
        ServerStartError: A value does not fit its flag, the flag is not supported, or flags contradict each other.
    """
    known = {flag.name: flag for flag in FLAGS}
    values = {flag.name: flag.default for flag in FLAGS}
    unknown = []
    for argument in arguments:
        name, equals, text = argument.removeprefix("--").partition("=")
        flag = known.get(name) if argument.startswith("--") else None
        if flag is None or not (equals or isinstance(flag.default, bool)):
            unknown.append(argument)
            continue
        values[name] = _read(flag, text if equals else "true")
    for flag in FLAGS:
        if not flag.supported and values[flag.name] != flag.default:
            raise ServerStartError(f"--{flag.name} is not supported, leave it out: {flag.help}")
    _check_together(values)
    return CommandLine(values, unknown)


def _check_together(values: Mapping[str, Value]) -> None:
    if values["batching_parameters_file"] and not values["enable_batching"]:
        raise ServerStartError(
            "server_options.batching_parameters_file is set without setting server_options.enable_batching to true."
        )
    single = ("tensorflow_intra_op_parallelism", "tensorflow_inter_op_parallelism")
    if values["tensorflow_session_parallelism"] and all(values[name] for name in single):
        raise ServerStartError(
            "--tensorflow_session_parallelism sets both thread counts, and so do --tensorflow_intra_op_parallelism "
            "and --tensorflow_inter_op_parallelism; leave out the one or the others"
        )


def usage() -> str:
    """The list of flags."""
    lines = [f"  --{flag.name}={str(flag.default).lower()}\n      {flag.help}" for flag in FLAGS if flag.supported]
    return "\n".join(["usage: python -m serving [--flag=value ...]", *lines])


def _read(flag: Flag, text: str) -> Value:
    kind = type(flag.default)
    try:
        if kind is bool:
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        return kind(text)
    except (KeyError, ValueError) as error:
        what = {bool: "true or false", int: "a whole number", float: "a number"}[kind]
        raise ServerStartError(f"--{flag.name} takes {what}, got {text!r}") from error


def _put(fields: dict[str, Any], dotted: str, value: Value) -> None:
    *sections, name = dotted.split(".")
    for section in sections:
        fields = fields.setdefault(section, {})
    fields[name] = value
