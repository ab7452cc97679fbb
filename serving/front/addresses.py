"""Addresses to listen on, IPv6 ones with or without their brackets."""

import socket


def bare_host(host: str) -> str:
    """The host as sockets take it: ::1 for [::1]."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def host_and_port(host: str, port: int) -> str:
    """Both as gRPC and addresses of the web take them: [::1]:8500."""
    bare = bare_host(host)
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"


def can_be_had(host: str, port: int) -> bool:
    """Whether a program could listen there at this moment."""
    bare = bare_host(host)
    try:
        socket.create_server((bare, port), family=socket.AF_INET6 if ":" in bare else socket.AF_INET).close()
    except OSError:
        return False
    return True
