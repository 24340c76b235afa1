"""Find a file of real data for a page; without it, the page's cells are shown but not run.

Used at the top of a page: ``%run ../real_data.py FILE [FILE ...]``. It sets `data`, the folder.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from IPython import get_ipython
from IPython.display import HTML, display

_beside = Path(__file__).resolve().parents[2] / "shared"
data = Path(os.environ.get("SOTONGINDEX_SHARED", _beside)) / "data"
_missing = [name for name in sys.argv[1:] if not (data / name).is_file()]

if _missing:
    display(
        HTML(
            '<div class="admonition warning"><p class="admonition-title">Shown without results</p>'
            f"<p>This copy of the page was made without {', '.join(_missing)}, so its cells were "
            "not run. Nothing takes the place of the real data.</p></div>"
        )
    )
    get_ipython().input_transformers_cleanup.append(lambda _: [])  # cells that follow do nothing
