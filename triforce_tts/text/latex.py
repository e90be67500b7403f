"""Formulas and commands of LaTeX as text that ``normalize`` can read: '\\frac{a}{b}' becomes 'a over b'.

Articles and technical books hold LaTeX between dollar signs, and in the ``alttext`` of MathML. ``pylatexenc`` parses it and knows
the commands and their signs. This file says how what they mean is spoken.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from typing import Any

_Nodes = Sequence[Any]
_COMMAND = re.compile(r"\\([A-Za-z]{2,20})(?![A-Za-z])(\{?)")
# A command that may begin LaTeX. After two letters it is a folder ('C:\Users', 'work\beta'), not a command.
_FIRST = re.compile(r"(?<![A-Za-z][A-Za-z])(?<![\\:/.~])" + _COMMAND.pattern)
_SCRIPTED = re.compile(r"[A-Za-z0-9)\]|][_^](?=\{)")  # x_{n}, 10^{3}
_ESCAPED = re.compile(r"(?<=\d)\\%|(?<![\w:\\])\\[$#](?=\d)|(?<= )\\&(?= )")  # 50\%, \$5, \#1
_SHORT = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]'*[_^][A-Za-z0-9](?![A-Za-z0-9_])")  # x_1, only beside other LaTeX
_DELIMITED = re.compile(
    r"\\\((?P<round>.{1,2000}?)\\\)|\\\[(?P<square>.{1,2000}?)\\\]|(?<![\w$\\])(?P<mark>\$\$?)(?P<dollars>[^$]{1,2000})(?P=mark)(?![\w$])",
    re.DOTALL,
)
_ENVIRONMENT = re.compile(r"\\begin\{(?P<name>[a-zA-Z*]{1,20})\}.{0,5000}?\\end\{(?P=name)\}", re.DOTALL)
_SPACING = re.compile(r"\\[,;:!> ](?![A-Za-z0-9]*\\)")
_MOST_BRACES = 20  # a formula is not nested deeper than that
_INTEGER = re.compile(r"\d{1,6}")
_ATOM = re.compile(r"-?\w+")
# What a hyphen, a slash and an apostrophe mean in mathematics. A number with its sign and a fraction of numbers stay.
_OPERATORS = (
    (re.compile(r"(?<![\w)\]'])-(?!\d)|(?<=[\w)\]'])\s*-(?=\s*\S)|(?<=\s)-(?=\s)|-$"), " minus "),
    (re.compile(r"(?<!\d)/|/(?!\d)"), " over "),
    (re.compile(r"(?<=[\w)])'"), " prime "),
)
# Commands whose argument is prose.
_PROSE = {"text", "textbf", "textit", "textrm", "texttt", "textsc", "textsf", "emph", "mbox", "section", "subsection", "chapter",
          "title", "author", "caption", "footnote", "url", "href", "ce", "underline", "item"}  # fmt: skip
# Commands that have a sign in Unicode which is not how they are read.
_WORDS = {
    "to": "to", "rightarrow": "to", "longrightarrow": "to", "mapsto": "maps to", "implies": "implies", "Rightarrow": "implies",
    "iff": "if and only if", "Leftrightarrow": "if and only if", "circ": "composed with", "cdots": ", and so on,",
    "ldots": ", and so on,", "dots": ", and so on,", "prime": "prime", "mid": "given", "log": "log", "ln": "natural log",
    "quad": ",", "qquad": ",", "colon": ":", "hbar": "h bar", "ell": "l", "infty": "infinity", "partial": "partial",
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
_SILENT = {"label", "cite", "citep", "citet", "ref", "eqref", "limits", "nolimits", "displaystyle", "textstyle", "left", "right",
           "big", "Big", "bigl", "bigr", "Bigl", "Bigr", "bigg", "Bigg", "hspace", "vspace", "phantom", "nonumber", "notag"}  # fmt: skip


def places(text: str) -> list[tuple[int, int]]:
    """Where LaTeX stands in ``text``: (begin, end) of each stretch, in order and apart."""
    if "\\" not in text and not _SCRIPTED.search(text):
        return []
    found = _apart(match.span() for match in (*_delimited(text), *_ENVIRONMENT.finditer(text)))
    starts = sorted({_start_of_run(text, match) for match in (*_commands(text), *_SCRIPTED.finditer(text))})
    runs: list[tuple[int, int]] = []
    for begin in starts:
        if not runs or begin >= runs[-1][1]:
            runs.append((begin, _end_of_run(text, begin)))
    # Behind earlier ones in this list stands what gives way to them.
    found = _apart(found, runs)
    if found:
        found = _apart(found, [match.span() for match in (*_SHORT.finditer(text), *_SPACING.finditer(text))])
    return _apart(found, [match.span() for match in _ESCAPED.finditer(text)])


def delimited(formula: str) -> str:
    """``formula`` between delimiters if it is LaTeX: then all of it is mathematics, its minus signs too."""
    return rf"\({formula}\)" if places(formula) else formula


def read_latex(text: str) -> str:
    """``text`` with its LaTeX as words, signs and numbers; other text stays as it is, to the character."""
    out, at = "", 0
    for begin, end in places(text):
        source = text[begin:end]
        spoken = source[1:] if _ESCAPED.fullmatch(text, begin, end) else _speak(source)
        before = out + text[at:begin]
        gap = " " if before[-1:].isalnum() and spoken[:1].isalpha() and not source[:1].isalnum() else ""
        after = " " if spoken[-1:].isalnum() and text[end : end + 1].isalnum() else ""
        out, at = before + gap + spoken + after, end
    return out + text[at:]


def _commands(text: str) -> Iterator[re.Match[str]]:
    return (match for match in _FIRST.finditer(text) if _is_known(match))


def _delimited(text: str) -> list[re.Match[str]]:
    """Formulas between delimiters; those between dollar signs only if they hold a command or a brace."""
    found = []
    for match in _DELIMITED.finditer(text):
        dollars = match["dollars"]
        if dollars is None or next(_commands(dollars), None) or (_SCRIPTED.search(dollars) and _is_balanced(dollars)):
            found.append(match)
    return found


def _is_balanced(text: str) -> bool:
    return text.count("{") == text.count("}")


def _apart(*spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order; one that overlaps another of an earlier list, or an earlier one of its own, is left out."""
    kept: list[tuple[int, int]] = []
    for some in spans:
        before = kept
        kept = []
        waiting = sorted(some)
        at = 0
        for span in waiting:
            while at < len(before) and before[at][0] < span[1]:
                if before[at][1] > span[0]:
                    break
                kept.append(before[at])
                at += 1
            is_free = (at == len(before) or before[at][0] >= span[1]) and (not kept or kept[-1][1] <= span[0])
            if is_free:
                kept.append(span)
        kept += before[at:]
    return kept


