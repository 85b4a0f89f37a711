"""What the site says of itself to others: the preview of a page that someone shares, sitemap.xml, and the page for an address that leads nowhere.

Previews want whole addresses. Where that of the site is known (repository.py) a page names its own and a picture; elsewhere it only says what it is about.
"""

import html
import posixpath
from pathlib import Path
from urllib.parse import urlsplit

from PIL import Image, ImageOps
from reading import chapters, contents, read

from repository import site

CARD = (1200, 630)  # the shape of a preview's picture, in pixels
ABOUT = 200  # letters of a description
COVER = "book/images/book.png"


def shorten(text, most=ABOUT):
    """As many whole sentences as fit, or else words."""
    if len(text) <= most:
        return text
    end = max(text.rfind(mark, 0, most) for mark in (". ", "? ", "! "))
    return text[: end + 1] if end > most // 3 else text[: text.rfind(" ", 0, most)] + " …"


def picture(app, pagename, page):
    """Write the first picture of a page, or the cover of the book, in the shape of a preview, and return where in the site it is."""
    first = posixpath.normpath(posixpath.join(pagename, "..", page.pictures[0])) if page.pictures else ""
    source = Path(app.outdir, first) if first else Path(app.confdir, COVER)
    name = f"_media/preview-{pagename.split('/')[-1] if page.pictures else 'book'}.png"
    with Image.open(source) as image:
        card = ImageOps.pad(image.convert("RGB"), CARD, color="white")
    card.quantize(64).save(Path(app.outdir, name), optimize=True)
    return name


def describe(app, pagename, templatename, context, doctree):
    """Put what a page is into its head."""
    if doctree is None or app.builder.format != "html":
        return
    page, address = read(app.env, pagename), site()
    title = app.env.titles[pagename].astext()
    about = shorten(page.about)
    tags = {
        "og:type": "article",
        "og:site_name": app.config.html_title,
        "og:title": title,
        "og:description": about,
        "twitter:card": "summary_large_image" if address else "summary",
    }
    if address:
        tags |= {
            "og:url": address + app.builder.get_target_uri(pagename),
            "og:image": address + picture(app, pagename, page),
            "og:image:width": CARD[0],
            "og:image:height": CARD[1],
            "og:image:alt": title,
        }
    properties = "".join(f'\n    <meta property="{name}" content="{html.escape(str(said))}" />' for name, said in tags.items())
    context["metatags"] = f'{context.get("metatags", "")}\n    <meta name="description" content="{html.escape(about)}" />{properties}'


def help_the_lost(app, pagename, templatename, context, doctree):
    """What 404.html needs: the way to the root of the site, from wherever it is shown, and to the chapters."""
    if pagename == "404":
        context["site_root"] = urlsplit(site() or "/").path
        context["chapters"] = [(app.builder.get_target_uri(page), app.env.titles[page].astext()) for page in [app.config.root_doc, *chapters(app.env)]]


def write_sitemap(app, exception):
    if not exception and app.builder.format == "html" and (address := site()):
        pages = "".join(f"  <url><loc>{address}{app.builder.get_target_uri(page)}</loc></url>\n" for page in contents(app.env))
        lines = f'<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n{pages}</urlset>\n'
        Path(app.outdir, "sitemap.xml").write_text(lines, encoding="utf-8")


def setup(app):
    app.connect("html-page-context", describe)
    app.connect("html-page-context", help_the_lost)
    app.connect("build-finished", write_sitemap)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
