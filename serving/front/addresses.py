"""Addresses to listen on, IPv6 ones with or without their brackets."""


def bare_host(host: str) -> str:
    """The host as sockets take it: ::1 for [::1]."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def host_and_port(host: str, port: int) -> str:
    """Both as gRPC and addresses of the web take them: [::1]:8500."""
    bare = bare_host(host)
    return f"[{bare}]:{port}" if ":" in bare else f"{bare}:{port}"
