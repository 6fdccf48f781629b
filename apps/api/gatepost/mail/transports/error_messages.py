"""What went wrong outside, as sentences that say what to do: one line, short, and without what must stay secret."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

_MOST = 300
# X509_V_ERR_CERT_NOT_YET_VALID and X509_V_ERR_CERT_HAS_EXPIRED
_DATED = (9, 10)


def quoted(text: str, *secrets: str) -> str:
    """Return what a server said on one line, 300 characters at most; a secret in it becomes three asterisks."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    bare = "".join(char for char in text if char.isprintable())
    for secret in filter(None, secrets):
        # Looked for without the gaps too: a secret with a line break in it is still one.
        line = (bare if secret in bare else line).replace(secret, "***")
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"


def why_unreachable(error: BaseException, server: str) -> tuple[str, str]:
    """Return the code and the words for a connection that did not come about; `server` begins the sentence."""
    causes = list(_causes(error))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return _why_distrusted(cause, server)
    for kind, code, words in (
        (ssl.SSLError, "tls", "does not speak TLS as it should: check the address and port that are set."),
        (
            socket.gaierror,
            "unknown_host",
            "has a name that cannot be resolved: check the address that is set, and DNS.",
        ),
        (ConnectionRefusedError, "refused", "refuses connections: check that it runs, and the port that is set."),
        (TimeoutError, "timeout", "does not answer: check the network and firewall of this machine."),
    ):
        if any(isinstance(cause, kind) for cause in causes):
            return code, f"{server} {words}"
    return "unreachable", f"{server} cannot be reached: check the network of this machine."


def _why_distrusted(error: ssl.SSLCertVerificationError, server: str) -> tuple[str, str]:
    said = quoted(error.verify_message or "certificate verify failed")
    if error.verify_code in _DATED:
        return (
            "certificate",
            f"{server} shows a certificate that is out of date ({said}): is this machine's clock right?",
        )
    return (
        "certificate",
        f"{server} shows a certificate that is not trusted here ({said}): check the address that is set.",
    )


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
