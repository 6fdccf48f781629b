"""The template editor: words are changed, seen, saved, tested and published."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.e2e.editing import drafted, editor, publish, save, tab, told, type_subject, words
from tests.e2e.pages import Visitors, button, someone, toast
from tests.e2e.test_mailbox import until_sent
from tests.support import Service


async def test_words_are_changed_seen_saved_and_published(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await expect(page.get_by_text("Built-in words", exact=True)).to_be_visible()
    await type_subject(page, "Invoice {{ invoice_number }} is here")
    await expect(page.get_by_role("region", name="Preview")).to_contain_text("Invoice 2026-0042 is here")
    await save(page)
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)
    await expect(page.get_by_text(re.compile("Draft saved just now .* by you"))).to_be_visible()
    assert await drafted(service) == "Invoice {{ invoice_number }} is here"

    await button(page, "Publish…").click()
    dialog = page.get_by_role("dialog", name="Publish “New invoice”?")
    await expect(dialog).to_contain_text("is here")
    await expect(dialog).to_contain_text("The same in both: Preheader, HTML, Text.")
    await dialog.get_by_role("button", name="Publish", exact=True).click()
    await expect(toast(page, "Published version 1")).to_be_visible()
    await expect(page.get_by_text("Published version 1,")).to_be_visible()
    await expect(words(page, "Subject")).to_have_text("Invoice {{ invoice_number }} is here")

    await button(page, "Publish…").click()
    await expect(page.get_by_role("dialog", name="There is nothing to publish")).to_be_visible()


async def test_publishing_saves_first_and_asks_for_an_old_password(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await type_subject(page, "Never saved by hand")
    await button(page, "Publish…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    question = page.get_by_role("dialog", name="Confirm that it is you")
    await expect(question).to_contain_text("Enter your password to go on.")
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(page.get_by_role("dialog", name="Publish “New invoice”?").get_by_role("alert")).to_have_count(0)
    assert await drafted(service) == "Never saved by hand"


async def test_a_broken_draft_is_saved_but_not_published(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "Invoice {{ invoice_numbr }}")
    await expect(tab(page, "Subject")).to_contain_text("1 problem")
    await save(page)
    await expect(told(page)).to_have_text("Saved. It cannot be published yet: 1 error.")
    await tab(page, "HTML").click()
    await button(page, "Publish…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("It cannot be published yet")
    await expect(dialog.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    await dialog.get_by_role("button", name=re.compile("Subject, line 1")).click()
    await expect(words(page, "Subject")).to_be_focused()

    await tab(page, "HTML").click()
    await page.get_by_role("region", name="Problems").get_by_role("button").first.click()
    await expect(words(page, "Subject")).to_be_focused()


async def test_typing_goes_on_while_a_save_is_under_way(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    go_on = asyncio.Event()

    async def wait(route: Route) -> None:
        await go_on.wait()
        await route.continue_()

    await page.route("**/draft?*", wait)
    await type_subject(page, "First")
    await page.keyboard.press("Control+s")
    await expect(told(page)).to_have_text("Saving…")
    await words(page, "Subject").fill("Second")
    await page.keyboard.press("Control+s")
    go_on.set()
    await expect(told(page)).to_have_text("Saved.")
    await expect(words(page, "Subject")).to_have_text("Second")
    assert await drafted(service) == "Second"


async def test_what_is_undone_and_where_the_cursor_is_survive_the_tabs(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "Changed")
    await tab(page, "HTML").click()
    await tab(page, "Subject").click()
    await words(page, "Subject").press("Control+z")
    await expect(words(page, "Subject")).to_have_text("Invoice {{ invoice_number }} from {{ product_name }}")
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)


async def test_the_text_is_made_from_the_html_or_written(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await tab(page, "Text").click()
    await words(page, "Text").fill("Pay us.")
    await save(page)
    query = "select draft ->> 'text' from gatepost.email_template_locales"
    assert await service.sql.fetchval(query) == "Pay us."
    await button(page, "Make it from the HTML").click()
    await expect(page.get_by_role("region", name="Text made from the HTML")).to_contain_text("2026-0042")
    await save(page)
    assert await service.sql.fetchval(query) is None
    await button(page, "Write it myself").click()
    await expect(words(page, "Text")).to_have_text("Pay us.")
    await button(page, "Make it from the HTML").click()
    await page.reload()
    await button(page, "Write it myself").click()
    await expect(words(page, "Text")).to_contain_text("Hello {{ client_name }}")


async def test_a_test_is_sent_with_the_words_in_the_editor(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "Trying {{ invoice_number }}")
    await button(page, "Send a test").click()
    dialog = page.get_by_role("dialog", name="Send a test")
    await expect(dialog.get_by_label("To")).to_have_value(re.compile("@"))
    to = await someone(service)
    await dialog.get_by_label("To").fill(to)
    await dialog.get_by_role("button", name="Send the test").click()
    outcome = dialog.get_by_role("status")
    await expect(outcome).to_contain_text(to)
    await expect(outcome).to_be_focused()
    link = await outcome.get_by_role("link").get_attribute("href")
    assert link is not None
    assert link.startswith("/settings/emails?email=")
    await until_sent(service)
    answer = await page.request.get(f"/v1/emails/{link.removeprefix('/settings/emails?email=')}")
    sent = await answer.json()
    assert (sent["to"], sent["template"]) == (to, "new-invoice")
    assert sent["subject"].endswith("Trying 2026-0042")


async def test_a_variable_is_inserted_where_the_cursor_is(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors, viewport={"width": 400, "height": 800})
    await type_subject(page, "For ")
    await tab(page, "Variables").click()
    await button(page, "Insert client_name").click()
    await expect(words(page, "Subject")).to_be_focused()
    await expect(words(page, "Subject")).to_have_text("For {{ client_name }}")
    await save(page)
    await publish(page, 1)


async def test_it_is_for_administrators_and_for_what_there_is(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await someone(service), "/settings/email-templates/welcome")
    await expect(page.get_by_role("alert")).to_have_text("The e-mail templates are for administrators.")
    page = await editor(service, visitors)
    await page.goto("/settings/email-templates/no-such-thing?locale=%3Cb%3E&part=x&panel=%22")
    await expect(page.get_by_role("alert")).to_contain_text("There is no such template.")
