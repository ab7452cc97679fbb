"""The states of the rows of a running batch, stacked.

R: rows that the stack has room for.
"""

from collections.abc import Mapping
from typing import Generic, TypeVar

import numpy as np

Owner = TypeVar("Owner")
State = Mapping[str, np.ndarray]

# The tensor of a state that says which rows go on.
GOING = "going"


class StackedRows(Generic[Owner]):
    """Rows join and leave in place, so that a step copies no cache but its own.

    R doubles where a row finds no room and is halved where three quarters are empty: a lone text is a batch of one, and
    the model sees few different sizes. An empty row is one that has ended; a step leaves it as it is.

    Attributes:
        state: Name to array (R, ...), as a step takes it.
        owners: Whose each of the R rows is; None for an empty one.
    """

    def __init__(self, most: int) -> None:
        """Begins without rows.

        Args:
            most: Largest R.
        """
        self._most = most
        self.state: dict[str, np.ndarray] = {}
        self.owners: list[Owner | None] = []

    def occupied(self) -> list[tuple[int, Owner]]:
        """Rows that are not empty, and whose they are."""
        return [(row, owner) for row, owner in enumerate(self.owners) if owner is not None]

    def join(self, owner: Owner, state: State) -> None:
        """Takes the state of one row, (1, ...) each. There must be fewer than `most`."""
        if None not in self.owners:
            self._grow(state)
        row = self.owners.index(None)
        for name, array in self.state.items():
            array[row] = state[name][0]
        self.owners[row] = owner

    def leave(self, row: int) -> None:
        """Empties a row."""
        self.owners[row] = None
        self.state[GOING][row] = False

    def shrink(self) -> None:
        """Gives room back that is not needed."""
        kept = [row for row, _ in self.occupied()]
        if not kept:
            self.state, self.owners = {}, []
            return
        size = len(self.owners)
        while 4 * len(kept) <= size:
            size //= 2
        if size < len(self.owners):
            empty = [row for row, owner in enumerate(self.owners) if owner is None]
            chosen = (kept + empty)[:size]
            self.state = {name: array[chosen] for name, array in self.state.items()}
            self.owners = [self.owners[row] for row in chosen]

    def follow(self, outputs: State) -> None:
        """Takes what a step has changed, (R, ...) each; outputs that are no part of the state are left alone."""
        for name in self.state.keys() & outputs.keys():
            array = outputs[name]
            self.state[name] = array if array.flags.writeable else array.copy()

    def _grow(self, like: State) -> None:
        more = min(max(len(self.owners), 1), self._most - len(self.owners))
        added = {name: np.repeat(array, more, axis=0) for name, array in like.items()}
        added[GOING][:] = False
        self.state = {
            name: np.concatenate([self.state[name], array]) if self.owners else array for name, array in added.items()
        }
        self.owners += [None] * more
