"""Abbreviations and initials as the words or letters that are said for them."""

import re
from collections.abc import Callable, Iterable

from triforce_tts.text import screenplay, short_forms, states
from triforce_tts.text.abbreviation_names import (
    BEFORE_A_NAME,
    BEFORE_AMOUNTS,
    BEFORE_NUMBERS,
    CONTRACTED,
    LATIN,
    MIXED,
    MONTHS_OF_LETTERS,
    OPENERS,
    PLAIN,
    SHORT_NAMES,
    SIDES,
    STREETS_BEFORE_SIDES,
    SUFFIXES,
    TITLES,
)
from triforce_tts.text.citations import BIBLE, OTHER_BOOKS
from triforce_tts.text.dates import AFTER_HALF, SHORT_DAYS, SHORT_MONTHS
from triforce_tts.text.letters import COUNTED, RULERS, is_known
from triforce_tts.text.numbers import cardinal
from triforce_tts.text.saints import AMOUNT, ENDS_TEXT, say_saint_or
from triforce_tts.text.unit_names import UNITS

# These abbreviations of streets need no dot, because they are not also words.
_STREETS = ("Ave", "Blvd", "Rd", "Hwy", "Pkwy", "Expy", "Ln")
# Behind a number in words; the rules of units know those behind digits.
_MEASURES = {
    "lbs": "pounds",
    "lb": "pounds",
    "ft": "feet",
    "oz": "ounces",
    "yds": "yards",
    "hrs": "hours",
    "doz": "dozen",
} | {**{"cwt": "hundredweight", "qts": "quarts", "mins": "minutes", "secs": "seconds"}}
_METRIC = {unit: UNITS[unit] for unit in ("km", "kg", "cm", "mm", "ml", "mg", "mph", "kWh")}
# After these words a letter with a dot is a label that ends a sentence, and not an initial: 'plan B. The'.
_LABELLED = (
    "plan|vitamin|type|section|part|group|appendix|exhibit|option|class|grade|letter|point|phase|hepatitis|step|chapter"
    "|figure|table|schedule|category|side|team|model|version|platform|gate|block|wing|row|zone|line|room|unit|building"
    "|answer|choice|case|item|series|variant|site|sample|size|key|note|string|or|than|is|was|are|equals"
)
# The same at the start of a sentence and in titles, where no name is written so.
_LABELS = re.compile(
    r"Plan|Vitamin|Group|Option|Letter|Hepatitis|Step|Category|Team|Model|Version|Platform|Gate|Zone|Room|Building|Answer|Choice"
    r"|Item|Variant|Site|Sample|Size|Schedule"
)
_NAMES_TOO = frozenset(["mark", "page", "rune", "stage", "tome"])  # counted words that people are called, too
# A name hardly begins with one of these, so that a full stop before them ends a sentence: 'in the U.S. He works'.
_SURE_OPENERS = (
    "The|He|She|It|They|We|You|But|And|In|On|At|This|That|These|Those|There|Then|When|What|If|So|As|By|His|Her|Its|Our"
    "|Their|After|Before|While|Where|Why|However|Here|Since|Until|Thus"
)
_SINGLE_INITIAL = re.compile(rf"(?:^|[^a-z])(?!(?:{_LABELLED}) $)[a-z]{{2,16}},? $|[A-Z][a-z]+[,:] $")
_AFTER_INITIAL = re.compile(rf" (?!(?:{OPENERS})\b)[A-Z][a-z]+")
_BEHIND_NAME = re.compile(rf" (?:{OPENERS})\b(?!,|\.|-)")

Replace = Callable[[re.Match[str]], str]


def expand(text: str) -> str:
    """The text with abbreviations and initials in words; call this before numbers are spoken."""
    for pattern, replace in _RULES:
        text = pattern.sub(replace, text)
    return text


def _say_suffix(match: re.Match[str]) -> str:
    word = SUFFIXES[match[1]]
    ends = re.match(ENDS_TEXT, match.string[match.end() : match.end() + 8])
    street = match[1] in ("etc", "al", *_STREETS) and re.match(
        r"[\"')]* [\"']?[A-Z]", match.string[match.end() : match.end() + 8]
    )
    return f"{word}." if ends or street else word


