"""Sphinx: ``sphinx-build -W -b html docs docs/_build/html``, with fastact installed."""

import sys
from pathlib import Path

from docutils import nodes

import fastact

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "fastact"
author = "The fastact developers"
project_copyright = author
release = version = fastact.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "mathml",
    "activation_pages",
]
exclude_patterns = ["_build", "_ext"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
numpydoc_show_class_members = False
smartquotes = False
highlight_language = "none"

html_theme = "furo"
html_title = f"fastact {release}"
html_math_renderer = "mathml"
html_static_path = ["_static"]
html_css_files = ["fastact.css"]
html_copy_source = False


def strip_code(app, doctree):
    """Code without the blank line that doctest wants behind it."""
    for block in doctree.findall(nodes.literal_block):
        text = block.astext().rstrip("\n")
        block.rawsource = text
        block[:] = [nodes.Text(text)]


def setup(app):
    app.connect("doctree-read", strip_code)
