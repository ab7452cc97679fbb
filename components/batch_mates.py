"""Whether the answer to a request depends on the requests beside it, asked of a SavedModel in this process."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

# Registers the TF Text operations that a model may hold.
import tensorflow_text  # noqa: F401

from components.requests import DEFAULT_SIGNATURE
from components.sameness import Tensors, find_difference, stack
from models.errors import SeqlineError


def check_batch_mates(model: Path, requests: Mapping[str, Sequence[Any]], signature: str = DEFAULT_SIGNATURE) -> None:
    """Asks a SavedModel every request alone and among others, in another order: the answers must agree.

    For notebooks and tests; a run leaves it to ServingValidator, which asks the server so.

    Args:
        model: folder of the SavedModel.
        requests: input name to one value for each request.
        signature: which one to ask.

    Raises:
        SeqlineError: naming a request whose answer depends on its batch-mates.
    """
    predict = tf.saved_model.load(str(model)).signatures[signature]
    count = len(next(iter(requests.values())))
    backwards = _ask(predict, {name: values[::-1] for name, values in requests.items()})
    together = {name: values[::-1] for name, values in backwards.items()}
    alone = [_ask(predict, {name: [values[row]] for name, values in requests.items()}) for row in range(count)]
    difference = find_difference(stack(alone), together, "alone", f"in a batch of {count}")
    if difference:
        asked = {} if difference.row is None else {name: values[difference.row] for name, values in requests.items()}
        raise SeqlineError(
            "The answer to a request must not depend on those beside it. "
            f"Received{' for ' if asked else ''}{_shown(asked)}: {difference.text}. "
            "A layer of this architecture ignores its padding mask."
        )


def _ask(predict: Any, requests: Mapping[str, Sequence[Any]]) -> Tensors:
    specs = predict.structured_input_signature[1]
    inputs = {name: tf.constant(values, specs[name].dtype) for name, values in requests.items()}
    return {key: value.numpy() for key, value in predict(**inputs).items()}


def _shown(request: Mapping[str, Any]) -> str:
    values = {name: value.decode() if isinstance(value, bytes) else value for name, value in request.items()}
    return ", ".join(f'{name} "{value}"' for name, value in values.items())
