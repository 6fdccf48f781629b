"""The template editor: change, preview, save, test and publish a template."""

from __future__ import annotations

import asyncio
import re

from playwright.async_api import Route, expect

from tests.support import Service
from tests.support.browser.editing import (
    code_editor,
    draft_subject,
    open_editor,
    publish,
    save,
    save_status,
    tab,
    type_subject,
)
from tests.support.browser.emails import wait_until_sent
from tests.support.browser.pages import Visitors, button, create_user, toast


async def test_a_template_is_changed_previewed_saved_and_published(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await expect(page.get_by_text("Built-in template", exact=True)).to_be_visible()
    await type_subject(page, "Invoice {{ invoice_number }} is here")
    await expect(page.get_by_role("region", name="Preview")).to_contain_text("Invoice 2026-0042 is here")
    await save(page)
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)
    await expect(page.get_by_text(re.compile("Draft saved just now .* by you"))).to_be_visible()
    assert await draft_subject(service) == "Invoice {{ invoice_number }} is here"

    await button(page, "Publish…").click()
    dialog = page.get_by_role("dialog", name="Publish “New invoice”?")
    await expect(dialog).to_contain_text("is here")
    await expect(dialog).to_contain_text("Unchanged: Preheader, HTML, Text.")
    await dialog.get_by_role("button", name="Publish", exact=True).click()
    await expect(toast(page, "Published version 1")).to_be_visible()
    await expect(page.get_by_text("Published version 1,")).to_be_visible()
    await expect(code_editor(page, "Subject")).to_have_text("Invoice {{ invoice_number }} is here")

    await button(page, "Publish…").click()
    await expect(page.get_by_role("dialog", name="Nothing to publish")).to_be_visible()


async def test_publishing_saves_first_and_asks_for_the_password(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await service.sql.execute("update gatepost.sessions set authenticated_at = now() - interval '20 minutes'")
    await type_subject(page, "Saved by publishing")
    await button(page, "Publish…").click()
    await page.get_by_role("dialog").get_by_role("button", name="Publish", exact=True).click()
    question = page.get_by_role("dialog", name="Confirm your password")
    await expect(question).to_contain_text("Enter your password to continue.")
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(page.get_by_role("dialog", name="Publish “New invoice”?").get_by_role("alert")).to_have_count(0)
    assert await draft_subject(service) == "Saved by publishing"


async def test_a_draft_with_errors_is_saved_but_not_published(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "Invoice {{ invoice_numbr }}")
    await expect(tab(page, "Subject")).to_contain_text("1 problem")
    await save(page)
    await expect(save_status(page)).to_have_text("Saved. Fix 1 error before you publish.")
    await tab(page, "HTML").click()
    await button(page, "Publish…").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_contain_text("This draft cannot be published. Fix the errors first.")
    await expect(dialog.get_by_role("button", name="Publish", exact=True)).to_have_count(0)
    await dialog.get_by_role("button", name=re.compile("Subject, line 1")).click()
    await expect(code_editor(page, "Subject")).to_be_focused()

    await tab(page, "HTML").click()
    await page.get_by_role("region", name="Problems").get_by_role("button").first.click()
    await expect(code_editor(page, "Subject")).to_be_focused()


async def test_typing_continues_during_a_save(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    may_continue = asyncio.Event()

    async def wait(route: Route) -> None:
        await may_continue.wait()
        await route.continue_()

    await page.route("**/draft?*", wait)
    await type_subject(page, "First")
    await page.keyboard.press("Control+s")
    await expect(save_status(page)).to_have_text("Saving…")
    await code_editor(page, "Subject").fill("Second")
    await page.keyboard.press("Control+s")
    may_continue.set()
    await expect(save_status(page)).to_have_text("Saved.")
    await expect(code_editor(page, "Subject")).to_have_text("Second")
    assert await draft_subject(service) == "Second"


async def test_switching_tabs_keeps_the_undo_history(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "Changed")
    await tab(page, "HTML").click()
    await tab(page, "Subject").click()
    await code_editor(page, "Subject").press("Control+z")
    await expect(code_editor(page, "Subject")).to_have_text("Invoice {{ invoice_number }} from {{ product_name }}")
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)


async def test_the_text_is_generated_from_the_html_or_written_by_hand(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await tab(page, "Text").click()
    await code_editor(page, "Text").fill("Pay us.")
    await save(page)
    query = "select draft ->> 'text' from gatepost.email_template_locales"
    assert await service.sql.fetchval(query) == "Pay us."
    await button(page, "Generate it from the HTML").click()
    await expect(page.get_by_role("region", name="Text generated from the HTML")).to_contain_text("2026-0042")
    await save(page)
    assert await service.sql.fetchval(query) is None
    await button(page, "Write it myself").click()
    await expect(code_editor(page, "Text")).to_have_text("Pay us.")
    await button(page, "Generate it from the HTML").click()
    await page.reload()
    # A text that is written by hand starts with variables, not with the values of the preview.
    await button(page, "Write it myself").click()
    await expect(code_editor(page, "Text")).to_contain_text("Hello {{ client_name }}")


async def test_a_test_email_has_the_content_of_the_editor(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "Trying {{ invoice_number }}")
    await button(page, "Send a test").click()
    dialog = page.get_by_role("dialog", name="Send a test email")
    await expect(dialog.get_by_label("To")).to_have_value(re.compile("@"))
    to = await create_user(service)
    await dialog.get_by_label("To").fill(to)
    await dialog.get_by_role("button", name="Send test email").click()
    outcome = dialog.get_by_role("status")
    await expect(outcome).to_contain_text(to)
    await expect(outcome).to_be_focused()
    link = await outcome.get_by_role("link").get_attribute("href")
    assert link is not None
    assert link.startswith("/settings/emails?email=")
    await wait_until_sent(service)
    answer = await page.request.get(f"/v1/emails/{link.removeprefix('/settings/emails?email=')}")
    sent = await answer.json()
    assert (sent["to"], sent["template"]) == (to, "new-invoice")
    assert sent["subject"].endswith("Trying 2026-0042")


async def test_a_variable_is_inserted_at_the_cursor(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors, viewport={"width": 400, "height": 800})
    await type_subject(page, "For ")
    await tab(page, "Variables").click()
    await button(page, "Insert client_name").click()
    await expect(code_editor(page, "Subject")).to_be_focused()
    await expect(code_editor(page, "Subject")).to_have_text("For {{ client_name }}")
    await save(page)
    await publish(page, 1)


async def test_it_is_for_admins_and_existing_templates(service: Service, visitors: Visitors) -> None:
    page = await visitors.signed_in(service, await create_user(service), "/settings/email-templates/welcome")
    await expect(page.get_by_role("alert")).to_have_text("The template can only be seen by admins.")
    page = await open_editor(service, visitors)
    await page.goto("/settings/email-templates/no-such-thing?locale=%3Cb%3E&part=x&panel=%22")
    await expect(page.get_by_role("alert")).to_contain_text("This template does not exist.")