def _say_short_name(match: re.Match[str]) -> str:
    """``Wm.`` and ``Lieut.`` in words; the dot stays where it ends the sentence too."""
    return SHORT_NAMES[match[1]] + _final_stop(match)


def _final_stop(match: re.Match[str]) -> str:
    """A full stop if a sentence ends behind the abbreviation: at the end, or before a word that begins sentences."""
    return (
        "."
        if re.match(
            rf"{ENDS_TEXT}|[\"')\]]* [\"']?(?!A\. ?D)(?:{OPENERS})\b", match.string[match.end() : match.end() + 16]
        )
        else ""
    )


def _say_rank(match: re.Match[str]) -> str:
    """``Fr. Brown`` as Father Brown; 'Sr.' and 'Corp.' after a name are Senior and Corporation."""
    before = match.string[max(0, match.start() - 30) : match.start()]
    if not is_rank(match[1], before, match.string[match.end() : match.end() + 16]):
        return match[0]
    if match[1] in SUFFIXES and re.search(r"[A-Z][\w']*,? $", before) and not _OPENED.search(before):
        return match[0]
    return BEFORE_A_NAME[match[1]]


def is_rank(word: str, before: str, after: str) -> bool:
    """Whether 'Bro.' and 'MM.' before a capital are ranks: not in 'Hey, Bro. Look', and not behind a number."""
    if word == "MM":
        return not re.search("[0-9] ?$", before)
    return word != "Bro" or not (_CALLED.search(before) or _SENTENCE_TO_BRO.match(after))


def _say_square(match: re.Match[str]) -> str:
    word = {"Sq": "Square", "Cir": "Circle", "Ct": "Court"}[match[1] or match[2]]
    return word + (_final_stop(match) if match[0].endswith(".") else "")


def _say_month(match: re.Match[str]) -> str:
    return SHORT_MONTHS[match[1]] + (_final_stop(match) if match[0].endswith(".") else "")


def _say_weekday(match: re.Match[str]) -> str:
    return (match[1] or match[3]) + SHORT_DAYS[match[2] or match[4]] + _final_stop(match)


def _say_month_of_letter(match: re.Match[str]) -> str:
    return f" {MONTHS_OF_LETTERS[match[1]]}{_final_stop(match)}"


def _say_letters(match: re.Match[str]) -> str:
    """``B.Sc.`` as 'B S C'."""
    return " ".join(re.findall("[A-Za-z]", match[0])).upper() + _final_stop(match)


def _say_dotted(match: re.Match[str]) -> str:
    """``U.S.`` as 'U S'; the last dot stays where it ends the sentence too."""
    letters = " ".join(match[0].replace(".", "").upper())
    after = match.string[match.end() : match.end() + 8]
    half_day = letters in ("A M", "P M")
    starts = AFTER_HALF if half_day else rf"(?:{_SURE_OPENERS})\b"
    ends = re.match(ENDS_TEXT, after) or re.match(
        rf"[\"')]* [\"']?{starts}", match.string[match.end() : match.end() + 16]
    )
    if after[:1].isdigit():
        return f"{letters} "  # A district: 'S.W.1'.
    if re.match(r"s\b", after):
        return f"{letters}'"  # Several of them: 'M.D.s'.
    if after[:1].isalpha():
        return f"{letters}. "  # The writer forgot the space after the dot.
    return f"{letters}." if ends else letters


