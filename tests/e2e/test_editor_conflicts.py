"""Two people at one template: nobody overwrites the other's words without having seen them, and nothing is lost."""

from __future__ import annotations

from playwright.async_api import Locator, Page, expect

from tests.e2e.editing import drafted, editor, save, tab, told, type_subject, words
from tests.e2e.pages import Visitors, button
from tests.support import Service


async def two(service: Service, visitors: Visitors) -> tuple[Page, Locator]:
    """Have one person save over what another began with, and that one save too; return their page and the question."""
    mine = await editor(service, visitors)
    theirs = await editor(service, visitors)
    await type_subject(mine, "Mine")
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await mine.keyboard.press("Control+s")
    question = mine.get_by_role("dialog", name="Other words were saved meanwhile")
    await expect(question).to_contain_text("a draft that person")
    await expect(question).to_contain_text("saved just now")
    await expect(question).to_contain_text("Theirs")
    await expect(question).to_contain_text("Mine")
    assert await drafted(service) == "Theirs"
    return mine, question


async def test_mine_is_kept_and_theirs_is_beside_it(service: Service, visitors: Visitors) -> None:
    page, question = await two(service, visitors)
    await question.get_by_role("button", name="Keep mine").click()
    await expect(told(page)).to_have_text("Saved.")
    assert await drafted(service) == "Mine"
    await tab(page, "Set aside").click()
    aside = page.get_by_role("region", name="Subject: Their words, which yours replaced")
    await expect(aside).to_contain_text("Theirs")


async def test_theirs_is_taken_and_mine_is_beside_it(service: Service, visitors: Visitors) -> None:
    page, question = await two(service, visitors)
    await question.get_by_role("button", name="Take theirs").click()
    await expect(words(page, "Subject")).to_have_text("Theirs")
    await expect(page.get_by_text("Unsaved changes", exact=True)).to_have_count(0)
    await page.reload()
    await tab(page, "Set aside").click()
    await tab(page, "Subject").click()
    await expect(page.get_by_role("region", name="Subject: Your words, before you took theirs")).to_contain_text("Mine")
    await button(page, "Use these words").click()
    await expect(words(page, "Subject")).to_have_text("Mine")
    await save(page)
    assert await drafted(service) == "Mine"
    await button(page, "Discard").click()
    await expect(page.get_by_text("Nothing is set aside any more.")).to_be_focused()


async def test_both_are_merged_by_hand(service: Service, visitors: Visitors) -> None:
    page, question = await two(service, visitors)
    await question.get_by_role("button", name="Merge by hand").click()
    await expect(page.get_by_role("region", name="Subject: Their words, to merge by hand")).to_contain_text("Theirs")
    await expect(words(page, "Subject")).to_have_text("Mine")
    assert await drafted(service) == "Theirs"
    await words(page, "Subject").fill("Mine and theirs")
    await save(page)
    assert await drafted(service) == "Mine and theirs"


async def test_nothing_is_decided_when_the_question_is_closed(service: Service, visitors: Visitors) -> None:
    page, question = await two(service, visitors)
    await page.keyboard.press("Escape")
    await expect(question).to_have_count(0)
    await expect(words(page, "Subject")).to_have_text("Mine")
    await expect(page.get_by_role("alert")).to_contain_text("Yours are still here, and not saved yet.")
    await button(page, "Compare and choose").click()
    await expect(question).to_be_visible()
    assert await drafted(service) == "Theirs"


async def test_one_who_typed_nothing_sees_the_new_words(service: Service, visitors: Visitors) -> None:
    mine = await editor(service, visitors)
    theirs = await editor(service, visitors)
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await tab(mine, "Subject").click()
    await mine.evaluate("window.dispatchEvent(new Event('visibilitychange'))")
    await expect(words(mine, "Subject")).to_have_text("Theirs")
    await expect(told(mine)).to_have_text("Somebody saved other words: they are shown now.")


async def test_nothing_is_published_that_was_not_seen(service: Service, visitors: Visitors) -> None:
    mine = await editor(service, visitors)
    await type_subject(mine, "Mine")
    await button(mine, "Publish…").click()
    question = mine.get_by_role("dialog", name="Publish “New invoice”?")
    await expect(question).to_contain_text("Mine")
    theirs = await editor(service, visitors)
    await type_subject(theirs, "Theirs")
    await save(theirs)
    await question.get_by_role("button", name="Publish", exact=True).click()
    await expect(question.get_by_role("alert")).to_contain_text("Nothing was published")
    await expect(question).to_contain_text("Theirs")
    assert await service.sql.fetchval("select count(*) from gatepost.email_template_versions") == 0
