"""TCP ports of this machine."""

import errno
import socket

from pipeline.errors import ConfigError, PortInUseError


def require(host: str, port: int, setting: str = "serving.port") -> int:
    """Checks that a server could listen there.

    Args:
        host: Address of this machine.
        port: TCP port; 0 for any.
        setting: Where the port comes from, for the error.

    Returns:
        The port.

    Raises:
        PortInUseError: another program listens there.
        ConfigError: the address is none of this machine, or the port is not for everyone.
    """
    try:
        return _bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"{host}:{port} is in use by another program; stop it, or choose another: --set {setting}=8600"
            ) from None
        raise ConfigError(
            f"serving.host must be an address of this machine, and {setting} one that you may open. "
            f"Received: {host}:{port} ({error.strerror}). Choose others, as in --set serving.host=127.0.0.1"
        ) from None


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    try:
        _bind(host, port)
    except OSError:
        return False
    return True


def any_free(host: str) -> int:
    """A port that is free at this moment."""
    return require(host, 0)


def _bind(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As gRPC does; without it a port counts as taken for a minute after its server has stopped.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])
