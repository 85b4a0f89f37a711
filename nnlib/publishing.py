"""Where a page's pictures go when the book is built.

The Sphinx extension of the book names two folders in the environment before it starts a kernel. Where they are not
named the notebook is *live* (Jupyter, a test, Binder), and nothing here is used.
"""

import hashlib
import os
from pathlib import Path


def folder():
    """Return the folder of published pictures, or ``None`` in a live notebook.

    Examples
    --------
    >>> folder() is None or folder().name == "_media"
    True
    """
    path = os.environ.get("NNLIB_PUBLISH")
    return Path(path) if path else None


def url():
    """Return the address of `folder` as seen from the page that is being built.

    A kernel runs in the folder of its notebook, which is the folder of the page too, so the way up to the root of the
    sources is the way up to the root of the site.
    """
    return Path(os.path.relpath(os.environ["NNLIB_SOURCE"])).as_posix() + "/_media"


def write_picture(data, suffix):
    """Write the encoded picture `data` into `folder` and return its address, as seen from the page.

    The name is made from the content, so that equal pictures share one file and a changed picture is never taken from
    a browser's cache.

    Parameters
    ----------
    data : bytes
        An encoded picture.
    suffix : str
        The ending of the file, such as ``".webp"``.
    """
    name = hashlib.sha256(data).hexdigest()[:16] + suffix
    path = folder() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return f"{url()}/{name}"
