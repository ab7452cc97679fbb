"""Columns that stand in the names of folders, as Hive and Spark write them: `label=pos/part-0.parquet`."""

import urllib.parse

_NULL = "__HIVE_DEFAULT_PARTITION__"


def partitions_of(path: str) -> dict[str, str]:
    """Returns the columns that the folders of a file name; null is empty."""
    found = {}
    for folder in path.split("/")[:-1]:
        name, equals, value = folder.partition("=")
        if name and equals:
            found[urllib.parse.unquote(name)] = "" if value == _NULL else urllib.parse.unquote(value)
    return found
