"""What the routes of notices take and give."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, StrictBool


class Notice(BaseModel):
    """A kind of mail; `description` says when it comes, and `security` is sent whatever one says."""

    key: str
    name: str
    description: str
    security: bool
    enabled: bool


class NoticeList(BaseModel):
    """Every kind of mail that one may get."""

    items: list[Notice]


class ChooseNotice(BaseModel):
    """Whether one wants a kind of mail."""

    model_config = ConfigDict(extra="forbid")

    enabled: StrictBool
