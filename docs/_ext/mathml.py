"""Math as MathML, which browsers draw themselves: no script, no font, no network.

docutils translates the LaTeX; what it cannot is a warning.
"""

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.util import logging

logger = logging.getLogger(__name__)


def mathml(node: nodes.Node, block: bool) -> str:
    # |x| as a pair of fences, which stand closer than operators
    text = re.sub(r"(?<![\\lrt])\|([^|]+)\|", r"\\left|\1\\right|", node.astext())
    try:
        return tex2mathml(text, as_block=block)
    except MathError as error:
        logger.warning("math: %s in %r", error, text, location=node)
        return ""


def inline(translator, node):
    translator.body.append(mathml(node, False))
    raise nodes.SkipNode


def display(translator, node):
    translator.body.append(f'<div class="math">{mathml(node, True)}</div>\n')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
