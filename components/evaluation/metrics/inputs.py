"""What a metric sees of one example: the right answer and the model's outputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def label_text(element: Any, model_name: str) -> str:
    """The right answer of one example as text."""
    return to_text(_labels(element, model_name))


def label_texts(element: Any, model_name: str) -> list[str]:
    """The right answers of one example with many, as texts."""
    return to_texts(_labels(element, model_name))


def _labels(element: Any, model_name: str) -> Any:
    """What the element holds once for each model when two are compared."""
    labels = element.labels
    return labels[model_name] if isinstance(labels, Mapping) else labels


def model_outputs(element: Any, model_name: str) -> Mapping[str, np.ndarray]:
    """The outputs of one model for one example, by name, without the batch dimension."""
    predictions = element.predictions
    return predictions[model_name] if model_name else predictions


def to_text(value: Any) -> str:
    """The only string in `value`: TensorFlow gives bytes, in an array of any rank."""
    item = np.asarray(value, dtype=object).ravel()[0]
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)


def to_texts(values: Any) -> list[str]:
    """All strings in `values`, without the empty ones that pad it."""
    items = [item.decode("utf-8", "replace") for item in np.asarray(values, dtype=object).ravel()]
    return [item for item in items if item]
