"""Pounds, shillings and pence of the money before 1971 in words: ``£3 10s. 6d.``, ``2s. 6½d.``, ``3l. 5s.``."""

import re
from math import gcd

from triforce_tts.text.numbers import Rule, cardinal, fraction, number_words, rule

# Behind these words a number with 's' is a plural rather than shillings: 'in her 20s.', 'counted by 5s.'
_PLURAL_BEFORE = re.compile(
    r"(?i:\b(?:in|into|by|the|his|her|my|our|your|their|its|early|mid|middle|late|later|low|lower|high|upper|size|two|three"
    r"|four|took|lasted|within|after|every|(?:pair|set|couple|collection|pack|stack|row|handful|lot|bunch) of)[ -])'?$"
)
# A lone sum is money only where the text around speaks of money.
_LARGEST_ALONE = 40
_PRICED = (
    r"(?:[Pp]a(?:id|y|ys|ying|yment)|[Cc]ost(?:s|ing)?|[Pp]ric(?:e|ed|es)|[Ww]orth|[Ww]ages?|[Ff]ees?|[Ff]ined|[Ff]ines?"
    r" (?:of|was|is)|[Ss]old|[Ss]ell(?:s|ing)?|[Bb](?:ought|uy|uys|uying)|[Cc]harg(?:e|ed|es|ing)|[Ss]p(?:ent|end|ends)"
    r"|[Oo]we[ds]?|[Ee]arn(?:ed|s)?|[Rr]ent|[Tt]oll|[Dd]ebt|[Mm]oney|[Ss]hillings?|[Ss]ixpence|pence|[a-z]*penny|[Ff]arthings?|[Gg]uineas?)\b"
)
_EACH = r"(?:each|apiece|per|an?[ -](?:week|day|month|year|dozen|pound|yard|piece|head|ton|bushel|gallon|quart|pint|bottle))\b"
_OTHER_SUM = rf"£|[0-9½¼¾]d\.|[1-9]s\.? ?[0-9½¼¾]+ ?d\b|[0-9][sd]\.? {_EACH}"
_MONEY_NEAR = re.compile(rf"{_OTHER_SUM}|\b{_PRICED}")
_MONEY_AFTER = re.compile(rf",? {_EACH}")
_ENDS = re.compile(r"[\"')\] ]*$|[\"')\]]* [\"']?[A-Z]")
_NOUN_AFTER = re.compile(r" (?:stamp|piece|note|edition|coin|book|novel|loaf|ticket|magazine)\b")


def _say_sum(match: re.Match[str]) -> str:
    """The parts that are not zero, with 'and' before the pence: 'three pounds ten shillings and sixpence'."""
    pounds, shillings, pence = match.group("pounds", "shillings", "pence")
    if not _is_sum(match):
        return match[0]
    parts = []
    if pounds and pounds.strip("0"):
        parts.append(f"{number_words(pounds)} pound{'' if pounds == '1' else 's'}")
    if shillings and shillings.strip("0"):
        parts.append(_shillings(shillings, match))
    if pence and pence.strip("0"):
        is_name = not parts and _NOUN_AFTER.match(match.string, match.end())
        words = f"{cardinal(int(pence))}penny" if is_name and pence.isdigit() else _pence(pence)
        parts.append(f"and {words}" if parts else words)
    reading = " ".join(parts) or "no pence"
    return reading + (
        "." if match[0].endswith(".") and _ENDS.match(match.string[match.end() : match.end() + 8]) else ""
    )


def _is_sum(match: re.Match[str]) -> bool:
    """Whether the number is money: two parts are, and so are shillings or pence alone where no plural can be."""
    pounds, shillings, pence = match.group("pounds", "shillings", "pence")
    if sum(map(bool, (pounds, shillings, pence))) > 1:
        return True
    before = match.string[max(0, match.start() - 12) : match.start()]
    if not _is_money_near(match):
        return False
    goes_on = re.match(r" [a-z]|,? and [0-9]", match.string[match.end() : match.end() + 8])
    if shillings:
        is_decade = len(shillings) == 2 and shillings[1] == "0" and shillings != "10"
        is_plural = _PLURAL_BEFORE.search(before) or re.search(r"0s\.?,? (?:and |or |to )?$", before)
        return not (is_plural and (is_decade or not goes_on))
    return pence not in ("2", "3") or not re.search(r"(?i:\b(?:in|the|full|of)) $", before)  # 'shown in 3d.'


