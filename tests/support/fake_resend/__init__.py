"""A fake Resend: a real HTTP server that follows Resend's rules, records what it accepts, and fails on demand.

async with FakeResend(rate=5, api_key="re_test") as resend:
    resend.webhooks = Webhooks("http://127.0.0.1:8000/v1/webhooks/resend")
    resend.fail_next("drop-after", "rate-limit:3", "slow:0.5")
    resend.faults = Faults(seed=7, rates={"hang-after:0.5": 0.05, "500-after": 0.05})
    ...
    await resend.wait_for_webhooks()
    assert [message.key for message in resend.messages] == [...]
"""

from tests.support.fake_resend.faults import REQUEST_FAULTS, WEBHOOK_FAULTS, Faults
from tests.support.fake_resend.http_server import Request
from tests.support.fake_resend.messages import Message, Messages
from tests.support.fake_resend.rules import ApiError
from tests.support.fake_resend.server import FakeResend
from tests.support.fake_resend.webhooks import SECRET, Attempt, Webhooks

__all__ = [
    "REQUEST_FAULTS",
    "SECRET",
    "WEBHOOK_FAULTS",
    "ApiError",
    "Attempt",
    "FakeResend",
    "Faults",
    "Message",
    "Messages",
    "Request",
    "Webhooks",
]
