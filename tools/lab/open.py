"""Open JupyterLab in this folder on the welcome page of the book, from which links lead to the chapters.

    python tools/lab/open.py [OPTION...]

Further options are JupyterLab's own. overrides.json, beside this file, says what differs from its own settings: Markdown is shown as a page, not as its source,
and nobody is asked about news.
"""

import sys
from pathlib import Path

from jupyterlab.labapp import main

if __name__ == "__main__":
    settings = Path(__file__).resolve().parent
    sys.exit(main([f"--LabApp.app_settings_dir={settings}", "--LabApp.default_url=/lab/tree/book/welcome.md", *sys.argv[1:]]))
