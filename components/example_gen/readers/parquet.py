"""Parquet files."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.errors import DataError
from components.example_gen.context import ReadContext
from components.example_gen.records import BadRecord, InputFile, Record, checked
from components.example_gen.suggestions import did_you_mean, quoted
from components.example_gen.text_files import open_unpacked
from models.features import Feature


def read(file: InputFile, context: ReadContext) -> Iterator[Record | BadRecord]:
    """Yields the rows of a Parquet file, counted from 1. A null is an empty value."""
    path = file.paths[0]
    columns = {feature.name: context.data.columns.get(feature.name, feature.name) for feature in context.features}
    with open_unpacked(path) as stream:
        try:
            table = pq.ParquetFile(stream)
            _check_columns(path, table.schema_arrow, context.features, columns)
            row = 0
            for batch in table.iter_batches(columns=list(columns.values())):
                texts = {name: _texts(batch.column(column)) for name, column in columns.items()}
                for values in zip(*texts.values(), strict=True):
                    row += 1
                    yield _record(dict(zip(texts, values, strict=True)), path, row)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: not a whole Parquet file ({error}). Copy or write it again.") from error


def _check_columns(path: str, schema: pa.Schema, features: Sequence[Feature], columns: dict[str, str]) -> None:
    for feature in features:
        column = columns[feature.name]
        if column not in schema.names:
            raise DataError(
                f'{path}: no column "{column}" for feature "{feature.name}". Columns there: {quoted(schema.names)}.'
                f"{did_you_mean(column, schema.names)} Name it in the settings: "
                f"data.columns: {{{feature.name}: COLUMN}}."
            )
        kind = schema.field(column).type
        if feature.facts.many:
            kind = kind.value_type if pa.types.is_list(kind) or pa.types.is_large_list(kind) else pa.null()
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
        categories = feature.facts.learned == "categories"
        label = categories and (pa.types.is_integer(kind) or pa.types.is_boolean(kind))
        if not (text or label):
            allowed = "strings, whole numbers or booleans" if categories else "strings"
            instead = "string"
            if feature.facts.many:
                allowed, instead = f"lists of {allowed}", "list<string>"
            raise DataError(
                f'{path}: column "{column}" for feature "{feature.name}" must hold {allowed}. '
                f"Received: {schema.field(column).type}. Write the column as {instead}."
            )


def _texts(column: pa.Array) -> list[Any]:
    """The values of each row: a text, None, or where the column holds lists a list of them."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        texts = _texts(column.flatten())
        ends = np.cumsum(pc.list_value_length(column).fill_null(0).to_numpy())
        return [texts[start:end] for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    # Viewed as bytes: Arrow does not check that strings are UTF-8, and one bad row must not hide its number.
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        binary = pa.binary() if pa.types.is_string(column.type) else pa.large_binary()
        return cast("list[str | bytes | None]", column.view(binary).to_pylist())
    return [None if value is None else str(value).lower() for value in column.to_pylist()]


def _record(values: dict[str, Any], path: str, row: int) -> Record | BadRecord:
    texts: dict[str, str | list[str]] = {}
    for name, value in values.items():
        try:
            texts[name] = [_decoded(each) for each in value] if isinstance(value, list) else _decoded(value)
        except UnicodeDecodeError as error:
            return BadRecord(path, row, f'"{name}" is not utf-8: byte at position {error.start + 1}')
    return checked(texts, path, row)


def _decoded(value: str | bytes | None) -> str:
    return value.decode() if isinstance(value, bytes) else value or ""
