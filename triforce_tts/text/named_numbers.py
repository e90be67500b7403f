"""Numbers that are names and are said in pairs: ``Boeing 747``, ``Room 237``, ``a .45 pistol``, ``at 0530``, ``U-235``."""

import re

from triforce_tts.text.numbers import Rule, cardinal, number_words, pairs, plural, rule
from triforce_tts.text.unit_names import BARE_CAPITALS, UNITS

_MAKES = (
    "Boeing|Airbus|Porsche|Peugeot|Ferrari|McLaren|Volvo|Saab|BMW|Mercedes|Fiat|Embraer|Bombardier|Learjet|Gulfstream|Cessna"
    "|Lockheed|Tupolev|Nokia|Xbox|Levi's|RTX|GTX|Ford|Form"
)
_PLACES = {
    "Hwy": "Highway",
    "Rte": "Route",
    "Rt": "Route",
    "Apt": "Apartment",
    "Ste": "Suite",
    "Rm": "Room",
    "Bldg": "Building",
    "bldg": "building",
    "apt": "apartment",
}
_ROADS = "Route|Highway|Interstate|Freeway|Expressway|State Road|County Road"
_DOORS = (
    "Room|room|Suite|suite|Apartment|apartment|Flat|Gate|gate|Bus|bus|Channel|channel|Train|train|Locker|locker"
    "|Cabin|cabin"
)
# A unit or a counted noun shows that the number is an amount: 'bus 300 km', 'room 200 people', 'bus 300 miles'. A single
# capital is a label or a side: 'Route 101 W'.
_UNIT = "|".join(re.escape(unit) for unit in UNITS if unit not in BARE_CAPITALS and unit not in ("L", "V", "W"))
_NO_COUNT = (
    rf"(?![ -]?(?:{_UNIT})(?![A-Za-z]))(?! (?:people|men|women|children|feet)\b)"
    r"(?! (?!is\b|was\b|has\b|as\b|this\b|leaves\b|arrives\b|departs\b|lies\b)[a-z]+s\b)"
)
_WHOLE = r"(?![0-9]|[.,:/][0-9]|[%$£€°])"
_GUNS = (
    r"(?i:calib(?:re|er)s?|cal\b\.?|magnum|rifles?|revolvers?|pistols?|handguns?|(?:machine[ -])?guns?|rounds?|bullets?"
    r"|cartridges?|shells?|slugs?|ammo|ammunition|automatics?|acp)\b|(?:Colt|Winchester|Remington|Special|Webley|Smith|Lee|Enfield)\b"
)
# The gun itself is named by its calibre: 'he drew his .45 and'.
_ALONE = (
    r"(?= (?:and|or|in|at|from|to|on|with|out|that|which|he|she|was|is|under|into|against|behind|beside|for)\b"
    r"|[.,;:!?)\"'](?![0-9])|$)"
)
_STATISTICS = re.compile(
    r"(?i:\b(?:p|r|correlations?|probability|average|ratio|alpha|coefficient|mean|score|odds|risk|effect|value|batting|hit)\b)"
)
_CLOCK = r"(?P<hour>[01][0-9]|2[0-3])(?P<minute>[0-5][0-9])"
# Words before a time of day. Hours of use stand after most of them too, so that only 'at' is clear before 'hours'.
_BEFORE_TIME = "[Aa]t|[Bb]y|[Uu]ntil|[Tt]ill|[Ss]ince|[Bb]efore"
_NO_SPAN = "".join(rf"(?<!\b(?i:{word}) )" for word in ("after", "around", "to", "from", "for", "about", "within"))
# Nouns that are counted in millions. Others make the 'M' doubtful: 'the 100M finals'.
_IN_MILLIONS = (
    "people|men|women|children|soldiers|troops|civilians|prisoners|migrants|pupils|farmers|Americans|Britons|Germans|users|customers|members|subscribers|followers|fans|readers|viewers|listeners|players|visitors"
    "|tourists|passengers|voters|workers|employees|residents|citizens|inhabitants|households|homes|families|students|patients"
    "|refugees|immigrants|jobs|dollars|euros|pounds|views|downloads|installs|streams|plays|likes|clicks|visits|posts|tweets"
    "|videos|songs|books|copies|words|pages|images|photos|samples|examples|parameters|tokens|rows|lines|records|requests"
    "|queries|messages|accounts|devices|phones|computers|vehicles|cars|barrels|tons|tonnes|acres|trees|shares|units|items"
    "|products|orders|sales|transactions|votes|deaths|cases|doses|tests|cells|neurons|years|hours|miles|steps|meals|tickets"
)
_COUNTED_IN_MILLIONS = re.compile(
    rf"\b(?i:population|sales|revenues?|profits?|loss(?:es)?|budget|audience|turnover|worth|raised|{_IN_MILLIONS})\b"
)
# What is counted in millions and is hardly measured in meters: '30m people'.
_IN_SMALL_MILLIONS = "|".join(
    set(_IN_MILLIONS.split("|")) - {"trees", "lines", "rows", "steps", "cells", "cars", "words", "pages"}
)
_MOLAR = re.compile(
    r"\b(?i:solutions?|buffer|acid|urea|sucrose|glucose|salts?|chloride|hydroxide|acetate|phosphate|molar|pH|incubat\w+|dissolved|reagent|HCl|NaCl|NaOH|Tris)\b"
)
_LATER = "later|ago|away|late|early|long|apart|past|before|after|walk|drive|ride"  # behind minutes: '20 mn later'
_ISOTOPES = (
    r"(?i:uranium|plutonium|cesium|caesium|iodine|strontium|americium|polonium|radium|thorium|radon|lead|bismuth|krypton|xenon)"
    r"|Cs|Pu|Sr|Am|Po|Ra|Th|Rn|Pb|Bi"
)


