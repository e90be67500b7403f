"""Digits that are names, not amounts: telephone numbers, postal codes, versions, network addresses, house numbers."""

import re

from triforce_tts.text.numbers import DIGITS, START, Rule, number_words, pairs, rule, spell_digits

# One point alone is that of a decimal number: '+12.345'.
_COUNTRY_CODES = r"\+(?![0-9]{1,6}\.[0-9]{1,6}(?![0-9]|[-. (][0-9(]))[1-9][0-9]{0,2}"
_CUE = r"(?i:\b(?:call|phone|telephone|tel|fax|mobile|cell|dial|ring|text|hotline|helpline|whatsapp|sms|number is|reach (?:me|us|them) (?:at|on))\b)"
_CODE_CUE = (
    r"(?i:\b(?:zip(?: code)?s?|post ?codes?|postal codes?|pin(?: code)?|otp|passcode|password|access code|code|serial(?: number)?"
    r"|account(?: number)?|card number|area code|ending in|ends in|ending with|ends with|last (?:four|4) digits|extension|ext\.?|isbn"
    r"|tracking number|reference number|flight number|routing number|social security number|ssn|imei|vin|sku|p\. ?o\. box))"
)
# After these words a leading zero says nothing: 'Part 02'.
_COUNTED = (
    r"(?i:\b(?:part|chapter|chap|ch|page|pages|pp|p|volume|vol|section|sec|figure|fig|table|act|scene|book|lesson|unit|episode|ep"
    r"|season|issue|day|week|track|level|step|appendix|verse|line|question|exercise|item|slide|plate|paragraph|stage|round"
    r"|module|session|test|number|no|nos|week|grade|article|canto|sheet|case|tape|disc|disk|reel)\b\.?)"
)
_STREET = r"(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Boulevard|Blvd|Court|Ct|Place|Pl|Square|Sq|Way|Highway|Hwy|Parkway|Pkwy|Expressway|Expy|Terrace|Ter|Circle|Cir|Trail)\b"
_SIDES = {
    "N": "North",
    "S": "South",
    "E": "East",
    "W": "West",
    "NE": "Northeast",
    "NW": "Northwest",
    "SE": "Southeast",
    "SW": "Southwest",
}
_STATE_NAMES = (
    "AL:Alabama,AK:Alaska,AZ:Arizona,AR:Arkansas,CA:California,CO:Colorado,CT:Connecticut,DE:Delaware,FL:Florida,GA:Georgia,"
    "HI:Hawaii,ID:Idaho,IL:Illinois,IN:Indiana,IA:Iowa,KS:Kansas,KY:Kentucky,LA:Louisiana,ME:Maine,MD:Maryland,"
    "MA:Massachusetts,MI:Michigan,MN:Minnesota,MS:Mississippi,MO:Missouri,MT:Montana,NE:Nebraska,NV:Nevada,NH:New Hampshire,"
    "NJ:New Jersey,NM:New Mexico,NY:New York,NC:North Carolina,ND:North Dakota,OH:Ohio,OK:Oklahoma,OR:Oregon,PA:Pennsylvania,"
    "RI:Rhode Island,SC:South Carolina,SD:South Dakota,TN:Tennessee,TX:Texas,UT:Utah,VT:Vermont,VA:Virginia,WA:Washington,"
    "WV:West Virginia,WI:Wisconsin,WY:Wyoming,DC:D C"
)
STATES = dict(pair.split(":") for pair in _STATE_NAMES.split(","))
_VERSIONED = (
    "[Vv]ersion|VERSION|[Rr]elease|[Ff]irmware|[Kk]ernel|Python|Java|PHP|Ruby|Node|iOS|iPadOS|macOS|Android|Ubuntu|Debian|Fedora"
    "|Linux|CUDA|Chrome|Firefox|Safari|PyTorch|Django|Postgres|PostgreSQL|MySQL|Kubernetes|Unicode"
)
# States whose letters are also a word or a common abbreviation. They count as states only before a ZIP code.
DOUBTFUL_STATES = {"HI", "ID", "IN", "LA", "MA", "ME", "OH", "OK", "OR", "PA", "AL", "DE", "MS", "MD", "CO", "CT"}


def _groups(text: str) -> str:
    """Each group of digits spelled, with a pause after it."""
    reading = ", ".join(spell_digits(group) for group in re.findall("[0-9]+", text))
    return f"plus {reading}" if text.lstrip().startswith("+") else reading


def _say_phone(match: re.Match[str]) -> str:
    return _groups(match[0])