def _start_of_run(text: str, match: re.Match[str]) -> int:
    """The begin of a run: a command in a script takes the mark with it, as in '90^\\circ'."""
    return (
        match.start() - 1
        if text[match.start()] == "\\" and text[match.start() - 1 : match.start()] in ("_", "^")
        else match.start()
    )


def _end_of_run(text: str, at: int) -> int:
    """The end of the LaTeX that begins at ``at``: commands with their arguments, and scripts."""
    end = at
    while end < len(text):
        if (command := _COMMAND.match(text, end)) and _is_known(command):
            end = command.end(1)
        elif (scripted := _SCRIPTED.match(text, end)) or (scripted := _SHORT.match(text, end)):
            end = scripted.end()
        elif text[end] in "{[" and end > at and (closed := _closing(text, end)):
            end = closed
        elif text[end] in "_^" and end + 1 < len(text) and (text[end + 1].isalnum() or text[end + 1] in "{\\"):
            end += 1 if text[end + 1] in "{\\" else 2
        elif text[end] == " " and (rest := _COMMAND.match(text, end + 1)) and _is_known(rest):
            end += 1
        else:
            break
    return end


def _closing(text: str, at: int) -> int:
    """The place behind the bracket that closes the one at ``at``; 0 if none does."""
    pair, depth = {"{": "}", "[": "]"}[text[at]], 0
    for place in range(at, min(len(text), at + 2000)):
        depth += (text[place] == text[at]) - (text[place] == pair)
        if depth > _MOST_BRACES:
            return 0
        if depth == 0:
            return place + 1
    return 0