def _is_money_near(match: re.Match[str]) -> bool:
    """Whether the sentence shows that a lone number is money: by a price or another sum, by 'a week', or by a noun."""
    number = match["shillings"] or match["pence"]
    if not number.isdigit():
        return True  # Only pence have halves and quarters.
    if not 0 < int(number) <= _LARGEST_ALONE:
        return False
    before = match.string[max(0, match.start() - 60) : match.start()]
    after = match.string[match.end() : match.end() + 40]
    if _NOUN_AFTER.match(after) or _MONEY_AFTER.match(after):
        return True
    before = re.split(r"(?<=[a-z][.?!]) (?=[\"']?[A-Z])", before)[-1]
    after = re.split(r"(?<=[a-z0-9][.?!]) (?=[\"']?[A-Z])|^[\"')]* [\"']?(?=[A-Z])", after)[0]
    return bool(_MONEY_NEAR.search(before) or _MONEY_NEAR.search(after))


def _shillings(number: str, match: re.Match[str]) -> str:
    is_one = number == "1" or (not match["pence"] and _NOUN_AFTER.match(match.string, match.end()))
    return f"{cardinal(int(number))} shilling{'' if is_one else 's'}"


def _pence(number: str) -> str:
    whole, _, part = number.strip().partition(" ")
    if "/" in whole:
        whole, part = "", whole
    if not part:
        return {"1": "one penny", "6": "sixpence"}.get(whole) or f"{cardinal(int(whole))} pence"
    top, bottom = map(int, part.split("/"))
    share = fraction(top, bottom)
    if not whole:
        return "half a penny" if (top, bottom) == (1, 2) else f"{share} of a penny"
    return f"{cardinal(int(whole))} and {'a' + share[3:] if top == 1 else share} pence"


# A price that is written with a slash. Behind 'cost' and its like a proper fraction may be a share: 'it cost 1/3 of it'.
_PRICE_BEFORE = re.compile(
    r"\b(?:[Cc]osts?|[Pp]aid|[Pp]ay|[Pp]rices?|[Pp]riced|[Ww]orth|[Ff]ees?|[Ss]ubscription|[Ff]are|[Ss]old (?:\w+ )?for"
    r"|[Bb]ought (?:\w+ )?for|[Cc]harged?|[Ss]ells? (?:at|for)|[Gg]ave|[Rr]educed to|[Hh]alf[ -]a?[ -]?[Cc]rown)"
    r"(?:[,:]| (?:was|is|of|at|only|about|him|her|me|them|us|for|just|than|from|to))* \(?$"
)
_PRICE_AFTER = re.compile(rf",? (?:{_EACH}|the (?:dozen|yard|pound|pair|bottle|hundred)\b|net\b)")
_NO_PRICE = ("24/7", "7/7", "8/10", "9/10", "10/10")  # all day and all week; marks of ten
_SHARE_AFTER = re.compile(r" (?:of|more|less|as|cups?|inch|mile|pounds?|acres?|tons?|full)\b|-|\"| ?%")


def _say_slashed(match: re.Match[str]) -> str:
    """``2/6`` as 'two shillings and sixpence' beside a price; a share and a date stay."""
    shillings, pence = int(match["shillings"]), int(match["pence"])
    before = match.string[max(0, match.start() - 40) : match.start()]
    after = match.string[match.end() : match.end() + 20]
    is_share = shillings < pence and gcd(shillings, pence) == 1
    is_marked = "d" in match[0] or (_PRICE_BEFORE.search(before) and not _SHARE_AFTER.match(after))
    is_no_price = is_share or match[0] in _NO_PRICE
    is_price = _PRICE_AFTER.match(after) or (is_marked and not is_no_price)
    if not is_price or shillings > _LARGEST_ALONE or pence > 11:
        return match[0]
    end = "." if match[0].endswith(".") and _ENDS.match(after) else ""
    return f"{_shillings(match['shillings'], match)} and {_pence(match['pence'])}{end}"


