"""Every task of the book. `nox -l` lists them; what follows `--` goes to the program that a task runs."""

import os
import shutil
import subprocess
import sys
import webbrowser
from pathlib import Path

import nox

ROOT = Path(__file__).parent
ENV = ROOT / ".nox" / "env"
SCRIPTS = "Scripts" if os.name == "nt" else "bin"
BIN = ENV / SCRIPTS
HTML = ROOT / "_build" / "html"
TORCH = "torch==2.13.0"  # what nnlib is raced against; the book itself does without

nox.options.default_venv_backend = "none"  # the sessions share one environment: `environment` makes it
nox.options.sessions = ["test"]


def environment(session: nox.Session, folder: Path = ENV, *more: str) -> None:
    """Install what requirements.txt pins, and more, into the folder, unless that was done, and run the session there."""
    stamp = folder / "made-from"
    made_from = "\n".join([str(ROOT), sys.version, *more, (ROOT / "requirements.txt").read_text()])
    # Matrices of this size are multiplied faster by one thread than by several that wait for each other.
    session.env.update(VIRTUAL_ENV=str(folder), PATH=os.pathsep.join([str(folder / SCRIPTS), os.environ["PATH"]]), OPENBLAS_NUM_THREADS="1")
    if not stamp.exists() or stamp.read_text() != made_from:
        session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(folder))
        python(session, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", "requirements.txt", *more)
        stamp.write_text(made_from)


def python(session: nox.Session, *args: str) -> None:
    session.run(str(Path(session.env["VIRTUAL_ENV"]) / SCRIPTS / "python"), *args)


def pytest(session: nox.Session, *args: str) -> None:
    """The tests of one file, or the cells of one notebook, stay together in one of the parallel processes."""
    python(session, "-m", "pytest", "-n", "auto", "--dist", "loadfile", *args, *session.posargs)


def build(session: nox.Session) -> None:
    """Build the whole book anew: a warning is an error, and so is a failing cell."""
    shutil.rmtree(HTML, ignore_errors=True)
    session.run(str(Path(session.env["VIRTUAL_ENV"]) / SCRIPTS / "jupyter-book"), "build", ".", "--all", "-W", "--keep-going")


def chromium(session: nox.Session) -> None:
    """Name a Chromium that starts in $CHROMIUM: the machine's, or Playwright's, or Debian's, else fail."""

    def starts(program: str | None) -> bool:
        if not program or not Path(program).exists():
            return False
        return subprocess.run([program, "--version"], capture_output=True).returncode == 0

    def on_path() -> str | None:
        names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
        return next((path for path in map(shutil.which, names) if starts(path)), None)

    def playwrights() -> str | None:
        session.run(str(BIN / "playwright"), "install", "chromium", success_codes=range(256))
        ask = "from playwright.sync_api import *; print(sync_playwright().start().chromium.executable_path); import os; os._exit(0)"
        path = subprocess.run([BIN / "python", "-uc", ask], capture_output=True, text=True).stdout.strip()
        return path if starts(path) else None

    def debians() -> str | None:
        if shutil.which("apt-get") and os.geteuid() == 0:
            session.run("apt-get", "update", "-qq", success_codes=range(256))
            session.run("apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium", success_codes=range(256))
        return on_path()

    found = on_path() or playwrights() or debians()
    if not found:
        session.error("The site is tested in Chromium, and none was found or could be installed: put one on the PATH.")
    session.env["CHROMIUM"] = found


@nox.session
def book(session: nox.Session) -> None:
    """Build the book into _build/html and open it; `-- --no-open` only builds."""
    environment(session)
    build(session)
    address = (HTML / "index.html").as_uri()
    has_display = sys.platform in ("darwin", "win32") or "DISPLAY" in os.environ or "WAYLAND_DISPLAY" in os.environ
    if "--no-open" not in session.posargs and has_display:
        webbrowser.open(address)
    session.log(f"The book: {address}")


@nox.session
def lab(session: nox.Session) -> None:
    """Open the welcome page in JupyterLab, from which links lead to the chapters."""
    environment(session)
    python(session, "tools/lab/open.py", *session.posargs)


@nox.session
def test(session: nox.Session) -> None:
    """Run every test: the package, the notebooks, and the built site in a browser."""
    environment(session)
    chromium(session)
    build(session)
    pytest(session)


@nox.session
def test_package(session: nox.Session) -> None:
    """Test the package, its docstrings, and the project's own files."""
    environment(session)
    pytest(session, "nnlib", "tests", "--ignore=tests/site")


@nox.session
def coverage(session: nox.Session) -> None:
    """Test the package and count its lines and branches that no test takes; under 98 % is an error."""
    environment(session)
    pytest(session, "nnlib", "tests", "--ignore=tests/site", "--cov")


@nox.session
def mutation(session: nox.Session) -> None:
    """Break the mathematics in one place at a time and list what no test notices; `-- rnn cnn` breaks only those modules."""
    environment(session, ROOT / ".nox" / "mutation", "mutmut==3.8.1")
    python(session, "tools/mutation.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Race nnlib against PyTorch, which gets an environment of its own, and write benchmarks/speed.json; `-- LSTM` only shows that race."""
    environment(session, ROOT / ".nox" / "bench", TORCH)
    python(session, "-m", "benchmarks.run", *session.posargs)


@nox.session
def test_notebooks(session: nox.Session) -> None:
    """Run the chapters and compare each output with the one that is committed."""
    environment(session)
    pytest(session, "notebooks", "tests/test_notebooks.py")


@nox.session
def test_site(session: nox.Session) -> None:
    """Build the book and test the site in a browser."""
    environment(session)
    chromium(session)
    build(session)
    pytest(session, "tests/site")


@nox.session
def notebooks(session: nox.Session) -> None:
    """Run the chapters and write them in the committed form; `-- 01_definition` runs only that one."""
    environment(session)
    python(session, "tools/notebooks.py", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, and what only a forge reads: workflows, Dependabot's file, the citation."""
    environment(session)
    python(session, "-m", "ruff", "check", ".")
    python(session, "-m", "mypy")
    python(session, "tools/forge.py")


@nox.session
def canary(session: nox.Session) -> None:
    """Build the book and test the package with the newest of everything, in an environment of its own."""
    folder = ROOT / ".nox" / "canary"
    session.run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", str(folder))
    session.env.update(VIRTUAL_ENV=str(folder), PATH=os.pathsep.join([str(folder / SCRIPTS), os.environ["PATH"]]), OPENBLAS_NUM_THREADS="1")
    python(session, "-m", "pip", "install", "--quiet", "-e", ".[book,test]")
    # Jupyter Book asks for an older Sphinx. It works with newer ones, and pip, told so, only complains.
    python(session, "-m", "pip", "install", "--quiet", "--upgrade", "sphinx", "myst-nb", "myst-parser", "numpy")
    python(session, "-m", "pip", "list")
    build(session)
    pytest(session, "nnlib", "tests", "--ignore=tests/site")


@nox.session
def lock(session: nox.Session) -> None:
    """Pin every requirement anew, for all supported Pythons, from the ranges in pyproject.toml."""
    environment(session)
    python(session, "-m", "pip", "install", "--quiet", "uv")
    session.run(
        *(str(BIN / "uv"), "pip", "compile", "pyproject.toml", "--all-extras", "--output-file", "requirements.txt"),
        *("--universal", "--python-version", "3.11", "--fork-strategy", "fewest", "--upgrade", "--quiet"),
        *("--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--custom-compile-command", "nox -s lock"),
    )
    with open("requirements.txt", "a") as requirements:
        requirements.write("-e .\n")
