"""Every chapter in a real JupyterLab: all cells run, its explorers move, and its words and formulas are typeset."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect

import notebooks

ROOT = Path(__file__).parents[2]
LONG = 300_000  # milliseconds that a chapter may take on a busy machine
expect.set_options(timeout=60_000)

# What a notebook's cells have become: where an error is, which code has not run, and where an explorer with a slider is.
STATE = """() => [...jupyterapp.shell.currentWidget.content.model.cells].filter((cell) => cell.type === "code").map((cell) => ({
    source: cell.sharedModel.getSource(),
    count: cell.executionCount,
    errors: cell.outputs.toJSON().filter((output) => output.output_type === "error").map((error) => `${error.ename}: ${error.evalue}`),
}))"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The address of a JupyterLab, as `nox -s lab` starts it, on a copy of the chapters: what is run in a browser is also saved."""
    folder = tmp_path_factory.mktemp("lab")
    for name in ("notebooks", "book"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns(".*", "_*"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {f"JUPYTER{name}": str(folder / ".jupyter") for name in ("_CONFIG_DIR", "LAB_SETTINGS_DIR", "LAB_WORKSPACES_DIR", "_RUNTIME_DIR")}
    options = ["--no-browser", "--allow-root", f"--port={port}", "--IdentityProvider.token=", "--LabApp.expose_app_in_browser=True"]
    command = [sys.executable, str(ROOT / "tools" / "lab" / "open.py"), *options]
    with open(folder / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env={**os.environ, **own}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(240):
            try:
                urllib.request.urlopen(f"{address}/api/status")
                break
            except urllib.error.URLError:
                assert server.poll() is None, (folder / "log").read_text()
                time.sleep(0.25)
        else:
            pytest.fail((folder / "log").read_text())
        yield address
    finally:
        server.terminate()
        server.wait(60)


@pytest.fixture
def window(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1400})
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def first_explorer(path):
    """The index of the first cell that showed an explorer with a slider."""
    for i, cell in enumerate(json.loads(path.read_text(encoding="utf-8"))["cells"]):
        said = ["".join(output.get("data", {}).get("text/plain", "")) for output in cell.get("outputs", [])]
        if any(text.startswith("Explorer:") and " values), starts at " in text for text in said):
            return i
    raise AssertionError(f"{path.name} has no explorer with a slider")


def test_it_opens_on_the_welcome_page_whose_links_open_the_chapters(lab, window):
    window.goto(lab)
    page = window.locator(".jp-MarkdownViewer")
    expect(page.locator("h1")).to_have_text(re.compile("The Mathematics of Neural Networks"))
    assert not re.search(r"\{[.#\w]", page.inner_text()), "what only the site understands"
    page.get_by_role("link", name="The mathematical definition of a neural network").click()
    expect(window.locator(".jp-Notebook h1").first).to_have_text(re.compile("The mathematical definition of a neural network"))


@pytest.mark.parametrize("chapter", notebooks.chapters(), ids=lambda path: path.stem)
def test_a_chapter_runs_and_its_explorer_moves(lab, window, chapter):
    window.goto(f"{lab}/doc/tree/notebooks/{chapter.name}")
    window.locator(".jp-Notebook h1").first.wait_for()
    window.wait_for_function("() => jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status === 'idle'")
    window.evaluate("async () => { await jupyterapp.commands.execute('notebook:run-all-cells'); }")
    window.wait_for_function("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.status === 'idle'", timeout=LONG)
    cells = window.evaluate(STATE)
    assert [cell for cell in cells if cell["errors"]] == []
    assert [cell["source"] for cell in cells if not cell["count"]] == [], "code that did not run"

    # Words and formulas are typeset.
    formulas = window.locator(".jp-Notebook mjx-container")
    assert formulas.count() > 0
    assert window.locator(".jp-Notebook [data-mjx-error]").count() == 0

    # The explorer: its slider is moved by keyboard, and picture and sentence follow.
    index = first_explorer(chapter)
    window.evaluate("async (index) => { await jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start'); }", index)
    cell = window.locator(f".jp-Cell[data-windowed-list-index='{index}']")
    handle = cell.locator(".widget-slider .noUi-handle").first
    picture = cell.locator(".widget-html img").first
    before = picture.get_attribute("src"), picture.get_attribute("alt")
    handle.focus()
    window.keyboard.press("ArrowRight" if handle.get_attribute("aria-valuenow") != handle.get_attribute("aria-valuemax") else "ArrowLeft")
    expect(picture).not_to_have_attribute("src", before[0])
    expect(picture).not_to_have_attribute("alt", before[1])
    window.evaluate("async () => { await jupyterapp.shell.currentWidget.sessionContext.shutdown(); }")
