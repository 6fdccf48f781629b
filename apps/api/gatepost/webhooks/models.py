"""The payload of a webhook."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from gatepost.sessions import Session


class SessionEnded(BaseModel):
    """A session has ended. `timestamp` is when that was recorded (Standard Webhooks, payload structure)."""

    type: Literal["session.ended"] = "session.ended"
    timestamp: datetime
    data: Session
