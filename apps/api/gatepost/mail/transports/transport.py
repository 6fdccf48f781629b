"""The interface of transports, and the data that they take and return."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol
from uuid import UUID

# What causes a rejection, and so what happens next:
# - message: the message itself; it is never sent again
# - account: the account or the configuration; sending pauses until it is corrected or a quota resets
# - rate_limit: too many requests; sending pauses for a moment, and no attempt is counted
# - temporary: anything else that may be different later; it is retried
Fault = Literal["message", "account", "rate_limit", "temporary"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file attached to a message."""

    filename: str
    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """A frozen message.

    `payload` is JSON: `{"to": [address], "subject", "html", "text", "reply_to"?, "tags": [{"name", "value"}]}`.
    """

    id: UUID
    payload: str
    attachments: tuple[Attachment, ...] = ()

    def parts(self) -> dict[str, Any]:
        """Return the members of the payload."""
        parts: dict[str, Any] = json.loads(self.payload)
        return parts


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages that are sent in one request. The same `key` always means the same bytes."""

    key: UUID
    sender: str
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider accepted every message. `ids` are its ids, in the order of the messages.

    `rate` is how many requests per second the provider allows, if it says so. `clock_offset` is by how many seconds our
    clock is ahead of the provider's, if that is more than a minute in either direction.
    """

    ids: tuple[str, ...]
    rate: float | None = None
    clock_offset: float | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """The provider certainly did not accept the batch.

    `message` says what happened and what to do. `retry_after` is in seconds, if the provider says so. `rate` is as in
    `Accepted`.
    """

    fault: Fault
    code: str
    message: str
    retry_after: float | None = None
    rate: float | None = None


@dataclass(frozen=True, slots=True)
class Uncertain:
    """The provider may or may not have accepted the batch.

    If `final`, repeating the request would not resolve this; only a webhook or the provider's log can.
    """

    code: str
    message: str
    final: bool = False


Outcome = Accepted | Rejected | Uncertain


class Transport(Protocol):
    """A way to send messages. One instance serves a whole process.

    `max_batch` is how many messages a batch may have. `idempotency_window` is how long repeating a request with the
    same key does not send the messages again; zero means that it always does.
    """

    name: str
    max_batch: int
    idempotency_window: timedelta

    async def send(self, batch: Batch) -> Outcome:
        """Send a batch. Takes at most 20 seconds and raises nothing but `CancelledError`."""

    async def close(self) -> None:
        """Close its connections."""
