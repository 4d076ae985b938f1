"""Mathematics as MathML, made by docutils when the pages are built: no script, no network, every present browser."""

import re
from typing import Any

from docutils import nodes
from docutils.utils.math import latex2mathml


def mathml(latex: str, as_block: bool = False) -> str:
    """MathML of a formula; a function that is named without brackets gets a thin space before its argument."""
    spaced = re.sub(r"\\(log|exp|tanh|det|cos)\s+(?=[A-Za-z\\])(?!\\[,!])", r"\\\1\\,", latex)
    return latex2mathml.tex2mathml(spaced, as_block=as_block)


def visit_inline(translator: Any, node: nodes.math) -> None:
    """Write a formula in a line."""
    translator.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def visit_block(translator: Any, node: nodes.math_block) -> None:
    """Write a formula of its own line, which scrolls where it is too wide."""
    translator.body.append(f'<div class="formula">{mathml(node.astext(), as_block=True)}</div>')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Told to Sphinx."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
