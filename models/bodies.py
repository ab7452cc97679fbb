"""The weights of what an architecture plays, apart from the heads of a task: other runs may begin from them."""

import pathlib
from collections.abc import Mapping

import keras

_SUFFIX = ".weights.h5"


def save_bodies(bodies: Mapping[str, keras.layers.Layer], folder: pathlib.Path) -> None:
    """Writes `<role>.weights.h5` for each role."""
    folder.mkdir(parents=True, exist_ok=True)
    for role, body in bodies.items():
        keras.saving.save_weights(body, folder / f"{role}{_SUFFIX}")


def load_bodies(bodies: Mapping[str, keras.layers.Layer], folder: pathlib.Path) -> list[str]:
    """Reads the weights of the roles that the folder has into built layers of the same sizes; returns those roles."""
    found = [role for role in bodies if (folder / f"{role}{_SUFFIX}").is_file()]
    for role in found:
        keras.saving.load_weights(bodies[role], folder / f"{role}{_SUFFIX}")
    return found
