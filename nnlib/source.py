"""The source of a function, as it runs, on the page that explains it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable
from pathlib import Path

__all__ = ["show_source"]


def show_source(function: Callable) -> None:
    """Show the source of a function or method, taken from its module at this moment.

    Parameters
    ----------
    function : callable
        A Python function, method or class.

    Examples
    --------
    >>> from nnlib.mlp import Dense
    >>> from nnlib.source import show_source
    >>> show_source(Dense._check_input)        # doctest: +ELLIPSIS
    <IPython.core.display.Markdown object>
    """
    from IPython.display import Markdown, display

    file = Path(inspect.getfile(function))
    code = textwrap.dedent(inspect.getsource(function)).rstrip()
    display(Markdown(f"`{file.parent.name}/{file.name}`, `{function.__qualname__}`:\n\n```python\n{code}\n```"))
