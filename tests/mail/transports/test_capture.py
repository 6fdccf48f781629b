"""The capture transport, and which transports the settings open."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

import pytest

from gatepost import Settings
from gatepost.mail.transports import Accepted, Transport, create_transports
from gatepost.mail.transports.capture import CaptureTransport
from tests.support.transports import make_batch, make_message


async def test_everything_is_accepted_and_nothing_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    transport = CaptureTransport()
    messages = [make_message(), make_message("bob@example.com")]
    batch = make_batch(*messages)
    ids = tuple(f"capture-{one.id}" for one in messages)
    assert await transport.send(batch) == await transport.send(batch) == Accepted(ids)
    await transport.close()
    assert transport.name == "capture"
    assert transport.idempotency_window > timedelta(days=365)
    assert caplog.records == []


@pytest.mark.parametrize(
    "names", [["capture"], ["resend"], ["smtp"], ["resend", "smtp"], ["smtp", "resend"]], ids=",".join
)
async def test_transports_are_opened_in_the_order_of_the_settings(names: list[str]) -> None:
    settings: dict[str, Any] = {
        "mail_transport": names,
        "mail_from": "Acme <no-reply@acme.com>",
        "resend_api_key": "re_x",
        "smtp_url": "smtp://ada:secret@mail.acme.com",
    }
    opened: tuple[Transport, ...] = create_transports(Settings(**settings))
    assert [one.name for one in opened] == names
    for one in opened:
        await one.close()
