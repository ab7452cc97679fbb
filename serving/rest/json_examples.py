"""The JSON of classify and regress: examples in, classes or values out."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tensorflow.core.example import example_pb2, feature_pb2
from tensorflow_serving.apis import input_pb2

from serving.errors import InvalidRequestError
from serving.rest.json_echo import echo
from serving.rest.json_reader import read_signature_name, resolve_signature_name
from serving.rest.json_values import Json, all_members, is_base64, read_base64, to_bytes, to_name, type_name
from serving.rest.json_writer import quote, write_document, write_elements, write_rows

# Field of a Feature, by the name that an error gives its kind.
_FIELDS = {"bytes": "bytes_list", "float": "float_list", "int64": "int64_list"}


def read_examples(document: dict[str, Json]) -> tuple[str, input_pb2.Input]:
    """Reads a request.

    Returns:
        Signature to run, and the examples.

    Raises:
        InvalidRequestError: The examples are missing or cannot be examples.
    """
    name = resolve_signature_name(read_signature_name(document))
    request_input = input_pb2.Input()
    examples = request_input.example_list.examples
    if "context" in document:
        with_context = request_input.example_list_with_context
        _fill_example(with_context.context, document["context"])
        examples = with_context.examples
    for example in _list_of_examples(document):
        _fill_example(examples.add(), example)
    return name, request_input


def write_classes(rows: Sequence[Sequence[tuple[str, float]]]) -> bytes:
    """Writes the answer of classify.

    Args:
        rows: For each example, its classes: label and score.
    """
    scores = iter(_write_floats(score for classes in rows for _, score in classes))
    lists = [", ".join(f"[{quote(label.encode())}, {next(scores)}]" for label, _ in classes) for classes in rows]
    return write_document("results", write_rows([f"[{classes}]" for classes in lists]))


def write_values(values: Sequence[float]) -> bytes:
    """Writes the answer of regress: a value for each example."""
    return write_document("results", f"[{', '.join(_write_floats(values))}]")


def _write_floats(values: Iterable[float]) -> list[str]:
    return write_elements(np.fromiter(values, np.float32), 0)


def _list_of_examples(document: dict[str, Json]) -> list[Json]:
    examples = document.get("examples")
    if "examples" not in document:
        # Said of regress as well: clients know these words.
        complaint = "When method is classify, key 'examples' is expected and was not found"
    elif not isinstance(examples, list):
        complaint = "Expecting 'examples' value to be an list/array"
    elif not examples:
        complaint = "'examples' value is an empty array"
    else:
        return examples
    raise InvalidRequestError(f"JSON Value: {echo(document)} {complaint}")


def _fill_example(example: example_pb2.Example, value: Json) -> None:
    if not isinstance(value, dict):
        raise InvalidRequestError(f"Example must be JSON object but got JSON {type_name(value)}")
    example.SetInParent()
    for key, content in all_members(value):
        name = to_name(key)
        # The last feature of a name counts, but those before it have to be right too.
        example.features.feature[name].Clear()
        _fill_feature(example.features.feature[name], name, content if isinstance(content, list) else [content])


def _fill_feature(feature: feature_pb2.Feature, name: str, values: list[Json]) -> None:
    kind, elements = "", []
    for value in values:
        value_kind = _kind(name, value)
        if kind and value_kind != kind:
            raise InvalidRequestError(f"Unexpected element type in feature: {name} expecting type: {kind}")
        kind = value_kind
        elements.append(_read_element(name, value))
    if kind:
        getattr(feature, _FIELDS[kind]).value.extend(elements)


def _kind(name: str, value: Json) -> str:
    if isinstance(value, str) or is_base64(value):
        return "bytes"
    if isinstance(value, float):
        return "float"
    if isinstance(value, int):  # True and False as well
        return "int64"
    raise InvalidRequestError(f"Feature: {name} has element with unexpected JSON type: {type_name(value)}")


def _read_element(name: str, value: Json) -> Any:
    if isinstance(value, dict):
        return read_base64(value)
    if isinstance(value, str):
        return to_bytes(value)
    if isinstance(value, int) and value >= 2**63:
        raise InvalidRequestError(f"Feature: {name} has uint64_t element. Only int64_t is supported.")
    return int(value) if isinstance(value, bool) else value
