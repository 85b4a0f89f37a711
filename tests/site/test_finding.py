"""What helps a reader to find a place: the search, the glossary, the gallery, the neighbours of a page, and the page for an address that leads nowhere."""

import functools
import html
import http.server
import json
import posixpath
import re
import threading
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
from PIL import Image

HTML = Path(__file__).parents[2] / "_build" / "html"
PAGES = sorted(path.relative_to(HTML).as_posix() for folder in ("book", "notebooks") for path in HTML.glob(f"{folder}/*.html"))
CHAPTER = re.compile(r"(?:notebooks|book)/0*(\d+)([a-z]?)_\w+\.html")


def text_of(markup):
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<(script|style|svg)\b.*?</\1>", " ", markup, flags=re.DOTALL))).split())


@functools.cache
def article(path):
    """What stands on a page, without what is around it."""
    return re.search(r"<article.*?</article>", (HTML / path).read_text("utf-8"), flags=re.DOTALL)[0]


@functools.cache
def title(path):
    return text_of(re.search(r"<h1>(.*?)<a", article(path), flags=re.DOTALL)[1])


# --- search ----------------------------------------------------------------------------------------------------------

# What is typed, the page that must be among the first three pages (in brackets: the first), and a place on it that must be among those shown.
QUERIES = [
    ("손실", "book/glossary.html", "term-loss"),
    ("미분", "book/glossary.html", "term-derivative"),
    ("손실을", "book/glossary.html", "term-loss"),
    ("학습률", "book/glossary.html", "term-learning-rate"),
    ("역전파", "notebooks/03_backpropagation.html", ""),
    ("과적합", "notebooks/04_regularization.html", ""),
    ("드롭아웃", "notebooks/04_regularization.html", "dropout-training-with-holes"),
    ("합성곱", "notebooks/06a_convolution.html", None),
    ("장기 의존성", "notebooks/06b_recurrence.html", None),
    ("보편 근사 정리", "notebooks/02_approximation.html", ""),
    ("어텐션", "notebooks/06c_attention.html", None),
    ("층", "book/glossary.html", "term-layer"),
    ("gradient", "notebooks/03_backpropagation.html", None),
    ("derivatives", "notebooks/01_definition.html", "the-activations-and-their-derivatives"),
    ("regularizing", "notebooks/04_regularization.html", None),
    ("gradient clipping", "notebooks/06b_recurrence.html", None),
    ("equivariant", "notebooks/06a_convolution.html", None),
    ("double descent", "notebooks/04_regularization.html", "a-warning-double-descent"),
    ("spectral bias", "notebooks/02_approximation.html", None),
    ("batch norm", "notebooks/04_regularization.html", "batch-norm"),
    ("why the root of d_k", "notebooks/06c_attention.html", None),
    ("universal aproximation", "notebooks/02_approximation.html", None),
    ("S4.1", "notebooks/04_regularization.html", "S4.1"),
    ("s6.10", "notebooks/06c_attention.html", "S6.10"),
    ("S7.4", "notebooks/07_optimization.html", "S7.4"),
    ("불균형 데이터", "notebooks/07_optimization.html", None),
    ("hyperparameters", "notebooks/08_hyperparameters.html", ""),
    ("η", "book/notation.html", None),
    ("eta", "book/notation.html", None),
    ("δ", "notebooks/03_backpropagation.html", None),
    ("crossed_difference", "book/api.html", "nnlib.metrics.crossed_difference"),
    ("value_and_grad", "book/api.html", "nnlib.backprop.value_and_grad"),
    ("Cybenko", "book/references.html", None),
]


@pytest.fixture(scope="module", params=["file", "http"])
def search(request, revisit):
    base = HTML.as_uri() if request.param == "file" else request.getfixturevalue("server")
    page = revisit("search.html", base=base)
    return page


def found(page, query):
    """Type a query: the pages that are shown, each with the addresses of its places."""
    page.locator("#search-input").fill("")
    page.wait_for_function("document.querySelector('#search-count').textContent === ''")
    page.locator("#search-input").fill(query)
    page.wait_for_function("document.querySelector('#search-count').textContent !== ''")
    shown = "(all) => all.map((page) => [...page.querySelectorAll('a')].map((a) => a.getAttribute('href')))"
    return page.locator("#search-results > li").evaluate_all(shown)


