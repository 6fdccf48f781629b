"""Tokens that Gatepost did not issue, or not for this use: none opens anything, and the genuine ones still work.

OWASP ASVS 9.1 and 9.2; RFC 8725 names the attacks on JWTs.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import (
    SECP256K1,
    SECP256R1,
    SECP384R1,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.utils import base64url_encode

from gatepost import Settings
from gatepost.runtime import open_runtime
from gatepost.security import LinkPurpose, api_keys
from tests.support import PASSWORD, Device, Service, assert_problem, make_settings
from tests.support.forgery import Forger, bearer, steal_signing_key

SENDS_NO_MAIL = True

LATER = int(time.time()) + 3600
# Claims that no genuine token has. `iss` and `aud` are those of another service, the rest is not what it should be.
WRONG_CLAIMS: dict[str, tuple[Any, ...]] = {
    "iss": ("https://evil.example/v1/auth", "http://localhost/v1/auth/", "http://localhost", "", 7, [], None),
    "aud": ("anon", "authenticated ", "", 7, [], ["anon"], None),
    "iat": (None,),
    "nbf": (LATER, "tomorrow", {}, [], float("nan"), float("inf"), 10**400),
    "exp": ("tomorrow", {}, [], float("nan"), float("inf"), 10**400, None),
    "sub": ("x", "", 7, [], {"a": 1}, "\0", str(uuid4()), None),
    "session_id": ("x", "", 7, [], {"a": 1}, "\0", str(uuid4()), None),
}


def segment(value: Any) -> str:
    return base64url_encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode()


def without_a_key(genuine: str, forger: Forger) -> Iterator[str]:
    """Forgeries by someone who knows a genuine token and the public key."""
    head, body, signature = genuine.split(".")
    header = jwt.get_unverified_header(genuine)
    algorithms: list[Any] = ["none", "None", "NONE", "nOnE", "", None, 0, ["ES256"], {}]
    for algorithm in algorithms:
        changed = segment(header | {"alg": algorithm})
        yield from (f"{changed}.{body}.", f"{changed}.{body}.{signature}", f"{changed}.{body}")
    yield f"{segment({'typ': 'JWT', 'kid': header['kid']})}.{body}.{signature}"
    public = forger.key.public_key()
    point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    confused = [point, point[1:33], b"", header["kid"].encode()]
    for encoding in (Encoding.PEM, Encoding.DER):
        written = public.public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
        confused += [written, written.strip()]
    for name, digest in (("HS256", hashlib.sha256), ("HS512", hashlib.sha512)):
        signed = f"{segment(header | {'alg': name})}.{body}"
        for secret in confused:
            yield f"{signed}.{segment(hmac.new(secret, signed.encode(), digest).digest())}"
    # Zero is no signature (CVE-2022-21449), nor is another encoding, a part or a neighbor of the right one.
    for raw in (bytes(64), bytes(63) + b"\1", b"\xff" * 64, b"", bytes(32)):
        yield f"{head}.{body}.{segment(raw)}"
    claims = jwt.decode(genuine, options={"verify_signature": False})
    other_claims = segment(claims | {"sub": str(uuid4())})
    yield from (f"{head}.{other_claims}.{signature}", f"{head}.{body[:-2]}.{signature}")
    yield from (f"{head}.{body}.{signature}.{signature}", f"{head}.{body}.{body}.{signature}", f"{genuine}.")
    yield from (f"{head}.{head}.{signature}", f"{body}.{body}.{signature}", f".{body}.{signature}", f"{genuine} x")
    yield from (genuine[::-1], f"{head}.{body}", head, "..", "a.b.c", f"{genuine},{genuine}", f"{genuine} {genuine}")
    yield f"{segment(b'[' * 3000 + b']' * 3000)}.{body}.{signature}"
    yield f"{head}.{body}.{signature}{'A' * 9000}"


def with_other_keys(device: Device, forger: Forger) -> Iterator[str]:
    """Forgeries by someone who brings their own key, under the right key id and under others."""
    own = generate_private_key(SECP256R1())
    jwk = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(own.public_key()))
    claims = jwt.decode(device.access_token, options={"verify_signature": False}) | {"exp": LATER}
    for more in ({}, {"jwk": jwk}, {"jku": "http://127.0.0.1:9/jwks"}, {"x5u": "http://127.0.0.1:9/c"}, {"x5c": ["A"]}):
        for kid in (forger.kid, "own", "../../../dev/null", "' or 1=1 --", "\0", "", jwk["x"]):
            yield jwt.encode(claims, own, "ES256", headers={"kid": kid, **more})
    for algorithm, key in (
        ("ES384", generate_private_key(SECP384R1())),
        ("ES256K", generate_private_key(SECP256K1())),
        ("RS256", generate_rsa_key(65537, 2048)),
        ("HS256", "s" * 40),
    ):
        yield forger.sign(device, key=key, algorithm=algorithm)


def with_the_key(device: Device, other: Device, forger: Forger) -> Iterator[str]:
    """Tokens that are signed with the service's own key but are not what it issues."""
    for name, values in WRONG_CLAIMS.items():
        for value in values:
            yield forger.sign(device, **{name: value})
    # Each half is genuine, but they do not belong together.
    yield forger.sign(device, sub=str(other.user_id))
    yield forger.sign(device, session_id=other.id)
    # A critical extension that we do not know (RFC 7515, 4.1.11), and more than any token needs.
    claims = jwt.decode(device.access_token, options={"verify_signature": False})
    yield jwt.encode(claims, forger.key, "ES256", headers={"kid": forger.kid, "crit": ["exp"], "exp": 1})
    yield jwt.encode(claims, forger.key, "ES256", headers={"kid": forger.kid, "crit": ["b64"], "b64": False})
    yield forger.sign(device, filler="x" * 8192)
    for kid in (["one"], {"kid": "one"}):
        yield f"{segment({'alg': 'ES256', 'kid': kid})}.{segment(claims)}.{segment(bytes(64))}"


