"""The settings of the embedded server as flags and files of the original `tensorflow_model_server`."""

import os
import shutil
from pathlib import Path

from serving.settings import BatchingSettings, ServingSettings


def flags(
    name: str, base_path: str, settings: ServingSettings, folder: Path, folder_as_seen: str, ports: tuple[int, int]
) -> list[str]:
    """The flags of the original server that say the same as the settings.

    Args:
        name: Model name.
        base_path: Folder with one folder per version, as the server sees it.
        settings: Those of the embedded server.
        folder: Where configuration files are written.
        folder_as_seen: The same folder as the server sees it.
        ports: Of gRPC and REST.
    """
    texts = {"batching.config": batching_text(settings.batching) if settings.batching.enabled else ""}
    texts["monitoring.config"] = _monitoring_text(settings) if settings.monitoring.enabled else ""
    for file, text in texts.items():
        if text:
            (folder / file).write_text(text, encoding="utf-8")
    chosen: dict[str, object] = {
        "port": ports[0],
        "rest_api_port": ports[1] if settings.rest.enabled else 0,
        "rest_api_timeout_in_ms": int(1000 * settings.rest.timeout_seconds),
        "rest_api_enable_cors_support": settings.rest.cors,
        "model_name": name,
        "model_base_path": base_path,
        "file_system_poll_wait_seconds": max(1, round(settings.poll_seconds)) if settings.poll_seconds else 0,
        "enable_batching": settings.batching.enabled,
        "batching_parameters_file": texts["batching.config"] and f"{folder_as_seen}/batching.config",
        "monitoring_config_file": texts["monitoring.config"] and f"{folder_as_seen}/monitoring.config",
        "enable_model_warmup": settings.enable_model_warmup,
        "num_request_iterations_for_warmup": settings.num_warmup_iterations,
        "saved_model_tags": ",".join(settings.saved_model_tags),
        "tensorflow_intra_op_parallelism": settings.intra_op_threads,
        "tensorflow_inter_op_parallelism": settings.inter_op_threads,
        "per_process_gpu_memory_fraction": settings.gpu_memory_fraction,
        "grpc_max_threads": settings.max_threads,
        "grpc_channel_arguments": settings.grpc_channel_arguments,
        "enable_grpc_healthcheck_service": settings.grpc_health,
        "enable_signature_method_name_check": settings.check_method_names,
        "enable_serialization_as_tensor_content": settings.outputs_as_tensor_content,
        "xla_cpu_compilation_enabled": True,  # functions marked for XLA are compiled, as the embedded server does
    }
    chosen |= _copied_files(settings, folder, folder_as_seen)
    return [f"--{flag}={_text(value)}" for flag, value in chosen.items() if value != ""]


def batching_text(settings: BatchingSettings) -> str:
    """BatchingParameters, text form, that say the same as the settings."""
    wrapped = {
        "max_batch_size": settings.max_batch_size,
        "batch_timeout_micros": settings.batch_timeout_micros,
        "max_enqueued_batches": settings.max_enqueued_batches,
        "num_batch_threads": settings.num_batch_threads or os.cpu_count() or 1,
    }
    lines = [f"{name} {{ value: {value} }}" for name, value in wrapped.items()]
    if settings.enable_large_batch_splitting:
        lines.append("enable_large_batch_splitting { value: true }")
        lines.append(f"max_execution_batch_size {{ value: {settings.largest_run} }}")
    if settings.pad_variable_length_inputs:
        lines.append("pad_variable_length_inputs: true")
    lines += [f"allowed_batch_sizes: {size}" for size in settings.allowed_batch_sizes]
    return "\n".join(lines) + "\n"


def _monitoring_text(settings: ServingSettings) -> str:
    return f'prometheus_config {{ enable: true path: "{settings.monitoring.path}" }}\n'


def _copied_files(settings: ServingSettings, folder: Path, folder_as_seen: str) -> dict[str, str]:
    """Files that the settings name, copied to where the server sees them."""
    files = {
        "ssl_config_file": settings.security.ssl_config_file,
        "tensorflow_session_config_file": settings.session_config_file,
    }
    for flag, path in files.items():
        if path:
            shutil.copy(path, folder / flag)
    return {flag: f"{folder_as_seen}/{flag}" for flag, path in files.items() if path}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
