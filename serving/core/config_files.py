"""TensorFlow Serving's configuration files, as settings of ours."""

from serving.core.batching_parameters import read_batching_parameters
from serving.core.config_messages import MonitoringConfig
from serving.core.status_names import status_name
from serving.core.text_form import read_text_proto
from serving.errors import ServerStartError, ServingError
from serving.settings import MonitoringSettings, ServingSettings


def with_files(settings: ServingSettings) -> ServingSettings:
    """The settings, with what the files of batching and monitoring that they name say.

    Raises:
        ServerStartError: A file cannot be used.
    """
    batching, monitoring = settings.batching, settings.monitoring
    try:
        if batching.parameters_file:
            batching = read_batching_parameters(batching.parameters_file, batching)
        if monitoring.config_file:
            monitoring = _read_monitoring(monitoring)
    except ServingError as error:
        raise start_error(error) from error
    return settings.model_copy(update={"batching": batching, "monitoring": monitoring})


def start_error(error: ServingError) -> ServerStartError:
    """What ends a start, in TensorFlow Serving's form, with the place in the file where there is one."""
    reason = f" ({error.__cause__})" if error.__cause__ else ""
    return ServerStartError(f"{status_name(error)}: {error}{reason}")


def _read_monitoring(settings: MonitoringSettings) -> MonitoringSettings:
    config = MonitoringConfig()
    read_text_proto(settings.config_file, config)
    prometheus = config.prometheus_config
    return settings.model_copy(update={"enabled": prometheus.enable, "path": prometheus.path or settings.path})
