"""What a page shows of code: the source as it stands, with short docstrings."""

import ast
import inspect

import pytest
from discovery import MATHEMATICS

from nnlib import layers, page
from nnlib.page import show_source


@pytest.fixture
def shown(monkeypatch):
    said = []
    monkeypatch.setattr(page, "say", said.append)

    def show(function):
        show_source(function)
        return said.pop()

    return show


def long_function(x):
    """Half of x.

    A long story.

    Examples
    --------
    >>> long_function(2)
    1.0
    """
    return x / 2  # a comment stays


class WithMethods:
    """What it is, in
    two lines.

    More.
    """

    def undocumented(self):
        return 1

    def documented(self):
        """One paragraph."""


def test_a_source_is_shown_with_the_first_paragraph_of_its_docstring(shown):
    assert shown(long_function) == (
        '`tests/test_page.py`, `long_function`:\n\n```python\ndef long_function(x):\n    """Half of x."""\n    return x / 2  # a comment stays\n```'
    )


def test_so_is_a_class_and_each_of_its_methods(shown):
    code = shown(WithMethods).split("```python\n")[1].split("```")[0]
    assert code == inspect.getsource(WithMethods).replace('two lines.\n\n    More.\n    """', 'two lines."""')


@pytest.mark.parametrize("name", sorted(MATHEMATICS))
def test_the_code_of_every_module_stays_the_same_without_its_docstrings(name):
    code = inspect.getsource(__import__(f"nnlib.{name}", fromlist=["*"]))
    assert bare(page._with_short_docstrings(code)) == bare(code)


def test_what_has_no_source_is_refused():
    with pytest.raises(TypeError):
        show_source(len)


def test_a_method_is_shown_from_the_margin(shown):
    assert "```python\ndef forward(self, x, training=False):" in shown(layers.Residual.forward)


def bare(code):
    """The syntax tree without docstrings."""
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and ast.get_docstring(node):
            node.body = node.body[1:]
    return ast.dump(tree)
