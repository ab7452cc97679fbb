"""How the process treats memory that it frees."""

import ctypes

# Of glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_TOP_PAD, _M_MMAP_MAX = -1, -2, -4


def keep_freed_memory() -> bool:
    """Lets the C library keep freed memory instead of giving it back to the system; returns whether it agreed.

    A training step frees and asks for the same large tensors again and again. Given back and taken anew each time,
    every page costs a fault: in one measurement on two virtual processors, a quarter of a translation step's time.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return bool(mallopt(_M_MMAP_MAX, 0) and mallopt(_M_TRIM_THRESHOLD, 2**31 - 1) and mallopt(_M_TOP_PAD, 256 * 2**20))