def test_what_is_searched_is_found(search):
    """Words of both languages, in any form, symbols, statements and names of the code lead to their page, one of the first three."""
    missed = []
    for query, page, place in QUERIES:
        first = found(search, query)[:3]
        if not first:
            missed.append(f"{query}: nothing")
        if page and page not in [links[0] for links in first]:
            missed.append(f"{query}: {page} is not among {[links[0] for links in first]}")
        if place and not any(link.endswith(f"#{place}") for links in first for link in links):
            missed.append(f"{query}: #{place} is not among {first}")
    assert missed == [], "\n".join(missed)


def test_the_search_says_what_it_does(browser):
    """By keyboard from any page to a place; the count and the lack of a result are spoken, and the way back leads to what was found."""
    page, wrong = browser.new_page(), []  # not one of `visit`: leaving a page cuts off what it was fetching
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(f"{HTML.as_uri()}/notebooks/01_definition.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("뉴런")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=*")
    status, results = page.get_by_role("status"), page.locator("#search-results")
    results.locator("li").first.wait_for()
    assert re.fullmatch(r"\d+ places on \d+ pages\.", status.inner_text())
    assert page.locator("#search-input").input_value() == "뉴런"
    assert "뉴런" in results.locator("mark").all_inner_texts()
    assert not page.locator("#search-hint").is_visible()
    page.keyboard.press("Tab")
    first = page.evaluate("document.activeElement.href")
    assert first.endswith("book/glossary.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/book/glossary.html#term-neuron")
    page.go_back()
    page.wait_for_function("document.querySelectorAll('#search-results > li').length > 0")
    found(page, "quaternion")
    assert status.inner_text() == "Nothing was found for “quaternion”."
    assert page.locator("#search-hint").is_visible() and results.inner_text() == ""
    assert page.url.endswith("?q=quaternion")
    for query in page.locator("#search-hint a[href^='?q=']").all_inner_texts():
        assert found(page, query), f"the hint proposes {query!r}, which finds nothing"
    found(page, "gradient quaternion")
    assert status.inner_text().startswith("No place has all these words.")
    assert wrong == []
    page.close()


def test_every_place_that_the_search_knows_is_there():
    """Each page and anchor of the index exists."""
    data = json.loads((HTML / "search-index.js").read_text("utf-8").removeprefix("const BOOK = ").removesuffix(";\n"))
    assert len(data["places"]) > 500
    ids = [set(re.findall(r'\bid="([^"]+)"', (HTML / address).read_text("utf-8"))) for address, _ in data["pages"]]
    assert [place for place in data["places"] if place[1] and place[1] not in ids[place[0]]] == []


# --- glossary --------------------------------------------------------------------------------------------------------


def entries():
    """The terms of the glossary: id, names, and the page and the place of their first use."""
    pattern = r'<dt id="(term-[^"]+)"><strong>(.*?)</strong>.*?</dt>.*?class="first-use"><a [^>]*href="([^"#]+)#([^"]+)"'
    terms = re.findall(pattern, article("book/glossary.html"), flags=re.DOTALL)
    found = [(id, name, posixpath.normpath(f"book/{page}"), place) for id, name, page, place in terms]
    assert len(found) == article("book/glossary.html").count("<dt")
    return found


def test_each_term_stands_where_the_glossary_says():
    assert len(entries()) >= 120 and len({id for id, *_ in entries()}) == len(entries())
    for id, name, path, place in entries():
        section = re.search(rf'<section[^>]* id="{place}">(.*?)(?:<section|</article>)', article(path), flags=re.DOTALL)
        assert section, f"{id} leads to {path}#{place}, which is not there"
        said = text_of(section[1]).lower().replace("-", " ")
        names = re.split(r" / | \(|\)", html.unescape(name).lower().replace("-", " "))
        assert any(name in said for name in names if name), f"{id}: {name} is not in {path}#{place}"


