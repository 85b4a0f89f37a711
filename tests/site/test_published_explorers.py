"""Every explorer of every page, moved through its values in a browser: what is seen is what belongs to the state."""

import functools
import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from PIL import Image

LIVE = Path(__file__).with_name("draw_live.py")

# What the reader sees when the second frame after a change has come.
WATCH = """(figure) => {
    window.seen = new Promise((resolve) => figure.addEventListener("input", () => {
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(look(figure))));
    }, { once: true }));
    const indices = INDICES;
    function look(figure) {
        const picture = figure.querySelector("img");
        const style = getComputedStyle(picture);
        return {
            address: picture.getAttribute("src"),
            visible: picture.complete && picture.naturalWidth > 0 && style.opacity === "1",
            alt: picture.alt,
            sentence: figure.querySelector(".nn-sentence").textContent,
            height: figure.getBoundingClientRect().height,
            indices: indices(figure),
        };
    }
}"""

# Which value each control stands at, read from the controls themselves.
INDICES = """(figure) => [...figure.querySelectorAll(".nn-control")].map((control) => {
    const radios = [...control.querySelectorAll("input[type=radio]")];
    if (radios.length) return radios.findIndex((radio) => radio.checked);
    const input = control.querySelector("input, select");
    if (input.type === "checkbox") return Number(input.checked);
    return input.type === "range" ? input.valueAsNumber : input.selectedIndex;
})"""

SET = """([figure, indices]) => [...figure.querySelectorAll(".nn-control")].forEach((control, k) => {
    const inputs = [...control.querySelectorAll("input, select")];
    if (inputs.length > 1) inputs[indices[k]].checked = true;
    else if (inputs[0].type === "checkbox") inputs[0].checked = indices[k] === 1;
    else if (inputs[0].type === "range") inputs[0].value = indices[k];
    else inputs[0].selectedIndex = indices[k];
    inputs[0].dispatchEvent(new Event("input", { bubbles: true }));
})"""


# The value each control has in the page as it was written.
STARTS = """(figure) => [...figure.querySelectorAll(".nn-control")].map((control) => {
    const radios = [...control.querySelectorAll("input[type=radio]")];
    if (radios.length) return radios.findIndex((radio) => radio.defaultChecked);
    const input = control.querySelector("input, select");
    if (input.type === "checkbox") return Number(input.defaultChecked);
    return input.type === "range" ? Number(input.defaultValue) : [...input.options].findIndex((option) => option.defaultSelected);
})"""


class Explorer:
    """An explorer on a page: what its manifest promises, and what is seen of it."""

    def __init__(self, page, id):
        self.page, self.figure = page, page.locator(f"#{id}")
        self.manifest = json.loads(self.figure.locator("script").text_content())
        self.controls = self.figure.locator(".nn-control").all()
        self.sizes = [len(control["values"]) for control in self.manifest["controls"]]
        self.picture = self.figure.locator("img")
        self.shots, self.heights = {}, set()

    def load(self):
        self.figure.scroll_into_view_if_needed()
        self.page.wait_for_function("(figure) => 'loaded' in figure.dataset", arg=self.figure.element_handle())
        return self

    def indices(self):
        return self.figure.evaluate(INDICES)

    def watch(self):
        self.figure.evaluate(WATCH.replace("INDICES", INDICES))

    def seen(self):
        """What was seen two frames after the first change since `watch`: it must be what belongs to the state."""
        seen = self.page.evaluate("window.seen")
        address, sentence = self.promised(seen["indices"])
        assert (seen["address"], seen["visible"]) == (address, True)
        assert seen["alt"] == seen["sentence"] == sentence
        self.heights.add(seen["height"])
        assert len(self.heights) == 1, "what is below an explorer must not move"
        return seen["indices"]

    def promised(self, indices):
        """The picture and the sentence that the manifest has for a state."""
        p, s = self.manifest["states"][np.ravel_multi_index(indices, self.sizes)]
        return self.manifest["pictures"][p], self.manifest["sentences"][s]

    def press(self, key, target):
        """Press a key, check what the page says two frames later, and look at what is painted."""
        self.watch()
        target.press(key)
        address, _ = self.promised(self.seen())
        if address not in self.shots:
            self.shots[address] = self.shot()
            painted, file = (small(image) for image in (self.shots[address], Image.open(self.path(address))))
            assert np.corrcoef(painted, file)[0, 1] > 0.9, f"{address} is not what is painted"

    def shot(self):
        return Image.open(io.BytesIO(self.picture.screenshot()))

    @functools.cache  # noqa: B019
    def path(self, address):
        return Path(unquote(urlparse(self.page.evaluate("(a) => new URL(a, location.href).href", address)).path))


