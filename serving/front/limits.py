"""How many requests and connections are held at the same time."""

import contextlib
import resource

from serving.errors import ResourceExhaustedError

# Models, logs, libraries; and what is opened for moments, such as a version that loads.
_OTHER_FILES = 200
_PORTS = 2


class Places:
    """A number of places, counted in the event loop alone.

    Attributes:
        taken: Places in use.
    """

    def __init__(self, number: int, message: str) -> None:
        """Prepares the places.

        Args:
            number: How many there are.
            message: What who comes too late is told.
        """
        self._number = number
        self._message = message
        self.taken = 0

    def take(self) -> None:
        """Takes a place.

        Raises:
            ResourceExhaustedError: There is none.
        """
        if self.taken >= self._number:
            raise ResourceExhaustedError(self._message)
        self.taken += 1

    def leave(self) -> None:
        """Gives a place back."""
        self.taken -= 1


def connections_of_a_port(wanted: int) -> int:
    """How many connections a port may hold: those wanted, or, for 0, what the limit of open files leaves it."""
    if wanted:
        return wanted
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if files == resource.RLIM_INFINITY:
        return 2**20
    return max((files - min(_OTHER_FILES, files // 2)) // _PORTS, 1)


def raise_file_limit() -> None:
    """Lets the process open as many files as it may at most: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):  # not allowed here
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
