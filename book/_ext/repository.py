"""Where the repository of the book lives, and the site: the one place that knows.

A build on GitHub Actions takes it from its environment, any other from the git remote `origin` if that is on a public forge. A folder without
such a remote has none: what would lead there is then left out of the pages.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode

ROOT = Path(__file__).parents[2]
PUBLIC = ("github.com", "gitlab.com")  # the forges that Binder knows by name; Colab knows the first
REMOTE = re.compile(r"(?:\w+://)?(?:[^@/]+@)?([\w.-]+)(?::\d+)?[:/](.+?)(?:\.git)?/?")  # what stands before @ may be a password


class Repository(NamedTuple):
    """A public repository: its forge, its owner, its name, and the branch (or tag) that this book was built from."""

    host: str
    owner: str
    name: str
    branch: str

    @property
    def url(self):
        return f"https://{self.host}/{self.owner}/{self.name}"

    def new_issue(self, title):
        """The address of the form in which a reader reports something."""
        if self.host == "gitlab.com":
            return f"{self.url}/-/issues/new?{urlencode({'issue[title]': title})}"
        return f"{self.url}/issues/new?{urlencode({'title': title})}"


def repository(root=ROOT):
    """Return the `Repository` that a book in the folder `root` is built from, or ``None``."""
    if os.environ.get("GITHUB_ACTIONS") == "true":
        address = f"{os.environ['GITHUB_SERVER_URL']}/{os.environ['GITHUB_REPOSITORY']}"
        branch = os.environ.get("GITHUB_BASE_REF") or os.environ["GITHUB_REF_NAME"]  # of a pull request, the branch it is made to
    elif Path(root, ".git").exists():
        address = _git(root, "remote", "get-url", "origin")
        branch = _git(root, "symbolic-ref", "--short", "refs/remotes/origin/HEAD").removeprefix("origin/") or _git(root, "branch", "--show-current")
    else:
        return None
    place = REMOTE.fullmatch(address)
    if not place or place[1] not in PUBLIC or "/" not in place[2] or not branch:
        return None
    owner, _, name = place[2].rpartition("/")
    return Repository(place[1], owner, name, branch)


def site(root=ROOT):
    """Return the address at which the site is published, with a slash at its end, or ``None`` where nobody knows it.

    $SITE_URL says it (the workflow asks Pages for it, so that it is right for a domain of one's own); else it follows from the repository.
    """
    if told := os.environ.get("SITE_URL"):
        return told.rstrip("/") + "/"
    here = repository(root)
    if here is None:
        return None
    group, _, rest = here.owner.partition("/")
    domain = f"{group.lower()}.{here.host.removesuffix('.com')}.io"
    path = "" if here.name.lower() == domain else "/".join(filter(None, [rest, here.name])) + "/"
    return f"https://{domain}/{path}"


def _git(root, *args):
    """What git prints, or nothing where it fails or is not installed."""
    if not shutil.which("git"):
        return ""
    return subprocess.run(["git", "-C", str(root), *args], capture_output=True, text=True).stdout.strip()
