"""A Resend to test against: a real HTTP server that keeps Resend's rules, keeps books, and misbehaves when told to.

async with FakeResend(rate=5, api_key="re_test") as resend:
    resend.webhooks = Webhooks("http://127.0.0.1:8000/v1/webhooks/resend")
    resend.next("drop-after", "storm:3", "slow:0.5")
    resend.mischief = Mischief(seed=7, shares={"hang-after:0.5": 0.05, "500-after": 0.05})
    ...
    await resend.settled()
    assert [message.key for message in resend.books] == [...]
"""

from tests.resend.books import Books, Message
from tests.resend.mischief import REQUEST_KINDS, WEBHOOK_KINDS, Mischief
from tests.resend.rules import ApiError
from tests.resend.server import FakeResend
from tests.resend.webhooks import SECRET, Attempt, Webhooks
from tests.resend.wire import Request

__all__ = [
    "REQUEST_KINDS",
    "SECRET",
    "WEBHOOK_KINDS",
    "ApiError",
    "Attempt",
    "Books",
    "FakeResend",
    "Message",
    "Mischief",
    "Request",
    "Webhooks",
]
