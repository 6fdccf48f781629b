"""Capturing, and which transports the settings open."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from gatepost import Settings
from gatepost.mail.transports.capture import CaptureTransport
from gatepost.mail.transports.factory import open_transports
from gatepost.mail.transports.transport import Accepted, Transport
from tests.transports.dispatches import dispatch, message


async def test_everything_is_accepted_and_nothing_is_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = CaptureTransport()
    messages = [message(), message("bob@example.com")]
    sending = dispatch(*messages)
    ids = tuple(f"capture-{one.id}" for one in messages)
    assert await transport.send(sending) == await transport.send(sending) == Accepted(ids)
    await transport.close()
    assert transport.name == "capture"
    assert transport.remembers > timedelta(days=365)
    assert caplog.records == []


@pytest.mark.parametrize(
    "names", [["capture"], ["resend"], ["smtp"], ["resend", "smtp"], ["smtp", "resend"]], ids=",".join
)
async def test_the_settings_open_transports_in_their_order(names: list[str]) -> None:
    given: dict[str, Any] = {
        "mail_transport": names,
        "mail_from": "Acme <no-reply@acme.com>",
        "resend_api_key": "re_x",
        "smtp_url": "smtp://ada:secret@mail.acme.com",
    }
    opened: tuple[Transport, ...] = open_transports(Settings(**given))
    assert [one.name for one in opened] == names
    for one in opened:
        await one.close()
