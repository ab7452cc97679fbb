"""What a metric sees of one example: the right answer and the model's outputs."""

from collections.abc import Mapping
from typing import Any

import numpy as np


def label_text(element: Any, model_name: str) -> str:
    """The right answer of one example as text; the element holds it once per model when two are compared."""
    labels = element.labels
    if isinstance(labels, Mapping):
        labels = labels[model_name]
    return to_text(labels)


def model_outputs(element: Any, model_name: str) -> Mapping[str, np.ndarray]:
    """The outputs of one model for one example, by name, without the batch dimension."""
    predictions = element.predictions
    return predictions[model_name] if model_name else predictions


def to_text(value: Any) -> str:
    """The only string in `value`: TensorFlow gives bytes, in an array of any rank."""
    item = np.asarray(value, dtype=object).ravel()[0]
    return item.decode("utf-8", "replace") if isinstance(item, bytes) else str(item)