def small(image):
    """An image at a size at which it does not matter who scaled it, and on which pixel it began."""
    return np.asarray(image.convert("L").resize((80, 50), Image.Resampling.BOX)).ravel()


@pytest.fixture
def explorer(revisit, explorer_at):
    path, id = explorer_at
    return Explorer(revisit(path), id).load()


def walk(explorer, control, values):
    """Move one control through all its values by the keyboard, and once around from the end."""
    name = control.locator("label, legend").first.inner_text()
    if control.locator("input[type=range]").count():
        slider = explorer.figure.get_by_role("slider", name=name, exact=True)
        keys = ["End", "Home"] + ["ArrowRight"] * (len(values) - 1) + ["ArrowLeft"]
        if slider.input_value() == slider.get_attribute("max"):
            keys.remove("End")  # which would change nothing
        for key in keys:
            explorer.press(key, slider)
            text = values[int(slider.input_value())]
            assert slider.get_attribute("aria-valuetext") == text == control.locator("output").inner_text()
    elif control.locator("select").count():
        box = explorer.figure.get_by_role("combobox", name=name, exact=True)
        assert control.locator("option").all_inner_texts() == values
        at = int(box.evaluate("(box) => box.selectedIndex"))
        for key in ["ArrowUp"] * at + ["ArrowDown"] * (len(values) - 1):
            explorer.press(key, box)
    elif control.locator("input[type=radio]").count():
        group = explorer.figure.get_by_role("group", name=name, exact=True)
        assert control.locator("span").all_inner_texts() == values
        for _ in values:
            explorer.press("ArrowRight", group.locator("input:checked"))
    else:
        switch = explorer.figure.get_by_role("switch", name=name, exact=True)
        for _ in values:
            explorer.press("Space", switch)


def test_every_control_by_keyboard(explorer):
    """Within two frames the picture painted, its alternative and the sentence are those of the state."""
    title = explorer.figure.locator(".nn-title").inner_text()
    assert explorer.page.get_by_role("figure", name=title, exact=True).count() == 1
    assert explorer.figure.locator(".nn-sentence").get_attribute("aria-live") == "polite"
    for control, promised in zip(explorer.controls, explorer.manifest["controls"], strict=True):
        walk(explorer, control, promised["values"])
        seen = {explorer.promised(state) for state in line(explorer, control)}
        assert len(seen) > 1, f"{promised['name']} changes nothing"
    shots = {shot.tobytes() for shot in explorer.shots.values()}
    assert len(shots) == len(explorer.shots) > 1, "different pictures must look different"


def line(explorer, control):
    """The states that one control passes through while the others stand still."""
    at, k = explorer.indices(), explorer.controls.index(control)
    return [[*at[:k], i, *at[k + 1 :]] for i in range(explorer.sizes[k])]


def test_play(explorer):
    """A slider that plays runs by itself from a button, pauses, stops at its end, and never starts unasked."""
    for k, control in enumerate(explorer.controls):
        if control.locator("button").count() == 0:
            continue
        slider, button = control.locator("input"), control.get_by_role("button")
        name = control.locator("label").inner_text()
        assert button.inner_text().split() == ["Play", *name.split()]
        slider.press("End")
        explorer.watch()
        button.press("Enter")
        assert explorer.seen()[k] == 0, "after the last value comes the first"
        assert button.inner_text().startswith("Pause")
        explorer.watch()
        explorer.seen()
        button.press("Space")
        assert button.inner_text().startswith("Play")
        paused = explorer.indices()
        explorer.page.wait_for_timeout(900)
        assert explorer.indices() == paused
        while int(slider.input_value()) < int(slider.get_attribute("max")) - 1:
            slider.press("ArrowRight")
        explorer.watch()
        button.press("Enter")
        assert explorer.seen()[k] == explorer.sizes[k] - 1
        assert button.inner_text().startswith("Play"), "at the end it stops"


