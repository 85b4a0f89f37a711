"""What a page shows besides figures: sentences with computed numbers, tables, and the source of a function as it runs."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

__all__ = ["say", "show_source", "table"]


def say(markdown: str) -> None:
    """Show text with computed numbers in it: Markdown, with ``$…$`` mathematics.

    Examples
    --------
    >>> from nnlib.page import say
    >>> say(f"The answer is {6 * 7}.")
    <IPython.core.display.Markdown object>
    """
    from IPython.display import Markdown, display

    display(Markdown(markdown))


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Show a table; a column is set to the right if all its cells begin like a number.

    Parameters
    ----------
    header : sequence of str
        The name of each column, Markdown.
    rows : iterable of sequences
        As many cells in each as in the header; a cell is shown as its ``str``.

    Raises
    ------
    ValueError
        If a row has another number of cells than the header, or there are no rows.

    Examples
    --------
    >>> from nnlib.page import table
    >>> table(["Sizes", "Parameters"], [["2-3-1", 13]])
    <IPython.core.display.Markdown object>
    """
    cells = [[str(cell) for cell in row] for row in rows]
    if not cells:
        raise ValueError("a table needs at least one row")
    for row in cells:
        if len(row) != len(header):
            raise ValueError(f"a row of this table has {len(header)} cells, got {len(row)}: {row}")
    numeric = [all(cell[:1] in "+−-0123456789" for cell in column) for column in zip(*cells, strict=True)]
    lines = [header, ["--:" if right else "---" for right in numeric], *cells]
    say("\n".join("| " + " | ".join(line) + " |" for line in lines))


def show_source(function: Callable) -> None:
    """Show the source of a function, method or class, taken from its module at this moment. Of a docstring only the first
    paragraph is shown.

    Parameters
    ----------
    function : callable
        Something written in Python.

    Raises
    ------
    TypeError
        If it has no Python source.

    Examples
    --------
    >>> from nnlib.mlp import Dense
    >>> from nnlib.page import show_source
    >>> show_source(Dense.forward)
    <IPython.core.display.Markdown object>
    """
    file = Path(inspect.getfile(function))
    code = _with_short_docstrings(textwrap.dedent(inspect.getsource(function)).rstrip())
    say(f"`{file.parent.name}/{file.name}`, `{function.__qualname__}`:\n\n```python\n{code}\n```")


def _with_short_docstrings(code: str) -> str:
    lines = code.split("\n")
    documented = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node)]
    for node in sorted(documented, key=lambda node: -node.lineno):
        start, stop = node.body[0].lineno - 1, node.body[0].end_lineno
        if "" in (doc := lines[start:stop]):
            lines[start:stop] = [*doc[: doc.index("") - 1], doc[doc.index("") - 1] + '"""']
    return "\n".join(lines)
