"""Bearer tokens: who may ask."""

import hmac
import threading
from pathlib import Path

from serving.errors import ServerStartError, UnauthenticatedError


class Tokens:
    """The tokens of a file, one per line; a changed file counts from the next request on."""

    def __init__(self, path: str) -> None:
        """Reads the file.

        Raises:
            ServerStartError: It cannot be read or holds no token.
        """
        self._path = Path(path)
        self._lock = threading.Lock()
        self._stamp: tuple[int, int] = (0, 0)
        self._tokens = read_tokens(path)

    def check(self, authorization: str | bytes | None) -> None:
        """Lets a request pass that brings a known token.

        Args:
            authorization: The header of that name, `Bearer TOKEN`.

        Raises:
            UnauthenticatedError: It brings none, or an unknown one.
        """
        try:
            self._refresh()
        except OSError:  # gone for a moment: the tokens known so far stay in force
            pass
        given = authorization or b""
        # Bytes that are no text came as surrogates.
        raw = given if isinstance(given, bytes) else given.encode(errors="surrogateescape")
        scheme, _, token = raw.partition(b" ")
        if scheme.lower() != b"bearer" or not token.strip():
            raise UnauthenticatedError("this server asks for a token: send the header `authorization: Bearer TOKEN`")
        sent = token.strip()
        # All are compared, each in constant time: the answer's delay tells nothing.
        if not sum(hmac.compare_digest(sent, known) for known in self._tokens):
            raise UnauthenticatedError("the token is not known to this server; ask its operator for a valid one")

    def _refresh(self) -> None:
        facts = self._path.stat()
        stamp = (facts.st_mtime_ns, facts.st_size)
        with self._lock:
            if stamp != self._stamp:
                self._tokens = _lines(self._path)
                self._stamp = stamp


def read_tokens(path: str) -> list[bytes]:
    """The tokens of a file.

    Raises:
        ServerStartError: It cannot be read or holds none.
    """
    try:
        tokens = _lines(Path(path))
    except OSError as error:
        raise ServerStartError(f"security.token_file must be a readable file; {path}: {error.strerror}") from error
    if not tokens:
        raise ServerStartError(f"security.token_file must hold a token per line; {path} holds none")
    return tokens


def _lines(path: Path) -> list[bytes]:
    return [line.strip() for line in path.read_bytes().splitlines() if line.strip()]
