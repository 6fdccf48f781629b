"""Sending nowhere: what is captured stays in the outbox, where the mailbox shows it."""

from __future__ import annotations

from datetime import timedelta

from gatepost.mail.transports.transport import Accepted, Dispatch, Outcome


class CaptureTransport:
    """The way out that leads nowhere: it accepts everything, as often as it is asked."""

    name = "capture"
    most = 100
    remembers = timedelta(days=3650)

    async def send(self, dispatch: Dispatch) -> Outcome:
        """Accept every message."""
        return Accepted(tuple(f"capture-{message.id}" for message in dispatch.messages))

    async def close(self) -> None:
        """Close nothing: there are no connections."""
