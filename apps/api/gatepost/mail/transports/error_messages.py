"""Error messages about providers: one short line each, without secrets."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

_MAX_LENGTH = 300
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED
_OUT_OF_DATE = (9, 10)
_CONNECTION_ERRORS: tuple[tuple[type[Exception], str, str], ...] = (
    (ssl.SSLError, "tls", "does not speak TLS correctly. Check the configured host and port."),
    (socket.gaierror, "unknown_host", "could not be resolved. Check the configured host and DNS."),
    (ConnectionRefusedError, "refused", "refuses connections. Check that it is running, and the configured port."),
    (TimeoutError, "timeout", "does not answer. Check the network and the firewall of this machine."),
)


def quote(text: str, *secrets: str) -> str:
    """Return a server's text on one line of at most 300 characters. Secrets in it become three asterisks."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    bare = "".join(char for char in text if char.isprintable())
    for secret in filter(None, secrets):
        # Also without what is not printable: a secret may be broken across lines.
        line = (bare if secret in bare else line).replace(secret, "***")
    return line if len(line) <= _MAX_LENGTH else line[: _MAX_LENGTH - 1] + "…"


def explain_connection_error(error: BaseException, server: str) -> tuple[str, str]:
    """Return a code and a message for a connection that failed. `server` is the subject of the sentence."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "certificate", f"{server} {_explain_certificate_error(cause)}"
    for kind, code, message in _CONNECTION_ERRORS:
        if any(isinstance(cause, kind) for cause in causes):
            return code, f"{server} {message}"
    return "unreachable", f"{server} cannot be reached. Check the network of this machine."


def _explain_certificate_error(error: ssl.SSLCertVerificationError) -> str:
    reason = quote(error.verify_message or "certificate verify failed")
    if error.verify_code in _OUT_OF_DATE:
        return f"has a certificate that is out of date ({reason}). Check the clock of this machine."
    return f"has a certificate that is not trusted here ({reason}). Check the configured host."


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        left += [one.__context__, one.__cause__]
        if isinstance(one, BaseExceptionGroup):
            left += one.exceptions