def _say_pairs(match: re.Match[str]) -> str:
    """The name, and the number in pairs, with a variant behind a hyphen: 'Boeing seven thirty seven eight hundred'."""
    name, number, variant = match.group("name", "number", "variant")
    joint = " " if name[-1:].isalpha() else ""
    return f"{name}{joint}{pairs(number)}" + (f" {pairs(variant)}" if variant else "")


# Before these, or with them in front, a number is a count: 'Top-250', 'Salt-250 grams', 'India-250 all out'.
_COUNTED = (
    "Top|Under|Over|Sub|Super|Around|Minus|Plus|About|Nearly|Almost|Approx|Mid|Non|Pre|Price|Cost|Total|Score|Scores|Calories|Weight"
    "|Height|Budget|Big|Men|Women|Boys|Girls|Adults|Children|Kids|Teachers|Students|Pupils|Members|Voters|Ayes|Noes|Yes|No|For|Against"
    "|Rs|INR|USD|Usd|EUR|GBP|IQ|Max|Min|First|Last|Another|Every|Than"
)
_COUNT_AFTER = (
    r" (?:all out|for [0-9]|only|people|men|women|children|miles?|minutes?|hours?|days?|years?|months?|weeks?|degrees|grams|kilos|kcal|calories"
    r"|marks|points|runs|votes|pages|words|entries|seats|copies|items|pieces|meters|metres|feet|dollars|pounds|euros|rupees|guests|members)\b"
)
# The next name of a list of counts: 'Australia-350, India-298'.
_LIST_BEFORE = re.compile(r"\b[A-Z][a-z]+-[a-z0-9 ]{1,32},? (?:and )?$")
_LIST_AFTER = re.compile(r",? (?:and )?[A-Z][a-z]+-[0-9]{1,3}(?![0-9])")


def _say_name(match: re.Match[str]) -> str:
    """A name and its number in pairs, unless the name is one of a list of counts."""
    before = match.string[max(0, match.start() - 40) : match.start()]
    is_listed = _LIST_BEFORE.search(before) or _LIST_AFTER.match(match.string[match.end() : match.end() + 30])
    return match[0] if is_listed and not match["name"].isupper() else _say_pairs(match)


def _say_out_of(match: re.Match[str]) -> str:
    return f"{match[1]}{number_words(match[2])} out of {number_words(match[3])}"


def _say_flight(match: re.Match[str]) -> str:
    carrier = f"{' '.join(match['carrier'].strip())} " if match["carrier"] else ""
    return f"{match['name']}{carrier}{pairs(match['number'])}"


def _say_calibre_alone(match: re.Match[str]) -> str:
    """``his .45`` as 'his forty five', unless the words before speak of statistics."""
    if _STATISTICS.search(match.string[max(0, match.start() - 60) : match.start()]):
        return match[0]
    return f"{match[1]}{pairs(match[2])}"