def _say_row(match: re.Match[str]) -> str:
    """Several numbers with hyphens between: a record such as ``10-4-2`` in numbers, a telephone number digit by digit."""
    groups = match[0].split("-")
    is_record = (
        all(len(group) < 3 and (group[0] != "0" or group == "0") for group in groups) and len(groups) <= _MOST_SCORES
    )
    return ", ".join(map(number_words, groups)) if is_record else _groups(match[0])


def _join_thousands(match: re.Match[str]) -> str:
    """``10 000`` and ``1 234 567`` as one number; '100 200 300' may be three."""
    first, *groups = match[0].split(" ")
    behind = re.match(r" ?[$£€]| [A-Z]{3}\b", match.string[match.end() : match.end() + 5])
    is_money = bool(behind) or match.string[: match.start()][-1:] in ("$", "£", "€")
    is_one = is_money or any(group[0] == "0" for group in groups) or (len(first) < 3 and len(groups) > 1)
    return ",".join([first, *groups]) if is_one else match[0]


def _say_spaced_phone(match: re.Match[str]) -> str:
    """Groups with spaces between, unless they are thousands or a list of years."""
    groups = match[0].split()
    count = len("".join(groups))
    thousands = len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:]) and groups[0][0] != "0"
    years = all(re.fullmatch("(?:1[0-9]|20)[0-9]{2}", group) for group in groups)
    leading_zero = groups[0][0] == "0" and groups[0] != "0"
    if 7 <= count <= 15 and not thousands and not years and (len(groups) > 2 or leading_zero):
        return _groups(match[0])
    return match[0]


def _say_cued_phone(match: re.Match[str]) -> str:
    """The number after a word such as 'call'; a short amount is no telephone number ('call 200 people')."""
    digits = re.sub("[^0-9]", "", match["digits"])
    is_short = len(digits) < 5 and digits not in ("911", "112", "999", "000", "411", "111", "988", "101", "311")
    amount = re.match(
        r" (?!(?:for|to|at|or|and|if|in|on|now|today|when|before|immediately)\b)[a-z]",
        match.string[match.end() : match.end() + 14],
    )
    if is_short or amount:
        return match[0]
    return match["cue"] + _groups(match["digits"])


def _say_cued_code(match: re.Match[str]) -> str:
    letters = (
        " ".join(match["letters"]) + " "
        if len(match["letters"]) == 1
        else match["letters"] + " " * bool(match["letters"])
    )
    cue = re.sub(r"^(e)xt\.? ?$", r"\1xtension ", match["cue"], flags=re.IGNORECASE)
    return f"{cue}{letters}{_groups(match['digits'])}"


def _say_network_address(match: re.Match[str]) -> str:
    parts = match[1].split(".")
    if any(int(part) > 255 for part in parts) or parts[1:] == ["000"] * 3:
        return match[0]
    reading = " dot ".join(pairs(part) for part in parts)
    reading += f" slash {number_words(match['mask'])}" if match["mask"] else ""
    return reading + (f" port {number_words(match['port'])}" if match["port"] else "")


def _say_version(match: re.Match[str]) -> str:
    reading = " point ".join(number_words(part) for part in match["parts"].split("."))
    return f"{match['word'] or 'version '}{reading}"


def _say_state(match: re.Match[str]) -> str:
    state, code, more = match.group("state", "zip", "more")
    if state not in STATES or (state in DOUBTFUL_STATES and not code):
        return match[0]
    reading = match[0][: match[0].index(state)] + STATES[state] + (f" {spell_digits(code)}" if code else "")
    return reading + (f", {spell_digits(more)}" if more else "")


def _say_house(match: re.Match[str]) -> str:
    side = match["side"]
    letter = f" {match['letter'].upper()}" if match["letter"] else ""
    number = "number " if match["no"] else ""
    return number + pairs(match["house"]) + letter + (f" {_SIDES[side]}" if side else "")


def _say_mixed(match: re.Match[str]) -> str:
    """Letters and four digits or more in one code: 'ab9453'; a year stays ('Expo2020')."""
    if re.fullmatch("(?:19|20)[0-9]{2}", match[2]):
        return f"{match[1]} {match[2]}"
    return f"{match[1]} {spell_digits(match[2])}"


def _say_letters_for_keys(match: re.Match[str]) -> str:
    """``1-800-FLOWERS``, a telephone number whose last digits are dialled as a word."""
    return f"{_groups(match[1])}, {match[2].replace('-', ' ')}"


