"""The input of Classify, Regress and MultiInference: examples, as the bytes that a graph parses."""

import numpy as np
from tensorflow_serving.apis import input_pb2

from serving.errors import InvalidRequestError


def serialize_examples(request_input: input_pb2.Input) -> np.ndarray:
    """Serializes the examples of a request.

    A context, shared by all examples, stands before each of them: a feature of both is then read from the example.

    Returns:
        Object array of bytes, one serialized tf.Example per element.

    Raises:
        InvalidRequestError: There are no examples.
    """
    kind = request_input.WhichOneof("kind")
    examples = getattr(request_input, kind).examples if kind else ()
    if not examples:
        raise InvalidRequestError("Input is empty.")
    context = b""
    if kind == "example_list_with_context":
        context = request_input.example_list_with_context.context.SerializeToString()
    serialized = np.empty(len(examples), dtype=object)
    serialized[:] = [context + example.SerializeToString() for example in examples]
    return serialized
