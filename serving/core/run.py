"""One request as the models see it: what to run, and what makes an answer of the outputs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from serving.core.servable import Program

Answer = TypeVar("Answer")
Next = TypeVar("Next")


@dataclass(frozen=True)
class Run(Generic[Answer]):
    """A request that has been read and checked; it waits for the model alone.

    Attributes:
        program: What to run.
        arrays: One array per feed of the program.
        finish: Makes the answer of the outputs, one array per fetch of the program; raises ServingError where the
            outputs are not what the request may get.
    """

    program: Program
    arrays: Sequence[np.ndarray]
    finish: Callable[[list[np.ndarray]], Answer]

    def then(self, step: Callable[[Answer], Next]) -> "Run[Next]":
        """The same run with one more step on the way to the answer."""
        return Run(self.program, self.arrays, lambda outputs: step(self.finish(outputs)))