def _say_initial(match: re.Match[str]) -> str:
    before = re.search(r"(\S+) $", match.string[max(0, match.start() - 30) : match.start()])
    if match[1] == "M" and before and before[1] in ("A", "P"):
        return match[0]  # "A M" and "P M" are spelled already
    if match[1] in ("V", "X") and before and before[1].lower() in RULERS:
        return match[0]  # A rule of numerals tells 'George V. Higgins' from a king.
    opener = rf" (?:{_SURE_OPENERS})\b"
    if before and re.fullmatch("[A-Z]", before[1]) and re.match(opener, match.string[match.end() : match.end() + 16]):
        return match[0]  # the last of letters that are spelled: 'in the U S. He left'
    if before and (
        _LABELS.fullmatch(before[1])
        or before[1].lower() in COUNTED - _NAMES_TOO
        or (before[1][0].isupper() and len(before[1]) > 1 and _BEHIND_NAME.match(match.string[match.end() :][:24]))
    ):
        return match[0]  # the end of a sentence: 'King George V. The war began', 'Vitamin C. Next'
    # 'Hon. B. Johnson', but a new title behind 'Mrs. X.' begins another sentence.
    is_titled = before and before[1][:-1] in TITLES and not re.match(r" \w{2,4}\.", match.string[match.end() :][:6])
    name_before = match.start() == 0 or is_titled or (before and before[1][0].isupper() and before[1][-1].isalnum())
    return match[1] if name_before or _is_lone_initial(match) else match[0]


