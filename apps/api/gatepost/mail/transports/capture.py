"""A transport that sends nothing: captured messages stay in the outbox, and the mailbox shows them."""

from __future__ import annotations

from datetime import timedelta

from gatepost.mail.transports.transport import Accepted, Batch, Outcome


class CaptureTransport:
    """Accepts every message and sends none."""

    name = "capture"
    max_batch = 100
    idempotency_window = timedelta(days=3650)

    async def send(self, batch: Batch) -> Outcome:
        """Accept every message."""
        return Accepted(tuple(f"capture-{message.id}" for message in batch.messages))

    async def close(self) -> None:
        """Do nothing: there are no connections."""
