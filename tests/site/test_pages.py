"""Every page: complete without a network, quiet, typeset, light, narrow and accessible."""

import gzip
import json
import re
from pathlib import Path
from urllib.parse import unquote, urlparse

import pytest

HEAVY = 3_000_000  # bytes of a page with all that it loads and all the pictures of its explorers, gzipped


@pytest.fixture
def axe(pytestconfig):
    return pytestconfig.rootpath / "_build" / "assets" / "node_modules" / "axe-core" / "axe.min.js"


def test_from_a_file(visit, path):
    """Without a server the page asks for nothing outside, says nothing, is typeset, and weighs at most 3 MB."""
    page = visit(path)
    assert page.title()
    untypeset = "(all) => all.filter((math) => !math.querySelector('mjx-container')).map((math) => math.textContent)"
    assert page.locator(".math").evaluate_all(untypeset) == []
    errors = page.locator("[data-mjx-error]").evaluate_all("(all) => all.map((e) => e.dataset.mjxError)")
    assert errors == [], "MathJax does not understand a formula"
    raw = re.findall(r"\\[(\[][^\n]*", page.locator("body").inner_text())
    assert raw == [], "formulas that were not typeset"
    weights = weigh(page)
    heaviest = sorted(weights.items(), key=lambda item: -item[1])[:8]
    assert sum(weights.values()) <= HEAVY, f"{sum(weights.values()):,} bytes, of which {heaviest}"


def weigh(page):
    """The gzipped bytes of each file that a page loads, every picture of its figures and explorers among them."""
    pictures = [picture.get_attribute("src") for picture in page.locator("img").all()]
    for script in page.locator(".nn-explorer > script").all():
        pictures += json.loads(script.text_content())["pictures"]
    urls = page.requests + page.evaluate("(all) => all.map((a) => new URL(a, location.href).href)", pictures)
    files = {Path(unquote(urlparse(url).path)) for url in urls if url.startswith("file:")}
    return {file.name: len(gzip.compress(file.read_bytes(), 6)) for file in files}


def test_the_root_leads_to_the_welcome_page(visit):
    page = visit("book/welcome.html")
    page.wait_for_load_state("networkidle")  # a request that leaving the page cuts off would count as failed
    page.goto(f"{page.url.removesuffix('book/welcome.html')}index.html")
    page.wait_for_url("**/book/welcome.html")
    page.wait_for_load_state("networkidle")


def test_over_http(visit, server, path):
    page = visit(path, base=server)
    page.wait_for_load_state("networkidle")


def test_on_a_telephone(visit, path):
    page = visit(path, "phone")
    assert page.evaluate("document.documentElement.scrollWidth") == 360, "the page scrolls sideways"
    assert page.evaluate("innerWidth") == 360, "the page was shrunk to fit"


def test_accessible(visit, axe, path):
    """WCAG 2.2 A and AA, and what axe finds grave besides, with every question and solution open."""
    page = visit(path)
    page.locator("details").evaluate_all("(all) => all.forEach((it) => { it.open = true; })")
    page.add_script_tag(path=axe)
    # What is the same in both schemes needs to be seen once.
    every = "{ rules: { 'target-size': { enabled: true } } }"
    for scheme, only in (("light", every), ("dark", "{ runOnly: ['color-contrast', 'link-in-text-block'] }")):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.wait_for_function("(scheme) => document.documentElement.dataset.theme === scheme", arg=scheme)
        found = page.evaluate(f"axe.run({{ resultTypes: ['violations'], preload: false, ...{only} }})")["violations"]
        faults = [
            "\n  ".join([f"{it['id']} ({scheme}): {it['help']}", *(node["html"][:200] for node in it["nodes"][:5])])
            for it in found
            if it["impact"] in ("serious", "critical") or any(re.fullmatch(r"wcag2\d?aa?", tag) for tag in it["tags"])
        ]
        assert faults == [], "\n".join(faults)
