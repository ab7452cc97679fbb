"""The deterministic split of records that come without one."""

import hashlib
from collections.abc import Mapping


def split_of(key: str, sizes: Mapping[str, int]) -> str:
    """Returns the split where a hash of `key` falls.

    The key is the input of the model, not the whole record: a text that comes twice, perhaps with two labels, must not
    stand in both train and eval.
    """
    return _at(
        int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()[:8]) % sum(sizes.values()), sizes
    )


def split_at(position: int, total: int, sizes: Mapping[str, int]) -> str:
    """Returns the split of a record by its place among all of a file.

    Args:
        position: of the record, from 0.
        total: records of the file.
        sizes: relative sizes of the splits, in the order in which they follow one another.
    """
    return _at(position * sum(sizes.values()) // total, sizes)


def _at(position: int, sizes: Mapping[str, int]) -> str:
    for split, size in sizes.items():
        position -= size
        if position < 0:
            return split
    raise AssertionError("the position is below the sum of the sizes")
