"""A request larger than a batch, run piece by piece, so that it never holds up the others and ends with its caller."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from serving.core.batch_arrays import not_splittable
from serving.core.batch_execution import Task

Outputs: TypeAlias = list[np.ndarray]


class Pieces:
    """Enqueues the next piece when the one before has been answered.

    Attributes:
        answer: The outputs of all rows.
    """

    def __init__(self, whole: Task, size: int, enqueue: Callable[[Task], None]) -> None:
        """Prepares the pieces; `start` enqueues the first.

        Args:
            whole: The request.
            size: Rows of a piece.
            enqueue: Puts a task into a batch; raises ServingError where it cannot.
        """
        self.answer: Future[Outputs] = Future()
        self._whole = whole
        self._size = size
        self._enqueue = enqueue
        self._found: list[Outputs] = []

    def start(self) -> None:
        """Enqueues the first piece.

        Raises:
            ServingError: It cannot be queued.
        """
        self._put(slice(0, self._size))

    def _put(self, rows: slice) -> None:
        arrays = [array[rows] for array in self._whole.arrays]
        task = replace(self._whole, arrays=arrays, rows=len(arrays[0]), answer=Future())
        task.answer.add_done_callback(lambda future: self._take(rows, len(arrays[0]), future))
        self._enqueue(task)

    def _take(self, rows: slice, count: int, future: Future[Outputs]) -> None:
        try:
            outputs = future.result()
            if not_splittable(outputs, count) or (self._found and not _fit(outputs, self._found[0])):
                self._run_whole()
                return
            self._found.append(outputs)
            if rows.stop < self._whole.rows:
                self._put(slice(rows.stop, rows.stop + self._size))
            else:
                self.answer.set_result([np.concatenate(parts) for parts in zip(*self._found, strict=True)])
        except Exception as error:  # whatever it is: somebody waits for the answer
            self.answer.set_exception(error)

    def _run_whole(self) -> None:
        """What has no row for each row, or rows of other lengths in each piece, has to be run at once."""
        task = replace(self._whole, rows=0, answer=self.answer)
        self._enqueue(task)


def _fit(outputs: Outputs, others: Outputs) -> bool:
    return all(one.shape[1:] == other.shape[1:] for one, other in zip(outputs, others, strict=True))
