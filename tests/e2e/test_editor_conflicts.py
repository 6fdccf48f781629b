"""Two users edit one template: a save never overwrites changes that its user has not seen, and nothing is lost."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page, expect

from tests.support import Service
from tests.support.browser.editing import code_editor, draft_subject, open_editor, save, save_status, tab, type_subject
from tests.support.browser.pages import Visitors, button


async def conflicting(service: Service, visitors: Visitors) -> tuple[Page, Locator]:
    """Save two drafts with the same base; return the page of the second, and its dialog."""
    mine = await open_editor(service, visitors)
    theirs = await open_editor(service, visitors)
    await type_subject(mine, "Mine")
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await mine.keyboard.press("Control+s")
    dialog = mine.get_by_role("dialog", name="This template was changed in the meantime")
    await expect(dialog).to_contain_text(re.compile(r"a draft saved by \S+@\S+ just now"))
    await expect(dialog).to_contain_text("Theirs")
    await expect(dialog).to_contain_text("Mine")
    assert await draft_subject(service) == "Theirs"
    return mine, dialog


async def test_mine_is_saved_and_theirs_becomes_a_local_copy(service: Service, visitors: Visitors) -> None:
    page, dialog = await conflicting(service, visitors)
    await dialog.get_by_role("button", name="Use mine").click()
    await expect(save_status(page)).to_have_text("Saved.")
    assert await draft_subject(service) == "Mine"
    await tab(page, "Local copies").click()
    copy = page.get_by_role("region", name="Subject: Their changes, replaced by yours")
    await expect(copy).to_contain_text("Theirs")


async def test_theirs_is_used_and_mine_becomes_a_local_copy(service: Service, visitors: Visitors) -> None:
    page, dialog = await conflicting(service, visitors)
    await dialog.get_by_role("button", name="Use theirs").click()
    await expect(code_editor(page, "Subject")).to_have_text("Theirs")
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)
    await page.reload()
    await tab(page, "Local copies").click()
    await tab(page, "Subject").click()
    await expect(page.get_by_role("region", name="Subject: Your changes, replaced by theirs")).to_contain_text("Mine")
    await button(page, "Use this copy").click()
    await expect(code_editor(page, "Subject")).to_have_text("Mine")
    await save(page)
    assert await draft_subject(service) == "Mine"
    await button(page, "Discard").click()
    await expect(page.get_by_text("There are no local copies.")).to_be_focused()


async def test_both_are_merged_manually(service: Service, visitors: Visitors) -> None:
    page, dialog = await conflicting(service, visitors)
    await dialog.get_by_role("button", name="Merge manually").click()
    await expect(page.get_by_role("region", name="Subject: Their changes, to merge manually")).to_contain_text("Theirs")
    await expect(code_editor(page, "Subject")).to_have_text("Mine")
    assert await draft_subject(service) == "Theirs"
    await code_editor(page, "Subject").fill("Mine and theirs")
    await save(page)
    assert await draft_subject(service) == "Mine and theirs"


async def test_closing_the_dialog_decides_nothing(service: Service, visitors: Visitors) -> None:
    page, dialog = await conflicting(service, visitors)
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
    await expect(code_editor(page, "Subject")).to_have_text("Mine")
    await expect(page.get_by_role("alert")).to_contain_text("Your changes are not saved yet.")
    await button(page, "Compare and choose").click()
    await expect(dialog).to_be_visible()
    assert await draft_subject(service) == "Theirs"


async def test_without_unsaved_changes_the_new_content_is_shown(service: Service, visitors: Visitors) -> None:
    mine = await open_editor(service, visitors)
    theirs = await open_editor(service, visitors)
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await tab(mine, "Subject").click()
    await mine.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
    await expect(code_editor(mine, "Subject")).to_have_text("Theirs")
    await expect(save_status(mine)).to_have_text(
        "The template was changed elsewhere. The editor shows the new content."
    )


async def test_changes_that_were_not_seen_are_not_published(service: Service, visitors: Visitors) -> None:
    mine = await open_editor(service, visitors)
    await type_subject(mine, "Mine")
    await button(mine, "Publish…").click()
    dialog = mine.get_by_role("dialog", name="Publish “New invoice”?")
    await expect(dialog).to_contain_text("Mine")
    theirs = await open_editor(service, visitors)
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await dialog.get_by_role("button", name="Publish", exact=True).click()
    await expect(dialog.get_by_role("alert")).to_contain_text("Nothing was published")
    await expect(dialog).to_contain_text("Theirs")
    assert await service.sql.fetchval("select count(*) from gatepost.email_template_versions") == 0
