"""Where LaTeX stands in a text: '\\frac{a}{b}' is read 'a over b', and a folder such as 'C:\\beta' stays what it is.

Articles and technical books hold LaTeX between dollar signs, and in the ``alttext`` of MathML. How it is spoken is said in
``latex_speech``.
"""

import re
from collections.abc import Iterable, Iterator

from triforce_tts.text.latex_speech import SIZES, is_listed, speak, takes_arguments

_COMMAND = re.compile(r"\\([A-Za-z]{2,20})(?![A-Za-z])(\{?)")
# A command that may begin LaTeX. After two letters it is a folder ('C:\Users', 'work\beta'), after a quotation mark it is code.
_FIRST = re.compile(r"""(?<![A-Za-z][A-Za-z])(?<![\\:/%"'`])""" + _COMMAND.pattern)
_SCRIPTED = re.compile(r"[A-Za-z0-9)\]|][_^](?=\{)")  # x_{n}, 10^{3}
_GROUP = re.compile(r"\{(?=\s*\\([A-Za-z]{2,20})(?![A-Za-z]))")  # {\it words}, {\displaystyle x}
_SHORT = re.compile(r"(?<![A-Za-z0-9_])[A-Za-z]'*[_^][A-Za-z0-9](?![A-Za-z0-9_])")  # x_1, only beside other LaTeX
_ESCAPED = re.compile(r"(?<=\d)\\%|(?<![\w:\\])\\[$#](?=\d)|(?<= )\\&(?= )")  # 50\%, \$5, \#1
_ACCENT = re.compile(r"""\\["'`^~=.Hcuvk]\{\\?[A-Za-z]\}""")  # Poincar\'{e}
_BRACKETS = re.compile(r"\\\((?P<round>.{1,4000}?)\\\)|\\\[(?P<square>.{1,4000}?)\\\]", re.DOTALL)
_DISPLAYED = re.compile(r"\\[A-Za-z]{2}|[_^{=]|\s")  # '\[0-9\]' is a pattern of a program
_ENVIRONMENT = re.compile(r"\\begin\{(?P<name>[a-zA-Z*]{1,20})\}.{0,5000}?\\end\{(?P=name)\}", re.DOTALL)
_SPACING = re.compile(r"\\[,;:!> ](?![A-Za-z0-9]*\\)|~(?=\\)")
_CLOSING = {mark: re.compile(r"(?<!\\)" + re.escape(mark)) for mark in ("$", "$$")}
_LONGEST = 4000  # a formula between dollar signs has at most so many characters
_SIMPLE = re.compile(r"[A-Za-z0-9()+\-*/=<>!,.'|\s_^]{1,80}")  # a formula without commands
# A formula of plain signs, as in '$x$' and '$a+b$': what it may be, and what it holds.
_PLAIN = re.compile(r"(?:[^\W\d_]|[\\(|-])(?:[^$\"';]{0,299}[^$\"';\s(<>=+])?")
_MATHEMATICS = re.compile(r"[\^_\\=+<>≤≥≠≈±×÷→∈∪∩∞√−]")
# Prose: a word of three letters that is neither a function nor a command, or a price at the end.
_PROSE = re.compile(
    r"(?<![\\A-Za-z])(?!(?:sin|cos|tan|log|exp|max|min|mod|det|lim|gcd)\b)[A-Za-z]{3,}|(?:^|\s)(?:[\d.,]+|[A-Z]{1,3})$"
)
_WORD_OF_PROSE = re.compile(r"(?<![A-Za-z\\{])[A-Za-z]{3,}(?![A-Za-z}])")
_MOST_BRACES = 20  # a formula is not nested deeper than that


def places(text: str) -> list[tuple[int, int]]:
    """Where LaTeX stands in ``text``: (begin, end) of each stretch, in order and apart."""
    if not any(mark in text for mark in ("\\", "_{", "^{", "$")):
        return []
    in_brackets = (match for match in _BRACKETS.finditer(text) if match["round"] or _DISPLAYED.search(match["square"]))
    found = _apart([*_between_dollars(text), *(match.span() for match in (*in_brackets, *_ENVIRONMENT.finditer(text)))])
    starts = sorted({_start_of_run(text, match) for match in (*_commands(text), *_SCRIPTED.finditer(text))})
    runs: list[tuple[int, int]] = []
    for begin in starts:
        if not runs or begin >= runs[-1][1]:
            runs.append((begin, _end_of_run(text, begin)))
    # What overlaps a stretch of an earlier list is left out.
    found = _apart(found, [*_groups(text), *runs], (match.span() for match in _ACCENT.finditer(text)))
    if found:
        found = _apart(found, (match.span() for match in (*_SHORT.finditer(text), *_SPACING.finditer(text))))
    return _apart(found, (match.span() for match in _ESCAPED.finditer(text)))


def delimited(formula: str) -> str:
    """``formula`` between delimiters if it is LaTeX: then all of it is mathematics, its minus signs too."""
    return rf"\({formula}\)" if places(formula) else formula