_INCOME = re.compile(
    r"\b(?:[Ii]ncome|[Ff]ortune|[Ll]egac(?:y|ies)|[Ss]alary|[Pp]ension|[Ee]states?|[Aa]nnuity|[Jj]ointure|[Dd]owry|[Ll]oan|[Bb]ills?|[Ll]ent|[Bb]orrowed)\b"
)


def _say_old_pounds(match: re.Match[str]) -> str:
    """``300l. a year`` in pounds, where the words around speak of money; elsewhere the letter stands for liters."""
    before = re.split(r"[a-z][.?!] (?=[\"']?[A-Z])", match.string[max(0, match.start() - 60) : match.start()])[-1]
    after = match.string[match.end() : match.end() + 40]
    if not (_MONEY_AFTER.match(after) or re.search(_PRICED, before) or _INCOME.search(before)):
        return match[0]
    end = "." if _ENDS.match(after) else ""
    return f"{number_words(match[1])} pound{'' if match[1] == '1' else 's'}{end}"


_PENCE = r"(?P<pence>(?:[0-9]{1,2} )?[1-3]/[248]|[0-9]{1,2})"
_GAP = r"[.,]?(?: ?- ?| )"
_POUNDS = r"(?P<pounds>[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,9})"
_SHILLINGS = r"(?P<shillings>[0-9]{1,2})"
_S = r"s\b"
RULES: list[Rule] = [
    rule(r"(\bRs\.? ?[0-9][0-9,]*)/-(?![\w/-])", lambda m: m[1]),  # the mark behind a sum in rupees
    rule(r"(?<![\w.,/$£])([1-9][0-9,]{0,8})l\.(?!\w)", _say_old_pounds),
    rule(
        r"(?<![\w.,/$£])([1-9][0-9]?)/-(?![\w/-])",
        lambda m: f"{cardinal(int(m[1]))} shilling{'' if m[1] == '1' else 's'}",
    ),
    rule(rf"£ ?{_POUNDS}/{_SHILLINGS}/(?:{_PENCE}|-)(?![\w/-])", _say_sum),
    rule(
        r"(?<![\w.,/$£-])(?<![0-9] )(?P<shillings>[1-9][0-9]?)/(?P<pence>[0-9]{1,2})(?:d\b\.?)?(?![\w/]|[.,][0-9])",
        _say_slashed,
    ),
    rule(rf"£ ?{_POUNDS}{_GAP}{_SHILLINGS} ?{_S}(?:\.?,?(?: ?- ?| ?){_PENCE} ?d\b)?\.?", _say_sum),
    rule(rf"£ ?{_POUNDS}{_GAP}(?P<shillings>){_PENCE} ?d\b\.?", _say_sum),
    rule(rf"(?<![\w.,/$£]){_POUNDS} ?l\b\.?,? {_SHILLINGS} ?{_S}(?:\.?,?(?: ?- ?| ?){_PENCE} ?d\b)?\.?", _say_sum),
    rule(rf"(?<![\w.,/$£])(?P<pounds>){_SHILLINGS} ?{_S}(?:\.,?(?: ?- ?| ?)| ){_PENCE} ?d\b\.?", _say_sum),
    rule(rf"(?<![\w.,/$£'-])(?P<pounds>){_SHILLINGS}s\.(?P<pence>)(?!\w)", _say_sum),
    rule(rf"(?<![\w.,/$£'-])(?P<pounds>)(?P<shillings>){_PENCE}d\.(?!\w)", _say_sum),
]
