"""The ways from a page to its code: buttons that run a chapter elsewhere, and what a page says of the repository.

- on every chapter a menu with Binder, Colab and JupyterLab, on every page the repository and its issues (`add_buttons`);
- ```` ```{with-repository} ```` holds what a page says only if there is a repository, ```` ```{without-repository} ```` what it says otherwise. In it
  REPOSITORY, NEW_ISSUE, FOLDER, BINDER and SITE stand for addresses and the name of a clone (`OnlyWithRepository`).

Where there is no repository, nothing of all this is on any page, so nothing is dead.
"""

import os
from urllib.parse import quote, urlencode

from sphinx.util.docutils import SphinxDirective

from repository import repository, site


def binder(here, path):
    """The address at which Binder opens a file of the repository in JupyterLab."""
    project = f"gh/{here.owner}/{here.name}" if here.host == "github.com" else f"gl/{quote(f'{here.owner}/{here.name}', safe='')}"
    return f"https://mybinder.org/v2/{project}/{quote(here.branch, safe='')}?urlpath=lab/tree/{path}"


def colab(here, path, branch):
    """The address at which Colab opens a file of a branch, if the repository is on GitHub."""
    return f"https://colab.research.google.com/github/{here.owner}/{here.name}/blob/{branch}/{path}"


def hub(address, here, path):
    """The address at which a JupyterHub with nbgitpuller fetches the repository and opens a file of it in JupyterLab."""
    query = urlencode({"repo": here.url, "branch": here.branch, "urlpath": f"lab/tree/{here.name}/{path}"})
    return f"{address.rstrip('/')}/hub/user-redirect/git-pull?{query}"


def ways(here, path, own):
    """The items of the menu of one chapter; `own` is the address of the page that says how to run it on one's own machine."""
    found = [("Binder", binder(here, path), "fas fa-cloud", "Run this chapter on Binder, with nothing to install")]
    if branch := os.environ.get("COLAB_BRANCH"):  # named by the workflow that has written it: tools/colab.py
        found.append(("Colab", colab(here, path, branch), "fas fa-cloud", "Run this chapter on Google Colab, with an account there"))
    if address := os.environ.get("JUPYTERHUB_URL"):
        found.append(("JupyterHub", hub(address, here, path), "fas fa-cloud", "Run this chapter on our JupyterHub"))
    found.append(("JupyterLab", own, "fas fa-laptop", "Run this chapter in JupyterLab on your own machine"))
    return [{"type": "link", "text": text, "url": url, "icon": icon, "tooltip": tooltip} for text, url, icon, tooltip in found]


def add_buttons(app, pagename, templatename, context, doctree):
    """Put the menu into the header of a chapter, and the way to the repository and its issues into the header of every page."""
    here = repository(app.confdir)
    if here is None or doctree is None:
        return
    if str(app.env.doc2path(pagename)).endswith(".ipynb"):
        buttons = ways(here, f"{pagename}.ipynb", context["pathto"]("book/run"))
        context["header_buttons"].append({"type": "group", "tooltip": "Run this chapter", "icon": "fas fa-play", "buttons": buttons, "label": "launch-buttons"})
    issue = here.new_issue(f"On the page {pagename}: ")
    buttons = [
        {"type": "link", "text": "Repository", "url": here.url, "icon": "fas fa-code", "tooltip": "The source of this book"},
        {"type": "link", "text": "Report an error", "url": issue, "icon": "fas fa-pen", "tooltip": "Report an error on this page"},
    ]
    context["header_buttons"].append({"type": "group", "tooltip": "Source and errors", "icon": "fas fa-code", "buttons": buttons, "label": "source-buttons"})


class OnlyWithRepository(SphinxDirective):
    """Show the content if there is a repository, with its address filled in."""

    has_content = True
    wanted = True

    def run(self):
        here = repository(self.env.app.confdir)
        if (here is not None) != self.wanted:
            return []
        text = "\n".join(self.content)
        if here is not None:
            words = {
                "REPOSITORY": here.url,
                "NEW_ISSUE": here.new_issue(""),
                "FOLDER": here.name,
                "BINDER": binder(here, "notebooks"),
                "SITE": site(self.env.app.confdir),
            }
            for word, value in words.items():
                text = text.replace(word, value)
        return self.parse_text_to_nodes(text)


class OnlyWithoutRepository(OnlyWithRepository):
    """Show the content if there is no repository."""

    wanted = False


def setup(app):
    app.connect("html-page-context", add_buttons, priority=502)  # after the theme, which begins the list at 501
    app.add_directive("with-repository", OnlyWithRepository)
    app.add_directive("without-repository", OnlyWithoutRepository)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