def with_another_secret_key(service: Service) -> Settings:
    """Return the settings of another Gatepost on the same database."""
    assert service.settings.database_url is not None
    return make_settings(service.settings.database_url.get_secret_value(), secret_key="another one of some length " * 2)


async def test_forged_access_tokens(service: Service) -> None:
    user, other = await service.register_admin(), await service.register()
    forger = await steal_signing_key(service)
    assert (await service.http.get("/v1/me", headers=bearer(forger.sign(user)))).status_code == 200
    forgeries = [
        *without_a_key(user.access_token, forger),
        *with_other_keys(user, forger),
        *with_the_key(user, other, forger),
        user.refresh_token,
        PASSWORD,
        str(user.user_id),
        user.id,
    ]
    for forgery in forgeries:
        for path in ("/v1/me", "/v1/admin/users"):
            response = await service.http.get(path, headers=bearer(forgery))
            assert response.status_code == 401, (forgery[:300], response.text)
            assert response.json()["code"] in ("token_invalid", "token_expired"), forgery[:300]
    for expired in (int(time.time()) - 1, 1, 0, -1):
        response = await service.http.get("/v1/me", headers=bearer(forger.sign(user, exp=expired)))
        assert_problem(response, 401, "token_expired")
    for device in (user, other):
        assert (await device.get("/v1/me")).status_code == 200
    states = await service.sql.fetch("select ended_at from gatepost.sessions")
    assert [row["ended_at"] for row in states] == [None, None]


async def test_the_role_in_a_token_makes_nobody_an_admin(service: Service) -> None:
    user = await service.register()
    forger = await steal_signing_key(service)
    token = forger.sign(user, app_metadata={"role": "admin"}, role="service_role", is_admin=True)
    assert (await service.http.get("/v1/me", headers=bearer(token))).json()["user"]["role"] == "user"
    assert_problem(await service.http.get("/v1/admin/users", headers=bearer(token)), 403, "forbidden")


async def test_an_access_token_is_only_read_from_its_header_and_cookie(service: Service) -> None:
    user = await service.register()
    token = user.access_token
    for name in ("access_token", "token", "gatepost", "authorization"):
        assert_problem(await service.http.get("/v1/me", params={name: token}), 401, "not_authenticated")
    for header, value in (
        ("X-Access-Token", token),
        ("Authorization", token),
        ("Authorization", f"Basic {token}"),
        ("Authorization", f"Token {token}"),
        ("Proxy-Authorization", f"Bearer {token}"),
        ("Cookie", f"access_token={token}; gatepost_refresh={token}; Gatepost={token}"),
    ):
        assert_problem(await service.http.get("/v1/me", headers={header: value}), 401, "not_authenticated")


