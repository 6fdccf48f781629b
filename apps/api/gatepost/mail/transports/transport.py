"""What every transport is: it takes a dispatch and says whether it was accepted, refused, or nobody knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

# Whose fault a refusal is: the message's own (never try again), the account's or the setting up's (wait for a person or
# a new day), the pace (wait a moment; no attempt is spent), or a passing trouble (try again later).
Fault = Literal["message", "account", "pace", "passing"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a message; `content` is its bytes."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A message, frozen: `payload` is JSON {to: [address], subject, html, text, reply_to?, tags: [{name, value}]}."""

    id: UUID
    payload: str
    attachments: tuple[Attachment, ...] = ()

    def parts(self) -> dict[str, Any]:
        """Return the payload's members."""
        parts: dict[str, Any] = json.loads(self.payload)
        return parts


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What goes out at once: the same `key` always stands for the same bytes."""

    key: UUID
    sender: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider has them all; `ids` in the order of the messages.

    `pace` is the requests a second that its headers allow; `clock_off` the seconds by which our clock is ahead of its
    clock, where it is more than a minute.
    """

    ids: tuple[str, ...]
    pace: float | None = None
    clock_off: float | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Surely not accepted. `words` say what to do; `retry_after` is in seconds, where the provider names it."""

    fault: Fault
    code: str
    words: str
    retry_after: float | None = None
    pace: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """May have been accepted or not: nobody can know before asking again.

    `final`: asking again under this key says nothing new; only a person or a webhook can tell.
    """

    code: str
    words: str
    final: bool = False


Outcome = Accepted | Refused | Uncertain


class Transport(Protocol):
    """A way out; one instance serves a whole process.

    `most` is how many messages go at once; `remembers` how long a repeated key is harmless (zero: never).
    """

    name: str
    most: int
    remembers: timedelta

    async def send(self, dispatch: Dispatch) -> Outcome:
        """Send a dispatch; takes 20 seconds at most, and raises nothing but what cancelling raises."""

    async def close(self) -> None:
        """Close its connections."""
