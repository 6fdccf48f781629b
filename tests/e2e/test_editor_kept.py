"""What is typed is not lost: offline, by a reload, by leaving, nor when the session is over."""

from __future__ import annotations

import asyncio

from playwright.async_api import Dialog, Page, expect

from tests.e2e.editing import INVOICE, drafted, editor, ready, save, tab, told, type_subject, words
from tests.e2e.pages import Visitors, button, sign_in
from tests.support import Service

_KEPT = "Object.keys(localStorage).some(key => key.startsWith('gatepost.editor:'))"


async def until_kept(page: Page, *, kept: bool = True) -> None:
    """Wait until the browser has kept what is typed, or keeps it no more."""
    async with asyncio.timeout(15):
        while await page.evaluate(_KEPT) is not kept:
            await asyncio.sleep(0.02)


async def test_typing_goes_on_without_a_connection(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await page.context.set_offline(True)
    await type_subject(page, "Typed on the train")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("alert")).to_contain_text("They are kept in this browser.")
    await words(page, "Subject").fill("Typed on the train, and more")
    await page.context.set_offline(False)
    await expect(told(page)).to_have_text("Saved.")
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await drafted(service) == "Typed on the train, and more"
    await until_kept(page, kept=False)


async def test_a_save_that_failed_is_tried_again(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await page.route("**/draft?*", lambda route: route.abort())
    await type_subject(page, "Once more")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("alert")).to_contain_text("could not be saved")
    await page.unroute("**/draft?*")
    await button(page, "Try again").click()
    await expect(told(page)).to_have_text("Saved.")
    assert await drafted(service) == "Once more"


async def test_a_reload_offers_what_was_not_saved(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "Not saved yet")
    await until_kept(page)
    await reload(page)
    offer = page.get_by_role("alert")
    await expect(offer).to_contain_text("They were made from the built-in words.")
    await button(page, "Restore them").click()
    await expect(words(page, "Subject")).to_have_text("Not saved yet")
    await expect(words(page, "Subject")).to_be_focused()
    await save(page)
    assert await drafted(service) == "Not saved yet"
    await page.reload()
    await ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_what_was_not_saved_is_discarded(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "Not wanted")
    await reload(page)
    await button(page, "Discard them").click()
    await page.reload()
    await ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)


async def test_who_types_on_has_it_beside_the_editor(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    await type_subject(page, "From before")
    await reload(page)
    await type_subject(page, "From now")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await tab(page, "Set aside").click()
    await expect(page.get_by_role("region", name="Subject: Unsaved words")).to_contain_text("From before")
    await expect(words(page, "Subject")).to_have_text("From now")


async def test_unsaved_words_do_not_replace_those_saved_since(service: Service, visitors: Visitors) -> None:
    mine = await editor(service, visitors)
    await type_subject(mine, "Mine, of yesterday")
    await reload(mine)
    theirs = await editor(service, visitors)
    await type_subject(theirs, "Theirs, of today")
    await save(theirs)
    await mine.reload()
    await expect(mine.get_by_role("alert")).to_contain_text("other words were saved since then")
    await button(mine, "Restore them").click()
    await mine.keyboard.press("Control+s")
    await expect(mine.get_by_role("dialog", name="Other words were saved meanwhile")).to_be_visible()
    assert await drafted(service) == "Theirs, of today"


async def test_leaving_asks_first(service: Service, visitors: Visitors) -> None:
    page = await editor(service, visitors)
    question = page.get_by_role("dialog", name="Leave with unsaved changes?")
    await type_subject(page, "Unsaved")
    await tab(page, "Variables").click()
    await expect(question).to_have_count(0)

    await page.get_by_role("link", name="Devices").click()
    await question.get_by_role("button", name="Stay").click()
    await expect(words(page, "Subject")).to_have_text("Unsaved")
    await page.get_by_role("link", name="Devices").click()
    await question.get_by_role("button", name="Save and leave").click()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    assert await drafted(service) == "Unsaved"

    await page.goto(INVOICE)
    await ready(page)
    await type_subject(page, "Never to be seen")
    await page.get_by_role("link", name="Devices").click()
    await question.get_by_role("button", name="Leave without saving").click()
    await expect(page.get_by_role("heading", name="Devices", exact=True)).to_be_visible()
    await page.goto(INVOICE)
    await ready(page)
    await expect(page.get_by_role("alert")).to_have_count(0)
    assert await drafted(service) == "Unsaved"


async def test_words_outlive_the_session(service: Service, visitors: Visitors) -> None:
    email_query = "select email from gatepost.users where role = 'admin'"
    page = await editor(service, visitors)
    await type_subject(page, "Typed before the end")
    await service.sql.execute("update gatepost.sessions set ended_at = now(), end_reason = 'signed_out_by_admin'")
    await page.keyboard.press("Control+s")
    await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    await sign_in(page, await service.sql.fetchval(email_query))
    await ready(page)
    await button(page, "Restore them").click()
    await expect(words(page, "Subject")).to_have_text("Typed before the end")


async def reload(page: Page) -> None:
    """Reload, although the page asks whether one means it."""

    async def accept(dialog: Dialog) -> None:
        await dialog.accept()

    page.once("dialog", accept)
    await page.reload()
    await ready(page)
