"""The list of emails: its pages, filters and search."""

from __future__ import annotations

from typing import Any

from tests.support import Service, all_pages, assert_problem
from tests.support.mail import WELCOME

BODY: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": WELCOME}


async def test_pages_contain_every_email_once(service: Service) -> None:
    admin = await service.register_admin()
    bodies = [BODY | {"to": f"p{number}@acme.com"} for number in range(5)]
    ids = [item["id"] for item in (await admin.post("/v1/emails/batch", bodies)).json()["items"]]
    found = await all_pages(admin, "/v1/emails?template=welcome", 2)
    assert sorted(item["id"] for item in found) == sorted(ids)
    assert_problem(await admin.get("/v1/emails?cursor=nonsense"), 422, "validation_failed")
    assert_problem(await admin.get("/v1/emails?status=lost"), 422, "validation_failed")


async def test_emails_are_found_by_the_start_of_the_recipient(service: Service) -> None:
    admin = await service.register_admin()
    for address in ("ada@acme.com", "Adam@acme.com", "bob@acme.com"):
        await admin.post("/v1/emails", BODY | {"to": address})
    found = (await admin.get("/v1/emails", params={"q": "ADA"})).json()["items"]
    assert [each["to"].lower() for each in found] == ["adam@acme.com", "ada@acme.com"]
    assert len((await admin.get("/v1/emails", params={"q": "ada@", "template": "welcome"})).json()["items"]) == 1
    for text in ("acme", "%", "a\0da"):
        assert (await admin.get("/v1/emails", params={"q": text})).json()["items"] == []
