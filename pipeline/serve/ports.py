"""Whether the configured ports can be had."""

import errno

from components import ports
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
        return ports.bind(host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"{host}:{port} is in use by another program; stop it, or choose another: --set {setting}=8600"
            ) from None
        raise ConfigError(
            f"serving.host must be an address of this machine, and {setting} one that you may open. "
            f"Received: {host}:{port} ({error.strerror}). Choose others, as in --set serving.host=127.0.0.1"
        ) from None
