"""Every page for whoever reads it: by ear, by keyboard, enlarged, on paper, without motion; and quickly there."""

import gzip
import json
import re
from html import unescape
from pathlib import Path
from urllib.parse import urlparse

import pytest

HTML = Path(__file__).parents[2] / "_build" / "html"
EARLY = 500_000  # bytes, gzipped, of a page without its pictures: all that stands before the first formula, and more
STILL = 0.05  # how much of a page may move while it loads
SOON = 3000  # milliseconds until something is read, also where other tests keep the processor busy


# --- by ear ----------------------------------------------------------------------------------------------------------


def poor(text, title=""):
    """Whether a text alternative is too short to say what is seen, or is only the title, or the name of a file."""
    return len(text) < 40 or text.strip() == title.strip() or re.search(r"\.(png|webp|svg)$|[0-9a-f]{16}", text) is not None


def test_figures_say_what_they_show(path):
    page = (HTML / path).read_text("utf-8")
    said = [unescape(alt) for alt in re.findall(r'<figure class="nn-figure"><img [^>]*?alt="([^"]*)"', page)]
    assert [alt for alt in said if poor(alt)] == []
    assert len(set(said)) == len(said), "two figures of a page say the same"


def test_explorers_say_what_they_show_in_every_state(path):
    found = re.findall(r'<p class="nn-title"[^>]*>([^<]*)</p>.*?<script type="application/json">(.*?)</script>', (HTML / path).read_text("utf-8"), re.DOTALL)
    for title, manifest in ((unescape(title), json.loads(text)) for title, text in found):
        assert [sentence for sentence in manifest["sentences"] if poor(sentence, title)] == [], title
        pictures = {}
        for picture, sentence in manifest["states"]:
            pictures.setdefault(sentence, set()).add(picture)
        alike = [manifest["sentences"][sentence] for sentence, shown in pictures.items() if len(shown) > 1]
        assert alike == [], f"{title}: states whose pictures differ say the same"


# --- enlarged, and on paper ------------------------------------------------------------------------------------------

# Words beyond the right edge that no box can be scrolled to, and boxes that cut off words.
CUT = """() => [...document.querySelectorAll(".bd-article *, .prev-next-footer *")].filter((box) => {
    const own = [...box.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
    if (!own || !box.checkVisibility({ visibilityProperty: true })) return false;
    const parents = [];
    for (let at = box; at && at !== document.body; at = at.parentElement) parents.push(getComputedStyle(at));
    if (parents.some((style) => style.clipPath !== "none" || style.clip !== "auto")) return false; // words for the ear
    if (parents.some((style) => ["auto", "scroll"].includes(style.overflowX))) return false;
    const style = getComputedStyle(box);
    return box.getBoundingClientRect().right > innerWidth + 1 || (style.overflowX === "hidden" && box.scrollWidth > box.clientWidth + 1);
}).map((box) => box.outerHTML.slice(0, 120))"""


def test_enlarged_and_on_paper(revisit, path):
    """At 200 % a window of 1280 pixels is 640 wide, at 400 % 320; a sheet of paper is some 700. Nothing is cut, and paper has no buttons."""
    page = revisit(path)
    for medium, width in (("screen", 640), ("screen", 320), ("print", 700)):
        page.emulate_media(media=medium)
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{medium} scrolls sideways at {width}"
        assert page.evaluate(CUT) == [], f"{medium} at {width}"
    shown = "(all) => all.filter((it) => it.checkVisibility({ visibilityProperty: true })).map((it) => it.outerHTML.slice(0, 120))"
    assert page.locator("button, input, nav.bd-links, .headerlink").evaluate_all(shown) == []
    for figure in page.locator(".nn-explorer").all():
        assert figure.locator(".nn-picture").is_visible() and figure.locator(".nn-sentence").is_visible()
        told = figure.locator(".nn-controls").inner_text()
        for label in figure.locator(".nn-control > :is(label, legend)").all_inner_texts():
            assert label in told
        for value in figure.locator("output, :checked + span").all_inner_texts():
            assert value in told, "a control does not say what it is set to"
    # Whoever reads white on black prints black on white all the same.
    page.evaluate("document.documentElement.dataset.theme = 'dark'")
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.locator("figure img").evaluate_all("(all) => all.filter((it) => getComputedStyle(it).filter !== 'none').length") == 0
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1280, "height": 1400})


# --- quickly there ---------------------------------------------------------------------------------------------------


def test_the_first_formula_is_near(path):
    """The page, its style sheets and its scripts. Formulas are drawn in the page: it is readable before the scripts come."""
    text = (HTML / path).read_text("utf-8")
    names = re.findall(r'<link [^>]*href="([^"]+)"[^>]*rel="stylesheet"|<link rel="stylesheet"[^>]*href="([^"]+)"|<script [^>]*src="([^"]+)"', text)
    files = {(HTML / path).parent / urlparse(next(filter(None, name))).path for name in names}
    assert len(files) > 5 or path == "404.html"  # which loads nothing
    weight = sum(len(gzip.compress(file.read_bytes(), 6)) for file in [HTML / path, *files])
    assert weight <= EARLY, f"{weight:,} bytes"


