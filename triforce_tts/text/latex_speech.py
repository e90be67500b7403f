"""How formulas and commands of LaTeX are spoken. ``pylatexenc`` parses them and knows the commands and their signs."""

import re
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import Any

_Nodes = Sequence[Any]
_INTEGER = re.compile(r"\d{1,6}")
_ATOM = re.compile(r"-?\w+")
# What a hyphen, a slash and an apostrophe mean in mathematics. A number with its sign and a fraction of numbers stay.
_OPERATORS = (
    (re.compile(r"(?<![\w)\]'_^])-(?!\d)|(?<=[\w)\]'])\s*-(?=\s*\S)|(?<=\s)-(?=\s)|(?<![_^])-$"), " minus "),
    (re.compile(r"(?<!\d)/|/(?!\d)"), " over "),
    (re.compile(r"(?<=[\w)])'"), " prime "),
)
# Commands whose argument is prose.
_PROSE = {"text", "textbf", "textit", "textrm", "texttt", "textsc", "textsf", "emph", "mbox", "section", "subsection", "chapter",
          "title", "author", "caption", "footnote", "url", "href", "ce", "underline", "item", "textcolor"}  # fmt: skip
# Commands about the size of the bracket behind them.
SIZES = {"left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg"}
_NOT = {"∈": "∉", "=": "≠", "⊂": "⊄", "⊆": "⊈", "∃": "∄", "<": "≮", ">": "≯"}
# Commands that have a sign in Unicode which is not how they are read.
_WORDS = {
    "to": "to", "rightarrow": "to", "longrightarrow": "to", "mapsto": "maps to", "implies": "implies", "Rightarrow": "implies",
    "iff": "if and only if", "Leftrightarrow": "if and only if", "circ": "composed with", "cdots": ", and so on,",
    "ldots": ", and so on,", "dots": ", and so on,", "prime": "prime", "mid": "given", "log": "log", "ln": "natural log",
    "over": "over", "choose": "choose", "arg": "arg", "Pr": "the probability of", "quad": ",", "qquad": ",", "colon": ":", "hbar": "h bar", "ell": "l", "infty": "infinity", "partial": "partial",
}  # fmt: skip
_HATS = {
    "hat": "hat",
    "widehat": "hat",
    "bar": "bar",
    "overline": "bar",
    "tilde": "tilde",
    "widetilde": "tilde",
    "dot": "dot",
    "ddot": "double dot",
}
_BEFORE = {"vec": "vector", "overrightarrow": "vector"}
# The commands whose scripts are bounds, and how they are read.
_BOUNDED = {
    "sum": "the sum", "prod": "the product", "int": "the integral", "oint": "the integral", "iint": "the double integral",
    "lim": "the limit", "max": "the maximum", "min": "the minimum", "sup": "the supremum", "inf": "the infimum",
    "bigcup": "the union", "bigcap": "the intersection", "argmax": "the argument of the maximum",
}  # fmt: skip
_SILENT = SIZES | {"label", "cite", "citep", "citet", "ref", "eqref", "limits", "nolimits", "displaystyle", "textstyle", "scriptstyle",
           "hspace", "vspace", "phantom", "nonumber", "notag", "color", "it", "bf", "rm", "em", "tt", "sf", "cal"}  # fmt: skip


@cache
def _contexts() -> tuple[Any, Any]:
    """What pylatexenc knows: the arguments of commands, and the signs that they stand for."""
    from pylatexenc.latex2text import get_default_latex_context_db as signs
    from pylatexenc.latexwalker import get_default_latex_context_db as arguments
    from pylatexenc.macrospec import std_macro

    known = arguments()
    more = [std_macro(name, "{") for name in ("operatorname", "mathbb", "mathcal", "mathfrak", "mathscr", "ce", "boldsymbol", "bm",
            "widehat", "widetilde", "overrightarrow", "overline", "underline", "eqref", "phantom", "url", "color", "emph")]  # fmt: skip
    more += [std_macro(name, "{{") for name in ("dfrac", "tfrac", "binom", "dbinom", "href", "textcolor")]
    known.add_context_category("spoken", prepend=True, macros=more)
    return known, signs()