async def test_forged_refresh_tokens(service: Service) -> None:
    """None is accepted, by body or by cookie, and none ends the session that it names."""
    user, other = await service.register(), await service.register()
    genuine = user.refresh_token
    elsewhere = with_another_secret_key(service)
    async with open_runtime(elsewhere) as runtime:
        foreign = runtime.refresh_tokens.create(UUID(user.id))
    head = genuine[:30]
    forgeries = [
        foreign,
        head + other.refresh_token[30:],
        other.refresh_token[:30] + genuine[30:],
        genuine.upper(),
        genuine.swapcase(),
        genuine.removeprefix("gpr_"),
        f"{genuine}=",
        f"{genuine}\n",
        f" {genuine}",
        genuine + genuine,
        genuine.replace("gpr_", "gp_"),
        user.access_token,
        user.id,
        "gpr_",
        "gpr_" + "A" * (len(genuine) - 4),
        "x" * 100_000,
    ]
    for forgery in forgeries:
        response = await service.http.post("/v1/auth/refresh", json={"refresh_token": forgery})
        assert response.status_code in (401, 422), (forgery[:100], response.text)
        signed_out = await service.http.post("/v1/auth/logout", json={"refresh_token": forgery})
        assert signed_out.status_code in (204, 422)
        if forgery.isprintable() and len(forgery) < 1000:
            base = str(service.http.base_url).rstrip("/")
            headers = {"Origin": base, "Cookie": f"gatepost_refresh={forgery.strip().rstrip('=')}x"}
            assert (await service.http.post("/v1/auth/refresh", headers=headers)).status_code == 401
    for device in (user, other):
        assert (await device.refresh()).status_code == 200


async def test_forged_api_keys(service: Service) -> None:
    admin = await service.register_admin()
    genuine = (await service.create_api_key(admin, "users:read")).access_token
    assert (await service.http.get("/v1/admin/users", headers=bearer(genuine))).status_code == 200
    another, _ = api_keys.generate_api_key()
    # The right prefix and checksum over another secret: what the checksum cannot find, the hash must.
    body = genuine[:12] + another[12:-7]
    forgeries = [
        another,
        body + api_keys._checksum(body),
        genuine[:-7] + another[-7:],
        genuine.upper(),
        genuine.swapcase(),
        genuine[:11],
        genuine[:-1],
        f"{genuine}0",
        f"{genuine} {genuine}",
        f"{genuine}{genuine}",
        "gp_",
        "gp_%_%",
        "gp_" + "\u0130".encode().decode("latin-1") * 56,
        "gp_" + "x" * 8000,
    ]
    for forgery in forgeries:
        headers = [(b"Authorization", f"Bearer {forgery}".encode("latin-1"))]
        response = await service.http.get("/v1/admin/users", headers=headers)
        assert response.status_code == 401, (forgery[:100], response.text)
    stored = await service.sql.fetch("select secret_hash from gatepost.api_keys")
    for row in stored:
        copied = bearer(f"gp_{row['secret_hash'].hex()}")
        assert (await service.http.get("/v1/admin/users", headers=copied)).status_code == 401


LINKS: dict[LinkPurpose, str] = {
    "verify_email": "/v1/auth/email/verify",
    "reset_password": "/v1/auth/password/reset",
    "not_me": "/v1/sessions/not-me",
}


async def test_forged_links(service: Service) -> None:
    """A link's id, which the database and the log show, is no token; nor is a token for another purpose or key."""
    user = await service.register()
    await service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    rows = await service.sql.fetch("select id, purpose from gatepost.links")
    ids: dict[LinkPurpose, UUID] = {row["purpose"]: row["id"] for row in rows}
    elsewhere = with_another_secret_key(service)

    async def use(purpose: LinkPurpose, token: str) -> Any:
        return await service.http.post(LINKS[purpose], json={"token": token, "password": "a new one entirely"})

    async with open_runtime(service.settings) as ours, open_runtime(elsewhere) as theirs:
        for purpose, link_id in ids.items():
            forgeries = [
                theirs.link_tokens.create(purpose, link_id),
                *(ours.link_tokens.create(other, link_id) for other in LINKS if other != purpose),
                ours.link_tokens.create(purpose, uuid4()),
                str(link_id),
                link_id.hex,
                f"masked-{link_id.hex}",
                segment(link_id.bytes + bytes(16)),
            ]
            for forgery in forgeries:
                assert_problem(await use(purpose, forgery), 404, "link_invalid")
        unused = "select count(*) from gatepost.links where used_at is null"
        assert await service.sql.fetchval(unused) == len(rows)
        assert ids.keys() == {"verify_email", "reset_password"}
        for purpose, link_id in ids.items():
            assert (await use(purpose, ours.link_tokens.create(purpose, link_id))).is_success