def _say_military(match: re.Match[str]) -> str:
    """``0530`` as 'zero five thirty', ``0800 hours`` as 'zero eight hundred hours'."""
    hour, minute = int(match["hour"]), int(match["minute"])
    words = f"zero {cardinal(hour)}" if hour < 10 and (hour or minute) else cardinal(hour)
    words += " hundred" if not minute else f" {'zero ' if minute < 10 else ''}{cardinal(minute)}"
    is_end = match[0].endswith(".") and re.match(r"[\"')\] ]*$", match.string[match.end() : match.end() + 8])
    return f"{match['at']}{words}" + (" hours" if match["hours"] else "") + ("." if is_end else "")


def _say_watch(match: re.Match[str]) -> str:
    """``0900-1730``, a span between two times of day at whole five minutes; other digits are a telephone number."""
    spans = [re.fullmatch(f"(?P<at>){_CLOCK}(?P<hours>)", part) for part in match.groups()]
    if any(not span or int(span["minute"]) % 5 for span in spans):
        return match[0]
    return " to ".join(_say_military(span) for span in spans if span)


def _say_millions(match: re.Match[str]) -> str:
    """``8.4M`` as millions behind a word of what is counted in millions; elsewhere the 'M' may be a molar solution."""
    before = match.string[max(0, match.start() - 50) : match.start()]
    after = match.string[match.end() : match.end() + 40]
    clause = re.split("[,;.!?] ", before)[-1] + re.split("[,;.!?] ", after)[0]
    is_molar = _MOLAR.search(clause)
    return f"{number_words(match[1])} million" if _COUNTED_IN_MILLIONS.search(before) and not is_molar else match[0]


def _say_batting(match: re.Match[str]) -> str:
    digits = match[2]
    return match[1] + (f"oh {pairs(digits[1:])}" if digits[0] == "0" and digits[1] != "0" else pairs(digits))


def _say_hardware(match: re.Match[str]) -> str:
    """``00:1a:2b:3c:4d:5e`` sign by sign, in pairs."""
    return ", ".join(
        " ".join(number_words(sign) if sign.isdigit() else sign.upper() for sign in pair)
        for pair in match[0].split(match[1])
    )