@cache
def takes_arguments(name: str) -> bool:
    """Whether a blank may stand between a command and its argument or its bounds."""
    spec = _contexts()[0].get_macro_spec(name)
    return name in _BOUNDED or bool(spec and spec.args_parser and spec.args_parser.argspec)


@cache
def is_listed(name: str) -> bool:
    """Whether a command is in the lists here or in those of pylatexenc."""
    if name in _WORDS or name in _HATS or name in _BEFORE or name in _BOUNDED or name in _SILENT or name in _READERS:
        return True
    arguments, signs = _contexts()
    return any(
        getattr(found, "macroname", "") for found in (arguments.get_macro_spec(name), signs.get_macro_spec(name))
    )


@lru_cache(maxsize=1024)  # a text has most of its formulas more than once
def speak(source: str, has_base: bool) -> str:
    """LaTeX in words; ``has_base`` says that a letter or a digit stands right before it."""
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

    try:
        # A percent sign begins a comment in LaTeX, but not in pages, in which no comment is left.
        source = re.sub(r"(?<!\\)%", r"\\%", source)
        nodes, _, _ = LatexWalker(source, latex_context=_contexts()[0], tolerant_parsing=True).get_latex_nodes()
        spoken = _read(nodes, has_base=has_base)
    except (LatexWalkerParseError, IndexError, RecursionError):  # an IndexError: a \\verb without an end
        spoken = source
    # A brace that is left would be taken for phones.
    return " ".join(spoken.replace("{", "(").replace("}", ")").split())


def _read(nodes: _Nodes | None, is_text: bool = False, has_base: bool = False) -> str:
    """Nodes as text; scripts belong to what stands before them.

    In ``is_text`` characters are prose, not mathematics; ``has_base`` says that something stands before the first node.
    """
    out = ""
    pending = list(nodes or ())
    while pending:
        node = pending.pop(0)
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            out += node.chars if is_text else _read_characters(node.chars, pending, has_base or bool(out.strip()))
        elif kind == "LatexMacroNode" and node.macroname == "not":
            sign, rest = _first_sign(_arguments(node) or pending)
            out += f" {_NOT.get(sign, f'not {sign}')} {rest}"
        elif kind == "LatexMacroNode" and node.macroname in _BOUNDED:
            out += f" {_BOUNDED[node.macroname]}{_bounds(pending)} of "
        elif kind == "LatexMacroNode":
            out += _read_command(node)
        elif kind == "LatexGroupNode":
            inside = _read(node.nodelist, is_text)
            out += f"[{inside}]" if node.delimiters[0] == "[" else inside
        elif kind == "LatexEnvironmentNode" or kind == "LatexMathNode":
            verbatim = getattr(getattr(node, "nodeargd", None), "verbatim_text", None)
            out += f" {_read(node.nodelist, has_base=has_base or bool(out.strip())) if verbatim is None else verbatim} "
        elif kind == "LatexSpecialsNode":
            out += {"&": ", ", "~": " ", "``": '"', "''": '"'}.get(node.specials_chars, node.specials_chars)
    return out


def _read_characters(characters: str, pending: list[Any], has_base: bool) -> str:
    """Plain characters of a formula; a script at their end takes the node behind it."""
    for pattern, words in _OPERATORS:
        characters = pattern.sub(words, characters)
    pieces = re.split(r"([_^])", characters)
    out = pieces[0]
    for number in range(1, len(pieces), 2):
        mark, rest = pieces[number], pieces[number + 1]
        if rest:
            inside, rest = rest[0], rest[1:]
        elif number + 2 == len(pieces):
            inside = _next(pending)
        else:
            inside = ""
        # Without a base, as before the sign of an isotope, a script stands for itself.
        out += (_script(mark, inside) if out.strip() or has_base else inside) + rest
    return out


def _first_sign(pending: list[Any]) -> tuple[str, str]:
    """What the next node begins with, which a 'not' is about, and the rest of that node."""
    following = _next(pending)
    return (following, "") if following[:1].isalnum() else (following[:1], following[1:])


