"""A process without XLA, as tensorflow_model_server is one when its flag is not set."""

import contextlib
import ctypes
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf


@contextlib.contextmanager
def without_xla() -> Iterator[None]:
    """Calls what tensorflow_model_server calls at its start, and takes it back."""
    library = ctypes.CDLL(str(Path(tf.__file__).parent / "libtensorflow_cc.so.2"))
    library._ZN10tensorflow21DisableXlaCompilationEv()
    try:

        @tf.function(jit_compile=True)
        def compiled() -> tf.Tensor:
            return tf.constant(1) + 1

        with pytest.raises(tf.errors.InternalError, match="XLA compilation disabled"):
            compiled()
        yield
    finally:
        library._ZN10tensorflow20EnableXlaCompilationEv()