def read_latex(text: str) -> str:
    """``text`` with its LaTeX as words, signs and numbers; other text stays as it is, to the character."""
    out, at = "", 0
    for begin, end in places(text):
        source = text[begin:end]
        before = out + text[at:begin]
        has_base = before[-1:].isalnum() or before[-1:] in (")", "]")
        spoken = source[1:] if _ESCAPED.fullmatch(text, begin, end) else speak(source, has_base)
        is_apart = not source[:1].isalnum() and not _ACCENT.fullmatch(source)
        gap = " " if is_apart and before[-1:].isalnum() and spoken[:1].isalpha() else ""
        after = " " if is_apart and spoken[-1:].isalnum() and text[end : end + 1].isalnum() else ""
        out, at = before + gap + spoken + after, end
    return out + text[at:]


def _commands(text: str) -> Iterator[re.Match[str]]:
    return (match for match in _FIRST.finditer(text) if _is_known(match))


def _between_dollars(text: str) -> Iterator[tuple[int, int]]:
    """Formulas between single or double dollar signs. What stands between two prices is none."""
    at = text.find("$")
    while at >= 0:
        mark = "$$" if text.startswith("$$", at) else "$"
        closing = _CLOSING[mark].search(text, at + len(mark), at + _LONGEST)
        end = closing.start() if closing else 0
        inside = text[at + len(mark) : end] if end > 0 else ""
        if text[at - 1 : at] != "\\" and (_is_formula(inside) or _is_plain_formula(text, at, end + len(mark), inside)):
            yield at, end + len(mark)
            at = text.find("$", end + len(mark))
        else:
            at = text.find("$", at + len(mark))


def _is_formula(inside: str) -> bool:
    if not inside.strip() or inside.endswith("\\"):
        return False
    if _is_balanced(inside) and (next(_commands(f" {inside}"), None) or re.search(r"[_^]\{|\{,\}|\\[{}]", inside)):
        prose = _WORD_OF_PROSE.findall(re.sub(r"\\[A-Za-z]+\s*(?:\{[^{}]*\})?", " ", inside))
        return len(prose) < 3
    return bool(
        _SIMPLE.fullmatch(inside)
        and re.search(r"[A-Za-z0-9)]'*[_^]|^[A-Za-z]!$", inside)
        and not _WORD_OF_PROSE.search(inside)
        and not inside[-1:].isspace()
    )


def _is_plain_formula(text: str, begin: int, end: int, inside: str) -> bool:
    """Whether a variable, or signs of mathematics without prose, stands between dollar signs that touch no other word."""
    if re.match(r"[\w$\\]", text[begin - 1 : begin]) or re.match(r"[\w$]", text[end : end + 1]):
        return False
    if not _PLAIN.fullmatch(inside):
        return False
    is_balanced = inside.count("(") == inside.count(")") and _is_balanced(inside)
    return len(inside) == 1 or bool(is_balanced and _MATHEMATICS.search(inside) and not _PROSE.search(inside))


def _groups(text: str) -> Iterator[tuple[int, int]]:
    """Groups in braces that begin with a known command."""
    at = 0
    for match in _GROUP.finditer(text):
        if match.start() >= at and is_listed(match[1]) and (end := _closing(text, match.start())):
            yield match.start(), end
            at = end


def _is_balanced(text: str) -> bool:
    return text.count("{") == text.count("}")


def _apart(*spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The spans in order; one that overlaps another of an earlier list, or an earlier one of its own, is left out."""
    kept: list[tuple[int, int]] = []
    for some in spans:
        before = kept
        kept = []
        at = 0
        for span in sorted(some):
            while at < len(before) and before[at][0] < span[1]:
                if before[at][1] > span[0]:
                    break
                kept.append(before[at])
                at += 1
            if (at == len(before) or before[at][0] >= span[1]) and (not kept or kept[-1][1] <= span[0]):
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
    end, takes_more = at, False
    while end < len(text):
        if (command := _COMMAND.match(text, end)) and _is_known(command):
            end = command.end(1)
            takes_more = takes_arguments(command[1])
        elif (scripted := _SCRIPTED.match(text, end)) or (scripted := _SHORT.match(text, end)):
            end = scripted.end()
        elif text[end] in "{[" and end > at and (closed := _closing(text, end)):
            end = closed
        elif text[end] in "_^" and end + 1 < len(text) and (text[end + 1].isalnum() or text[end + 1] in "{\\"):
            end += 1 if text[end + 1] in "{\\" else 2
        elif (text[end] == " " and ((rest := _COMMAND.match(text, end + 1)) and _is_known(rest))) or (
            text[end] == " " and takes_more and text[end + 1 : end + 2] in ("{", "_", "^")
        ):
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


def _is_known(command: re.Match[str]) -> bool:
    """Whether a command is one of LaTeX: it is in the lists, or it has an argument."""
    if command[1] in SIZES:
        return command.string[command.end(1) : command.end(1) + 1] in tuple("([{|.\\)]}/<>")
    return bool(command[2]) or is_listed(command[1])