def _is_lone_initial(match: re.Match[str]) -> bool:
    """Whether 'J.' after a word of small letters begins a name: 'by J. Smith', but not 'plan B. He left'."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    after = match.string[match.end() : match.end() + 20]
    return bool(_SINGLE_INITIAL.search(before) and _AFTER_INITIAL.match(after))


def _say_initials(match: re.Match[str]) -> str:
    """Whether ``J. R. R.`` stands before a name; the half of a day does not: '5 P. M. He left'."""
    if match[0] in ("A. M. ", "P. M. ") and re.search(
        "[0-9] $", match.string[max(0, match.start() - 2) : match.start()]
    ):
        return match[0]
    return match[0].replace(".", "")


def _say_versus(match: re.Match[str]) -> str:
    """``Roe v. Wade``; after a book or a part of one the letter is a numeral: 'Act v. Enter'."""
    word = match[1].split(" ")[0]
    is_place = word.lower() in COUNTED or word in BIBLE or word in BIBLE.values() or word in OTHER_BOOKS
    return match[0] if is_place else f"{match[1]}versus"


def _say_before_number(match: re.Match[str]) -> str:
    """``pp. 3`` as 'pages 3'; a single capital without a space behind it is a label: 'Table C.3'.

    In 'Oak Pl. 3' and '5 l. 20 minutes later' the letters are a place and liters.
    """
    behind_digit = re.search("[0-9] $", match.string[max(0, match.start() - 2) : match.start()])
    if match[1] == "Pl" or (behind_digit and match[1].lower() in ("l", "cl", "pl")):
        return match[0]
    if match[1] in ("C", "P", "L"):
        is_initial = re.search(r"[A-Z]\. ?$", match.string[max(0, match.start() - 4) : match.start()])
        if is_initial or not re.match("[ivx0-9]", match.string[match.end() :][:1], re.I) or not match[0].endswith(" "):
            return match[0]
    return _keep_case(match[1], BEFORE_NUMBERS)


def _names(words: Iterable[str]) -> str:
    return "|".join(sorted(map(re.escape, words), key=len, reverse=True))


# What is said to a brother ends before 'Bro.', and these words begin the sentence behind it.
_CALLED = re.compile(
    r"\b(?i:thanks|thank you|hey|hi|hello|yo|sorry|yes|no|yeah|nah|dude|man|please|ok|okay|bye|cool|you|my|your|a|him|me),? $"
)
_SENTENCE_TO_BRO = re.compile(
    r" (?:Tell|Look|Come|Go|Get|Wait|Stop|Listen|Give|Take|Make|Let|Keep|Leave|Put|Try|Help|Hold|Show|See|Say|Ask|Call|Run"
    r"|Sit|Stand|Think|Trust|Watch|Do|Does|Did|Don't|Is|Are|Was|Were|Can|Could|Will|Would|Should|Have|Has|Had|Thanks|Please"
    r"|Sorry|Well|Okay|Just|Nice|Good|Great|Maybe|Never|Nobody|Nothing|Everyone|Everything)\b"
)
_OPENED = re.compile(rf"\b(?:{OPENERS}|Said|Cried|Poor|Old|Dear) $")
_OPENER = rf"(?:{OPENERS})\b"
# 'Sat.' and 'Sun.' are words as well, so they need more beside them.
_CLEAR_DAYS = _names(day for day in SHORT_DAYS if day not in ("Sat", "Sun"))
_PART_OF_DAY = r"(?=,? (?:morning|forenoon|noon|afternoon|evening|night|last|next|at|the [0-9])\b)"
_MONTH_OR_DIGIT = rf"(?=,? ?(?:[0-9]|(?:the [a-z]+(?: [a-z]+)? of )?(?:{_names(SHORT_MONTHS)})))"
# Nouns that are counted: 'He said No 10 times' has no number of a house or bus.
_COUNTED = "times|people|men|women|children|seconds|minutes|hours|days|weeks|months|years"
# A plural behind a number is estimated, while a year is not: 'est. 1500 houses'.
_COUNTED_NOUN = rf"(?:{_COUNTED}|feet|(?!(?:is|was|has|as|its|his|this|always)\b)[a-z]+s)\b"
_RULES: list[tuple[re.Pattern[str], Replace]] = [
    *short_forms.RULES,
    (re.compile(rf"(?<![\w/.])({_names(MIXED)})(?![\w/])"), lambda m: MIXED[m[1]]),
    (re.compile(r"\b((?i:eqs?|no|nos|figs?|sec|art|para|ch|ex|cl)\. )\(([0-9]{1,4}[a-z]?)\)"), lambda m: m[1] + m[2]),
    (
        re.compile(
            r"(?:^|(?<=[(;,] )|(?<=\())(b|d|r|fl)\. ?(?=(?:c\. ?|ca\. ?)?[12][0-9]{3}(?![0-9])|the [a-z]{4,11}(?: [a-z]{5,7})? of [JFMASOND][a-z]{2,8}\b|[JFMASOND][a-z]{2,8} (?:[a-z]{3,5}teen|twenty|two)\b)"
        ),
        lambda m: {"b": "born ", "d": "died ", "r": "reigned ", "fl": "flourished "}[m[1]],
    ),
    (re.compile(r"\b([Rr])ev\. (?=[0-9])(?![0-9]+(?:,| and| or) [0-9])"), lambda m: f"{m[1]}evision "),
    # A capital before a name is an initial: 'on the 4th C. Smith came'.
    (
        re.compile(
            rf"(?<=[0-9](?:st|nd|rd|th))[ -](?:c\.|C\.(?! (?!(?:AD|BCE?|CE|A\. ?D|B\. ?C|{_SURE_OPENERS})\b)[A-Z]))(?![A-Za-z])"
        ),
        lambda m: f" century{_final_stop(m)}",
    ),
    (re.compile(r"(?<=[0-9] )(?:m\.p\.h|M\.P\.H)\b\.?"), lambda m: f"mph{_final_stop(m)}"),
    (re.compile(r"(?<=[0-9] )r\.p\.m\b\.?"), lambda m: f"rpm{_final_stop(m)}"),
    (
        re.compile(rf"\b({_names(STREETS_BEFORE_SIDES)})\b\.?,? ({_names(SIDES)})\b"),
        lambda m: f"{STREETS_BEFORE_SIDES[m[1]]} {SIDES[m[2]]}",
    ),
    (
        re.compile(
            r"\b([NSEW])\. (?=(?:[A-Z][a-z]+|[0-9]{1,3}(?:st|nd|rd|th)) (?:St|Ave|Rd|Blvd|Dr|Street|Avenue|Road)\b)"
        ),
        lambda m: f"{ {'N': 'North', 'S': 'South', 'E': 'East', 'W': 'West'}[m[1]] } ",
    ),
    (re.compile(r"(?<=[a-z] )(Sq|Cir)\.?(?=[,;.]|$)|(?<=[a-z] )(Sq|Cir|Ct)\.(?= [A-Z])"), _say_square),
    (re.compile(rf"\b([A-Z][\w']{{1,30}} )v\.?(?= (?!(?:{OPENERS})\b)[A-Z][a-z])"), _say_versus),
    (re.compile(r"\b([Nn]o)\. of\b(?= (?!course\b)[a-z])"), lambda m: f"{_capital('number', m[1])} of"),
    (
        re.compile(rf"(?<=[A-Za-z] )(?<!say )(?<!says )(?<!said )No(?= [0-9]{{1,4}}\b(?! (?:{_COUNTED})\b))"),
        lambda m: "number",
    ),
    (
        re.compile(rf"\b[Ee](?:st|ST)\. (?=[12][0-9]{{3}}(?![0-9]|[.,][0-9]| {_COUNTED_NOUN}))"),
        lambda m: f"{_capital('established', m[0])} ",
    ),
    (
        re.compile(r"\b([Ee]d|[Tt]rans)\. (?=by\b)"),
        lambda m: f"{_capital({'e': 'edited', 't': 'translated'}[m[1][0].lower()], m[1])} ",
    ),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )edn?\b\.?|\b(?<=[Rr]ev\. )ed\."), lambda m: f"edition{_final_stop(m)}"),
    (re.compile(r"\b([Rr])ev\. (?=edition)"), lambda m: f"{m[1]}evised "),
    (re.compile(r"(?<=\()(est|ret)\.(?=\))"), lambda m: {"est": "estimated", "ret": "retired"}[m[1]]),
    (
        re.compile(r"\b([Ii]n [A-G](?:[- ](?:flat|sharp)|[b#])? )(min|maj)\.(?!\w)"),
        lambda m: f"{m[1]}{m[2]}or{_final_stop(m)}",
    ),
    (re.compile(r"\bstd\. dev\b\.?"), lambda m: f"standard deviation{_final_stop(m)}"),
    (
        re.compile(
            rf"((?<![\w.])(?<![0-9] )(?:{_names(BEFORE_AMOUNTS)})|(?:^|(?<=[.;:(] ))(?:{_names(map(str.capitalize, BEFORE_AMOUNTS))}))\. ?(?=[-+]?[0-9$£€])"
        ),
        lambda m: f"{_capital(BEFORE_AMOUNTS[m[1].lower()], m[1])} ",
    ),
    (
        re.compile(
            rf"((?<![\w.])(?<![0-9] )(?:{_names(PLAIN)})|(?:^|(?<=[.;:(] ))(?:{_names(map(str.capitalize, PLAIN))}))\.(?= [a-z0-9(]| [A-Z]{{2}})"
        ),
        lambda m: _capital(PLAIN[m[1].lower()], m[1]),
    ),
    (re.compile(r"(?<![\w.])([Aa]ttn|[Ff]wd)\.?(?=:)"), lambda m: _capital(PLAIN[m[1].lower()], m[1])),
    (
        re.compile(r"(?<![A-Z0-9])&[cC]\b(?:\.|(?=[,;:]|$))"),
        lambda m: "etc." if m.string[m.start() - 1 : m.start()] in ("", " ") else " etc.",
    ),
    (re.compile(r"(?<![\w.])(?:[iI]\. e\.|[eE]\. g\.)"), lambda m: m[0].replace(" ", "")),
    (re.compile(r"\b(?:B\. C|A\. D)\.(?= [0-9])|(?<=[0-9] )(?:B\. C|A\. D)\."), lambda m: m[0].replace(" ", "")),
    (re.compile(r"\b(?:[BMD]\. Sc|LL\. [BMD])\b"), lambda m: m[0].replace(" ", "")),
    (re.compile(r"(?:(?<=[0-9] )|(?<=century ))(?:AD|BC|BCE|CE)\b|\bAD(?= [0-9])"), lambda m: " ".join(m[0])),
    (re.compile(rf"(?<=[0-9](?:st|nd|rd|th)) ({_names(MONTHS_OF_LETTERS)})\b\.?"), _say_month_of_letter),
    (re.compile(r"\b(op|loc|Op|Loc)\. cit\."), lambda m: f"{m[1]} cit"),
    (re.compile(r"\b(ibid|Ibid)\.(?!\w)"), lambda m: m[1] + _final_stop(m)),
    (re.compile(r"\b([Ll])at\. (?=[0-9]{1,2}(?:\.[0-9]+)?(?:°| deg))"), lambda m: f"{m[1]}atitude "),
    (re.compile(r"\b([Ll])ong\. (?=[0-9]{1,3}(?:\.[0-9]+)?(?:°| deg))"), lambda m: f"{m[1]}ongitude "),
    (re.compile(r"(?<![\w.])n\. (?=[0-9])"), lambda m: "note "),
    (re.compile(r"(?<=[0-9] )(?:ff|sqq|et seqq?)\.?(?=[,;:)]|\.? [a-z]|\.?\s*$)"), lambda m: "and following"),
    (re.compile(rf"\b({_names(BEFORE_A_NAME)})\.(?=-[A-Z]| (?!{_OPENER})[A-Z](?:[a-z']|\. ))"), _say_rank),
    (re.compile(rf"\b({_names(SHORT_NAMES)})\.(?!\w)"), _say_short_name),
    (
        re.compile(rf"\b({_names(SHORT_DAYS)})\.? (thru|through|to) ({_names(SHORT_DAYS)})\b(?:\.(?= [a-z0-9(]|,))?"),
        lambda m: f"{SHORT_DAYS[m[1]]} {'through' if m[2] == 'thru' else m[2]} {SHORT_DAYS[m[3]]}",
    ),
    (re.compile(rf"\b({_CLEAR_DAYS})\.{_PART_OF_DAY}|\b(Sat|Sun)\.{_PART_OF_DAY}"), lambda m: SHORT_DAYS[m[1] or m[2]]),
    (
        re.compile(rf"\b([Oo]n )({_names(SHORT_DAYS)})\.(?!\w)|\b((?i:next|last|every) )({_CLEAR_DAYS})\.(?!\w)"),
        _say_weekday,
    ),
    (re.compile(rf"(?<![\w.])({_names(LATIN)})(?![\w])", re.IGNORECASE), lambda m: LATIN[m[1].lower()]),
    (re.compile(r"\bet al\."), lambda m: f"and others{_final_stop(m)}"),
    (re.compile(r"\b([A-Z]{1,2})&([A-Z]{1,2})\b"), lambda m: f"{' '.join(m[1])} and {' '.join(m[2])}"),  # AT&T
    (re.compile(r"\bWW ?(I{1,3})\b"), lambda m: f"World War {cardinal(len(m[1]))}"),
    *screenplay.RULES,
    *states.RULES,
    (re.compile(r"\bP[hH]\. ?D\b\.?"), lambda m: f"P H D{_final_stop(m)}"),
    (re.compile(r"(?<![\w.])(?:[A-Z]\. ){2,6}(?=[A-Z](?:'[A-Z])?[a-z])"), _say_initials),
    (re.compile(r"\b([A-Z])\.(?= [A-HJ-Z]\. ?[A-Z])"), _say_initial),
    (re.compile(r"(?<![\w.])([A-HJ-Z])\.(?= [A-Z][A-Za-z])"), _say_initial),
    (re.compile(r"(?<![\w.'])(?:[A-Za-z]\.){2,}(?!\w)|(?<![\w.'])(?:[A-Z]\.){2,}(?:[A-Z]\b(?![.']))?"), _say_dotted),
    (re.compile(r"(?<![\w.'])[A-Z]\.[A-Z]\b(?![.'])"), _say_dotted),
    (re.compile(r"(?<![\w.'])[a-z]\.[a-z](?:\.[a-z])*\b(?![.'\w])"), _say_dotted),
    (re.compile(r"\b(?:[BMD]\.Sc|LL\.[BMD]|Litt\.D|D\.Litt)\b\.?"), _say_letters),
    (re.compile(rf"\b({_names(TITLES)})\.(?!\w)"), lambda m: TITLES[m[1]]),
    (re.compile(r"\b(Mr|Mrs|Ms)(?= [A-Z]| (?:&|and) (?:Mrs?|Ms|Miss|Dr)\b)"), lambda m: TITLES[m[1]]),
    (re.compile(r"\bDr(?= [A-Z])"), lambda m: "Doctor"),
    (re.compile(r"\bDr\.(?!\w)"), say_saint_or("Drive", "Doctor")),
    (re.compile(r"\bSt\.(?!\w)"), say_saint_or("Street", "Saint")),
    (
        re.compile(
            rf"(?<![\w.°'])({_names(BEFORE_NUMBERS)})\. ?(?=[0-9]|[IVX]{{2,}}\b|[IVX]+ ?-{{1,2}} ?[IVX]|\([0-9])",
            re.IGNORECASE,
        ),
        _say_before_number,
    ),
    (
        re.compile(r"\b((?i:vol|bk|chap|sc)|(?<![0-9] )(?i:pt))\. (?=[IVXLivxl]\b(?!['.]\w))"),
        lambda m: _keep_case(m[1], BEFORE_NUMBERS),
    ),
    (re.compile(rf"(?<=[a-z] )({'|'.join(_STREETS)})\b(?!\.)"), lambda m: SUFFIXES[m[1]]),
    (re.compile(r"(?<=[a-z] )Dr(?=[,;]|$)"), lambda m: "Drive"),
    (re.compile(r"(?<=[a-z] )St(?=[,;]| [a-z]|$)"), lambda m: "Street"),
    (re.compile(r"(?<=[0-9](?:st|nd|rd|th) )[sS]t\b\.?"), lambda m: "Street"),
    (re.compile(r"\b(?:St|ST)(?= [A-Z][a-z])"), lambda m: "Saint"),
    (re.compile(rf"\b(?!May\.)({_names(SHORT_MONTHS)})(?:\.(?!\w)|(?= [0-9]))"), _say_month),
    (re.compile(rf"\b({_names(SHORT_DAYS)})\.?{_MONTH_OR_DIGIT}"), lambda m: SHORT_DAYS[m[1]]),
    (re.compile(rf"\b({_names(SUFFIXES)})\.(?!\w)"), _say_suffix),
    (re.compile(rf"\b({AMOUNT}) ({_names(_MEASURES)})\."), lambda m: f"{m[1]} {_MEASURES[m[2]]}{_final_stop(m)}"),
    (re.compile(rf"\b({AMOUNT}) in\.(?= (?:in|high|tall|long|wide|broad|thick|deep)\b)"), lambda m: f"{m[1]} inches"),
    (re.compile(r"(?<=[0-9] )(vols|pp)\.(?!\w)"), lambda m: BEFORE_NUMBERS[m[1]] + _final_stop(m)),
    (
        re.compile(
            rf"\b((?i:{AMOUNT}|(?:hundreds|thousands|dozens) of|per|one)) ({_names(_METRIC)})\b(?![/^'-]|\.\w)(?:\.(?= [a-z]))?"
        ),
        lambda m: f"{m[1]} {_METRIC[m[2]][m[1].lower() not in ('per', 'one', 'half')]}",
    ),
    (
        re.compile(rf"(?<![\w'])({_names(CONTRACTED)})(?![\w'])", re.IGNORECASE),
        lambda m: _capital(CONTRACTED[m[1].lower()], m[1]),
    ),
    (
        re.compile(r"\b([Tt])el\b\.?(?=:? (?:zero|one|two|three|four|five|six|seven|eight|nine|plus)\b)"),
        lambda m: f"{m[1]}elephone",
    ),
    # What is no word and has a stop before a small letter is an abbreviation, whatever it means.
    (re.compile(r"(?<![\w.'-])(?<![0-9] )([A-Z]?[a-z]{1,5})\.(?= [a-z])"), lambda m: m[0] if is_known(m[1]) else m[1]),
]


def _capital(word: str, like: str) -> str:
    """The word with a capital where ``like`` has one."""
    return word.capitalize() if like[0].isupper() else word


def _keep_case(word: str, words: dict[str, str]) -> str:
    """The expansion with a capital where the abbreviation had one, and a space."""
    expanded = words[word.lower()]
    return (expanded.capitalize() if word[0].isupper() else expanded) + " "
