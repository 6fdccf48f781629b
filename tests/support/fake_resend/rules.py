"""What Resend accepts and what it rejects, with its error names and messages."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

MAX_RECIPIENTS = 50
MAX_BATCH_SIZE = 100
MAX_ATTACHMENTS_SIZE = 40 * 1024 * 1024
TEST_ADDRESSES = frozenset({"delivered", "bounced", "complained", "suppressed"})

_ADDRESS = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@(?:[^\W_](?:[\w-]*[^\W_])?\.)+[^\W_](?:[\w-]*[^\W_])?")
_NAMED = re.compile(r"[^<>]*<([^<>]+)>\s*")
_TAG = re.compile(r"[A-Za-z0-9_-]{1,256}")
_FORMAT_HINT = "The email address needs to follow the `email@example.com` or `Name <email@example.com>` format."
# Only Python's own table, so that it is the same on every machine.
_TYPES = mimetypes.MimeTypes()
_TYPES.add_type("text/calendar", ".ics")
_SYNONYMS = {"application/javascript": "text/javascript", "application/xml": "text/xml", "image/jpg": "image/jpeg"}


class ApiError(Exception):
    """An error of Resend's API; `headers` are those that it adds to the response."""

    def __init__(self, status: int, name: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.name = name
        self.message = message
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """Return the body of the response."""
        return {"statusCode": self.status, "name": self.name, "message": self.message}


@dataclass(slots=True)
class ValidEmail:
    """An email that is accepted; its `payload` is without the attachments that are silently left out."""

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

    `domains` are verified for sending; `owner` is the account's own email address, the only one besides the test
    addresses that may get email from resend.dev; email to `blocked` domains is rejected, as the real Resend rejects
    example.com.
    """

    domains: set[str]
    owner: str
    blocked: set[str] = field(default_factory=set)

    def check(self, email: Any, *, batch: bool = False) -> ValidEmail:
        """Validate an email.

        Raises:
            ApiError: it is rejected.
        """
        if not isinstance(email, dict):
            raise _invalid("The email must be an object.")
        payload = {name: value for name, value in email.items() if value is not None}
        self._check_fields(payload, batch)
        if "template" in payload:
            raise ApiError(404, "not_found", "Template not found")
        if not payload.get("html") and not payload.get("text"):
            raise _invalid("Missing `html` or `text` field.")
        to = _list_of(payload, "to")
        if len(to) > MAX_RECIPIENTS:
            raise _invalid(f"Invalid `to` field. The maximum is {MAX_RECIPIENTS} recipients.")
        copies = [*_list_of(payload, "cc"), *_list_of(payload, "bcc")]
        addresses = [self._recipient(one, "to") for one in to]
        for one in copies:
            self._recipient(one, "cc")
        for one in _list_of(payload, "reply_to"):
            _address(one, "reply_to")
        self._check_sender(payload["from"], addresses)
        sent, dropped = _split_attachments(payload.get("attachments", []))
        if dropped:
            payload["attachments"] = sent
        names = tuple(str(one.get("filename", "")) for one in sent)
        tags = _tags(payload.get("tags", []))
        return ValidEmail(payload, tuple(to), addresses[0], len(to) + len(copies), tags, names, dropped)

    def _check_fields(self, payload: Mapping[str, Any], batch: bool) -> None:
        for name in ("from", "to", "subject"):
            if name not in payload:
                raise ApiError(422, "missing_required_field", f"Missing `{name}` field.")
        for name in ("from", "subject", "html", "text", "scheduled_at"):
            if not isinstance(payload.get(name, ""), str):
                raise _invalid(f"The `{name}` field must be a string.")
        if not isinstance(payload.get("headers", {}), dict):
            raise _invalid("The `headers` field must be an object.")
        unsupported = {"attachments", "scheduled_at"} & payload.keys() if batch else ()
        for name in sorted(unsupported):
            raise _invalid(f"The `{name}` field is not supported in batch emails.")

    def _check_sender(self, sender: str, to: Collection[str]) -> None:
        domain = _domain(_address(sender, "from"))
        if domain == "resend.dev":
            if any(one.lower() != self.owner and outcome_of(one) is None for one in to):
                message = (
                    f"You can only send testing emails to your own email address ({self.owner}). To send emails to "
                    "other recipients, please verify a domain at resend.com/domains, and change the `from` address "
                    "to an email using this domain."
                )
                raise ApiError(403, "validation_error", message)
        elif domain not in self.domains:
            message = (
                f"The {domain} domain is not verified. Please, add and verify your domain on https://resend.com/domains"
            )
            raise ApiError(403, "validation_error", message)

    def _recipient(self, text: Any, name: str) -> str:
        address = _address(text, name)
        if _domain(address) in self.blocked:
            message = "Please use our testing email address instead of domains like `example.com`."
            raise _invalid(f"Invalid `{name}` field. {message}")
        return address


def outcome_of(address: str) -> str | None:
    """Return the outcome that a test address at resend.dev stands for: delivered, bounced, complained or suppressed."""
    local, _, domain = address.lower().partition("@")
    outcome = local.partition("+")[0]
    return outcome if domain == "resend.dev" and outcome in TEST_ADDRESSES else None


def _invalid(message: str) -> ApiError:
    return ApiError(422, "validation_error", message)


def _address(text: Any, name: str) -> str:
    """Return the email address of `address` or `Name <address>`."""
    if isinstance(text, str):
        named = _NAMED.fullmatch(text)
        address = (named[1] if named else text).strip()
        local = address.rpartition("@")[0]
        dots = local.startswith(".") or local.endswith(".") or ".." in local
        if _ADDRESS.fullmatch(address) and not dots and len(local) <= 64 and len(address) <= 254:
            return address
    raise _invalid(f"Invalid `{name}` field. {_FORMAT_HINT}")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _list_of(payload: Mapping[str, Any], name: str) -> list[Any]:
    value = payload.get(name, [])
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or (name == "to" and not value):
        raise _invalid(f"Invalid `{name}` field. {_FORMAT_HINT}")
    return value


def _tags(tags: Any) -> dict[str, str]:
    if not isinstance(tags, list):
        raise _invalid("The `tags` field must be an array.")
    for tag in tags:
        if not isinstance(tag, dict) or not {"name", "value"} <= tag.keys():
            raise _invalid("Each tag must have a `name` and a `value`.")
        for text in (tag["name"], tag["value"]):
            if not isinstance(text, str) or not _TAG.fullmatch(text):
                message = (
                    "Tags should only contain ASCII letters, numbers, underscores, or dashes, 256 characters at most."
                )
                raise _invalid(message)
    return {tag["name"]: tag["value"] for tag in tags}


def _split_attachments(attachments: Any) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the attachments that will be sent, and the names of those that will not."""
    if not isinstance(attachments, list):
        raise ApiError(422, "invalid_attachment", "The `attachments` field must be an array.")
    for one in attachments:
        _check_attachment(one)
    if sum(len(one.get("content", "")) for one in attachments) > MAX_ATTACHMENTS_SIZE:
        raise ApiError(422, "invalid_attachment", "The attachments are larger than 40 MB after Base64 encoding.")
    sent = [one for one in attachments if _types_agree(one)]
    return sent, tuple(one["filename"] for one in attachments if not _types_agree(one))


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


def _types_agree(attachment: Mapping[str, Any]) -> bool:
    """Return whether extension and content type agree; an unknown one agrees with everything."""
    given = attachment.get("content_type", "").partition(";")[0].strip().lower()
    guessed = _TYPES.guess_type(attachment.get("filename", ""))[0]
    return not given or guessed is None or _SYNONYMS.get(given, given) == _SYNONYMS.get(guessed, guessed)
