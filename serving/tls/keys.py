"""What a port encrypts with: TensorFlow Serving's SSLConfig, read and judged as a whole."""

import datetime
import os
import ssl
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes, PublicKeyTypes

from serving.core.config_messages import SSLConfig
from serving.core.text_form import read_text_proto
from serving.errors import ServerStartError, ServingError


@dataclass(frozen=True)
class Keys:
    """Keys and certificates that belong together.

    Attributes:
        key: Private key, PEM.
        certificate: Certificate of the server and those between it and its authority, PEM.
        authority: Certificates of authorities, PEM: of those that sign the certificates of clients; may be empty.
        client_verify: Clients have to show a certificate.
        context: The same for Python's ssl.
        begins: From when each certificate of the server counts.
        ends: When the first of them ends.
    """

    key: bytes
    certificate: bytes
    authority: bytes
    client_verify: bool
    context: ssl.SSLContext
    begins: datetime.datetime
    ends: datetime.datetime


def read_keys(path: str) -> Keys:
    """Reads keys and certificates, which stand in the file itself, PEM.

    Raises:
        ServerStartError: The file cannot be read, is no SSLConfig, lacks what is needed, or holds what does not fit.
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
    key, certificate = config.server_key.encode(), config.server_cert.encode()
    authority = config.custom_ca.encode()
    chain = _certificates(path, "server_cert", certificate)
    private = _private_key(path, key)
    if _der(chain[0].public_key()) != _der(private.public_key()):
        raise ServerStartError(
            f"server_key and server_cert of {path} do not belong together: the certificate, of "
            f"{chain[0].subject.rfc4514_string()}, was made for another key; give the two that were made together"
        )
    if config.client_verify:
        _certificates(path, "custom_ca", authority)
    return Keys(
        key,
        certificate,
        authority,
        config.client_verify,
        _context(path, certificate + b"\n" + key, config.custom_ca if config.client_verify else ""),
        max(each.not_valid_before_utc for each in chain),
        min(each.not_valid_after_utc for each in chain),
    )


def _certificates(path: str, field: str, text: bytes) -> list[x509.Certificate]:
    try:
        found = x509.load_pem_x509_certificates(text)
        found[0].public_key()
        return found
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ServerStartError(f"{field} of {path} must hold certificates in PEM form, and does not") from error


def _private_key(path: str, text: bytes) -> PrivateKeyTypes:
    try:
        return serialization.load_pem_private_key(text, password=None)
    except TypeError as error:
        raise ServerStartError(
            f"server_key of {path} is locked by a password, for which nobody can be asked here; give it without one"
        ) from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise ServerStartError(f"server_key of {path} must be a private key in PEM form, and is not") from error


def _der(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _context(path: str, pair: bytes, authority: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        _load_pair(context, pair)
        if authority:
            context.load_verify_locations(cadata=authority)
            context.verify_mode = ssl.CERT_REQUIRED
    except (ssl.SSLError, ValueError, OSError) as error:
        raise ServerStartError(f"the keys and certificates of {path} cannot be used: {error}") from error
    return context


def _load_pair(context: ssl.SSLContext, pair: bytes) -> None:
    # Python's ssl takes keys from files only; this one is in memory, so no disk sees the key or has to be writable.
    descriptor = os.memfd_create("seqline-tls")
    try:
        os.write(descriptor, pair)
        context.load_cert_chain(f"/proc/self/fd/{descriptor}")
    finally:
        os.close(descriptor)
