"""Keys and certificates for 127.0.0.1, signed by an authority of their own."""

import datetime
import ipaddress
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Pair:
    """A private key and its certificate, PEM."""

    key: str
    cert: str


@dataclass(frozen=True)
class Keys:
    """What a test of encryption needs: the authority, and what it signed."""

    authority: str
    server: Pair
    client: Pair

    def ssl_config(self, verify: bool) -> str:
        """The server's SSLConfig, text form."""
        fields = {"server_key": self.server.key, "server_cert": self.server.cert, "custom_ca": self.authority}
        lines = [f'{name}: "{text.replace(chr(10), chr(92) + "n")}"' for name, text in fields.items()]
        return "\n".join([*lines, f"client_verify: {str(verify).lower()}"])


def make_keys() -> Keys:
    """Makes everything anew; valid for an hour."""
    authority_key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
    authority = _sign(name, name, authority_key.public_key(), authority_key, is_authority=True)
    pairs = []
    for who in ("server", "client"):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, who)])
        cert = _sign(subject, name, key.public_key(), authority_key, is_authority=False)
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        pairs.append(Pair(text.decode(), cert))
    return Keys(authority, *pairs)


def _sign(subject, issuer, public_key, signing_key, is_authority: bool) -> str:
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(address, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key()), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
