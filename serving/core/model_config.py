"""TensorFlow Serving's ModelServerConfig: which models a server serves."""

from collections.abc import Collection, Sequence
from pathlib import Path

from tensorflow_serving.config import model_server_config_pb2

from serving.core.text_form import read_text_proto
from serving.core.version_records import ModelConfig
from serving.core.versions import Everything, Latest, Specific, VersionPolicy
from serving.errors import FailedPreconditionError, InvalidRequestError


def read_config_file(path: str) -> list[ModelConfig]:
    """Reads the models of a configuration file; none where it names none.

    Raises:
        ServingError: The file is no such configuration, or names models that cannot be.
    """
    config = model_server_config_pb2.ModelServerConfig()
    read_text_proto(path, config)
    return [] if config.WhichOneof("config") is None else model_configs(config)


def model_configs(config: model_server_config_pb2.ModelServerConfig, served: Collection[str] = ()) -> list[ModelConfig]:
    """Checks and reads a configuration.

    Args:
        config: As sent, or as read from a file.
        served: Names of the models in force, all of platform tensorflow.

    Raises:
        InvalidRequestError: It is no list of models, or one of them cannot be.
    """
    if config.WhichOneof("config") != "model_config_list":
        raise InvalidRequestError(
            "ServerModelConfig type not supported by HandleReloadConfigRequest. "
            "Only ModelConfigList is currently supported"
        )
    models: Sequence[model_server_config_pb2.ModelConfig] = config.model_config_list.config
    _check_names(models, served)
    for model in models:
        _check_platform(model)
    return [
        ModelConfig(model.name, Path(model.base_path), _policy(model), dict(model.version_labels)) for model in models
    ]


def check_labels(config: ModelConfig, old: dict[str, int], available: set[int], allow_unavailable: bool) -> None:
    """Refuses a label of a version that is not available.

    Args:
        config: New configuration of a model.
        old: Labels in force.
        available: Versions that answer requests.
        allow_unavailable: Let a label that is new, or stays where it is, name any version.

    Raises:
        FailedPreconditionError: A label cannot be given.
    """
    for label, number in config.labels.items():
        tolerated = allow_unavailable and old.get(label, number) == number
        if number not in available and not tolerated:
            raise FailedPreconditionError(
                f"Request to assign label to version {number} of model {config.name}, "
                "which is not currently available for inference"
            )


def _check_names(models: Sequence[model_server_config_pb2.ModelConfig], served: Collection[str]) -> None:
    seen: set[str] = set()
    for model in models:
        if model.name in seen:
            raise InvalidRequestError(f"Illegal to list model {model.name} multiple times in config list")
        seen.add(model.name)
        if not Path(model.base_path).is_absolute() and "://" not in model.base_path:
            raise InvalidRequestError(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
        if model.name in served and model.model_platform not in ("tensorflow", ""):
            raise InvalidRequestError(
                f"Illegal to change a model's platform. For model {model.name} platform was tensorflow "
                f"and new platform requested is {model.model_platform}"
            )


def _check_platform(model: model_server_config_pb2.ModelConfig) -> None:
    both = "ModelServerConfig::model_type (deprecated)", "ModelServerConfig::model_platform"
    if model.model_type and model.model_platform:
        raise InvalidRequestError(f"Illegal setting both {both[0]} and {both[1]}, model name is {model.name}")
    if not model.model_type and not model.model_platform:
        raise InvalidRequestError(f"Illegal setting neither {both[0]} nor {both[1]}, model name is {model.name}")
    tensorflow = model_server_config_pb2.ModelType.TENSORFLOW
    platform = model.model_platform or ("tensorflow" if model.model_type == tensorflow else str(model.model_type))
    if platform != "tensorflow":
        raise InvalidRequestError(f"Model {model.name} requests unsupported platform {platform}")


def _policy(model: model_server_config_pb2.ModelConfig) -> VersionPolicy:
    policy = model.model_version_policy
    kind = policy.WhichOneof("policy_choice")
    if kind == "all":
        return Everything()
    if kind == "specific":
        return Specific(frozenset(policy.specific.versions))
    return Latest(policy.latest.num_versions or 1)
