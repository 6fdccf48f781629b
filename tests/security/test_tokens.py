"""Access tokens: which are accepted, and for how long they are cached. Refresh tokens: which are accepted."""

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
from gatepost.security import AccessTokens, RefreshTokens
from gatepost.security import access_tokens as tokens

ISSUER = "https://app.example.com/v1/auth"


class OneSigningKey:
    """Signing keys with one key; counts how often the verifier looks one up."""

    def __init__(self) -> None:
        self.generation = 1
        self.key = generate_private_key(SECP256R1())
        self.lookups = 0

    def signing(self) -> tuple[str, EllipticCurvePrivateKey]:
        return "one", self.key

    async def find(self, kid: str) -> Any:
        self.lookups += 1
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
def keys() -> OneSigningKey:
    return OneSigningKey()


@pytest.fixture
def verifier(keys: OneSigningKey) -> AccessTokens:
    return AccessTokens(keys, ISSUER, timedelta(minutes=15))


def signed(keys: OneSigningKey, kid: str = "one", **changed: Any) -> str:
    return jwt.encode(claims(**changed), keys.key, algorithm="ES256", headers={"kid": kid})


async def test_a_verified_token_is_cached(keys: OneSigningKey, verifier: AccessTokens) -> None:
    token = signed(keys)
    first = await verifier.verify(token)
    assert await verifier.verify(token) is first
    assert keys.lookups == 1


async def test_the_cache_is_cleared_when_the_keys_change(keys: OneSigningKey, verifier: AccessTokens) -> None:
    token = signed(keys)
    await verifier.verify(token)
    keys.key = generate_private_key(SECP256R1())
    keys.generation += 1
    with pytest.raises(TokenInvalid):
        await verifier.verify(token)


async def test_a_cached_token_still_expires(
    keys: OneSigningKey, verifier: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = signed(keys)
    await verifier.verify(token)
    later = time.time() + 901
    monkeypatch.setattr(time, "time", lambda: later)
    with pytest.raises(TokenExpired):
        await verifier.verify(token)
    assert not verifier._verified


async def test_the_cache_is_bounded(
    keys: OneSigningKey, verifier: AccessTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tokens, "_CACHED_TOKENS", 3)
    several = [signed(keys) for _ in range(5)]
    for token in several:
        await verifier.verify(token)
    assert list(verifier._verified) == several[2:]


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
async def test_missing_and_invalid_claims_are_rejected(
    keys: OneSigningKey, verifier: AccessTokens, changed: dict[str, Any]
) -> None:
    with pytest.raises(TokenInvalid):
        await verifier.verify(signed(keys, **changed))


async def test_an_expired_token_has_an_error_of_its_own(keys: OneSigningKey, verifier: AccessTokens) -> None:
    with pytest.raises(TokenExpired):
        await verifier.verify(signed(keys, exp=datetime.now(UTC) - timedelta(seconds=1)))


async def test_other_algorithms_keys_and_formats_are_rejected(keys: OneSigningKey, verifier: AccessTokens) -> None:
    other_keys = OneSigningKey()
    head, body, signature = signed(keys).split(".")
    for token in (
        signed(other_keys),
        signed(keys, kid="two"),
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
def test_arbitrary_text_is_not_a_refresh_token(text: str) -> None:
    with pytest.raises(TokenInvalid):
        RefreshTokens([b"k" * 32]).verify(text)


@given(st.uuids(), st.integers(0, 91), st.characters(codec="ascii"))
def test_a_changed_refresh_token_is_rejected(session_id: UUID, index: int, other: str) -> None:
    refresh_tokens = RefreshTokens([b"k" * 32])
    token = refresh_tokens.create(session_id)
    assert refresh_tokens.verify(token) == session_id
    changed = token[:index] + other + token[index + 1 :]
    if changed != token:
        with pytest.raises(TokenInvalid):
            refresh_tokens.verify(changed)


def test_a_refresh_token_of_another_secret_is_rejected() -> None:
    with pytest.raises(TokenInvalid):
        RefreshTokens([b"a" * 32]).verify(RefreshTokens([b"b" * 32]).create(uuid4()))
