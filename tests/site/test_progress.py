"""What the browser remembers of a reader's way: it is shown on three kinds of page, and forgotten; where nothing may be remembered, nothing is missed."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

HTML = Path(__file__).parents[2] / "_build" / "html"
FILES = HTML.as_uri()
KEY = "mathematics-of-neural-networks/progress"
CHAPTER = "notebooks/01_definition.html"
ANSWERS = "details[data-answer]:not(.exercise *)"
STORED = f"() => JSON.parse(localStorage.getItem('{KEY}'))"


def begin(page):
    """Open an answer and tick an exercise, by keyboard alone."""
    page.locator(f"{ANSWERS} > summary").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("checkbox", name="Done with Exercise 2").focus()
    page.keyboard.press("Space")


def opened_later(page):
    """The same page, opened again by the same browser. (A page that is left or reloaded cuts off requests, which would count as failed.)"""
    later = page.context.new_page()
    later.requests = []
    later.goto(page.url)
    return later


@pytest.mark.parametrize("over", ["file", "http"])
def test_what_was_tried_is_remembered_shown_and_forgotten(visit, server, over):
    page = visit(CHAPTER, base=server) if over == "http" else visit(CHAPTER)
    note = page.locator(".nn-progress-note")
    expect(note).to_be_hidden()
    begin(page)
    expect(note).to_have_text(re.compile(r"On this page: 1 of \d+ questions tried, 1 of 6 exercises done\."))
    words = re.search(r"1 of .* done", note.text_content())[0]
    other = page.locator(f"{ANSWERS} + details > summary").first  # a second answer to the same question
    other.click()
    page.wait_for_timeout(50)
    assert words in note.text_content(), "one question was tried, not two"

    page = opened_later(page)
    note = page.locator(".nn-progress-note")
    expect(note).to_contain_text(words)
    assert page.get_by_role("checkbox", name="Done with Exercise 2").is_checked()
    assert not page.get_by_role("checkbox", name="Done with Exercise 1").is_checked()

    note.get_by_role("link").click()
    page.wait_for_url("**/book/welcome.html#the-chapters")
    expect(page.locator(f".bd-article a[href$='{CHAPTER}'] .nn-words")).to_have_text(words)
    side = page.get_by_role("navigation", name="Main").get_by_role("link", name=words)
    expect(side).to_have_count(1)

    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Forget it").press("Enter")
    expect(side).to_have_count(1)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget it").press("Enter")
    expect(page.get_by_role("status")).to_have_text(["Forgotten."])
    assert page.evaluate("document.activeElement.textContent") == "Forgotten."
    expect(side).to_have_count(0)
    assert page.evaluate(STORED) is None


def test_a_page_beside_it_follows_and_a_tick_can_be_taken_back(visit):
    page = visit(CHAPTER)
    beside = opened_later(page)
    begin(page)
    box = beside.get_by_role("checkbox", name="Done with Exercise 2")
    expect(box).to_be_checked()
    box.uncheck()
    expect(page.get_by_role("checkbox", name="Done with Exercise 2")).not_to_be_checked()
    expect(page.locator(".nn-progress-note")).to_contain_text("0 of 6 exercises done")


def test_a_damaged_memory_is_an_empty_one(visit):
    page = visit(CHAPTER)
    page.evaluate(f"localStorage.setItem('{KEY}', '{{half')")
    page = opened_later(page)
    expect(page.locator(".nn-progress-note")).to_be_hidden()
    begin(page)
    stored = page.evaluate(STORED)["notebooks/01_definition"]
    assert len(stored["questions"]) == len(stored["exercises"]) == 1


def test_where_nothing_may_be_remembered_nothing_is_shown_and_nothing_breaks(browser):
    context = browser.new_context()  # of its own: the theme complains where it may not remember
    context.add_init_script("Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); } })")
    page, errors = context.new_page(), []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(f"{FILES}/{CHAPTER}")
    page.locator(f"{ANSWERS} > summary").first.click()
    expect(page.locator(f"{ANSWERS}[open]")).to_have_count(1)
    assert page.locator(".nn-done, .nn-ring, .nn-progress-note:visible").count() == 0
    assert [error for error in errors if "progress.js" in (error.stack or "")] == []
    context.close()


def test_the_table_for_teachers_counts_what_the_chapters_ask(visit):
    rows = visit("book/teaching.html").locator("table").first.locator("tbody tr")
    found = {}
    for row in rows.all():
        *_, questions, exercises = row.locator("td").all_text_contents()
        found[row.locator("a").first.get_attribute("href").removeprefix("../")] = int(questions), int(exercises)
    assert sorted(found) == sorted(f"notebooks/{path.name}" for path in (HTML / "notebooks").glob("*.html"))
    for path, counts in found.items():
        page = visit(path)
        page.get_by_role("checkbox", name="Done with Exercise 1").check()
        stored = page.evaluate(STORED)[path.removesuffix(".html")]
        assert (stored["of"], stored["ofExercises"]) == counts, path


def test_the_ring_fills_with_what_was_done(visit):
    page = visit(CHAPTER)
    begin(page)
    stored = page.evaluate(STORED)["notebooks/01_definition"]
    part = float(page.locator(".nn-ring").evaluate("(ring) => getComputedStyle(ring).getPropertyValue('--nn-part')"))
    assert part == pytest.approx(2 / (stored["of"] + stored["ofExercises"]))
