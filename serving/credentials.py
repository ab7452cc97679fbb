"""Encryption: TensorFlow Serving's SSLConfig for gRPC and for REST."""

import os
import ssl
import tempfile
from typing import Any

import grpc

from serving.core.config_messages import SSLConfig
from serving.core.model_config import read_text_proto
from serving.errors import ServerStartError, ServingError


def read_ssl_config(path: str) -> Any:
    """Reads keys and certificates, which stand in the file itself, PEM.

    Raises:
        ServerStartError: The file cannot be read, is no SSLConfig or lacks what is needed.
    """
    config = SSLConfig()
    try:
        read_text_proto(path, config)
    except ServingError as error:
        raise ServerStartError(f"{error}: it must be an SSLConfig in text form ({error.__cause__})") from error
    if not config.server_key or not config.server_cert:
        raise ServerStartError(f"{path} must give server_key and server_cert, PEM text; add what is missing")
    if config.client_verify and not config.custom_ca:
        raise ServerStartError(f"{path} asks for client_verify, so it must give custom_ca, PEM text; add it")
    return config


def grpc_credentials(config: Any) -> grpc.ServerCredentials:
    """Credentials of a gRPC port; clients must show a certificate where the configuration says so."""
    pair = (config.server_key.encode(), config.server_cert.encode())
    authority = config.custom_ca.encode() if config.client_verify else None
    return grpc.ssl_server_credentials([pair], authority, config.client_verify)


def ssl_context(config: Any) -> ssl.SSLContext:
    """The same for a REST port.

    Raises:
        ServerStartError: Key and certificate do not belong together, or are no PEM.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        # Python's ssl takes key and certificate from files only.
        with tempfile.TemporaryDirectory() as folder:
            files = {}
            for name, text in (("key", config.server_key), ("cert", config.server_cert)):
                files[name] = os.path.join(folder, name)
                with open(os.open(files[name], os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="ascii") as stream:
                    stream.write(text)
            context.load_cert_chain(files["cert"], files["key"])
        if config.client_verify:
            context.load_verify_locations(cadata=config.custom_ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError) as error:
        raise ServerStartError(f"the keys and certificates of ssl_config_file cannot be used: {error}") from error
    return context
