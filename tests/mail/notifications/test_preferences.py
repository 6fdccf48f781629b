"""Which notifications users can turn off, and how these are described to them."""

from __future__ import annotations

from tests.support import Service, assert_problem
from tests.support.mail import WELCOME, queue_email, wait_for_status


async def test_notifications_other_than_security_can_be_turned_off(service: Service) -> None:
    user = await service.register()
    path = "/v1/me/notifications"
    listed = {each["key"]: each for each in (await user.get(path)).json()["items"]}
    assert [key for key, each in listed.items() if not each["security"]] == ["new-invoice", "welcome"]
    assert all(each["enabled"] for each in listed.values())

    chosen = await user.request("PUT", f"{path}/welcome", json={"enabled": False})
    assert (chosen.status_code, chosen.json()["enabled"]) == (200, False)
    row = await wait_for_status(
        service, await queue_email(service, user.email.upper(), variables=WELCOME), "suppressed", "sent"
    )
    assert (row["status"], row["last_error"]) == ("suppressed", "The recipient has turned off this kind of email.")
    await user.request("PUT", f"{path}/welcome", json={"enabled": True})
    await wait_for_status(service, await queue_email(service, user.email, variables=WELCOME), "sent")

    rejected = await user.request("PUT", f"{path}/new-device", json={"enabled": False})
    assert_problem(rejected, 409, "conflict")
    assert_problem(await user.request("PUT", f"{path}/nothing", json={"enabled": False}), 404, "not_found")
    assert_problem(await user.request("PUT", f"{path}/welcome", json={"enabled": "x"}), 422, "validation_failed")
    assert (await service.http.get(path)).status_code == 401


async def test_notifications_are_described_to_their_recipients(service: Service) -> None:
    """Built-in templates have descriptions for recipients; custom ones are shown with their own description."""
    admin = await service.register_admin()
    template = {"key": "news", "name": "News", "description": "What is new.", "variables": []}
    content = {"subject": "News", "html": "<p>News</p>"}
    assert (await admin.post("/v1/settings/email-templates", template | content)).status_code == 201
    listed = (await admin.get("/v1/me/notifications")).json()["items"]
    descriptions = {each["key"]: each["description"] for each in listed}
    assert descriptions.pop("news") == "What is new."
    assert descriptions["new-device"] == "When someone signs in to your account on a new device."
    assert all(descriptions.values())
    assert all(each.startswith(("When ", "Once, ")) for each in descriptions.values())
    templates = (await admin.get("/v1/settings/email-templates")).json()["items"]
    assert {each["description"] for each in templates}.isdisjoint(descriptions.values())
