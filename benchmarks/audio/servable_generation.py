"""Worker: a pushed WaveNet generates in a session like the server's."""

import ctypes
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.audio.requests import check_clips, request
from benchmarks.audio.workers import answer_jobs
from components.requests import signature_specs
from models.description import ModelDescription
from serving.core.servable import Servable
from serving.core.session_config import session_config
from serving.settings import ServingSettings


class ServableGenerator:
    """Measures `serving_default`.

    Args:
        folder: Version folder of the SavedModel.
        threads: Inside one operation.
        xla: False: as a TensorFlow Serving without its XLA flag runs it.
    """

    def __init__(self, folder: str, threads: int, xla: bool) -> None:
        if not xla:
            disable_xla()
        self._described = ModelDescription.read(Path(folder))
        self._servable = Servable(Path(folder), config=session_config(ServingSettings(intra_op_threads=threads)))
        signature = self._servable.signatures["serving_default"]
        self._specs = signature_specs(signature)
        self._aliases = list(signature.inputs)
        feeds = tuple(signature.inputs[alias].name for alias in self._aliases)
        self._run = self._servable.program(feeds, (signature.outputs["audio"].name,)).run
        self.facts = {"tensorflow": tf.__version__}

    def __call__(self, rows: int, samples: int) -> dict[str, Any]:
        """Seconds of one request."""
        inputs = request(self._described, self._specs, rows, samples)
        started = time.perf_counter()
        (audio,) = self._run([inputs[alias] for alias in self._aliases])
        seconds = time.perf_counter() - started
        check_clips(audio, rows, samples)
        return {"seconds": seconds}


def disable_xla() -> None:
    """Does what tensorflow_model_server does at its start when no XLA flag is set; Python has no name for it."""
    ctypes.CDLL(str(Path(tf.__file__).parent / "libtensorflow_cc.so.2"))._ZN10tensorflow21DisableXlaCompilationEv()


if __name__ == "__main__":
    answer_jobs(ServableGenerator)
