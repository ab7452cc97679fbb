"""Encryption of ports with the keys of the moment: every new connection gets those that the file holds then."""

import ssl
from typing import Any

import grpc

from serving.tls.key_file import KeyFile
from serving.tls.keys import Keys


def grpc_credentials(file: KeyFile) -> grpc.ServerCredentials:
    """Credentials of one gRPC port; clients must show a certificate where the file says so.

    Two ports cannot share them: a port is told of new keys once.
    """
    told = file.current()

    def news() -> grpc.ServerCertificateConfiguration | None:
        nonlocal told
        keys = file.current()
        if keys is told:
            return None
        told = keys
        return _configuration(keys)

    return grpc.dynamic_ssl_server_credentials(_configuration(told), news, told.client_verify)


def ssl_context(file: KeyFile) -> ssl.SSLContext:
    """The same for a REST port."""
    # One of its own: a context that serves others by its callback must not be one of those.
    outer = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    first = file.current().context
    outer.verify_mode, outer.options, outer.minimum_version = first.verify_mode, first.options, first.minimum_version
    # A session that is resumed is not asked for its certificate again, whose authority may have gone.
    outer.options |= ssl.OP_NO_TICKET
    outer.num_tickets = 0

    def renew(connection: Any, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = file.current().context

    # OpenSSL asks at each handshake, whether the client names a host or not.
    outer.sni_callback = renew  # type: ignore[assignment]
    return outer


def _configuration(keys: Keys) -> grpc.ServerCertificateConfiguration:
    return grpc.ssl_server_certificate_configuration(
        [(keys.key, keys.certificate)], keys.authority if keys.client_verify else None
    )