def test_the_glossary_is_filtered_in_both_languages(revisit):
    page = revisit("book/glossary.html")
    field, status = page.get_by_label("Show only terms with"), page.get_by_role("status")
    every = len(entries())
    assert status.inner_text() == f"{every} terms"
    for typed, term in (("손실", "term-loss"), ("LEARNING", "term-learning-rate")):
        field.fill(typed)
        shown = page.locator("dt:visible")
        assert page.locator(f"#{term}").is_visible() and 0 < shown.count() < every / 2
        assert status.inner_text() == f"{shown.count()} of {every} terms"
        assert page.locator("h2:visible").count() == page.locator("section:has(> dl > dt:visible)").count(), "letters without a term stand there"
    field.fill("")
    assert page.locator("dt:visible").count() == every


# --- gallery, head, neighbours ---------------------------------------------------------------------------------------


def test_the_gallery_shows_every_explorer(revisit):
    """Each explorer of each page, with the picture and the sentence of the state in which it opens; what is below the fold is not fetched."""
    cards = re.findall(r'<li><a href="\.\./([^"]+)">(.*?)</a>\s*<img src="([^"]+)" alt="([^"]+)"', article("book/gallery.html"))
    there = [
        (f"{path}#{id}", *told)
        for path in PAGES
        for id, *told in re.findall(
            r'<figure class="nn-explorer" id="([^"]+)".*?<p class="nn-title"[^>]*>(.*?)</p>\s*<img class="nn-picture[^>]*? src="([^"]+)" alt="([^"]+)"',
            (HTML / path).read_text("utf-8"),
            flags=re.DOTALL,
        )
    ]
    assert sorted(cards) == sorted(there) and len(cards) > 5
    page = revisit("book/gallery.html")
    fetched = {url.rsplit("/", 1)[-1] for url in page.requests if "_media" in url}
    assert 0 < len(fetched) < len(cards) / 2
    assert all((HTML / "book" / picture).exists() for _, _, picture, _ in cards)


def chapters():
    found = sorted((int(match[1]), match[2], path) for path in PAGES if (match := CHAPTER.fullmatch(path)))
    assert found
    return found


def standing(path):
    """Where a page stands, from the names of the files alone."""
    number = next(number for number, _, it in chapters() if it == path)
    pages = [it for it_number, _, it in chapters() if it_number == number]
    part = f", page {pages.index(path) + 1} of {len(pages)}" if len(pages) > 1 else ""
    return f"Chapter {number} of {chapters()[-1][0]}{part}"


def test_each_chapter_says_where_it_stands_and_how_long_it_takes():
    for *_, path in chapters():
        head = text_of(re.search(r'<p class="nn-head">(.*?)</p>', article(path))[1])
        said = re.fullmatch(rf"{standing(path)} · about ((?:\d hours?)? ?(?:\d+ minutes)?)(, as much again for the exercises)?(?: · .*)?", head)
        assert said and said[1].strip(), f"{path}: {head}"
        explorers, exercises = article(path).count('class="nn-explorer"'), len(re.findall(r"<h3>Exercise ", article(path)))
        assert (f" · {explorers} explorer" in head) == bool(explorers)
        assert (f" · {exercises} exercise" in head) == bool(exercises) == bool(said[2])


def test_each_page_names_its_neighbours():
    for path in PAGES:
        ways = re.findall(
            r'<a class="(?:left-prev|right-next)" href="([^"]+)"[^>]*>.*?subtitle">(.*?)</p>\s*<p class="prev-next-title">(.*?)</p>',
            (HTML / path).read_text("utf-8"),
            flags=re.DOTALL,
        )
        assert ways, path
        for link, subtitle, name in ways:
            target = (HTML / path).parent.joinpath(link).resolve().relative_to(HTML).as_posix()
            assert text_of(name) == title(target)
            assert not CHAPTER.fullmatch(target) or subtitle.endswith(f" · {standing(target)}")


# --- the state of an explorer in an address -------------------------------------------------------------------------


