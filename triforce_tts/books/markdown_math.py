"""Formulas in Markdown, which its parser would take for escaped signs and emphasis: ``$x^2$``, ``$$...$$`` and ``\\\\(...\\\\)``."""

import re
from typing import Any

# As in Pandoc, no space stands inside the dollar signs, and no digit behind them, so that '$5 and $6' is no formula.
_FORMULA = re.compile(
    r"\$\$(?P<display>[^$]{1,2000})\$\$|\$(?P<inline>(?!\s)[^$\n]{1,400}?(?<![\s\\]))\$(?!\d)"
    r"|\\\((?P<round>[^\n]{1,400}?)\\\)|\\\[(?P<square>.{1,2000}?)\\\]",
    re.DOTALL,
)
_OF_LATEX = re.compile(r"[\\^_*]")


def add_formulas(parser: Any) -> None:
    """Let a parser of markdown-it take a formula of LaTeX as one token ``math``, as it is written."""
    parser.inline.ruler.before("escape", "math", _take)


def _take(state: Any, silent: bool) -> bool:
    if state.src[state.pos] not in "$\\":
        return False
    match = _FORMULA.match(state.src, state.pos, state.posMax)
    # Escaped brackets around words are no formula.
    if match is None or not _is_formula(match):
        return False
    if not silent:
        token = state.push("math", "", 0)
        token.content = match[0]
    state.pos = match.end()
    return True


def _is_formula(match: re.Match[str]) -> bool:
    brackets = match["round"] or match["square"]
    inside = brackets or match["display"] or match["inline"]
    if brackets:
        return bool(re.search(r"[\\^_=+<>]|^\s*[A-Za-z]\s*$", inside))
    return bool(_OF_LATEX.search(inside))
