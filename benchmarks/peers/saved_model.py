"""The SavedModel as TensorFlow's own documentation loads it; what both peers host."""

import os

import tensorflow as tf
import tensorflow_text  # noqa: F401  # registers the TF Text ops


class SavedModel:
    """A signature with one input of texts."""

    def __init__(self, folder: str, signature: str) -> None:
        self._model = tf.saved_model.load(folder)  # keeps the variables alive
        self._run = self._model.signatures[signature]
        (self.alias,) = self._run.structured_input_signature[1]

    def __call__(self, texts: list[str]) -> dict:
        """Output name to array, a row for each text."""
        outputs = self._run(**{self.alias: tf.constant(texts)})
        return {name: tensor.numpy() for name, tensor in outputs.items()}


def hosted() -> SavedModel:
    """The model that the environment names."""
    return SavedModel(os.environ["PEER_MODEL"], os.environ["PEER_SIGNATURE"])
