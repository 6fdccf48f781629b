"""Fill the database, and sign users in."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import httpx

_PASSWORD = "correct horse battery staple"

_ROWS = """
insert into gatepost.users (email, password_hash)
select format('user%s@example.com', n), 'none' from generate_series(1, 10000) n;

insert into gatepost.sessions (user_id, device_kind, browser, os, ip, expires_at)
select u.id, 'desktop', 'Chrome', 'Windows', '192.0.2.1', now() + interval '180 days'
from gatepost.users u cross join generate_series(1, 10);

insert into "user" (id, email, hashed_password, is_active, is_superuser, is_verified)
select id, email, password_hash, true, false, true from gatepost.users;

insert into accesstoken (token, created_at, user_id)
select left(md5(n || u.email) || md5(u.email || n), 43), now(), u.id from "user" u cross join generate_series(1, 10) n;
"""


def fill(url: str) -> None:
    """Add 10,000 users with ten sessions each, for Gatepost and for fastapi-users."""
    asyncio.run(_fill(url))


async def _fill(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(_ROWS)
        for command in ("vacuum analyze", "checkpoint"):
            await connection.execute(command)
    finally:
        await connection.close()


def sign_in_to_gatepost(url: str, users: int) -> list[str]:
    """Register users and return their access tokens."""
    with httpx.Client(base_url=url, timeout=30) as client:
        return [_register(client, "/account/v1/auth/register", n)["access_token"] for n in range(users)]


def sign_in_to_fastapi_users(url: str, users: int) -> list[str]:
    """Register users and return their access tokens."""
    tokens = []
    with httpx.Client(base_url=url, timeout=30) as client:
        for n in range(users):
            _register(client, "/register", n)
            form = {"username": _email(n), "password": _PASSWORD}
            tokens.append(client.post("/login", data=form).raise_for_status().json()["access_token"])
    return tokens


def write_tokens(tokens: list[str], path: Path) -> Path:
    """Write tokens to a file, one per line, and return its path."""
    path.write_text("".join(f"{token}\n" for token in tokens))
    return path


def _register(client: httpx.Client, path: str, n: int) -> dict[str, str]:
    response = client.post(path, json={"email": _email(n), "password": _PASSWORD})
    tokens: dict[str, str] = response.raise_for_status().json()
    return tokens


def _email(n: int) -> str:
    return f"signed-in{n}@example.com"
