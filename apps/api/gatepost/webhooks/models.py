"""What a webhook holds."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from gatepost.sessions.models import Session


class SessionEnded(BaseModel):
    """A session has ended; `timestamp` is when that was written down (Standard Webhooks, payload structure)."""

    type: Literal["session.ended"] = "session.ended"
    timestamp: datetime
    data: Session
