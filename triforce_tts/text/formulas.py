"""Formulas in plain text: ``(a+b)/c`` as a plus b, over c; ``y = 2x - 3`` with a minus, which is a dash elsewhere."""

import re

from triforce_tts.text.numbers import Rule, rule

_TERM = r"-?(?:[0-9]{1,9}(?:\.[0-9]{1,9})?[A-Za-z]?|[A-Za-z])(?:\^-?[0-9A-Za-z]{1,3})?(?![0-9A-Za-z'])"
_SUM = rf"\({_TERM}(?: ?[-+*/] ?{_TERM}){{1,9}}\)(?:\^[0-9])?"
_PART = rf"(?:(?:[0-9]{{1,9}}|[A-Za-z])?(?:{_SUM}){{1,4}}|{_TERM})"
_DASH = r"(?! - [aAI] (?!is\b|are\b|and\b|or\b|for\b|where\b|then\b)[a-z])"  # 'A = B - a fine thing'
_EQUALS = "(?:=|[<>!]=?|≤|≥|≈|≠)"
# Between two plain numbers a hyphen is 'to': 'n = 5-10'.
_MINUS = re.compile(r"(?:(?<=[A-Za-z)])|(?<=\^[0-9])) ?- ?(?=[0-9A-Za-z(-])|(?<=[0-9]) ?- ?(?=[0-9]{0,9}[A-Za-z(])")


def _say_formula(match: re.Match[str]) -> str:
    """A chain of terms in words if it is an equation, or a sum in brackets beside a slash; else it stays."""
    formula = match[0]
    is_fraction = re.search(r"\)(?:\^[0-9])? ?/|/ ?(?:[0-9]{1,9}|[A-Za-z])?\(", formula)
    if not re.search("[A-Za-z]", formula) or not (is_fraction or re.search("=", formula)):
        return formula
    formula = _MINUS.sub(" minus ", formula)
    formula = re.sub(r"(?<=[=(])( ?)-(?=[A-Za-z(])", r"\1 minus ", formula)
    return re.sub(r" ?/ ?", " over ", formula)


RULES: list[Rule] = [
    rule(
        r"(?<![\w.'])([fghFGP])\(([xyzntk]|[0-9]{1,3})\)(?= ?(?:[-+*/=<>≤≥]|\.?$|[,;:]| (?:is|and|be|has|for)\b))",
        lambda m: f"{m[1]} of {m[2]}",
    ),
    rule(rf"(?<![\w.,)/^-]){_PART}(?:{_DASH} ?(?:[-+*/]|{_EQUALS}) ?{_PART}){{1,12}}(?![\w(/^])", _say_formula),
]
