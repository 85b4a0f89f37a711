"""The ledger as a reader meets it: all fifty statements, each with a figure and a way to its place, and a filter by verdict."""

from collections import Counter
from pathlib import Path

import pytest

from nnlib.ledger import STATEMENTS, VERDICTS, has_figure

HTML = Path(__file__).parents[2] / "_build" / "html"
FILES = HTML.as_uri()
LEDGER = "book/ledger.html"
ROWS = ".ledger tbody tr"
SHOWN = f"{ROWS}:visible"


@pytest.fixture
def page(visit):
    return visit(LEDGER)


def verdicts(rows):
    """The words in bold that each row begins its verdict with."""
    return rows.locator("td.claim-verdict").evaluate_all("(all) => all.map((cell) => cell.querySelector('strong')?.textContent)")


def test_every_statement_has_one_row_with_a_verdict(page):
    names = [text.split()[0] for text in page.locator(f"{ROWS} td.claim-statement").all_text_contents()]
    assert Counter(names) == Counter(list(STATEMENTS)), "a statement is missing, or has two rows"
    untested = [name for name, verdict in zip(names, verdicts(page.locator(ROWS)), strict=True) if verdict not in VERDICTS]
    assert untested == []


def test_every_row_says_what_was_measured_with_a_figure(page):
    cells = page.locator(f"{ROWS} td.claim-measured").all_text_contents()
    assert len(cells) == len(STATEMENTS)
    assert [cell for cell in cells if not has_figure(cell)] == []


def test_every_row_leads_to_the_place_where_its_statement_is_taken_up(page):
    links = page.locator(f"{ROWS} td.claim-statement a").evaluate_all("(all) => all.map((a) => [a.textContent.trim(), a.href])")
    assert [name for name, _ in links] == list(STATEMENTS)
    for name, href in links:
        file, _, place = href.removeprefix(f"{FILES}/").partition("#")
        assert place == name and f'id="{name}"' in (HTML / file).read_text("utf-8"), f"{name} leads to {href}"


def test_each_row_shows_the_verdict_of_its_chapter(page, visit):
    told = dict(zip(STATEMENTS, page.locator(f"{ROWS} td.claim-verdict").all_text_contents(), strict=True))
    files = {href.split("#")[0].removeprefix(f"{FILES}/") for href in page.locator(f"{ROWS} a").evaluate_all("(all) => all.map((a) => a.href)")}
    for file in sorted(file for file in files if file.startswith("notebooks/")):
        for row in visit(file).locator("table.claims tbody tr").all():
            name = row.locator("td.claim-statement a").first.text_content().strip()
            assert row.locator("td.claim-verdict").text_content() == told.pop(name)
    assert told == {}


def test_the_filter_shows_the_rows_of_a_verdict_and_says_how_many(page):
    all_of_them = Counter(verdicts(page.locator(ROWS)))
    for box in page.locator(".nn-verdicts label").all():
        box.click()
        text, count = box.text_content().rsplit(maxsplit=1)
        shown = Counter(verdicts(page.locator(SHOWN)))
        assert shown == (all_of_them if text.strip() == "all" else {text.strip(): all_of_them[text.strip()]})
        assert sum(shown.values()) == int(count)
        assert page.locator(".nn-verdicts [role=status]").text_content() == f"{count} of {len(STATEMENTS)} statements are shown."
        empty = "(all) => all.filter((s) => s.checkVisibility() && !s.querySelector('.ledger tr:not(.nn-out) td')).length"
        assert page.locator("section section:has(.ledger)").evaluate_all(empty) == 0, "a heading stands over nothing"


def test_the_filter_works_by_keyboard(page):
    page.locator(".nn-verdicts input").first.focus()
    for verdict in VERDICTS:
        page.keyboard.press("ArrowRight")
        assert set(verdicts(page.locator(SHOWN))) == {verdict}
    page.keyboard.press("ArrowRight")
    assert page.locator(SHOWN).count() == len(STATEMENTS)


def test_the_address_holds_the_choice(page, visit):
    page.get_by_label("does not hold here").check()
    assert page.url.endswith(f"{LEDGER}#does-not-hold-here")
    again = visit(f"{LEDGER}#does-not-hold-here")
    assert set(verdicts(again.locator(SHOWN))) == {"does not hold here"}
    # The way to a chapter that is filtered away shows all rows again, and the first link of the contents leads to one.
    again.evaluate("location.hash = document.querySelector('section section.nn-out').id")
    again.wait_for_function(f"document.querySelectorAll('{ROWS}:not(.nn-out)').length === {len(STATEMENTS)}")
    page.get_by_label("all").check()
    assert page.url.endswith(LEDGER)


def test_print_shows_all(page):
    page.get_by_label("does not hold here").check()
    page.emulate_media(media="print")
    assert page.locator(SHOWN).count() == len(STATEMENTS)
    assert not page.locator(".nn-verdicts").is_visible()


def test_without_a_script_all_rows_are_there_and_no_dead_buttons(visit):
    page = visit(LEDGER, "no script")
    assert page.locator(SHOWN).count() == len(STATEMENTS)
    assert not page.locator(".nn-verdicts").is_visible()


@pytest.mark.parametrize("width", [360, 390])
def test_on_a_telephone_rows_are_cards_with_named_parts(visit, width):
    page = visit(LEDGER, "phone")
    page.set_viewport_size({"width": width, "height": 800})
    for row in page.locator(SHOWN).all():
        cells = [cell.bounding_box() for cell in row.locator("td").all() if cell.text_content().strip()]
        assert all(box["width"] > 0.8 * width for box in cells), "columns side by side"
    names = "(all) => all.map((cell) => getComputedStyle(cell, '::before').content)"
    assert set(page.locator(f"{ROWS} td.claim-measured").evaluate_all(names)) == {'"Measured"'}
    assert set(page.locator(f"{ROWS} td.claim-derived").evaluate_all(names)) == {'"Derived"'}
