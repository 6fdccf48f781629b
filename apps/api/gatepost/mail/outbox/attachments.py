"""Attachments: only of allowed types, and with content of the type that they claim."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field, PrivateAttr, model_validator

# Bytes, of all attachments of an email together.
MAX_BYTES = 10 * 1024 * 1024
MAX_FILES = 20
# Characters of Base64, a multiple of four.
_PIECE = 256 * 1024

# By file extension: the type, and how such a file may begin. Providers silently drop a file whose extension and type
# disagree (seen at Resend).
_ZIP = b"PK\x03\x04"
_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES: dict[str, tuple[str, tuple[bytes, ...]]] = {
    ".pdf": ("application/pdf", (b"%PDF-",)),
    ".png": ("image/png", (b"\x89PNG\r\n\x1a\n",)),
    ".jpg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".jpeg": ("image/jpeg", (b"\xff\xd8\xff",)),
    ".gif": ("image/gif", (b"GIF87a", b"GIF89a")),
    ".webp": ("image/webp", (b"RIFF",)),
    ".zip": ("application/zip", (_ZIP,)),
    ".docx": (f"{_OFFICE}wordprocessingml.document", (_ZIP,)),
    ".xlsx": (f"{_OFFICE}spreadsheetml.sheet", (_ZIP,)),
    ".pptx": (f"{_OFFICE}presentationml.presentation", (_ZIP,)),
    ".txt": ("text/plain", ()),
    ".csv": ("text/csv", ()),
    ".md": ("text/markdown", ()),
    ".ics": ("text/calendar", ()),
    ".vcf": ("text/vcard", ()),
    ".json": ("application/json", ()),
    ".xml": ("application/xml", ()),
}


def _check_filename(name: str) -> str:
    if not name.isprintable() or any(char in name for char in '/\\:*?"<>|') or name.startswith("."):
        raise ValueError('must be a file name without a path, a leading dot or any of : * ? " < > |')
    return name


Filename = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_check_filename)]


class EmailAttachment(BaseModel):
    """A file to attach: pdf, png, jpg, gif, webp, zip, docx, xlsx, pptx, txt, csv, md, ics, vcf, json or xml.

    `content` is the file in Base64 (RFC 4648, section 4). `content_type` is optional and must match the extension.
    """

    filename: Filename
    content: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
    content_type: Annotated[str | None, Field(max_length=200)] = None
    _size: int = PrivateAttr(default=0)

    @model_validator(mode="after")
    def _check_content(self) -> EmailAttachment:
        extension = PurePosixPath(self.filename.lower()).suffix
        if extension not in _TYPES:
            raise ValueError(f"{self.filename}: this file type is not allowed. Allowed: {' '.join(sorted(_TYPES))}")
        type_, beginnings = _TYPES[extension]
        if self.content_type is not None and self._bare_type() not in {type_, mimetypes.guess_type(self.filename)[0]}:
            raise ValueError(f"{self.filename}: content_type must be {type_} for this extension, or omitted")
        try:
            beginning, self._size = _inspect(self.content)
        except (binascii.Error, ValueError):
            raise ValueError(f"{self.filename}: content must be Base64") from None
        if beginnings and not beginning.startswith(beginnings):
            raise ValueError(f"{self.filename}: the content does not match the file extension")
        self.content_type = type_
        return self

    @property
    def size(self) -> int:
        """The size of the file in bytes."""
        return self._size

    def _bare_type(self) -> str:
        return (self.content_type or "").partition(";")[0].strip().lower()


def _inspect(text: str) -> tuple[bytes, int]:
    """Return the beginning and the size of what a text is the Base64 of.

    It is decoded in pieces: one call for all of it would keep the interpreter's lock for too long.

    Raises:
        ValueError: it is not Base64.
    """
    if "=" in text[:-2]:
        raise ValueError("padding before the end")
    pieces = range(0, len(text), _PIECE)
    size = sum(len(base64.b64decode(text[start : start + _PIECE], validate=True)) for start in pieces)
    return base64.b64decode(text[:_PIECE], validate=True), size


def limit_total_size(attachments: list[EmailAttachment]) -> list[EmailAttachment]:
    """Return the attachments of an email.

    Raises:
        ValueError: together they are too large.
    """
    if sum(each.size for each in attachments) > MAX_BYTES:
        raise ValueError(f"the attachments of an email must not exceed {MAX_BYTES // 1024 // 1024} MB in total")
    return attachments
