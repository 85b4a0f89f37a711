"""The built book in a real browser, without a network.

A test that asks for ``path`` runs once for each page of the book, one that asks for ``explorer_at`` once for each
explorer of each page. Whatever a page says on the console, asks for outside the book or does not find fails the test.
"""

import contextlib
import functools
import http.server
import os
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[2]
HTML = ROOT / "_build" / "html"
FILES = HTML.as_uri()


def pages():
    """The pages of the book, without the redirect at its root and what the theme brings."""
    found = [path for path in HTML.rglob("*.html") if path.relative_to(HTML).parts[0] not in ("_static", "_media")]
    return sorted(path for path in found if 'http-equiv="Refresh"' not in path.read_text("utf-8"))


def pytest_generate_tests(metafunc):
    """No page at all is an error at collection: pytest is told so in pyproject.toml."""
    names = [path.relative_to(HTML).as_posix() for path in pages()]
    if "path" in metafunc.fixturenames:
        metafunc.parametrize("path", names)
    if "explorer_at" in metafunc.fixturenames:
        found = [(name, id) for name in names for id in re.findall(r'<figure class="nn-explorer" id="([^"]+)"', (HTML / name).read_text("utf-8"))]
        metafunc.parametrize("explorer_at", found, ids=["-".join(pair) for pair in found])


@pytest.fixture(scope="session")
def browser():
    program = os.environ.get("CHROMIUM")
    if not program:
        pytest.fail("CHROMIUM must name the browser that tests the site; `nox -s test_site` finds one and names it")
    arguments = ["--no-sandbox", "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=arguments)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server():
    """The address of the book over http."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            """A page that is closed leaves what it was fetching; what it misses while open, its test sees."""

    with Server(("127.0.0.1", 0), functools.partial(Quiet, directory=HTML)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


DEVICES = {
    "desk": {"viewport": {"width": 1280, "height": 1400}, "color_scheme": "light"},
    "phone": {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True, "device_scale_factor": 2},
    "no script": {"java_script_enabled": False},
}


@contextlib.contextmanager
def visits(browser):
    """Give a function that opens a page of the book; at the end nothing may have gone wrong in any that it opened."""
    contexts, complaints = [], []

    @functools.cache
    def visit(path, device="desk", base=FILES):
        context = browser.new_context(**DEVICES[device])
        contexts.append(context)
        page = context.new_page()
        page.requests = []
        page.on("console", lambda message: complaints.append(f"{path} says: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"{path} raises: {error}"))
        if device != "no script":  # there Chromium counts every script as failed
            page.on("requestfailed", lambda request: complaints.append(f"{path} cannot get {request.url}"))
        page.on("response", lambda reply: reply.status >= 400 and complaints.append(f"{reply.url}: {reply.status}"))
        page.on("request", lambda request: page.requests.append(request.url))
        page.goto(f"{base}/{path}", wait_until="load")
        return page

    yield visit
    for context in contexts:
        for page in context.pages:
            outside = [url for url in page.requests if not url.startswith((FILES, "http://127.0.0.1:", "data:"))]
            complaints.extend(f"asks outside the book: {url}" for url in outside)
        context.close()
    assert complaints == []


@pytest.fixture
def visit(browser):
    with visits(browser) as visit:
        yield visit


@pytest.fixture(scope="module")
def revisit(browser):
    """Like `visit`, for tests that share a page and leave it fit for the next."""
    with visits(browser) as visit:
        yield visit
