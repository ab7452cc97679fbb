"""Requests to a generating signature."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from components.requests import InputSpec, features_of, form_inputs
from models.description import ModelDescription


def request(described: ModelDescription, specs: Mapping[str, InputSpec], rows: int, samples: int) -> dict[str, Any]:
    """Inputs of a signature for `rows` clips: labels in turn, a temperature of 1, each row its own seed and sound.

    Args:
        described: what the model says of itself.
        specs: inputs of the signature.
        rows: clips at once.
        samples: of each.

    Raises:
        ValueError: the signature takes something else too.
    """
    sound = np.random.default_rng(1).uniform(-0.5, 0.5, (rows, samples)).astype(np.float32)
    asked = [
        {
            "num_samples": samples,
            "temperature": 1.0,
            "seed": row,
            "audio": sound[row],
            **{name: values[row % len(values)] for name, values in described.categories.items() if values},
        }
        for row in range(rows)
    ]
    inputs = form_inputs(specs, asked, features_of(described))
    if inputs is None:
        raise ValueError(f"no request of {described.name} can be made; its signature takes {', '.join(specs)}")
    return inputs


def check_clips(audio: np.ndarray, rows: int, samples: int) -> None:
    """Makes sure that there is sound of the length asked for.

    Raises:
        ValueError: There is not.
    """
    if audio.shape != (rows, samples) or not audio.any(axis=1).all():
        raise ValueError(f"asked for {rows} clips of {samples} samples, received {audio.shape}, or silence")
