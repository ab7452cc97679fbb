"""One text under way, between the batch that writes it and the client that reads it."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from serving.errors import ServingError


@dataclass(frozen=True)
class Piece:
    """What has come since the last piece.

    Attributes:
        text: Whole characters.
        reason: Why the text ends here: end, stop or length; empty while it goes on.
        score: Mean natural log probability of the tokens drawn so far.
        num_tokens: Tokens drawn so far, the end token among them.
    """

    text: str
    reason: str
    score: float
    num_tokens: int


class Stream:
    """A batch tells how far the text has come; a reader takes what is new.

    The text is kept once, and not piece by piece: who reads slowly finds more at once, and holds neither the batch up
    nor memory beyond the text.

    Attributes:
        inputs: Of the signature that begins, one row each.
        gone: Nobody reads any more.
    """

    def __init__(
        self,
        inputs: Mapping[str, np.ndarray],
        stops: Sequence[str],
        wake: Callable[[], None],
        held: contextlib.ExitStack,
    ) -> None:
        """Begins without text.

        Args:
            inputs: As above.
            stops: Stop strings.
            wake: Called, in any thread, when there is something new.
            held: What stays held until the text has ended, such as the lease of a version.
        """
        self.inputs = inputs
        self.gone = False
        self._stops = stops
        self._wake = wake
        self._held = held
        self._latest = Piece("", "", 0.0, 0)
        self._error: ServingError | None = None
        self._told = 0
        self._is_awake = False

    # === The batch's side ===

    @property
    def num_bytes(self) -> int:
        """Bytes of its texts, the prompt above all."""
        return sum(len(array[0]) for array in self.inputs.values() if array.dtype == object)

    def advance(self, text: str, reason: str, score: float, num_tokens: int) -> None:
        """Notes the whole text so far; arguments as of `Piece`."""
        known = len(self._latest.text)
        self._latest = Piece(text if reason else settled(text, self._stops), reason, score, num_tokens)
        if reason or len(self._latest.text) > known:
            self._tell()

    def fail(self, error: ServingError) -> None:
        """Notes that no more comes."""
        self._error = error
        self._tell()

    def release(self) -> None:
        """Gives back what was held."""
        self._held.close()

    def _tell(self) -> None:
        if not self._is_awake:
            self._is_awake = True
            self._wake()

    # === The reader's side ===

    def take(self) -> Piece | None:
        """What is new; None where nothing is. Asked until then after each wake.

        Raises:
            ServingError: The text has failed; what came before has been taken.
        """
        self._is_awake = False
        error, latest = self._error, self._latest
        new = latest.text[self._told :]
        self._told = len(latest.text)
        if new or latest.reason:
            return Piece(new, latest.reason, latest.score, latest.num_tokens)
        if error:
            raise error
        return None

    def cancel(self) -> None:
        """Wants no more; the batch frees the row before its next step."""
        self.gone = True


def settled(text: str, stops: Sequence[str]) -> str:
    """The text without an end that may become a stop string."""
    longest = max(map(len, stops), default=0)
    for length in range(min(longest - 1, len(text)), 0, -1):
        if any(stop.startswith(text[-length:]) for stop in stops if len(stop) > length):
            return text[:-length]
    return text
