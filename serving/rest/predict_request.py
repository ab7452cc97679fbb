"""The JSON of a predict request: rows (`instances`) or columns (`inputs`) to one array per input of a signature."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from tensorflow.core.protobuf import meta_graph_pb2

from serving.core.status_names import status_name
from serving.errors import InvalidRequestError, ServingError
from serving.rest.json_echo import echo
from serving.rest.json_reader import read_signature_name, resolve_signature_name
from serving.rest.json_tensors import read_plain_tensor, read_tensor
from serving.rest.json_values import Json, is_base64, to_name


@dataclass(frozen=True)
class PredictCall:
    """What a predict request asks for.

    Attributes:
        signature_name: Signature to run.
        inputs: Input alias to array.
        is_row: Whether the inputs came as rows, and the answer has to go as rows.
    """

    signature_name: str
    inputs: dict[str, np.ndarray]
    is_row: bool


def read_predict(document: dict[str, Json], signatures: Mapping[str, meta_graph_pb2.SignatureDef]) -> PredictCall:
    """Reads a request.

    Args:
        document: Its body.
        signatures: Signatures of the model that it goes to.

    Raises:
        InvalidRequestError: It does not fit the signature that it names, or there is none of that name.
        NotSupportedError: JSON has no form for the dtype of an input.
    """
    given_name = read_signature_name(document)
    name = resolve_signature_name(given_name)
    if name not in signatures:
        raise InvalidRequestError(f'Serving signature name: "{name}" not found in signature def')
    dtypes = {alias: info.dtype for alias, info in sorted(signatures[name].inputs.items())}
    if not dtypes:
        raise InvalidRequestError(f"Failed to get input map for signature: {given_name or 'DEFAULT'}")
    is_row = "instances" in document
    return PredictCall(name, _read_rows(document, dtypes) if is_row else _read_columns(document, dtypes), is_row)


def _read_columns(document: dict[str, Json], dtypes: dict[str, int]) -> dict[str, np.ndarray]:
    if "inputs" not in document:
        raise InvalidRequestError("Missing 'inputs' or 'instances' key")
    inputs = document["inputs"]
    if not _is_named(inputs):
        if len(dtypes) > 1:
            raise InvalidRequestError(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
                "tensorinfo_map"
            )
        inputs = dict.fromkeys(dtypes, inputs)
    arrays = {}
    for alias, dtype in dtypes.items():
        if alias not in inputs:
            raise InvalidRequestError(f"Missing named input: {alias} in 'inputs' object.")
        arrays[alias] = read_tensor(inputs[alias], dtype)
    return arrays


def _read_rows(document: dict[str, Json], dtypes: dict[str, int]) -> dict[str, np.ndarray]:
    rows = document["instances"]
    _check_rows(document, rows)
    named = _is_named(rows[0])
    if len(dtypes) > 1 and not named:
        raise InvalidRequestError(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
            "tensorinfo_map"
        )
    arrays = _read_plain_rows(rows, dtypes, named)
    if arrays is not None:
        return arrays
    table = _Rows(dtypes)
    for index, row in enumerate(rows):
        (table.add_object if named else table.add_value)(index, row)
    return table.arrays()


def _check_rows(document: dict[str, Json], rows: Json) -> None:
    if "inputs" in document:
        complaint = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
    elif not isinstance(rows, list):
        complaint = "Expecting 'instances' to be an list/array"
    elif not rows:
        complaint = "No values in 'instances' array"
    else:
        return
    raise InvalidRequestError(f"JSON Value: {echo(document)} {complaint}")


def _is_named(value: Json) -> bool:
    """Whether a value is an object of input names, rather than one that means bytes."""
    return isinstance(value, dict) and not is_base64(value)


def _read_plain_rows(rows: list[Json], dtypes: dict[str, int], named: bool) -> dict[str, np.ndarray] | None:
    """Reads whole columns, which is fast; None where only a look at each row can tell what is wrong."""
    if named and not all(isinstance(row, dict) and row.keys() == dtypes.keys() for row in rows):
        return None
    arrays = {}
    for alias, dtype in dtypes.items():
        array = read_plain_tensor([row[alias] for row in rows] if named else rows, dtype)
        if array is None:
            return None
        arrays[alias] = array
    return arrays


class _Rows:
    """Rows that are read one by one, so that an error names its row."""

    def __init__(self, dtypes: dict[str, int]) -> None:
        self._dtypes = dtypes
        self._columns: dict[str, list[np.ndarray]] = {alias: [] for alias in dtypes}

    def add_object(self, index: int, row: Json) -> None:
        """Adds a row that names its values."""
        if not _is_named(row):
            raise InvalidRequestError(f"Expecting object but got list at item {index} of input list")
        for alias, value in row.items():
            self._add(f"{index} key: {to_name(alias)}", alias, value)
        if row.keys() != self._dtypes.keys():
            raise InvalidRequestError(
                f"Failed to process element: {index} of 'instances' list. JSON object: {echo(row)} keys must be equal "
                f"to: {','.join(self._dtypes)}"
            )

    def add_value(self, index: int, row: Json) -> None:
        """Adds a row that is the value of the only input."""
        if _is_named(row):
            raise InvalidRequestError(f"Expecting value/list but got object at item {index} of input list")
        self._add(str(index), next(iter(self._dtypes)), row)

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns."""
        return {alias: np.stack(parts) for alias, parts in self._columns.items()}

    def _add(self, where: str, alias: str, value: Json) -> None:
        try:
            if alias not in self._dtypes:
                raise InvalidRequestError(f"JSON object: does not have named input: {to_name(alias)}")
            array = read_tensor(value, self._dtypes[alias])
            _check_fit(array.shape, (self._columns[alias] or [array])[0].shape)
        except ServingError as error:
            raise InvalidRequestError(
                f"Failed to process element: {where} of 'instances' list. Error: {status_name(error)}: {error}"
            ) from error
        self._columns[alias].append(array)


def _check_fit(shape: tuple[int, ...], wanted: tuple[int, ...]) -> None:
    if math.prod(shape) != math.prod(wanted):
        raise InvalidRequestError(f"Expecting tensor size: {math.prod(wanted)} but got: {math.prod(shape)}")
    if shape != wanted:
        raise InvalidRequestError(f"Expecting shape {_brackets(wanted)} but got: {_brackets(shape)}")


def _brackets(shape: tuple[int, ...]) -> str:
    return f"[{','.join(map(str, shape))}]"
