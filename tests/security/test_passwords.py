"""The rules for passwords (OWASP ASVS 5.0, 6.2)."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import argon2
import httpx
import pytest
from argon2 import PasswordHasher

from gatepost import ConfigurationError
from gatepost.runtime import open_runtime
from gatepost.security import MAX_CHARACTERS, MIN_CHARACTERS, LinkTokens
from gatepost.security.password_rules import common_passwords
from tests.support import PASSWORD, Service, assert_problem, make_settings, running_service
from tests.support.mail import pause_mail
from tests.support.password_range import PasswordRange


async def _register(service: Service, password: str, email: str = "ada.lovelace@example.com") -> httpx.Response:
    return await service.http.post("/v1/auth/register", json={"email": email, "password": password})


async def _problem(service: Service, password: str, **extra: Any) -> dict[str, Any]:
    problem = assert_problem(await _register(service, password, **extra), 422, "validation_failed")
    assert len(problem["errors"]) == 1
    error: dict[str, Any] = problem["errors"][0]
    assert error["loc"] == ["body", "password"]
    assert password not in str(problem["errors"])
    return error


async def test_a_common_password_is_rejected_in_any_case(service: Service) -> None:
    for password in ("password1", "PASSWORD1", "12345678", "qwertyuiop", "1q2w3e4r", "Trustno1"):
        assert (await _problem(service, password))["type"] == "password_common"


def test_the_list_of_common_passwords_has_more_than_3000_that_are_long_enough() -> None:
    """OWASP ASVS 6.2.4: the top 3000 that the other rules would allow."""
    common = common_passwords()
    assert sum(MIN_CHARACTERS <= len(each) <= MAX_CHARACTERS for each in common) > 10_000
    assert all(each == each.casefold() for each in common)


async def test_the_email_address_and_the_products_name_are_rejected(service: Service) -> None:
    for password in (
        "ada.lovelace@example.com",
        "Ada.Lovelace@Example.com",
        "ada.lovelace",
        "ADA.Lovelace2026!",
        "gatepost",
        "Gatepost123",
        "!!gatepost!!",
    ):
        assert (await _problem(service, password))["type"] == "password_context"


async def test_a_password_has_8_to_128_characters_and_is_never_cut_off(service: Service) -> None:
    short, long = await _problem(service, "aü3$xy7"), await _problem(service, "x" * 129)
    assert (short["type"], short["msg"]) == ("password_too_short", "Enter at least 8 characters.")
    assert (long["type"], long["msg"]) == ("password_too_long", "Enter at most 128 characters.")
    # Seven characters in NFC, in eight code points as typed.
    assert (await _problem(service, unicodedata.normalize("NFD", "aü3$xy7")))["type"] == "password_too_short"
    longest = "é🔐 " * 42 + "zq"
    assert len(longest) == 128
    assert (await _register(service, longest)).status_code == 201
    for other in (longest[:-1], longest[:-1] + "Q", longest[:72]):
        form = {"email": "ada.lovelace@example.com", "password": other}
        assert_problem(await service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")
    await service.login("ada.lovelace@example.com", password=longest)


async def test_any_characters_are_allowed_without_composition_rules(service: Service) -> None:
    passwords = ["kjwqhdxz", "94710385", "        x", "ЖЖЖЖщщщщ", "⚙️🪤🦞🧷🪠🫖🪗🧉", "ignore previous", "a b c d e"]
    for number, password in enumerate(passwords):
        assert (await _register(service, password, f"user{number}@example.org")).status_code == 201
        await service.login(f"user{number}@example.org", password=password)


async def test_a_password_is_compared_in_nfc(service: Service) -> None:
    """The same letters, composed by one keyboard and not by another."""
    composed = unicodedata.normalize("NFC", "Zürich größer é")
    decomposed = unicodedata.normalize("NFD", composed)
    assert composed != decomposed
    for number, (chosen, typed) in enumerate([(composed, decomposed), (decomposed, composed)]):
        email = f"user{number}@example.org"
        assert (await _register(service, chosen, email)).status_code == 201
        await service.login(email, password=typed)
        await service.login(email, password=chosen)


async def test_a_password_from_before_the_rules_still_signs_in(service: Service) -> None:
    user = await service.register()
    for password in ("password1", unicodedata.normalize("NFD", "Zürich größer"), "x" * 200, "short"):
        hashed = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(password)
        await service.sql.execute("update gatepost.users set password_hash = $1", hashed)
        await service.login(user.email, password=password)
        # It was hashed again, under the current parameters.
        await service.login(user.email, password=password)


async def test_every_way_to_set_a_password_has_the_rules(service: Service) -> None:
    user = await service.register()
    form = {"current_password": PASSWORD, "new_password": "password1"}
    problem = assert_problem(await user.post("/v1/auth/password/change", form), 422, "validation_failed")
    assert problem["errors"][0]["loc"] == ["body", "new_password"]
    await service.http.post("/v1/auth/password/forgot", json={"email": user.email})
    link_id = await service.sql.fetchval("select id from gatepost.links where purpose = 'reset_password'")
    token = _link_token(service, link_id)
    for password in ("password1", user.email, user.email.partition("@")[0]):
        body = {"token": token, "password": password}
        assert_problem(await service.http.post("/v1/auth/password/reset", json=body), 422, "validation_failed")
    # The link was not used up by it.
    body = {"token": token, "password": "a new one entirely"}
    assert (await service.http.post("/v1/auth/password/reset", json=body)).status_code == 204


async def test_the_first_admins_password_has_the_rules(database_url: str) -> None:
    for password in ("password1", "boss@example.com", "x" * 129):
        given = {"admin_email": "boss@example.com", "admin_password": password}
        async with open_runtime(make_settings(database_url, **given)) as runtime:
            with pytest.raises(ConfigurationError, match=r"^GATEPOST_ADMIN_PASSWORD: "):
                async with runtime.serving():
                    pass


async def test_a_leaked_password_is_rejected_by_five_digits_of_its_hash(database_url: str) -> None:
    async with (
        PasswordRange(leaked=["correct donkey pile"]) as leaked,
        running_service(database_url, password_range_url=leaked.url) as service,
    ):
        await pause_mail(service)
        assert (await _problem(service, "correct donkey pile"))["type"] == "password_leaked"
        digest = hashlib.sha1(b"correct donkey pile", usedforsecurity=False).hexdigest().upper()
        assert leaked.requests == [f"/range/{digest[:5]}"]
        # The answer has other hashes, and padding with a count of 0, also for the password itself.
        leaked.padded.append("a padded password")
        assert (await _register(service, "a padded password")).status_code == 201


async def test_an_outage_of_the_range_service_blocks_nobody(database_url: str) -> None:
    async with (
        PasswordRange(leaked=["correct donkey pile"]) as leaked,
        running_service(database_url, password_range_url=leaked.url) as service,
    ):
        await pause_mail(service)
        for fault in ("error", "nonsense", "limit", "hang", "down"):
            leaked.fault = fault
            if fault == "down":
                await leaked.close()
            response = await _register(service, "correct donkey pile", f"{fault}@example.org")
            assert response.status_code == 201, fault


@contextmanager
def _counted_verifications(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Record the parameters of each Argon2 verification that is computed, by the library itself."""
    verify = argon2.PasswordHasher.verify
    computed: list[str] = []

    def counted(self: PasswordHasher, hashed: str, password: str) -> bool:
        computed.append("$".join(hashed.split("$")[:4]))
        return verify(self, hashed, password)

    with monkeypatch.context() as patch:
        patch.setattr(argon2.PasswordHasher, "verify", counted)
        yield computed


async def test_unknown_users_and_unusable_passwords_cost_one_verification_like_a_wrong_password(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, disowned = await service.register(), await service.register()
    await service.sql.execute("update gatepost.users set password_hash = '!' where id = $1", disowned.user_id)
    costs = []
    for email in (user.email, "nobody@example.com", disowned.email):
        with _counted_verifications(monkeypatch) as computed:
            form = {"email": email, "password": "a wrong password"}
            assert_problem(await service.http.post("/v1/auth/login", json=form), 401, "invalid_credentials")
        costs.append(computed)
    assert costs == [["$argon2id$v=19$m=19456,t=2,p=1"]] * 3


def _link_token(service: Service, link_id: Any) -> str:
    secret = service.settings.secret_key
    assert secret is not None
    return LinkTokens([secret.get_secret_value().encode()]).create("reset_password", link_id)
