import ctypes
import sys

import pytest

from models.memory import keep_freed_memory


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="the C library is not glibc")
def test_glibc_agrees():
    assert sys.platform == "linux"
    assert keep_freed_memory()