@cache
def _contexts() -> tuple[Any, Any]:
    """What pylatexenc knows: the arguments of commands, and the signs that they stand for."""
    from pylatexenc.latex2text import get_default_latex_context_db as signs
    from pylatexenc.latexwalker import get_default_latex_context_db as arguments
    from pylatexenc.macrospec import std_macro

    known = arguments()
    more = [std_macro(name, "{") for name in ("operatorname", "mathbb", "mathcal", "mathfrak", "mathscr", "ce", "boldsymbol", "bm",
            "widehat", "widetilde", "overrightarrow", "overline", "underline", "eqref", "dfrac", "tfrac", "phantom")]  # fmt: skip
    more += [std_macro(name, "{{") for name in ("dfrac", "tfrac", "binom", "dbinom")]
    known.add_context_category("spoken", prepend=True, macros=more)
    return known, signs()


def _is_known(command: re.Match[str]) -> bool:
    """Whether a command is one of LaTeX: it is in the lists, or it has an argument."""
    return bool(command[2]) or _is_listed(command[1])


@cache
def _is_listed(name: str) -> bool:
    if name in _WORDS or name in _HATS or name in _BEFORE or name in _BOUNDED or name in _SILENT or name in _READERS:
        return True
    arguments, signs = _contexts()
    return any(
        getattr(found, "macroname", "") for found in (arguments.get_macro_spec(name), signs.get_macro_spec(name))
    )


def _speak(source: str) -> str:
    from pylatexenc.latexwalker import LatexWalker, LatexWalkerParseError

    try:
        nodes, _, _ = LatexWalker(source, latex_context=_contexts()[0], tolerant_parsing=True).get_latex_nodes()
        spoken = _read(nodes)
    except (LatexWalkerParseError, IndexError, RecursionError):  # an IndexError: a \\verb without an end
        spoken = source
    # A brace that is left would be taken for phones.
    return " ".join(spoken.replace("{", "(").replace("}", ")").split())


def _read(nodes: _Nodes | None, is_text: bool = False) -> str:
    """Nodes as text; scripts belong to what stands before them. In ``is_text`` characters are prose, not mathematics."""
    out = ""
    pending = list(nodes or ())
    while pending:
        node = pending.pop(0)
        kind = type(node).__name__
        if kind == "LatexCharsNode":
            out += node.chars if is_text else _read_characters(node.chars, pending)
        elif kind == "LatexMacroNode" and node.macroname in _BOUNDED:
            out += f" {_BOUNDED[node.macroname]}{_bounds(pending)} of "
        elif kind == "LatexMacroNode":
            out += _read_command(node)
        elif kind == "LatexGroupNode":
            inside = _read(node.nodelist, is_text)
            out += f"[{inside}]" if node.delimiters[0] == "[" else inside
        elif kind == "LatexEnvironmentNode" or kind == "LatexMathNode":
            out += f" {_read(node.nodelist)} "
        elif kind == "LatexSpecialsNode":
            out += {"&": ", ", "~": " ", "``": '"', "''": '"'}.get(node.specials_chars, node.specials_chars)
    return out


def _read_characters(characters: str, pending: list[Any]) -> str:
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
        out += _script(mark, inside) + rest
    return out


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
    return (
        f" over {lower}"
        if lower and "to" not in lower.split()
        else f" as {lower.replace(' to ', ' goes to ')}"
        if lower
        else f" up to {upper}"
        if upper
        else ""
    )


def _read_command(node: Any) -> str:
    name = node.macroname
    arguments = [one for one in (node.nodeargd.argnlist if node.nodeargd else ()) if one is not None]
    inside = [_read([one], name in _PROSE).strip() for one in arguments]
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
        return " " if name in ",;:!> \\" else name
    return f" {_sign(name)} "


def _sign(name: str) -> str:
    """The sign of a command without arguments, or its name; nothing of a command that is not known."""
    spec = _contexts()[1].get_macro_spec(name)
    sign = getattr(spec, "simplify_repl", None) if getattr(spec, "macroname", "") else None
    return sign if isinstance(sign, str) and sign.strip() else name if _is_listed(name) else ""


def _fraction(inside: list[str]) -> str:
    above, below = [*inside, ""][:2]
    if _INTEGER.fullmatch(above) and _INTEGER.fullmatch(below):
        return f"{above}/{below}"
    return f"{above} over {below}"


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
