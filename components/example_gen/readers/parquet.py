"""Parquet files."""

import io
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, BinaryIO, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.first_bytes import HEAD, content_of
from components.example_gen.partitions import partitions_of
from components.example_gen.records import BadRecord, InputFile, Record, checked, told
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import open_unpacked
from models.features import Feature

_MAGIC = b"PAR1"


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the rows of a Parquet file, counted from 1. What no column holds, its folder's name may (`label=pos/`)."""
    path = file.paths[0]
    columns = {feature.name: context.data.columns.get(feature.name, feature.name) for feature in context.features}
    with open_unpacked(path) as stream:
        try:
            table = pq.ParquetFile(_from_any_place(stream, path))
            given = _given(path, table.schema_arrow, columns)
            stored = {name: column for name, column in columns.items() if name not in given}
            _check_columns(path, table.schema_arrow, context.features, stored)
            row = 0
            for batch in table.iter_batches(columns=list(dict.fromkeys(stored.values()))):
                texts = {name: _texts(batch.column(column)) for name, column in stored.items()}
                for position in range(batch.num_rows):
                    row += 1
                    values = {name: given[name] if name in given else texts[name][position] for name in columns}
                    yield _record(values, path, row, context.may_be_empty)
        except DataError:
            raise
        except Exception as error:  # a damaged file brings out errors of many classes
            raise DataError(f"{path}: not a whole Parquet file ({told(error)}). Copy or write it again.") from error


def _from_any_place(stream: BinaryIO, path: str) -> BinaryIO:
    """Checks the first bytes; a stream that is unpacked without a way back comes into memory as a whole."""
    head = stream.read(HEAD)
    if not head.startswith(_MAGIC):
        if not head:
            raise DataError(f"{path}: the file is empty. Give a file with records, or take it out of the settings.")
        reason = content_of(head) or f'it begins with "{head[:4].decode("latin-1").encode("unicode_escape").decode()}"'
        raise DataError(f"{path}: not a whole Parquet file ({reason}). Copy or write it again.")
    try:
        stream.seek(0)
    except (OSError, io.UnsupportedOperation):
        return io.BytesIO(head + stream.read())
    return stream


def _given(path: str, schema: pa.Schema, columns: Mapping[str, str]) -> dict[str, str]:
    """The features that the names of the folders tell."""
    partitions = partitions_of(path)
    return {
        name: partitions[column]
        for name, column in columns.items()
        if column in partitions and column not in schema.names
    }


def _check_columns(path: str, schema: pa.Schema, features: Sequence[Feature], columns: Mapping[str, str]) -> None:
    for feature in features:
        if feature.name not in columns:
            continue
        column = columns[feature.name]
        if column not in schema.names:
            there = [*schema.names, *partitions_of(path)]
            raise DataError(
                f'{path}: no column "{column}" for feature "{feature.name}". Columns there: {quoted(there)}.'
                f"{did_you_mean(column, there)} Name it in the settings: "
                f"data.columns: {{{feature.name}: COLUMN}}."
            )
        if schema.names.count(column) > 1:
            raise DataError(f'{path}: it has more than one column "{column}". Rename one of them.')
        kind = schema.field(column).type
        if feature.facts.many:
            kind = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else pa.null()
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        numbers = feature.facts.numbers
        label = numbers and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
        if not (_holds_text(kind) or label):
            allowed = "strings, whole numbers or booleans" if numbers else "strings"
            instead = "string"
            if feature.facts.many:
                allowed, instead = f"lists of {allowed}", "list<string>"
            raise DataError(
                f'{path}: column "{column}" for feature "{feature.name}" must hold {allowed}. '
                f"Received: {schema.field(column).type}. Write the column as {instead}."
            )


def _holds_text(kind: pa.DataType) -> bool:
    """Strings, and bytes that writers have left without the mark of strings."""
    types = pa.types
    return any(
        is_kind(kind) for is_kind in (types.is_string, types.is_large_string, types.is_binary, types.is_large_binary)
    )


def _texts(column: pa.Array) -> list[Any]:
    """The values of each row: a text, None, or where the column holds lists a list of them."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        texts = _texts(column.flatten())
        ends = np.cumsum(pc.list_value_length(column).fill_null(0).to_numpy())
        return [texts[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not _holds_text(column.type):
        return [None if value is None else str(value).lower() for value in column.to_pylist()]
    # Viewed as bytes: Arrow does not check that strings are UTF-8, and one bad row must not hide its number.
    large = pa.types.is_large_string(column.type) or pa.types.is_large_binary(column.type)
    return cast("list[str | bytes | None]", column.view(pa.large_binary() if large else pa.binary()).to_pylist())


def _record(values: Mapping[str, Any], path: str, row: int, may_be_empty: Collection[str]) -> Record | BadRecord:
    texts: dict[str, str | list[str] | None] = {}
    for name, value in values.items():
        try:
            texts[name] = [_decoded(each) or "" for each in value] if isinstance(value, list) else _decoded(value)
        except UnicodeDecodeError as error:
            return BadRecord(path, row, f'"{name}" is not utf-8: byte at position {error.start + 1}')
    return checked(texts, path, row, may_be_empty)


def _decoded(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
