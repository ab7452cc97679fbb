"""Whether the configured ports can be had."""

import errno

from components import ports
from pipeline.errors import ConfigError, PortInUseError
from serving.front.addresses import bare_host, host_and_port


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
    address = host_and_port(host, port)
    try:
        return ports.bind(bare_host(host), port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortInUseError(
                f"{address} is in use by another program; stop it, or choose another: --set {setting}=8600"
            ) from None
        raise ConfigError(
            f"serving.host must be an address of this machine, and {setting} one that you may open. "
            f"Received: {address} ({error.strerror}). Choose others, as in --set serving.host=127.0.0.1"
        ) from None
