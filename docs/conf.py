"""How the documentation is built: every page runs, and nothing is fetched."""

from __future__ import annotations

import importlib
import pkgutil
import typing
from types import ModuleType
from typing import Any

import sotongindex

project = "sotongindex"
author = "The sotongindex contributors"
project_copyright = author
release = version = sotongindex.__version__
language = "en"

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
default_role = "py:obj"

# Pages run at every build; a page that fails stops it.
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 120
nb_merge_streams = True
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

autodoc_default_options = {"members": True}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_attr_annotations = False

html_theme = "pydata_sphinx_theme"
html_title = f"sotongindex {release}"
html_show_sourcelink = False
html_theme_options = {"show_toc_level": 2, "secondary_sidebar_items": ["page-toc"]}

# -- every public name is described once, and listed wherever it is offered ------------------------

_MODULES = [
    importlib.import_module(f"sotongindex.{module.name}")
    for module in pkgutil.iter_modules(sotongindex.__path__)
    if not module.name.startswith("_")
]
# A definition that is written in a private room belongs to the page of `models`.
_MODULES.sort(key=lambda module: module.__name__ != "sotongindex.models")


def _home(name: str, value: object) -> str | None:
    """Return the module that describes a name: where it is written, or else the first to offer it.

    None for what is no part of sotongindex, such as a type alias.
    """
    written = getattr(value, "__module__", None) or ""
    if not written.startswith("sotongindex"):
        return None
    offering = [module.__name__ for module in _MODULES if name in module.__all__]
    return written if written in offering else offering[0]


def _skip_guests(*event: Any) -> bool | None:
    """Skip a name on the page of a module that only passes it on."""
    app, what, name, value = event[:4]
    page = app.env.current_document.docname.rpartition("/")[2]
    if what != "module" or isinstance(value, ModuleType):
        return None
    return True if _home(name.rpartition(".")[2], value) not in {page, None} else None


def _list_guests(*event: Any) -> None:
    """Add to a module what it passes on, and the words its type aliases allow."""
    module, lines = event[3], event[5]
    if not isinstance(module, ModuleType):
        return
    for name in getattr(module, "__all__", ()):
        value = getattr(module, name)
        if typing.get_origin(value) is typing.Literal:
            words = ", ".join(f"``{word!r}``" for word in typing.get_args(value))
            lines.append(f"- ``{name}``: {words}")
        elif _home(name, value) not in {module.__name__, None}:
            lines.append(f"- {name}: see :py:obj:`{_home(name, value)}.{name}`")
    lines.append("")


def setup(app: Any) -> None:
    """Register what is done to docstrings."""
    app.connect("autodoc-skip-member", _skip_guests)
    app.connect("autodoc-process-docstring", _list_guests)