def _say_signs(match: re.Match[str]) -> str:
    """A long code of letters and digits, such as that of a vehicle, sign by sign."""
    turns = len(re.findall("[0-9](?=[A-Z])|[A-Z](?=[0-9])", match[0]))
    return _one_by_one(match[0]) if turns >= _LEAST_TURNS else match[0]


def _say_account(match: re.Match[str]) -> str:
    """The number of a bank account in groups of four, as it is written."""
    digits = sum(sign.isdigit() for sign in match[0])
    return ", ".join(map(_one_by_one, match[0].split())) if digits >= _DIGITS_OF_ACCOUNT else match[0]


def _one_by_one(code: str) -> str:
    return " ".join(DIGITS[int(sign)] if sign.isdigit() else sign for sign in code)


_LEAST_TURNS = 3  # so often letters and digits meet in a code that is read sign by sign
_DIGITS_OF_ACCOUNT = 10
_MOST_SCORES = 4  # a row of more short numbers is a telephone number
_PLAIN_GROUPS = r"[0-9]{2,5}(?: [0-9]{2,5}){1,5}(?![0-9.,:/%-]*[0-9]| [0-9])"
# A comma before the cents, as in most of Europe, becomes a point.
_COMMAS: list[Rule] = [
    # Thousands with spaces, or joined by now, before the cents: '1 299,00 €'.
    rule(
        r"(?<![\w.,/-])(?<![0-9] )([1-9][0-9]{0,2}(?:[ ,][0-9]{3})+),([0-9]{2})(?= ?(?:€|(?:EUR|zl|Kc|kr|CHF)\b))",
        lambda m: f"{m[1].replace(' ', ',')}.{m[2]}",
    ),
    rule(
        r"(?<![\w.,/-])([1-9][0-9]{0,2}(?:\.[0-9]{3})+),([0-9]{2})(?![0-9]|[.,][0-9])",
        lambda m: f"{m[1].replace('.', ',')}.{m[2]}",
    ),
    rule(r"(?<=€)( ?[0-9]{1,3}),([0-9]{1,2})(?![0-9]|[.,][0-9])", lambda m: f"{m[1]}.{m[2]}"),
    rule(
        r"(?<![\w.,/-])([0-9]{1,3}),([0-9]{1,2})(?= ?(?:€|%|(?:EUR|zl|Kc|kr|CHF|million|billion|kg|km|cm|mm|kWh|ml|GB)\b))",
        lambda m: f"{m[1]}.{m[2]}",
    ),
    # A price of one liter or piece may have three digits behind its point: '€1.799 a litre'.
    rule(
        r"(\bRp\.? ?|€ ?)([1-9][0-9]{0,2})\.([0-9]00|[0-9]{3}(?! ?/| (?:an?|per|each)\b))(?![0-9]|[.,][0-9])",
        lambda m: f"{m[1]}{m[2]},{m[3]}",
    ),
    # A dash stands for no cents: '4.999,- €', '49,-'.
    rule(
        r"(?<![\w.,/-])([1-9][0-9]{0,2}(?:\.[0-9]{3}){0,2}),-{1,2}(?=[ .;€)]|$)",
        lambda m: m[1].replace(".", ","),
    ),
    rule(r"(?<![\w'.])[0-9]{1,3}(?:(['_])[0-9]{3})(?:\1[0-9]{3}){0,5}(?![\w'])", lambda m: m[0].replace(m[1], ",")),
]
RULES: list[Rule] = [
    rule(
        r"(?<=\b)((?:[Cc]all(?:ed|ing|s)|[Dd]ial(?:l?ed|l?ing|s)|[Pp]hon(?:ed|ing|es)|[Rr]ang|[Rr]inging|[Rr]ings) )(911|999|112)(?![\w-]|[.,:]\d| [A-Z]| (?:of|people|men|women|children|more|other|different)\b| (?!(?:as|is|was|has|this|perhaps|always|sometimes|afterwards|unless)\b)[a-z]+s\b)",
        lambda m: m[1] + spell_digits(m[2]),
    ),
    *_COMMAS,
    rule(
        r"(?<![\w.,/+-])(1-8(?:00|33|44|55|66|77|88))-([A-Z]{3,10}(?:-[A-Z]{2,8}){0,2})(?![\w-])", _say_letters_for_keys
    ),
    rule(
        r"(\b[Tt]ext(?:ed|ing|s)? [\"']?[A-Z]{2,12}[\"']? to )([0-9]{5,6})(?![\w-]|[.,][0-9])",
        lambda m: m[1] + spell_digits(m[2]),
    ),
    rule(r"(?<![\w.-])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?(?![\w-])", _say_account),
    rule(r"(?<![\w.#-])(?=[A-Z]{0,9}[0-9])(?=[0-9]{0,16}[A-Z])[A-Z0-9]{10,20}(?![\w-])", _say_signs),
    # Behind a letter and a hyphen a number of five digits is that of an order or a part.
    rule(r"(?<![\w-])([A-Z]{1,4}-)([0-9]{5,12})(?![\w-]|[.,][0-9])", lambda m: m[1] + spell_digits(m[2])),
    # The two parts of the number of an order: 'invoice #2024-0113' (the hash is a word by now).
    rule(
        r"(\b(?i:invoice|order|ticket|case|claim|policy|booking|account|reference|sku|ref\.?|po)(?: number|:)? )(?:(#)|(?=[0-9]{5}|[0-9]{3,8}-[0-9]{5})(?![0-9]{1,8}00-|[0-9]{3,8}-[0-9]{1,8}00(?![0-9])))([0-9]{3,8})-([0-9]{3,8})(?![\w-]|[.,/:][0-9])",
        lambda m: (
            f"{m[1]}{'number ' if m[2] else ''}{pairs(m[3]) if re.fullmatch('20[0-9]{2}', m[3]) else spell_digits(m[3])}, {spell_digits(m[4])}"
        ),
    ),
    rule(rf"\b(?P<word>(?:{_VERSIONED}) )(?P<parts>[0-9]{{1,4}}(?:\.[0-9]{{1,9}}){{1,6}})(?![0-9])", _say_version),
    rule(
        r"\b(?P<cue>(?i:isbn|issn|orcid)(?:-1[03])?:? ?)(?P<digits>[0-9](?:[- ]?[0-9]){6,15}(?:[- ]?[xX])?)(?![0-9A-Za-z-])",
        lambda m: m["cue"] + _groups(m["digits"]) + (" X" if m["digits"][-1] in "xX" else ""),
    ),
    rule(r"(?<=\blocalhost):([0-9]{2,5})\b", lambda m: f" port {pairs(m[1])}"),
    rule(
        r"(?<![\w.,/-])802\.([0-9]{1,2})([a-z]{0,2})\b",
        lambda m: f"eight oh two point {number_words(m[1])} {' '.join(m[2].upper())}".rstrip(),
    ),
    rule(r"\(([DRI])-([A-Z]{2})\)", lambda m: f"({m[1]}, {STATES[m[2]]})" if m[2] in STATES else m[0]),
    rule(
        rf"{START}((?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}})(?:/(?P<mask>[0-9]{{1,2}}))?(?::(?P<port>[0-9]{{1,5}}))?(?![0-9]|\.[0-9])",
        _say_network_address,
    ),
    rule(
        r"(?<![A-Za-z])(?:[vV]\.? ?)(?P<word>)(?P<parts>[0-9]{1,9}(?:\.[0-9]{1,9}){2,6})(?![0-9])",
        _say_version,
    ),
    rule(r"(?<![0-9A-Za-z.,/-])[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,5}(?![0-9]|\.[0-9])", lambda m: m[0].replace(".", ",")),
    rule(
        rf"(?<![0-9A-Za-z.,/+-]){_COUNTRY_CODES}(?: ?\(0\) ?[0-9]{{1,5}}|[-. ]?\([0-9]{{1,5}}\)|[-. ]?[0-9]{{1,5}})(?:[-. ]?[0-9]{{2,5}}){{1,5}}(?![0-9])",
        _say_phone,
    ),
    rule(r"\(\+[0-9]{1,3}\) ?[0-9](?:[ -]?[0-9]){5,13}(?![0-9-])", lambda m: _groups(m[0][1:])),
    rule(r"(?<![0-9A-Za-z.,/-])(?:[0-9]{1,3}[-. ])?\([0-9]{2,5}\) ?[0-9]{3,4}[-. ]?[0-9]{3,4}(?![0-9-])", _say_phone),
    rule(r"(?<![0-9A-Za-z.,/-])(?:[0-9]{1,3}\.)?[0-9]{3}\.[0-9]{3}\.[0-9]{4}(?![0-9-])", _say_phone),
    # Three and more groups with hyphens are telephone numbers, social security numbers or ISBNs.
    rule(r"(?<![0-9A-Za-z.,/$£€-])[0-9]{1,5}(?:-[0-9]{1,7}){2,5}(?![0-9A-Za-z]|-[0-9A-Za-z]|[.,][0-9]| ?=)", _say_row),
    rule(r"(?<![0-9A-Za-z.,/-])[0-9]{3}[-. ][0-9]{3}[-][0-9]{4}(?![0-9-])", _say_phone),
    rule(r"(?<![0-9A-Za-z.,/-])[0-9]{3}-[0-9]{4}(?![0-9-])", _say_phone),
    rule(r"(?<![0-9A-Za-z.,/-])0[0-9]{1,4}[-/][0-9]{5,8}(?![0-9/-])", _say_phone),
    rule(r"(?<![0-9A-Za-z.,/-])0[0-9]{3,4}-[0-9]{4}(?![0-9/-])", _say_phone),
    rule(
        rf"(?P<cue>{_CUE}(?: ?(?:me|us|him|her|them|now|toll[- ]free|free))?(?: (?:on|at|is))?[:.]{{0,2}} ?)(?P<digits>\(?[0-9]{{1,6}}\)?(?:[- .]\(?[0-9]{{2,8}}\)?){{1,5}}|[0-9]{{3,15}})(?![0-9%$£€]|[.,:/][0-9]|-[0-9A-Za-z])",
        _say_cued_phone,
    ),
    rule(
        r"(?<![0-9A-Za-z.,:/-])(?<![0-9] )[1-9][0-9]{0,2}(?: [0-9]{3}){1,5}(?![0-9]| [0-9]|[/:-][0-9])", _join_thousands
    ),
    rule(rf"(?<![0-9A-Za-z.,:/$£€-]){_PLAIN_GROUPS}", _say_spaced_phone),
    # A trunk code with its zero, and the number: '01632 960001'.
    rule(r"(?<![0-9A-Za-z.,:/$£€-])0[0-9]{2,5} [0-9]{5,8}(?![0-9.,:/%-]*[0-9]| [0-9])", _say_phone),
    rule(r"(?<=\b[A-Z]\.[A-Z]\. )[0-9]{5}(?=[.,;:)]?(?:$| ?[A-Z\"')]|[.,;]))", lambda m: spell_digits(m[0])),
    rule(
        r"(?<=[A-Za-z]), (?P<state>[A-Z]{2})(?: (?P<zip>[0-9]{5})(?:-(?P<more>[0-9]{4}))?(?![0-9]))?(?=[.,;:!?)]|$| USA)",
        _say_state,
    ),
    rule(
        rf"\b(?P<state>{'|'.join(STATES)}) (?P<zip>[0-9]{{5}})(?:-(?P<more>[0-9]{{4}}))?(?![0-9.,-]*[0-9])", _say_state
    ),
    rule(
        rf"(?P<cue>{_CODE_CUE}(?: (?:is|no\.?|was|number))?[:#]? ?[\"'`]?)(?P<letters>[A-Za-z]{{0,4}})(?P<digits>[0-9]{{3,20}}(?:[- ][0-9]{{2,6}}){{0,5}})(?![0-9A-Za-z%$£€]|[.,:/][0-9])",
        _say_cued_code,
    ),
    rule(r"(?<![0-9A-Za-z.,:/$£€-])[0-9]{5}-[0-9]{4}(?![0-9-])", _say_phone),  # ZIP + 4
    rule(r"(?<![0-9A-Za-z.,$£€-])[0-9]{16,18}(?![0-9.,])", _say_phone),  # a card's number
    rule(
        r"(?<![0-9A-Za-z.,/-])4(?P<last>01|03|57)\((?P<letter>[a-z])\)",
        lambda m: f"{pairs('4' + m['last'])} {m['letter']}",
    ),
    rule(
        rf"(?:\b(?P<no>[Nn]o)\. ?)?(?<![0-9A-Za-z.,:/$£€-])(?P<house>[0-9]{{1,5}})(?P<letter>[A-Fa-f])? (?:(?P<side>[NSEW]|[NS][EW])\.? )?(?=(?:St\. )?(?:(?:[A-Z][a-z]+|[0-9]{{1,3}}(?:st|nd|rd|th)) ){{1,3}}(?i:{_STREET}))",
        _say_house,
    ),
    rule(rf"(?P<cue>{_COUNTED} ?)(?![0-9]{{5}})0+(?=[1-9])(?![0-9]+[-/.:][0-9])", lambda m: m["cue"]),
    rule(r"(?<![A-Za-z0-9.])([A-Za-z]{1,4})([0-9]{4,18})(?![0-9A-Za-z.,]*[0-9A-Za-z])", _say_mixed),
]
