"""The list of messages: paged, and searched."""

from __future__ import annotations

from typing import Any

from tests.post.support import WELCOME
from tests.support import Service, admin, assert_problem

BODY: dict[str, Any] = {"template": "welcome", "to": "ada@acme.com", "variables": WELCOME}


async def test_pages_of_messages(service: Service) -> None:
    boss = await admin(service)
    bodies = [BODY | {"to": f"p{number}@acme.com"} for number in range(5)]
    ids = [item["id"] for item in (await boss.post("/v1/emails/batch", bodies)).json()["items"]]
    found: list[str] = []
    path = "/v1/emails?limit=2&template=welcome"
    cursor = ""
    while True:
        page = (await boss.get(path + cursor)).json()
        found += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(found) == sorted(ids)
    assert_problem(await boss.get("/v1/emails?cursor=nonsense"), 422, "validation_failed")
    assert_problem(await boss.get("/v1/emails?status=lost"), 422, "validation_failed")


async def test_messages_are_found_by_the_beginning_of_an_address(service: Service) -> None:
    boss = await admin(service)
    for address in ("ada@acme.com", "Adam@acme.com", "bob@acme.com"):
        await boss.post("/v1/emails", BODY | {"to": address})
    found = (await boss.get("/v1/emails", params={"q": "ADA"})).json()["items"]
    assert [each["to"].lower() for each in found] == ["adam@acme.com", "ada@acme.com"]
    assert len((await boss.get("/v1/emails", params={"q": "ada@", "template": "welcome"})).json()["items"]) == 1
    for nothing in ("acme", "%", "a\0da"):
        assert (await boss.get("/v1/emails", params={"q": nothing})).json()["items"] == []