_HRS = r"hrs\b\.?(?! [A-Z])"
_HOURS = rf" ?(?P<hours>hours|{_HRS}|h)(?![A-Za-z])"
# What moves or begins does so at a time of day: 'Departed 1230 hrs'.
_MOVING = (
    r"(?i:depart(?:ed|s|ing|ure)?|arriv(?:ed|es|ing|al)|left|leaves|landed|sailed|began|begins|starts?|started|ended|ends|closed|opened"
    r"|commenced|muster(?:ed)?|lunch|dinner|briefing|parade|inspection|reveille|watch|time|date),?:? "
)
# The address of a network card, and the number of a case at court.
_HARDWARE = r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}(?:([:-])[0-9A-Fa-f]{2})(?:\1[0-9A-Fa-f]{2}){4}(?![0-9A-Za-z:-])"
_NO_RATE = r"(?!\.? (?:of|per|a|each|in|with|on|ago)\b)"
RULES: list[Rule] = [
    rule(_HARDWARE, _say_hardware),
    rule(
        r"\bNo\. ([0-9]{1,2})-([0-9]{3,5})(?![0-9A-Za-z-]|[.,:/][0-9])",
        lambda m: f"Number {number_words(m[1])}-{pairs(m[2])}",
    ),
    rule(rf"\b({'|'.join(_PLACES)})\b\.? ?(?=#?[0-9])", lambda m: f"{_PLACES[m[1]]} "),
    rule(
        r"(\b(?i:scored?|rated|rating|rating of|grade of|marks? of|gave (?:it|him|her|them)) (?:a |an )?)"
        r"([0-9]{1,3}(?:\.[0-9])?)/(5|10|20|100)(?![0-9A-Za-z/]| of\b)",
        _say_out_of,
    ),
    rule(
        r"(\b[Gg]ot )([0-9]{1,3}(?:\.[0-9])?)/(5|10|20|100)(?=[.,;:!?)\"'](?![0-9])|$| (?:on|in|for)\b)",
        _say_out_of,
    ),
    rule(r"()(?<![\w.,/-])([0-9]{1,2}\.[0-9])/(5|10|100)(?![0-9A-Za-z/])", _say_out_of),
    rule(r"()(?<![\w.,/-])([0-9]{1,3})/(5|10|20|100)(?= (?:score|rating|review|mark)s?\b)", _say_out_of),
    # The codes of errors on the web.
    rule(
        r"(\b(?:HTTP|[Ee]rror|[Ss]tatus)(?: code)? )([1-5]0[0-9])(?![\w%]|[.,:/-][0-9])",
        lambda m: m[1] + pairs(m[2]),
    ),
    rule(
        r"(?<![\w.,$£€/-])([1-5]0[0-9])(?= (?:error|Error|ERROR|Not Found|Forbidden|Bad Gateway)\b)",
        lambda m: pairs(m[1]),
    ),
    rule(r"\bFl\. (?=[0-9])", lambda m: "Floor "),
    rule(
        r"\bF/A-([0-9]{2})(?:([A-Z])(?:/([A-Z]))?)?(?![0-9A-Za-z])",
        lambda m: " ".join(filter(None, [f"F A-{number_words(m[1])}", m[2], m[3]])),
    ),
    rule(r"\bFY ?([0-9]{2})/([0-9]{2})(?![0-9/])", lambda m: f"F Y {number_words(m[1])} {number_words(m[2])}"),
    rule(
        rf"(?<![\w.,$£€-])(?<!earned )(?<!paid )(?<!cost )(?<!made )(?<!opulation )40([13]) ?(?:(?<=1)[kK]|(?<=3)[bB])\b(?! ?(?:{_UNIT})\b| (?!plans|accounts|funds|savings|loans|rollovers|matches|contributions|options|holdings|is\b|was\b|has\b|as\b)(?:people|[a-z]+s)\b)",
        lambda m: f"four oh {'one k' if m[1] == '1' else 'three b'}",
    ),
    # A name with a number of three digits: 'Blink-182', 'STS-107', 'Kepler-452b'.
    rule(
        rf"(?P<name>(?<!\w)(?!(?:{_COUNTED})-)[A-Z][A-Za-z]{{1,11}}-)(?P<number>[1-9][0-9]{{2}})(?P<variant>){_WHOLE}(?!-|s\b|[A-Za-z]{{2}})(?![ -]?(?:{_UNIT})(?![A-Za-z]))(?!{_COUNT_AFTER})",
        _say_name,
    ),
    rule(r"\bWW(?=[123]\b)", lambda m: "World War "),
    rule(
        rf"(?P<name>\b(?:{_MAKES}) (?:[A-Z])?)(?P<number>[1-9][0-9]{{2,3}})(?:-(?P<variant>[0-9]{{1,4}}))?{_WHOLE}{_NO_COUNT}",
        _say_pairs,
    ),
    rule(r"(?<![\w.,$£€-])(?P<name>)(?P<number>7[0-8]7)-(?P<variant>[1-9]00|[89])(?![0-9-]|[.,][0-9])", _say_pairs),
    rule(
        r"(?P<name>\b[Aa] )(?P<number>7[0-8]7)(?P<variant>)(?=(?:[.,;:!?)](?![0-9])|$| (?:jet|plane|aircraft|airliner|flight|pilot|landed|took|crashed|and|or|to|in|from|at|is|was|that|with)\b))",
        _say_pairs,
    ),
    rule(
        r"(?P<name>)(?<![\w.,$£€-])(?P<number>7[0-8]7)(?P<variant>)(?= (?:MAX|Max|Dreamliner|Classic|jetliner)\b)",
        _say_pairs,
    ),
    rule(r"(?<![\w.,$£€-])(7[0-8]7)s\b", lambda m: plural(pairs(m[1]))),
    rule(rf"(?P<name>\b(?:{_ROADS})\b\.? )(?P<number>[1-9][0-9]{{2}})(?P<variant>){_WHOLE}{_NO_COUNT}", _say_pairs),
    rule(r"(?P<name>)(?<![\w.,$£€-])(?P<number>480|720|1080|1440|2160)(?P<variant>)(?=[pi]\b)", _say_pairs),
    rule(
        r"(?P<name>\bUS[ -])(?P<number>[1-9][0-9]{2})(?P<variant>)"
        r"(?= (?:north|south|east|west|near|at|through|toward|runs|is)\b|[,;)]|\.?$)",
        _say_pairs,
    ),
    rule(rf"(?P<name>\b(?:{_DOORS})\b\.? )(?P<number>[1-9][0-9]{{2}})(?P<variant>){_WHOLE}{_NO_COUNT}", _say_pairs),
    rule(
        rf"(?P<name>\b[Ff]light )(?P<carrier>[A-Z]{{2}} ?|[A-Z][0-9] ?)?(?P<number>[1-9][0-9]{{2,3}}){_WHOLE}{_NO_COUNT}",
        _say_flight,
    ),
    rule(
        rf"(?P<name>\b(?:{_ISOTOPES})-|(?<![A-Za-z0-9-])[A-Z]-?)(?P<number>[1-9][0-9]{{2}})(?P<variant>)(?![0-9A-Za-z]|[.,:/][0-9])",
        _say_pairs,
    ),
    rule(r"(?<![A-Za-z0-9])([A-Z]{1,3})([1-9][0-9]{0,2})s\b", lambda m: f"{m[1]} {plural(pairs(m[2]))}"),
    rule(
        r"(?<![\w.,])([1-9][0-9]{2,3})x([1-9][0-9]{2,3})(?![0-9A-Za-z]|[.,][0-9])",
        lambda m: f"{pairs(m[1])} by {pairs(m[2])}",
    ),
    rule(
        r"(?<![\w.,])([0-9]{1,2})W-([0-9]{2})(?![0-9A-Za-z])", lambda m: f"{number_words(m[1])} W {number_words(m[2])}"
    ),
    rule(r"(?<![\w.,/])20/([0-9]{2,3})(?= (?:eye)?(?:vision|sight)\b)", lambda m: f"twenty {number_words(m[1])}"),
    rule(r"(\b[Yy]ear )((?:2[1-9]|[3-9][0-9])[0-9]{2})(?![0-9]|[.,][0-9])", lambda m: m[1] + pairs(m[2])),
    rule(
        r"(\b(?:Table|Figure|[Ff]ig\.|Exhibit|Chart|Problem) )([0-9]{1,2})-([0-9]{1,3})(?![0-9A-Za-z-]|[.,:/][0-9])",
        lambda m: f"{m[1].replace('ig.', 'igure')}{number_words(m[2])}-{number_words(m[3])}",
    ),
    rule(
        r"(?<![\w/.])([2-9]|12)/([248])(?=(?:, [0-9]{1,2}/[248]){0,4}(?:,? (?:and|or) [0-9]{1,2}/[248])? time\b)",
        lambda m: f"{number_words(m[1])} {number_words(m[2])}",
    ),
    rule(
        r"(\bodds (?:of|are|were|at) )([0-9]{1,3})/([0-9]{1,3})(?![0-9/])",
        lambda m: f"{m[1]}{number_words(m[2])} to {number_words(m[3])}",
    ),
    rule(
        r"(\b(?i:section|sec\.|figure|fig\.|table|chapter|ch\.|theorem|lemma|equation|eq\.|exercise|example|appendix) )"
        r"([0-9]{1,2})\.([1-9][0-9])(?![0-9A-Za-z-]|\.[0-9])",
        lambda m: f"{m[1]}{m[2]} point {m[3]}",
    ),
    rule(r"\bc(?=1[0-9]{3}\b)", lambda m: "circa "),
    rule(r"(?<![0-9A-Za-z.,:/])'?00s\b", lambda m: "two thousands"),
    rule(
        rf"(?<![\w.,$£€-])([0-9]{{1,3}}(?:\.[0-9]{{1,2}})?) ?(bn|mln|tn|mn(?! (?:{_LATER})\b))\b(?:\.(?= [a-z]))?",
        lambda m: f"{number_words(m[1])} { {'b': 'billion', 'm': 'million', 't': 'trillion'}[m[2][0]] }",
    ),
    rule(
        rf"(?<![\w.,$£€-])([0-9]{{1,3}}(?:\.[0-9]{{1,2}})?)M(?= (?:{_IN_MILLIONS})\b)",
        lambda m: f"{number_words(m[1])} million",
    ),
    rule(
        rf"(?<![\w.,$£€-])(?:([0-9]{{1,3}})-)?([0-9]{{1,3}}(?:\.[0-9]{{1,2}})?)m(?= (?:(?:new|more|extra|other|young|old|poor) )?(?:{_IN_SMALL_MILLIONS})\b(?!['’]))(?!(?<=100m|200m|400m|800m) (?:wo)?men\b)",
        lambda m: f"{number_words(m[1]) + ' to ' if m[1] else ''}{number_words(m[2])} million",
    ),
    rule(r"(?<![\w.,$£€-])([0-9]{1,3}\.[0-9]{1,2})M\b(?!-)", _say_millions),
    rule(
        r"(?<![\w.,$£€-])([0-9]{1,3}(?:\.[0-9]{1,2})?)B(?= (?:people|users|years|views|dollars|euros|pounds|parameters|tokens)\b)",
        lambda m: f"{number_words(m[1])} billion",
    ),
    rule(r"\b(AD|BC)(?=[1-9][0-9]{1,3}\b)", lambda m: f"{m[1]} "),
    rule(r"\b([Ff])ig(s?)\. ?(?=[A-Z][0-9])", lambda m: f"{m[1]}igure{m[2]} "),
    rule(r"\bf/(?=[0-9])", lambda m: "f "),
    rule(r"(?<=[(,;] )pop\. ?(?=[0-9])|(?<=\()pop\. ?(?=[0-9])", lambda m: "population "),
    # The name of a tank or a ship with its gun or year: 'T-34/85'.
    rule(r"(?<![A-Za-z0-9-])([A-Z]{1,2}-[0-9]{1,3})/([0-9]{1,3})(?![0-9/])", lambda m: f"{m[1]} {m[2]}"),
    rule(r"\bH\.(26[0-9])\b", lambda m: f"H dot {pairs(m[1])}"),
    rule(r"(?<![\w.])\.30-(?:(06)|30)(?![0-9])", lambda m: f"thirty {'oh six' if m[1] else 'thirty'}"),
    rule(rf"(?<![\w.])\.([0-9]{{2,3}})(?=[- ](?:{_GUNS}))", lambda m: pairs(m[1])),
    rule(
        rf"(\b(?:[Aa]n?|[Hh]is|[Hh]er|[Mm]y|[Tt]he|[Yy]our|[Tt]heir|loaded) )\.(22|32|38|44|45|303|357){_ALONE}",
        _say_calibre_alone,
    ),
    rule(
        r"(\b(?i:bat(?:s|ted|ting)?|hits?|hitting|average of|averaged|slugg(?:ed|ing)|percentage of) (?:an? |only |over )?)"
        r"\.([0-9]{3})(?![0-9])(?! ?(?:mm|cm|m|g|kg|ml|oz|lb|inch|inches)\b)",
        _say_batting,
    ),
    rule(r"(\b[Aa]n? )\.([0-9]{3})(?= (?:hitter|average|batter|season|winning)\b)", _say_batting),
    rule(r"(?<![\w.,:/-])(0[0-9]{3}) ?-{1,2} ?([0-2][0-9]{3})(?![0-9A-Za-z-]|[.,:/][0-9])", _say_watch),
    rule(rf"(?P<at>\b[Aa]t ){_CLOCK}{_HOURS}{_NO_RATE}", _say_military),
    rule(rf"(?P<at>\b(?:{_BEFORE_TIME}) ){_CLOCK} ?(?P<hours>{_HRS}){_NO_RATE}", _say_military),
    rule(rf"(?P<at>\b{_MOVING}(?:[Aa]t )?){_CLOCK} ?(?P<hours>{_HRS}){_NO_RATE}", _say_military),
    rule(
        rf"(?P<at>\b(?:[Ff]rom|[Bb]etween) ){_CLOCK} ?(?P<hours>{_HRS})(?= (?:to|until|till|and) [0-2][0-9][0-5][0-9] ?hrs)",
        _say_military,
    ),
    rule(rf"(?P<at>\b[a-z]+ hours (?:to|until|till|and) ){_CLOCK} ?(?P<hours>{_HRS}){_NO_RATE}", _say_military),
    rule(rf"(?P<at>^|(?<=[.;:] )){_CLOCK} ?(?P<hours>{_HRS})(?=[:,-]| -)", _say_military),
    rule(rf"(?P<at>)(?<![\w.,:/-])(?P<hour>0[0-9])(?P<minute>[0-5][0-9]){_HOURS}", _say_military),
    rule(
        rf"(?P<at>\bzero [a-z]+ (?:(?:zero )?[a-z]+ )?hours (?:and|or|to|until|till) ){_CLOCK}{_HOURS}{_NO_RATE}",
        _say_military,
    ),
    rule(rf"(?P<at>)(?<![\w.,:/-]){_NO_SPAN}{_CLOCK}(?P<hours>h)(?![A-Za-z]){_NO_RATE}", _say_military),
    rule(r"(?<=\b[Ff]rom )(0[0-9]{3}) (?:to|until|till) ([0-2][0-9]{3})(?![0-9A-Za-z-]|[.,:/][0-9])", _say_watch),
    rule(
        rf"(?P<at>\b(?:{_BEFORE_TIME}|[Aa]fter) )(?P<hour>0[0-9])(?P<minute>[0-5][0-9])(?P<hours>)"
        r"(?![0-9A-Za-z]|[-.:/,] ?[0-9]| [0-9])",
        _say_military,
    ),
]
