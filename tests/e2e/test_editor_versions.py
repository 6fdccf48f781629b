"""Versions and languages of a template, and the way back to what it was."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.e2e.editing import INVOICE, drafted, editor, publish, ready, save, tab, told, type_subject, words
from tests.e2e.pages import Visitors, button, toast
from tests.support import Service

_CUSTOM = {
    "key": "season-greetings",
    "name": "Season's greetings",
    "subject": "Dear {{ name }}",
    "html": "<p>Dear {{ name }}</p>",
    "variables": [{"name": "name", "example": "Ada"}],
}


async def twice_published(service: Service, visitors: Visitors) -> Page:
    """Have two versions, "First" and "Second"."""
    page = await editor(service, visitors)
    for version, subject in enumerate(("First", "Second"), start=1):
        await type_subject(page, subject)
        await publish(page, version)
    return page


async def test_an_old_version_is_compared_and_restored(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await button(page, "Versions").click()
    dialog = page.get_by_role("dialog", name="Versions in English")
    rows = dialog.get_by_role("list", name="Versions, the newest first").get_by_role("listitem")
    await expect(rows).to_have_count(2)
    await expect(rows.first).to_contain_text("Sent now")
    await expect(rows.first).to_contain_text("by you")
    await dialog.get_by_role("button", name="Compare version 1").click()
    await expect(rows.last).to_contain_text("First")
    await expect(rows.last).to_contain_text("Second")
    await rows.last.get_by_role("button", name="Restore version 1").click()
    await expect(toast(page, "Version 1 is the draft now")).to_be_visible()
    await expect(dialog).to_have_count(0)
    await expect(button(page, "Versions")).to_be_focused()
    await expect(words(page, "Subject")).to_have_text("First")
    assert await drafted(service) == "First"
    await publish(page, 3)


async def test_restoring_keeps_what_is_unsaved_aside(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await type_subject(page, "Third, unsaved")
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    await button(page, "Restore version 1").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("You have unsaved changes.")
    await button(page, "Set mine aside and restore version 1").click()
    await expect(words(page, "Subject")).to_have_text("First")
    await tab(page, "Set aside").click()
    await expect(page.get_by_role("region", name="Subject: Your words, before a version")).to_contain_text("Third")


async def test_nothing_is_restored_over_words_that_were_not_seen(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await button(page, "Versions").click()
    await button(page, "Compare version 1").click()
    other = await editor(service, visitors)
    await type_subject(other, "Theirs")
    await save(other)
    await button(page, "Restore version 1").click()
    await expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("It was not restored.")
    assert await drafted(service) == "Theirs"
    await button(page, "Close").click()
    await expect(words(page, "Subject")).to_have_text("Theirs")


async def test_a_language_is_added_from_another_and_seen_beside_it(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "The English subject")
    await save(page)
    await button(page, "More").click()
    await button(page, "Add a language…").click()
    dialog = page.get_by_role("dialog", name="Add a language")
    await dialog.get_by_label("Code of the language").fill("english")
    await dialog.get_by_role("button", name="Add it").click()
    await expect(dialog).to_contain_text("Write it like de, pt-BR or zh-Hans.")
    await dialog.get_by_label("Code of the language").fill("fr")
    await dialog.get_by_role("button", name="Add French").click()
    await expect(page).to_have_url(f"{INVOICE}?locale=fr&part=subject")
    await expect(page.get_by_role("alert")).to_contain_text("There are no words in French yet")
    await button(page, "Begin with another language's words").click()
    await expect(page.get_by_role("region", name="Subject: English")).to_have_text("SubjectThe English subject")
    await button(page, "Copy all its words into French").click()
    await expect(words(page, "Subject")).to_have_text("The English subject")
    await words(page, "Subject").fill("Le sujet")
    await save(page)
    assert await drafted(service, locale="fr") == "Le sujet"
    await expect(page.get_by_role("region", name="Subject: English")).to_be_visible()

    await page.get_by_label("Language", exact=True).select_option("en")
    await expect(words(page, "Subject")).to_have_text("The English subject")
    await page.go_back()
    await expect(words(page, "Subject")).to_have_text("Le sujet")


async def test_a_built_in_template_goes_back_to_its_words(service: Service, visitors: Visitors) -> None:
    page = await twice_published(service, visitors)
    await type_subject(page, "Third, unsaved")
    await button(page, "More").click()
    await button(page, "Reset to the built-in words…").click()
    dialog = page.get_by_role("dialog", name="Reset “New invoice” to its built-in words?")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await expect(dialog).to_contain_text("The versions stay and can be restored.")
    await dialog.get_by_role("button", name="Reset it").click()
    await expect(toast(page, "“New invoice” has its built-in words again")).to_be_visible()
    await expect(page.get_by_text("Built-in words", exact=True)).to_be_visible()
    await expect(words(page, "Subject")).to_have_text("Invoice {{ invoice_number }} from {{ product_name }}")
    await button(page, "Versions").click()
    await button(page, "Compare version 2").click()
    await button(page, "Restore version 2").click()
    await expect(words(page, "Subject")).to_have_text("Second")


async def test_a_template_of_ones_own_is_deleted(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    origin = {"Origin": str(service.http.base_url).rstrip("/")}
    made = await page.request.post("/v1/settings/email-templates", data=_CUSTOM, headers=origin)
    assert made.status == 201, await made.text()
    await page.goto("/settings/email-templates/season-greetings?part=subject")
    await ready(page)
    await expect(words(page, "Subject")).to_have_text("Dear {{ name }}")
    await expect(told(page)).to_have_text("")
    await button(page, "More").click()
    await button(page, "Delete this template…").click()
    dialog = page.get_by_role("dialog", name="Delete “Season's greetings”?")
    await dialog.get_by_label("Type season-greetings to confirm").fill("season")
    await dialog.get_by_role("button", name="Delete it").click()
    await expect(dialog).to_contain_text("That is not its key.")
    await dialog.get_by_label("Type season-greetings to confirm").fill("season-greetings")
    await page.keyboard.press("Enter")
    await expect(page).to_have_url("/settings/email-templates")
    gone = await page.request.get("/v1/settings/email-templates/season-greetings")
    assert gone.status == 404
