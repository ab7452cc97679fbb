"""A request larger than a batch, run in pieces.

One after the other, so that it never holds up the others and ends with its caller; or side by side, as TensorFlow
Serving cuts it to fill its batches.
"""

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from serving.core.batch_arrays import not_splittable
from serving.core.batch_execution import Task
from serving.errors import FailedPreconditionError

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
        self._enqueue(replace(self._whole, rows=0, answer=self.answer))


def together(whole: Task, pieces: list[Task], enqueue: Callable[[Task], None]) -> Future[Outputs]:
    """The answers of pieces that are enqueued side by side, as one.

    Args:
        whole: The request, which is run at once where its pieces have rows of different lengths.
        pieces: Its pieces, in order.
        enqueue: Puts a task into a batch; raises ServingError where it cannot.

    Returns:
        The outputs of all rows, or the first error among the pieces.
    """
    answer: Future[Outputs] = Future()
    left = itertools.count(len(pieces) - 1, -1)

    def note(_: Future[Outputs]) -> None:
        if next(left):
            return
        try:
            answers = [piece.answer.result() for piece in pieces]
            for piece, outputs in zip(pieces, answers, strict=True):
                if problem := not_splittable(outputs, piece.rows):
                    raise FailedPreconditionError(problem)
            if all(_fit(outputs, answers[0]) for outputs in answers):
                answer.set_result([np.concatenate(parts) for parts in zip(*answers, strict=True)])
            else:
                enqueue(replace(whole, rows=0, answer=answer))
        except Exception as error:  # whatever it is: somebody waits for the answer
            answer.set_exception(error)

    for piece in pieces:
        piece.answer.add_done_callback(note)
    return answer


def _fit(outputs: Outputs, others: Outputs) -> bool:
    return all(one.shape[1:] == other.shape[1:] for one, other in zip(outputs, others, strict=True))
