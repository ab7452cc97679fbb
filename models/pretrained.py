"""An encoder that another run has trained, as the beginning of a model: its weights and the vectors of its pieces."""

import pathlib

import keras
import numpy as np

from models.bodies import load_bodies
from models.errors import SeqlineError
from models.left_files import BODIES_FOLDER, TOKEN_VECTORS
from models.tasks.code import TaskCode


def begin_from(folder: pathlib.Path, model: keras.Model, task: TaskCode) -> None:
    """Gives a built model the encoder and the vectors of pieces that another run has left.

    Args:
        folder: artifact `model_run` of that run.
        model: of the same sizes and the same vocabulary.
        task: of the model.

    Raises:
        SeqlineError: the sizes differ, or something is missing.
    """
    [embedding] = task.token_embeddings(model).values()
    try:
        load_bodies({"encoder": task.bodies(model)["encoder"]}, folder / BODIES_FOLDER)
        embedding.embedding.embeddings.assign(np.load(folder / TOKEN_VECTORS))
    except (ValueError, OSError) as error:
        raise SeqlineError(
            f"training.init_from must name an encoder of the same sizes and vocabulary. Received: {folder}, which does "
            f"not fit ({str(error).splitlines()[0]}). Set model and tokenizer to what they are there."
        ) from error


def freeze(what: str, model: keras.Model, task: TaskCode) -> None:
    """Keeps parts of a built model as they are; `what` is the setting `training.freeze`."""
    if what != "none":
        for embedding in task.token_embeddings(model).values():
            embedding.trainable = False
    if what == "encoder":
        task.bodies(model)["encoder"].trainable = False
