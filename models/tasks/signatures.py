"""The signatures of an exported model.

B: batch.
"""

import abc
from typing import Any

import keras
import tensorflow as tf

from models.description import PaddedAxis, Streaming
from models.request_settings import RequestSetting
from models.run_settings import RunSettings
from models.tokenizers.vocabularies import Vocabularies

# Signature name to its function and the specification of its inputs, in the order of its arguments.
Endpoints = dict[str, tuple[Any, list[tf.TensorSpec]]]


class Signatures(tf.Module, abc.ABC):
    """What clients and the evaluator ask.

    Args:
        model: trained.
        vocabularies: of the task's features.
        settings: of the run.
        request_settings: what a client may decide for each request.
    """

    def __init__(
        self,
        model: keras.Model,
        vocabularies: Vocabularies,
        settings: RunSettings,
        request_settings: tuple[RequestSetting, ...] = (),
    ):
        super().__init__(name="signatures")
        self.model = model
        self.vocabularies = vocabularies
        self.settings = settings
        self.request_settings = request_settings

    @abc.abstractmethod
    def endpoints(self) -> Endpoints:
        """All signatures, `serving_default` and `examples` among them."""

    @abc.abstractmethod
    def examples(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized raw tf.Example string (B,) to what the evaluator scores."""

    def padded_axes(self) -> dict[str, list[PaddedAxis]]:
        """Signature to the axes of its outputs that are as long as the longest row of the batch."""
        return {}

    def streaming(self) -> Streaming | None:
        """The signatures that give an answer piece by piece; None where there are none."""
        return None

    def told_by_setting(self, name: str, *outputs: str) -> PaddedAxis:
        """Axis 1 of these outputs, as long as the largest setting `name` of the requests, moved into its limits."""
        setting = next(setting for setting in self.request_settings if setting.name == name)
        least, most = int(setting.least), int(setting.most)
        return PaddedAxis(outputs=dict.fromkeys(outputs, 1), told_by=name, least=least, most=most)

    def request_specs(self) -> list[tf.TensorSpec]:
        """Inputs of the settings of a request, each (B,)."""
        return [spec(setting.name, tf.as_dtype(setting.dtype)) for setting in self.request_settings]

    def within_limits(self, *values: tf.Tensor) -> list[tf.Tensor]:
        """Moves settings of requests, each (B,), in the order of the list, to the nearest limit."""
        return [_moved(value, setting) for setting, value in zip(self.request_settings, values, strict=True)]

    def defaults(self, rows: tf.Tensor) -> list[tf.Tensor]:
        """The settings of requests that say nothing, each (B,): int32 scalar B to the values, in order."""
        return [
            tf.fill([rows], tf.constant(setting.default_in(self.settings), setting.dtype))
            for setting in self.request_settings
        ]


def _moved(value: tf.Tensor, setting: RequestSetting) -> tf.Tensor:
    if setting.is_text:
        return tf.strings.substr(value, 0, int(setting.most))
    return tf.clip_by_value(value, tf.cast(setting.least, value.dtype), tf.cast(setting.most, value.dtype))


def spec(name: str, dtype: tf.DType = tf.string) -> tf.TensorSpec:
    """One value for each row."""
    return tf.TensorSpec([None], dtype, name=name)
