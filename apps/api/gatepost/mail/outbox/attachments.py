"""Attachments: of a few types, and really of the type that they say."""

from __future__ import annotations

import base64
import binascii
import mimetypes
from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, PrivateAttr, model_validator

# Bytes, of all attachments of a message.
MAX_BYTES = 10 * 1024 * 1024
MAX_FILES = 20

# By ending: the type, and with what such a file begins. Providers drop, without a word, a file whose ending and type
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


def _filename(name: str) -> str:
    if not name.isprintable() or any(sign in name for sign in '/\\:*?"<>|') or name.startswith("."):
        raise ValueError("must be a plain file name, without a path")
    return name


Filename = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_filename)]


class EmailAttachment(BaseModel):
    """A file to go along: pdf, png, jpg, gif, webp, zip, docx, xlsx, pptx, txt, csv, md, ics, vcf, json or xml.

    `content` is its bytes in base64 (RFC 4648, 4); without `content_type` the file name's ending says it.
    """

    filename: Filename
    content: Annotated[str, Field(json_schema_extra={"contentEncoding": "base64"})]
    content_type: Annotated[str | None, Field(max_length=200)] = None
    _size: int = PrivateAttr(default=0)

    @model_validator(mode="after")
    def _is_what_it_says(self) -> EmailAttachment:
        ending = PurePosixPath(self.filename.lower()).suffix
        if ending not in _TYPES:
            raise ValueError(f"{self.filename}: files of this kind are not sent; these are: {' '.join(sorted(_TYPES))}")
        kind, beginnings = _TYPES[ending]
        if self.content_type is not None and self._bare_type() not in {kind, mimetypes.guess_type(self.filename)[0]}:
            raise ValueError(f"{self.filename}: {self.content_type[:100]} is not the type of such a file; it is {kind}")
        try:
            content = base64.b64decode(self.content, validate=True)
        except (binascii.Error, ValueError):
            raise ValueError(f"{self.filename}: content is no base64") from None
        if beginnings and not content.startswith(beginnings):
            raise ValueError(f"{self.filename}: the content is not that of such a file")
        self.content_type = kind
        self._size = len(content)
        return self

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return self._size

    def stored(self) -> dict[str, Any]:
        """Return it as `gatepost.queue_email` takes it."""
        return {"filename": self.filename, "content_type": self.content_type, "content": self.content}

    def _bare_type(self) -> str:
        return (self.content_type or "").partition(";")[0].strip().lower()


def demand_room(attachments: list[EmailAttachment]) -> list[EmailAttachment]:
    """Return the attachments of a message.

    Raises:
        ValueError: they are too large.
    """
    if sum(each.size for each in attachments) > MAX_BYTES:
        raise ValueError(f"the attachments of a message have {MAX_BYTES // 1024 // 1024} MB at most, all together")
    return attachments