def test_a_link_to_a_state(explorer):
    """The button copies an address that brings back the state on view; a value that is wrong or missing is the one it starts at."""
    page, figure = explorer.page, explorer.figure
    start, end = explorer.figure.evaluate(STARTS), [size - 1 for size in explorer.sizes]
    wanted = end if end != start else [0] * len(end)
    page.evaluate(SET, [figure.element_handle(), wanted])
    title = figure.locator(".nn-title").inner_text()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    figure.get_by_role("button", name=f"Copy a link to this state of: {title}").press("Enter")
    status = figure.locator(".nn-share [role=status]")
    status.filter(has_text="Copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url

    def opens_at(address, state):
        page.evaluate("(to) => new Promise((done) => { addEventListener('hashchange', done, { once: true }); location.hash = to; })", address)
        assert explorer.indices() == state
        assert (explorer.picture.get_attribute("src"), figure.locator(".nn-sentence").inner_text()) == explorer.promised(state)
        assert figure.evaluate("(figure) => document.activeElement === figure")

    page.evaluate(SET, [figure.element_handle(), start])
    assert status.inner_text() == "", "another state was not copied"
    page.evaluate("history.replaceState(null, '', location.pathname)")
    opens_at(link.partition("#")[2], wanted)
    opens_at(f"{figure.get_attribute('id')}?{explorer.manifest['controls'][0]['name']}=none&other=1", start)
    page.evaluate("history.replaceState(null, '', location.pathname)")


def test_touch(revisit, explorer_at):
    """On a telephone every target is 44 pixels high, and a tap moves the picture."""
    path, id = explorer_at
    explorer = Explorer(revisit(path, "phone"), id).load()
    for target in explorer.figure.locator("input[type=range], select, button, .nn-radio label, .nn-toggle").all():
        assert target.bounding_box()["height"] >= 44
    control = explorer.controls[-1]
    before = explorer.indices()[-1]
    explorer.watch()
    if control.locator("input[type=range]").count():
        box = control.locator("input").bounding_box()
        x = 0.02 if before > 0 else 0.98
        control.locator("input").tap(position={"x": x * box["width"], "y": box["height"] / 2})
    elif control.locator("select").count():
        control.locator("select").select_option(index=(before + 1) % explorer.sizes[-1])
    else:
        control.locator("input:not(:checked), input[type=checkbox]").first.tap()
    assert explorer.seen()[-1] != before


def test_without_javascript(revisit, explorer_at):
    """There is still the picture of the start, with its alternative, and no dead control."""
    path, id = explorer_at
    page = revisit(path, "no script")
    figure = page.locator(f"#{id}")
    figure.scroll_into_view_if_needed()
    assert figure.locator("img").is_visible()
    assert figure.locator("img").get_attribute("alt") == figure.locator(".nn-sentence").inner_text()
    shot = np.asarray(Image.open(io.BytesIO(figure.locator("img").screenshot())).convert("L"))
    assert shot.std() > 5, "the picture is blank"
    assert not figure.locator(".nn-controls").is_visible()


@pytest.fixture(scope="module")
def live(tmp_path_factory, pytestconfig):
    """Run a chapter in a fresh process: what each of its explorers says and shows in every state."""

    @functools.cache
    def live(path):
        target = tmp_path_factory.mktemp("live") / "states.json"
        notebook = pytestconfig.rootpath / Path(path).with_suffix(".ipynb")
        one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # twice as fast on matrices as small as these
        subprocess.run([sys.executable, LIVE, notebook, target], check=True, stdout=subprocess.DEVNULL, env=os.environ | one_thread)
        return json.loads(target.read_text())

    return live


def test_the_picture_on_view_is_that_of_the_state(explorer, explorer_at, live):
    """A live process that runs the chapter says the same sentence and draws the same picture, in every state."""
    path, id = explorer_at
    figure = explorer.figure.element_handle()
    states = live(path)[id]
    assert len(states) == len(explorer.manifest["states"])
    for i, (sentence, picture) in enumerate(states):
        indices = [int(k) for k in np.unravel_index(i, explorer.sizes)]
        explorer.page.evaluate(SET, [figure, indices])
        shown = figure.evaluate("(figure) => [figure.querySelector('img').getAttribute('src'), figure.querySelector('.nn-sentence').textContent]")
        assert shown[1] == sentence
        assert hashlib.sha256(explorer.path(shown[0]).read_bytes()).hexdigest() == picture, f"the picture of the state {indices} is another one"

    # A browser may bring back what the reader had set: the picture follows the controls.
    explorer.page.reload()
    assert explorer.picture.get_attribute("src") == explorer.promised(explorer.indices())[0]
