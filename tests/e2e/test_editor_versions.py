"""Versions and languages of a template; reset and delete."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.support import Service
from tests.support.browser.editing import (
    INVOICE,
    code_editor,
    draft_subject,
    open_editor,
    publish,
    save,
    save_status,
    tab,
    type_subject,
    until_ready,
)
from tests.support.browser.pages import Visitors, button, menu_item, toast

_CUSTOM = {
    "key": "season-greetings",
    "name": "Season's greetings",
    "subject": "Dear {{ name }}",
    "html": "<p>Dear {{ name }}</p>",
    "variables": [{"name": "name", "example": "Ada"}],
}


async def twice_published(service: Service, visitors: Visitors) -> Page:
    """Publish two versions, "First" and "Second"."""
    page = await open_editor(service, visitors)
    for version, subject in enumerate(("First", "Second"), start=1):
        await type_subject(page, subject)
        await publish(page, version)
    return page


async def test_an_old_version_is_compared_and_restored(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await button(page, "Versions").click()
    dialog = page.get_by_role("dialog", name="Versions in English")
    rows = dialog.get_by_role("list", name="Versions, newest first").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("In use")
    await expect(rows.first).to_contain_text("by you")
    await dialog.get_by_role("button", name="Compare version 1").click()
    await expect(rows.last).to_contain_text("First")
    await expect(rows.last).to_contain_text("Second")
    await rows.last.get_by_role("button", name="Restore version 1").click()
    await expect(toast(page, "Restored version 1 as the draft")).to_be_visible()
    await expect(dialog).to_have_count(0)
    await expect(button(page, "Versions")).to_be_focused()
    await expect(code_editor(page, "Subject")).to_have_text("First")
    assert await draft_subject(service) == "First"
    await publish(page, 3)


async def test_restoring_stores_unsaved_changes_as_a_local_copy(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await type_subject(page, "Third, unsaved")
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    await button(page, "Restore version 1").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("You have unsaved changes.")
    await button(page, "Store my changes and restore version 1").click()
    await expect(code_editor(page, "Subject")).to_have_text("First")
    await tab(page, "Local copies").click()
    await expect(page.get_by_role("region", name="Subject: Your changes, before version 1")).to_contain_text("Third")


async def test_restoring_does_not_overwrite_changes_that_were_not_seen(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    other = await open_editor(service, visitors)
    await type_subject(other, "Theirs")
    await save(other)
    await button(page, "Restore version 1").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The version could not be restored.")
    assert await draft_subject(service) == "Theirs"
    await button(page, "Close").click()
    await expect(code_editor(page, "Subject")).to_have_text("Theirs")


async def test_a_language_is_added_from_another_one(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "The English subject")
    await save(page)
    await button(page, "More").click()
    await menu_item(page, "Add a language…").click()
    dialog = page.get_by_role("dialog", name="Add a language")
    await dialog.get_by_label("Language code").fill("english")
    await dialog.get_by_role("button", name="Add language").click()
    await expect(dialog).to_contain_text("Enter a language code such as en, de or fr-CA.")
    await dialog.get_by_label("Language code").fill("fr")
    await dialog.get_by_role("button", name="Add French").click()
    await expect(page).to_have_url(f"{INVOICE}?locale=fr&part=subject")
    await expect(page.get_by_role("alert")).to_contain_text("This template has no content in French yet.")
    await button(page, "Start from another language").click()
    await expect(page.get_by_role("region", name="Subject: English")).to_have_text("SubjectThe English subject")
    await button(page, "Copy all of English to French").click()
    await expect(code_editor(page, "Subject")).to_have_text("The English subject")
    await code_editor(page, "Subject").fill("Le sujet")
    await save(page)
    assert await draft_subject(service, locale="fr") == "Le sujet"
    await expect(page.get_by_role("region", name="Subject: English")).to_be_visible()

    await page.get_by_label("Language", exact=True).select_option("en")
    await expect(code_editor(page, "Subject")).to_have_text("The English subject")
    await page.go_back()
    await expect(code_editor(page, "Subject")).to_have_text("Le sujet")


async def test_a_built_in_template_is_reset(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await type_subject(page, "Third, unsaved")
    await button(page, "More").click()
    await menu_item(page, "Reset to the built-in template…").click()
    dialog = page.get_by_role("dialog", name="Reset “New invoice” to the built-in template?")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await expect(dialog).to_contain_text("Published versions can still be restored.")
    await dialog.get_by_role("button", name="Reset template").click()
    await expect(toast(page, "“New invoice” was reset to the built-in template")).to_be_visible()
    await expect(page.get_by_text("Built-in template", exact=True)).to_be_visible()
    await expect(code_editor(page, "Subject")).to_have_text("Invoice {{ invoice_number }} from {{ product_name }}")
    await button(page, "Versions").click()
    await button(page, "Compare version 2").click()
    await button(page, "Restore version 2").click()
    await expect(code_editor(page, "Subject")).to_have_text("Second")


async def test_a_custom_template_is_deleted(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    origin = {"Origin": str(service.http.base_url).rstrip("/")}
    made = await page.request.post("/v1/settings/email-templates", data=_CUSTOM, headers=origin)
    assert made.status == 201, await made.text()
    await page.goto("/settings/email-templates/season-greetings?part=subject")
    await until_ready(page)
    await expect(code_editor(page, "Subject")).to_have_text("Dear {{ name }}")
    await expect(save_status(page)).to_have_text("")
    await button(page, "More").click()
    await menu_item(page, "Delete this template…").click()
    dialog = page.get_by_role("dialog", name="Delete “Season's greetings”?")
    await dialog.get_by_label("Type season-greetings to confirm").fill("season")
    await dialog.get_by_role("button", name="Delete template").click()
    await expect(dialog).to_contain_text("This does not match the key.")
    await dialog.get_by_label("Type season-greetings to confirm").fill("season-greetings")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url("/settings/email-templates")
    gone = await page.request.get("/v1/settings/email-templates/season-greetings")
    assert gone.status == 404
