"""The messages that were accepted, one entry for each."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class Message:
    """An accepted message.

    `key` is the idempotency key of its request, `recipient` the first email address without its name, `tags` are
    {name: value}. `attachments` are the names of the files that will be sent, `dropped` of those that are silently
    left out. `payload` is the request without the dropped files; without html, text and the files' content unless
    bodies are kept.
    """

    id: str
    key: str | None
    endpoint: str
    sender: str
    to: tuple[str, ...]
    recipient: str
    subject: str
    tags: dict[str, str]
    attachments: tuple[str, ...]
    dropped: tuple[str, ...]
    payload: dict[str, Any]
    at: datetime
    last_event: str = "queued"


class Messages(list[Message]):
    """The accepted messages, in the order of their acceptance."""

    def __init__(self) -> None:
        super().__init__()
        self._by_id: dict[str, Message] = {}

    def add(self, message: Message) -> None:
        self.append(message)
        self._by_id[message.id] = message

    def find(self, message_id: str) -> Message | None:
        """Return the message with an id."""
        return self._by_id.get(message_id)

    def tagged(self, name: str, value: str) -> list[Message]:
        """Return the messages with a tag; sent exactly once means that there is one."""
        return [message for message in self if message.tags.get(name) == value]

    def count_by_tag(self, tag: str) -> Counter[str]:
        """Return how often each value of a tag was accepted."""
        return Counter(message.tags[tag] for message in self if tag in message.tags)
