"""Tokens: what is accepted, what is remembered, and what is not."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import TokenExpired, TokenInvalid
from gatepost.security import access_tokens as tokens
from gatepost.security.access_tokens import AccessTokens
from gatepost.security.refresh_tokens import RefreshTokens

ISSUER = "https://app.example.com/v1/auth"


class Ring:
    """A ring of one key, as the verifier sees it; it counts how often it is asked."""

    def __init__(self) -> None:
        self.generation = 1
        self.key = generate_private_key(SECP256R1())
        self.asked = 0

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        return "one", self.key

    async def find(self, kid: str) -> Any:
        self.asked += 1
        return self.key.public_key() if kid == "one" else None


def claims(**changed: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    base = {
        "iss": ISSUER,
        "aud": "authenticated",
        "sub": str(uuid4()),
        "session_id": str(uuid4()),
        "iat": now,
        "exp": now + timedelta(minutes=15),
    }
    return {name: value for name, value in (base | changed).items() if value is not None}


@pytest.fixture
def ring() -> Ring:
    return Ring()


@pytest.fixture
def verifier(ring: Ring) -> AccessTokens:
    return AccessTokens(ring, ISSUER, timedelta(minutes=15))


def signed(ring: Ring, kid: str = "one", **changed: Any) -> str:
    return jwt.encode(claims(**changed), ring.key, algorithm="ES256", headers={"kid": kid})


async def test_a_token_is_verified_once_and_then_remembered(ring: Ring, verifier: AccessTokens) -> None:
    token = signed(ring)
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert ring.asked == 1


async def test_what_is_remembered_is_dropped_when_the_keys_change(ring: Ring, verifier: AccessTokens) -> None:
    token = signed(ring)
    await verifier.verify(token)
    ring.key = generate_private_key(SECP256R1())
    ring.generation += 1
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_what_is_remembered_is_dropped_at_its_expiry(
    ring: Ring, verifier: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed(ring)
    await verifier.verify(token)
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(TokenExpired):
        await verifier.verify(token)
    assert not verifier._remembered


async def test_what_is_remembered_is_bounded(
    ring: Ring, verifier: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_REMEMBERED", 3)
    several = [signed(ring) for _ in range(5)]
    for token in several:
        await verifier.verify(token)
    assert list(verifier._remembered) == several[2:]


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in ("iss", "aud", "exp", "iat", "sub", "session_id")),
        {"iss": "https://evil.example/v1/auth"},
        {"aud": "anon"},
        {"session_id": "not-a-uuid"},
        {"session_id": 7},
        {"sub": "someone"},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
    ],
)
async def test_claims_that_are_missing_or_wrong(ring: Ring, verifier: AccessTokens, changed: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(signed(ring, **changed))


async def test_an_expired_token_is_told_apart(ring: Ring, verifier: AccessTokens) -> None:
    with pytest.raises(TokenExpired):
        await verifier.verify(signed(ring, exp=datetime.now(UTC) - timedelta(seconds=1)))


async def test_other_algorithms_keys_and_forms_are_refused(ring: Ring, verifier: AccessTokens) -> None:
    stranger = Ring()
    head, body, signature = signed(ring).split(".")
    for token in (
        signed(stranger),
        signed(ring, kid="two"),
        jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"}),
        jwt.encode(claims(), "s" * 32, algorithm="HS256", headers={"kid": "one"}),
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-4]}AAAA",
        f"{head}.{body}",
        "",
        "." * 100,
        "x" * 10_000,
    ):
        with pytest.raises(TokenInvalid):
            await verifier.verify(token)


@given(st.text(max_size=300))
def test_only_our_refresh_tokens_can_be_read(text: str) -> None:
    with pytest.raises(TokenInvalid):
        RefreshTokens(b"k" * 32).read(text)


@given(st.uuids(), st.integers(0, 91), st.characters(codec="ascii"))
def test_a_refresh_token_with_one_character_changed_is_none(session_id: UUID, place: int, other: str) -> None:
    refresh_tokens = RefreshTokens(b"k" * 32)
    token = refresh_tokens.mint(session_id)
    assert refresh_tokens.read(token) == session_id
    changed = token[:place] + other + token[place + 1 :]
    if changed != token:
        with pytest.raises(TokenInvalid):
            refresh_tokens.read(changed)


def test_another_secret_reads_nothing() -> None:
    with pytest.raises(TokenInvalid):
        RefreshTokens(b"a" * 32).read(RefreshTokens(b"b" * 32).mint(uuid4()))
