"""The deterministic split of records that come without one."""

import hashlib
from collections.abc import Mapping


def split_of(key: str, sizes: Mapping[str, int]) -> str:
    """Returns the split where a hash of `key` falls.

    The key is the input of the model, not the whole record: a text that comes twice, perhaps with two labels, must not
    stand in both train and eval.
    """
    position = int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()[:8]) % sum(sizes.values())
    for split, size in sizes.items():
        position -= size
        if position < 0:
            return split
    raise AssertionError("the position is below the sum of the sizes")