def _next(pending: list[Any]) -> str:
    return _read([pending.pop(0)]).strip() if pending else ""


def _script(mark: str, inside: str) -> str:
    """A script in words. A short power stays as it is, because ``normalize`` reads it."""
    inside = inside.strip()
    if not inside:
        return ""
    if mark == "_":
        return f" sub {inside} "
    if inside in ("composed with", "∘", "°"):
        return "°"
    if inside in "+-":
        return {"+": " plus ", "-": " minus "}[inside]
    if inside == "prime":
        return " prime "
    if inside in ("*", "∗"):
        return " star "
    if inside in ("st", "nd", "rd", "th"):
        return inside
    return f"^{inside} " if _ATOM.fullmatch(inside) else f" to the power of {inside} "


def _bounds(pending: list[Any]) -> str:
    """The bounds behind a sum or an integral, in words; they are taken from ``pending``."""
    lower = upper = ""
    while pending and getattr(pending[0], "macroname", "") in ("limits", "nolimits"):
        pending.pop(0)
    while (
        pending
        and type(pending[0]).__name__ == "LatexCharsNode"
        and (found := re.match(r"\s*([_^])\s*", pending[0].chars))
    ):
        node = pending[0]
        rest = node.chars[found.end() :]
        if rest:
            inside, node.chars = rest[0], rest[1:]
            if not node.chars:
                pending.pop(0)
        else:
            pending.pop(0)
            inside = _next(pending)
        lower, upper = (inside, upper) if found[1] == "_" else (lower, inside)
    if lower and upper:
        return f" from {lower} to {upper}"
    if upper:
        return f" up to {upper}"
    if "to" in lower.split():
        return f" as {lower.replace(' to ', ' goes to ')}"
    return f" over {lower}" if lower else ""


def _read_command(node: Any) -> str:
    name = node.macroname
    inside = [_read([one], name in _PROSE) for one in _arguments(node)]
    if name in _PROSE and name not in _READERS:
        return "".join(inside[-1:])
    inside = [one.strip() for one in inside]
    if name in _READERS:
        return f" {_READERS[name](inside)} " if inside else " "
    if name in _SILENT:
        return " "
    if name in _HATS and inside:
        return f" {inside[-1]} {_HATS[name]} "
    if name in _BEFORE and inside:
        return f" {_BEFORE[name]} {inside[-1]} "
    if name in _WORDS:
        return f" {_WORDS[name]} "
    if inside:
        return " ".join(inside)
    if not name[:1].isalpha():
        return ", " if name == "\\" else " " if name in ",;:!> " else name
    return f" {_sign(name)} "


def _arguments(node: Any) -> list[Any]:
    return [one for one in (node.nodeargd.argnlist if node.nodeargd else ()) if one is not None]


def _sign(name: str) -> str:
    """The sign of a command without arguments, or its name; nothing of a command that is not known."""
    spec = _contexts()[1].get_macro_spec(name)
    sign = getattr(spec, "simplify_repl", None) if getattr(spec, "macroname", "") else None
    return sign if isinstance(sign, str) and sign.strip() else name if is_listed(name) else ""


def _fraction(inside: list[str]) -> str:
    above, below = [*inside, ""][:2]
    if _INTEGER.fullmatch(above) and _INTEGER.fullmatch(below):
        return f"{above}/{below}"
    return f"{above} all over {below}" if " over " in above else f"{above} over {below}"


def _root(inside: list[str]) -> str:
    if len(inside) == 1:
        return f"the square root of {inside[0]}"
    degree = inside[0].strip("[]")
    named = {"2": "square", "3": "cube"}.get(degree, f"{degree}th")
    return f"the {named} root of {inside[-1]}"


_READERS: dict[str, Callable[[list[str]], str]] = {
    "frac": _fraction, "dfrac": _fraction, "tfrac": _fraction, "sqrt": _root,
    "binom": lambda inside: " choose ".join(inside), "dbinom": lambda inside: " choose ".join(inside),
    "href": lambda inside: inside[-1], "url": lambda inside: inside[-1],
    "footnote": lambda inside: f"({inside[-1]})",
}  # fmt: skip