def test_soon_and_still(visit, server, path):
    page = visit(path, base=server)
    moved, painted = page.evaluate("""async () => {
        await new Promise((resolve) => setTimeout(resolve, 300));
        const look = (type) => new Promise((resolve) => {
            new PerformanceObserver((list) => resolve(list.getEntries())).observe({ type, buffered: true });
            setTimeout(() => resolve([]), 100);
        });
        const [shifts, paints] = [await look("layout-shift"), await look("paint")];
        return [shifts.reduce((sum, shift) => sum + shift.value, 0), paints.find((it) => it.name === "first-contentful-paint")?.startTime];
    }""")
    page.wait_for_load_state("networkidle")  # what is under way when the page closes would count as failed
    assert moved <= STILL
    assert painted is not None and painted <= SOON
    assert page.evaluate("document.fonts.check('1em \"Source Serif 4\"')")


# --- by keyboard -----------------------------------------------------------------------------------------------------

# What has the focus: whether it is seen to have it, and whether it is seen at all, or lies under what stands in front of it.
FOCUS = """() => {
    const at = document.activeElement;
    if (!at || at === document.body || at === document.documentElement) return null;
    window.walked ??= new Map();
    if (!walked.has(at)) walked.set(at, walked.size);
    const seen = at.matches(".nn-radio input") ? at.nextElementSibling : at;
    const ring = getComputedStyle(seen);
    const boxes = [...seen.getClientRects()].filter((box) => box.width && box.height);
    const points = boxes.flatMap(({ left, right, top, bottom }) => {
        const across = (left + right) / 2;
        const [first, last] = [Math.max(top, 0), Math.min(bottom, innerHeight)];
        return first < last ? [[across, (first + last) / 2], [across, first + 2], [across, last - 2], [left + 3, (first + last) / 2]] : [];
    });
    const clear = points.some(([x, y]) => {
        const top = document.elementFromPoint(x, y);
        return top && (at.contains(top) || seen.contains(top) || top.contains(at));
    });
    return { number: walked.get(at), ring: ring.outlineStyle !== "none" && parseFloat(ring.outlineWidth) >= 2, clear, what: at.outerHTML.slice(0, 150),
        summary: at.matches("summary") && !at.parentElement.open };
}"""

# What a reader can reach and the walk did not: of radio buttons only the one that is down is a stop, as browsers have it.
MISSED = """() => [...document.querySelectorAll("a[href], button, input, select, summary, [tabindex='0']")].filter((it) => {
    if (walked.has(it) || it.disabled || it.tabIndex < 0 || !it.checkVisibility({ visibilityProperty: true })) return false;
    if (it.closest("dialog:not([open]), [inert]")) return false;
    return !(it.type === "radio" && !it.checked);
}).map((it) => it.outerHTML.slice(0, 150))"""


def walk(page, key):
    """Go through the page by one key until it ends; open each `<details>` on the way there."""
    stops = []
    for _ in range(2000):
        page.keyboard.press(key)
        stop = page.evaluate(FOCUS)
        if stop is None:
            break
        if stops and stop["number"] == stops[0]["number"]:
            break
        stops.append(stop)
        if key == "Tab" and stop["summary"]:
            page.keyboard.press("Enter")
    assert len({stop["number"] for stop in stops}) == len(stops), "the walk turned back: a trap"
    assert [stop["what"] for stop in stops if not stop["ring"]] == [], f"{key}: it is not seen that these have the focus"
    assert [stop["what"] for stop in stops if not stop["clear"]] == [], f"{key}: these are under something, or out of sight"
    return stops


@pytest.fixture(scope="module")
def chapter():
    """The chapter with the most explorers."""
    pages = sorted(HTML.glob("notebooks/*.html"))
    return max(pages, key=lambda page: page.read_text("utf-8").count('class="nn-explorer"')).relative_to(HTML).as_posix()


def test_a_chapter_by_keyboard_alone(visit, chapter):
    page = visit(chapter)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(reduced_motion="reduce")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to main content"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main-content")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('#main-content').contains(document.activeElement)"), "the link skips to the text"

    page.reload()
    there = walk(page, "Tab")
    assert page.locator("details:not([open])").count() == 0
    assert page.evaluate(MISSED) == []
    back = walk(page, "Shift+Tab")
    assert abs(len(there) - len(back)) <= 1

    # The two that act on the whole page.
    switch = page.get_by_role("button", name="Color mode")
    switch.focus()
    before = page.evaluate("document.documentElement.dataset.mode")
    page.keyboard.press("Enter")
    assert page.evaluate("document.documentElement.dataset.mode") != before
    page.keyboard.press("Control+k")
    assert page.evaluate("document.activeElement.matches('dialog[open] input')"), "the search asks for a word"
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_without_motion_it_still_plays(visit, chapter):
    page = visit(chapter)
    page.emulate_media(reduced_motion="reduce")
    control = page.locator(".nn-slider:has(.nn-play)").first
    slider, button = control.locator("input"), control.get_by_role("button")
    slider.press("Home")
    button.press("Enter")
    page.wait_for_function("(slider) => slider.valueAsNumber >= 1", arg=slider.element_handle())
    moving = "(all) => all.filter((it) => parseFloat(getComputedStyle(it).transitionDuration) || getComputedStyle(it).animationName !== 'none').length"
    assert page.locator("body *:not(svg *)").evaluate_all(moving) == 0
