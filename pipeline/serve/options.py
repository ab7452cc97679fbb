"""What a person may say of a request besides what is asked: `--with KEY=VALUE`, or `--KEY VALUE`."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from models.features import Feature
from models.registry import TASKS
from models.request_settings import RequestSetting, look_up
from pipeline.config.config import Config
from pipeline.errors import ConfigError


def parse_options(options: Iterable[str]) -> dict[str, str]:
    """KEY=VALUE each, to key and value; the last one wins.

    Raises:
        ConfigError: one reads otherwise.
    """
    given = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not key or not equals:
            raise ConfigError(f"--with must read KEY=VALUE, for example --with seed=1. Received: {option}")
        given[key.replace("-", "_")] = value
    return given


def read_options(config: Config, given: Mapping[str, str]) -> dict[str, Any]:
    """The values of inputs that options give.

    Args:
        config: of the model.
        given: setting of the request, or feature, to what was typed.

    Returns:
        Input name to a number or a text.

    Raises:
        ConfigError: the task has no such option, its value is no number, or it is out of bounds.
    """
    task = TASKS[config.task]
    settings = {setting.spoken or setting.name: setting for setting in task.request_settings}
    settings |= {setting.name: setting for setting in task.request_settings}
    texts = {feature.name for feature in task.features if _is_text(feature)} | {word.name for word in task.word_inputs}
    values: dict[str, Any] = {}
    for name, text in given.items():
        if name in settings:
            values[settings[name].name] = _value(name, text, settings[name], config)
        elif name in texts:
            values[name] = text
        else:
            known = ", ".join(f"--{known}" for known in option_names(config.task))
            raise ConfigError(f"predict has no option --{name}. A model of {config.task} may take: {known or 'none'}")
    return values


def option_names(task: str) -> list[str]:
    """What may be said of a request to a model of a task."""
    settings = [setting.spoken or setting.name for setting in TASKS[task].request_settings]
    words = [word.name for word in TASKS[task].word_inputs]
    return [feature.name for feature in TASKS[task].features if _is_text(feature)] + words + settings


def options_help() -> str:
    """The options of every task that has settings of a request, for people: a paragraph for each."""
    paragraphs = []
    for name, task in TASKS.items():
        steering = [f"--{feature.name}" for feature in task.features if _is_text(feature) and feature.optional]
        steering += [f"--{word.name}" for word in task.word_inputs]
        settings = [f"--{setting.spoken or setting.name} ({_meaning(setting)})" for setting in task.request_settings]
        if settings:
            paragraphs.append(f"{name}: {', '.join(steering + settings)}")
    return "\n\n".join(paragraphs)


def _meaning(setting: RequestSetting) -> str:
    meaning = setting.meaning.rstrip(".")
    return f"or --{setting.name}: {meaning}" if setting.spoken else meaning


def _is_text(feature: Feature) -> bool:
    return feature.facts.stored == "bytes" and not feature.facts.many and not feature.facts.noted


def _value(name: str, text: str, setting: RequestSetting, config: Config) -> float | str:
    if not setting.is_text:
        return _number(name, text, setting, config)
    if len(text.encode()) > setting.most:
        raise ConfigError(f"--{name} must have at most {_plain(setting.most)} bytes. Received: {text}")
    return text


def _number(name: str, text: str, setting: RequestSetting, config: Config) -> float:
    unit = look_up(config, setting.spoken_unit) if name == setting.spoken else 1
    is_whole = setting.dtype == "int32"
    try:
        value = int(text) if is_whole and unit == 1 else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ConfigError(f"--{name} must be a {'whole ' if is_whole and unit == 1 else ''}number. Received: {text}")
    scaled = round(value * unit) if is_whole else value * unit
    if not setting.least <= scaled <= setting.most:
        bounds = f"{_plain(setting.least / unit)} to {_plain(setting.most / unit)}"
        raise ConfigError(f"--{name} must be from {bounds}. Received: {text}")
    return scaled


def _plain(number: float) -> str:
    return str(int(number)) if number == int(number) else f"{number:g}"
