"""What Resend takes and what it refuses, with its names and its kind of sentences."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

MOST_RECIPIENTS = 50
MOST_OF_A_BATCH = 100
MOST_ATTACHED = 40 * 1024 * 1024
TEST_ADDRESSES = frozenset({"delivered", "bounced", "complained", "suppressed"})

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])?")
_NAMED = re.compile(r"[^<>]*<([^<>]+)>\s*")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FORM = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."
# the same on every machine: only what Python brings, not what the system has installed
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("text/calendar", ".ics")
_SAME = {"application/javascript": "text/javascript", "application/xml": "text/xml", "image/jpg": "image/jpeg"}


class ApiError(Exception):
    """A refusal in Resend's shape; `headers` are those it adds to the answer."""

    def __init__(self, status: int, name: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return what the answer says."""
        return {"statusCode": self.status, "name": self.name, "message": self.message}


@dataclass(slots=True)
class Checked:
    """An e-mail that may go out: `payload` without the attachments that silently will not."""

    payload: dict[str, Any]
    to: tuple[str, ...]
    recipient: str
    recipients: int
    tags: dict[str, str]
    attachments: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(slots=True)
class Rules:
    """What differs from account to account.

    `domains` are verified for sending; `owner` is the account's own address, the only one besides the test addresses
    that may get mail from resend.dev; mail to `blocked` domains is refused, as the real one refuses example.com.
    """

    domains: set[str]
    owner: str
    blocked: set[str] = field(default_factory=set)

    def check(self, email: Any, *, batch: bool = False) -> Checked:
        """Return an e-mail as it is understood.

        Raises:
            ApiError: it is refused.
        """
        if not isinstance(email, dict):
            raise _invalid("The email must be an object.")
        payload = {name: value for name, value in email.items() if value is not None}
        self._check_members(payload, batch)
        if "template" in payload:
            raise ApiError(404, "not_found", "Template not found")
        if not payload.get("html") and not payload.get("text"):
            raise _invalid("Missing `html` or `text` field.")
        to = _list_of(payload, "to")
        if len(to) > MOST_RECIPIENTS:
            raise _invalid(f"Invalid `to` field. The maximum is {MOST_RECIPIENTS} recipients.")
        copies = [*_list_of(payload, "cc"), *_list_of(payload, "bcc")]
        addresses = [self._recipient(one, "to") for one in to]
        for one in copies:
            self._recipient(one, "cc")
        for one in _list_of(payload, "reply_to"):
            _address(one, "reply_to")
        self._check_sender(payload["from"], addresses)
        kept, dropped = _sorted_out(payload.get("attachments", []))
        if dropped:
            payload["attachments"] = kept
        names = tuple(str(one.get("filename", "")) for one in kept)
        tags = _tags(payload.get("tags", []))
        return Checked(payload, tuple(to), addresses[0], len(to) + len(copies), tags, names, dropped)

    def _check_members(self, payload: Mapping[str, Any], batch: bool) -> None:
        for name in ("from", "to", "subject"):
            if name not in payload:
                raise ApiError(422, "missing_required_field", f"Missing `{name}` field.")
        for name in ("from", "subject", "html", "text", "scheduled_at"):
            if not isinstance(payload.get(name, ""), str):
                raise _invalid(f"The `{name}` field must be a string.")
        if not isinstance(payload.get("headers", {}), dict):
            raise _invalid("The `headers` field must be an object.")
        unfit = {"attachments", "scheduled_at"} & payload.keys() if batch else ()
        for name in sorted(unfit):
            raise _invalid(f"The `{name}` field is not supported in batch emails.")

    def _check_sender(self, sender: str, to: Collection[str]) -> None:
        domain = _domain(_address(sender, "from"))
        if domain == "resend.dev":
            if any(one.lower() != self.owner and fate_of(one) is None for one in to):
                words = (
                    f"You can only send testing emails to your own email address ({self.owner}). To send emails to "
                    "other recipients, please verify a domain at resend.com/domains, and change the `from` address "
                    "to an email using this domain."
                )
                raise ApiError(403, "validation_error", words)
        elif domain not in self.domains:
            words = (
                f"The {domain} domain is not verified. Please, add and verify your domain on https://resend.com/domains"
            )
            raise ApiError(403, "validation_error", words)

    def _recipient(self, text: Any, name: str) -> str:
        address = _address(text, name)
        if _domain(address) in self.blocked:
            words = "Please use our testing email address instead of domains like `example.com`."
            raise _invalid(f"Invalid `{name}` field. {words}")
        return address


def fate_of(address: str) -> str | None:
    """Return what an address of Resend's for testing stands for: delivered, bounced, complained or suppressed."""
    local, _, domain = address.lower().partition("@")
    fate = local.partition("+")[0]
    return fate if domain == "resend.dev" and fate in TEST_ADDRESSES else None


def _invalid(message: str) -> ApiError:
    return ApiError(422, "validation_error", message)


def _address(text: Any, name: str) -> str:
    """Return the bare address of `address` or `Name <address>`."""
    if isinstance(text, str):
        named = _NAMED.fullmatch(text)
        address = (named[1] if named else text).strip()
        local = address.rpartition("@")[0]
        dots = local.startswith(".") or local.endswith(".") or ".." in local
        if _ADDRESS.fullmatch(address) and not dots and len(local) <= 64 and len(address) <= 254:
            return address
    raise _invalid(f"Invalid `{name}` field. {_FORM}")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _list_of(payload: Mapping[str, Any], name: str) -> list[Any]:
    value = payload.get(name, [])
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or (name == "to" and not value):
        raise _invalid(f"Invalid `{name}` field. {_FORM}")
    return value


def _tags(tags: Any) -> dict[str, str]:
    if not isinstance(tags, list):
        raise _invalid("The `tags` field must be an array.")
    for tag in tags:
        if not isinstance(tag, dict) or not {"name", "value"} <= tag.keys():
            raise _invalid("Each tag must have a `name` and a `value`.")
        for text in (tag["name"], tag["value"]):
            if not isinstance(text, str) or not _TAG.fullmatch(text):
                words = (
                    "Tags should only contain ASCII letters, numbers, underscores, or dashes, 256 characters at most."
                )
                raise _invalid(words)
    return {tag["name"]: tag["value"] for tag in tags}


def _sorted_out(attachments: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the attachments that will go out, and the names of those that will not."""
    if not isinstance(attachments, list):
        raise ApiError(422, "invalid_attachment", "The `attachments` field must be an array.")
    for one in attachments:
        _check_attachment(one)
    if sum(len(one.get("content", "")) for one in attachments) > MOST_ATTACHED:
        raise ApiError(422, "invalid_attachment", "The attachments are larger than 40 MB after Base64 encoding.")
    kept = [one for one in attachments if _agrees(one)]
    return kept, tuple(one["filename"] for one in attachments if not _agrees(one))


def _check_attachment(one: Any) -> None:
    if not isinstance(one, dict) or not (one.keys() & {"content", "path"}):
        raise ApiError(422, "invalid_attachment", "Attachment must have either a `content` or `path`.")
    for name in ("content", "path", "filename", "content_type", "content_id"):
        if not isinstance(one.get(name, ""), str):
            raise ApiError(422, "invalid_attachment", f"The attachment's `{name}` must be a string.")
    if "content" in one and "filename" not in one:
        raise ApiError(422, "invalid_attachment", "Attachment with `content` must have a `filename`.")
    try:
        base64.b64decode(one.get("content", ""), validate=True)
    except (binascii.Error, ValueError):
        raise ApiError(422, "invalid_attachment", "The attachment's `content` is not Base64.") from None


def _agrees(attachment: Mapping[str, Any]) -> bool:
    """Say whether extension and content type agree; with one of them unknown nothing can disagree."""
    given = attachment.get("content_type", "").partition(";")[0].strip().lower()
    guessed = _TYPES.guess_type(attachment.get("filename", ""))[0]
    return not given or guessed is None or _SAME.get(given, given) == _SAME.get(guessed, guessed)
