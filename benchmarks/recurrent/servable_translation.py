"""Worker: a pushed model of `text_to_text` translates in a session like the server's."""

import time
from pathlib import Path
from typing import Any

import tensorflow as tf

from benchmarks.audio.workers import answer_jobs
from components.requests import features_of, form_inputs, signature_specs
from models.description import ModelDescription
from serving.core.servable import Servable
from serving.core.session_config import session_config
from serving.settings import ServingSettings


class ServableTranslation:
    """Measures the signature `generate`.

    Args:
        folder: Version folder of the SavedModel.
        texts: Sources, asked for in turn.
        beam_width: Candidates of each search.
        threads: Inside one operation.
    """

    def __init__(self, folder: str, texts: list[str], beam_width: int, threads: int) -> None:
        self._described = ModelDescription.read(Path(folder))
        self._texts = texts
        self._settings = self._described.request_defaults | {"beam_width": beam_width}
        # Kept: its session ends with it.
        self._servable = Servable(Path(folder), config=session_config(ServingSettings(intra_op_threads=threads)))
        signature = self._servable.signatures["generate"]
        self._specs = signature_specs(signature)
        self._aliases = list(signature.inputs)
        feeds = tuple(signature.inputs[alias].name for alias in self._aliases)
        self._run = self._servable.program(feeds, (signature.outputs["target"].name,)).run
        self.facts = {"tensorflow": tf.__version__, "request_settings": self._settings}

    def __call__(self, rows: int, sentences: int) -> dict[str, Any]:
        """Seconds of so many sentences, so many in a request.

        Raises:
            ValueError: A request cannot be made, or is answered with another number of targets.
        """
        used, started = time.process_time(), time.perf_counter()
        for first in range(0, sentences, rows):
            texts = [self._texts[(first + row) % len(self._texts)] for row in range(rows)]
            asked = [self._settings | {"source": text} for text in texts]
            inputs = form_inputs(self._specs, asked, features_of(self._described))
            if inputs is None:
                raise ValueError(f"{self._described.name} takes something else too: {', '.join(self._specs)}")
            (targets,) = self._run([inputs[alias] for alias in self._aliases])
            if targets.shape != (rows, self._settings["beam_width"]):
                raise ValueError(f"asked for {rows} rows of {self._settings['beam_width']}, received {targets.shape}")
        return {"seconds": time.perf_counter() - started, "processor_seconds": time.process_time() - used}


if __name__ == "__main__":
    answer_jobs(ServableTranslation)
