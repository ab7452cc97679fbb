"""TCP ports of this machine."""

import socket


def bind(host: str, port: int) -> int:
    """Listens there for a moment.

    Args:
        host: address of this machine.
        port: TCP port; 0 for any that is free.

    Returns:
        The port.

    Raises:
        OSError: a server could not listen there.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As gRPC does; without it a port counts as taken for a minute after its server has stopped.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there."""
    try:
        bind(host, port)
    except OSError:
        return False
    return True
