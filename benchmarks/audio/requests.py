"""Requests to a generating signature."""

import json
from pathlib import Path
from typing import Any

import numpy as np


def read_description(version: Path) -> dict[str, Any]:
    """What the pipeline wrote about a model: `settings`, `categories` and more."""
    return json.loads((version / "assets.extra" / "seqline.json").read_text(encoding="utf-8"))


def request(described: dict[str, Any], rows: int, samples: int) -> dict[str, np.ndarray]:
    """Inputs of `serving_default` for `rows` clips: labels in turn, a temperature of 1, each row its own seed."""
    model = described["settings"]["model"]
    inputs = {
        "num_samples": np.full(rows, samples, np.int32),
        "temperature": np.ones(rows, np.float32),
        "seed": np.arange(rows, dtype=np.int32),
    }
    for name in model["condition_on"]:
        values = described["categories"][name]
        inputs[name] = np.array([values[row % len(values)].encode() for row in range(rows)], dtype=object)
    if model["local_features"] != "none":
        inputs["audio"] = np.random.default_rng(1).uniform(-0.5, 0.5, (rows, samples)).astype(np.float32)
    return inputs


def check_clips(audio: np.ndarray, rows: int, samples: int) -> None:
    """Makes sure that there is sound of the length asked for.

    Raises:
        ValueError: There is not.
    """
    if audio.shape != (rows, samples) or not audio.any(axis=1).all():
        raise ValueError(f"asked for {rows} clips of {samples} samples, received {audio.shape}, or silence")
