"""Unsaved changes are not lost: offline, by a reload, by leaving the page, or at the end of a session."""

from __future__ import annotations

import asyncio

from playwright.async_api import Dialog, Page, expect

from tests.support import Service
from tests.support.browser.editing import (
    INVOICE,
    code_editor,
    draft_subject,
    open_editor,
    save,
    save_status,
    tab,
    type_subject,
    until_ready,
)
from tests.support.browser.pages import Visitors, button, sign_in

_STORED = "Object.keys(localStorage).some(key => key.startsWith('gatepost.editor:'))"


async def until_stored(page: Page, *, stored: bool = True) -> None:
    """Wait until the browser has stored unsaved changes, or has none stored."""
    async with asyncio.timeout(15):
        while await page.evaluate(_STORED) is not stored:
            await asyncio.sleep(0.02)


async def test_typing_continues_without_a_connection(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await page.context.set_offline(True)
    await type_subject(page, "Typed on the train")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("alert")).to_contain_text("They are stored in this browser.")
    await code_editor(page, "Subject").fill("Typed on the train, and more")
    await page.context.set_offline(False)
    await expect(save_status(page)).to_have_text("Saved.")
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await draft_subject(service) == "Typed on the train, and more"
    await until_stored(page, stored=False)


async def test_a_failed_save_is_retried(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await page.route("**/draft?*", lambda route: route.abort())
    await type_subject(page, "Once more")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("alert")).to_contain_text("could not be saved")
    await page.unroute("**/draft?*")
    await button(page, "Try again").click()
    await expect(save_status(page)).to_have_text("Saved.")
    assert await draft_subject(service) == "Once more"


async def test_after_a_reload_unsaved_changes_are_restored(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "Not saved yet")
    await until_stored(page)
    await reload(page)
    alert = page.get_by_role("alert")
    await expect(alert).to_contain_text("based on the built-in template.")
    await button(page, "Restore changes").click()
    await expect(code_editor(page, "Subject")).to_have_text("Not saved yet")
    await expect(code_editor(page, "Subject")).to_be_focused()
    await save(page)
    assert await draft_subject(service) == "Not saved yet"
    await page.reload()
    await until_ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_after_a_reload_unsaved_changes_are_discarded(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "Not wanted")
    await reload(page)
    await button(page, "Discard changes").click()
    await page.reload()
    await until_ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_typing_makes_the_unsaved_changes_a_local_copy(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    await type_subject(page, "From before")
    await reload(page)
    await type_subject(page, "From now")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await tab(page, "Local copies").click()
    await expect(page.get_by_role("region", name="Subject: Unsaved changes")).to_contain_text("From before")
    await expect(code_editor(page, "Subject")).to_have_text("From now")


async def test_restored_changes_do_not_overwrite_a_newer_draft(service: Service, visitors: Visitors) -> None:
    mine = await open_editor(service, visitors)
    await type_subject(mine, "Mine, of yesterday")
    await reload(mine)
    theirs = await open_editor(service, visitors)
    await type_subject(theirs, "Theirs, of today")
    await save(theirs)
    await mine.reload()
    await expect(mine.get_by_role("alert")).to_contain_text("The template was changed since then.")
    await button(mine, "Restore changes").click()
    await mine.keyboard.press("Control+s")
    await expect(mine.get_by_role("dialog", name="This template was changed in the meantime")).to_be_visible()
    assert await draft_subject(service) == "Theirs, of today"


async def test_leaving_with_unsaved_changes_asks_first(service: Service, visitors: Visitors) -> None:
    page = await open_editor(service, visitors)
    dialog = page.get_by_role("dialog", name="Leave with unsaved changes?")
    await type_subject(page, "Unsaved")
    await tab(page, "Variables").click()
    await expect(dialog).to_have_count(0)

    await page.get_by_role("link", name="Devices").click()
    await dialog.get_by_role("button", name="Stay").click()
    await expect(code_editor(page, "Subject")).to_have_text("Unsaved")
    await page.get_by_role("link", name="Devices").click()
    await dialog.get_by_role("button", name="Save and leave").click()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    assert await draft_subject(service) == "Unsaved"

    await page.goto(INVOICE)
    await until_ready(page)
    await type_subject(page, "Discarded")
    await page.get_by_role("link", name="Devices").click()
    await dialog.get_by_role("button", name="Leave without saving").click()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    await page.goto(INVOICE)
    await until_ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await draft_subject(service) == "Unsaved"


async def test_unsaved_changes_outlive_the_session(service: Service, visitors: Visitors) -> None:
    email_query = "select email from gatepost.users where role = 'admin'"
    page = await open_editor(service, visitors)
    await type_subject(page, "Typed before the end")
    await service.sql.execute("update gatepost.sessions set ended_at = now(), end_reason = 'signed_out_by_admin'")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await sign_in(page, await service.sql.fetchval(email_query))
    await until_ready(page)
    await button(page, "Restore changes").click()
    await expect(code_editor(page, "Subject")).to_have_text("Typed before the end")


async def reload(page: Page) -> None:
    """Reload, and confirm the browser's question about unsaved changes."""

    async def accept(dialog: Dialog) -> None:
        await dialog.accept()

    page.once("dialog", accept)
    await page.reload()
    await until_ready(page)