def test_a_page_opens_at_a_state(visit):
    """With a state in its address a page shows it, in view; where the clipboard is refused, the address bar has the link."""
    path = chapters()[0][2]
    data = re.findall(r'<figure class="nn-explorer" id="explorer-2".*?<script type="application/json">(.*?)</script>', article(path), flags=re.DOTALL)[0]
    controls = json.loads(data)["controls"]
    last = {control["name"]: control["values"][-1].replace("−", "-") for control in controls}
    page = visit(f"{path}#explorer-2?{urlencode(last)}", "phone")
    figure = page.locator("#explorer-2")
    assert figure.get_attribute("data-state") == " ".join(str(len(control["values"]) - 1) for control in controls)
    in_view = "(figure) => { const { top } = figure.getBoundingClientRect(); return top > -10 && top < innerHeight / 3; }"
    page.wait_for_function(in_view, arg=figure.element_handle())
    figure.locator("input[type=range]").first.press("Home")
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('refused')); }")
    figure.get_by_role("button", name="Copy a link").tap()
    figure.get_by_text("It is in the address bar").wait_for()
    first = last | {controls[0]["name"]: controls[0]["values"][0].replace("−", "-")}
    assert dict(parse_qsl(page.url.partition("?")[2])) == first


# --- what is said to others ------------------------------------------------------------------------------------------


def test_each_page_says_what_it_is_about():
    """Its title and the beginning of its text, for search engines and previews; whole addresses or none."""
    for path in PAGES:
        page = (HTML / path).read_text("utf-8")
        meta = {
            name: html.unescape(said) for name, said in re.findall(r'<meta (?:name|property)="((?:og:|twitter:|description)[^"]*)" content="([^"]*)"', page)
        }
        assert meta["og:title"] == title(path)
        assert meta["description"] == meta["og:description"] and 40 <= len(meta["description"]) <= 205
        words = re.findall(r"[A-Za-z]{4,}", meta["description"])[:6]
        assert re.search(r"\W(?:.*?\W)?".join(words), text_of(article(path))), f"{path} is not about {meta['description']!r}"
        for name in ("og:url", "og:image"):
            assert (name in meta) == (HTML / "sitemap.xml").exists() and meta.get(name, "https://").startswith("https://")


def test_the_icons_are_there():
    page = (HTML / "book/welcome.html").read_text("utf-8")
    icons = re.findall(r'<link rel="(?:icon|apple-touch-icon)"[^>]*href="([^"?]+)', page)
    assert {Path(icon).name for icon in icons} == {"logo.svg", "icon.png"}
    with Image.open(HTML / "_static" / "icon.png") as icon:
        assert icon.size == (180, 180)


def test_an_address_that_leads_nowhere(browser):
    """At any depth the page that the server shows instead searches, and leads to the chapters."""
    root = re.search(r'<base href="([^"]+)">', (HTML / "404.html").read_text("utf-8"))[1]

    class Pages(http.server.SimpleHTTPRequestHandler):
        def translate_path(self, path):
            return super().translate_path("/" + path.removeprefix(root)) if path.startswith(root) else str(HTML / "nowhere")

        def send_error(self, *_):
            body = (HTML / "404.html").read_bytes()
            self.send_response(404)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Pages, directory=HTML)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page = browser.new_page()
        lost = []
        page.on("response", lambda reply: reply.status >= 400 and lost.append(reply.url))
        address = f"http://127.0.0.1:{server.server_port}{root}notebooks/very/deep/nothing"
        page.goto(address)
        assert page.get_by_role("heading", level=1).inner_text() == "This page does not exist"
        links = page.get_by_role("main").get_by_role("link").evaluate_all("(all) => all.map((a) => a.href)")
        assert len(links) == 1 + len(chapters())
        assert [page.request.get(link).status for link in links] == [200] * len(links)
        page.get_by_role("searchbox").fill("손실")
        page.get_by_role("searchbox").press("Enter")
        page.wait_for_url("**/search.html?q=*")
        page.wait_for_selector("#search-results > li")
        assert [url for url in lost if url != address] == []
        page.close()
        server.shutdown()
