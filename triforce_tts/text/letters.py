"""Runs of capitals: roman numerals as numbers, and acronyms letter by letter."""

import re
from functools import lru_cache

from triforce_tts.text import numeral_names
from triforce_tts.text.abbreviation_names import OPENERS
from triforce_tts.text.initialisms import is_initialism
from triforce_tts.text.money import CODES
from triforce_tts.text.numbers import Rule, cardinal, ordinal, rule, year
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.roman import LONG_NUMERAL, value_of

# These are spelled although the dictionary has a word with the same letters.
ALWAYS_SPELLED = {
    *(
        "AC",
        "AI",
        "DC",
        "EST",
        "EU",
        "GI",
        "HR",
        "ID",
        "IP",
        "IQ",
        "IT",
        "MI",
        "OS",
        "PA",
        "PO",
        "PR",
        "QA",
        "UN",
        "US",
        "WHO",
    ),
    *("BA", "DA", "ER", "LA", "MA", "PE", "TA"),
    *("AR", "CT", "DEA", "FYI", "GED", "IMO", "IRA", "MC", "NGO", "OSS", "OT", "PSI", "RAF", "SAS"),
}
# Some of these are common words too. Among other capitals they are read as words.
WORDS_TOO = {"IT", "US", "WHO", "PA", "BA", "DA", "ER", "LA", "MA", "PE", "TA", "IRA"}
# These are sung, called or murmured too: '"LA LA LA," she sang', 'MA! Come here', 'ER... I think'.
_CALLS = frozenset(["BA", "DA", "ER", "LA", "MA", "TA"])
_NAMED = "LA"  # this is a place more often than it is called
_SUNG = re.compile(r"[ ,!.-]*\"[ ,]*(?:[a-z]+ ){0,2}(?:sang|sings?|sung|hum(?:s|med)?|trill(?:s|ed)?|croon(?:s|ed)?)\b")
_LONGEST_ACRONYM = 4  # longer ones with a vowel are mostly read as words: COVID, UNESCO
_SYMBOLS_OF_ELEMENTS = frozenset("CHNOSP")

_COUNTED_WORDS = (
    "act appendix article book bowl canto chapter class division figure grade group level mark part phase plate psalm"
    " scene section series stage table title type vatican volume war wars vol apollo episode season lesson unit stanza"
    " paragraph schedule exhibit question tome sonnet page pages saturn iphone os books chapters volumes parts acts scenes"
    " sections articles cantos psalms sonnets numbers phases plates figures tables titles vols stave lecture sermon fable"
    " eclogue idyll epistle satire dialogue proposition theorem lemma corollary axiom essay fytte rune hymn ode elegy annex"
    " strophe surah meditation discourse"
)
COUNTED = frozenset(_COUNTED_WORDS.split())
_RULER_NAMES = (
    "abdullah adrian afonso akbar albert alexander alexios alexius alfonso amenhotep andrew anne antiochus artaxerxes"
    " augustus baldwin baudouin basil bayezid benedict boleslaw boniface boris callixtus canute carlos carol casimir"
    " catherine celestine charles christian christina christopher clement cleopatra conrad constantine cyrus darius david"
    " edgar edmund edward elizabeth emanuel emmanuel eric ethelred eugene faisal felipe feodor ferdinand francis franz"
    " frederick friedrich george gregory gustav gustavus haakon hadrian hakon harald harold heinrich henri henry honorius"
    " hussein humbert innocent isabella ivan james joan john joseph juan julius justin justinian karl khosrow konrad"
    " leo leopold lothair louis ludwig magnus mahmud manuel margaret margrethe maria martin mary matilda"
    " maximilian mehmed mehmet michael mithridates mohammed murad mustafa napoleon nicholas nicolas olaf olav osman oscar"
    " otto paul pedro peter philip philippe pius ptolemy ramesses ramses richard robert romanos rudolf rudolph selim"
    " seti shapur sigismund sixtus stanislaw stephen suleiman sylvester tiberius theodore theodosius thutmose umberto urban"
    " valentinian victor victoria vittorio wenceslaus wilhelm willem william xerxes zog"
)
RULERS = frozenset(_RULER_NAMES.split())
# What follows the word 'I', as in 'The Book I read', and hardly a number.
_VERB_OF_I = re.compile(
    r" (?:am|have|do|don't|didn't|read|wrote|learn(?:ed|t)|liked?|loved?|knew|know|think|thought|want(?:ed)?|remember|mentioned|bought"
    r"|studied|teach|hated?|wish|need(?:ed)?)\b(?! (?:by|in|to be)\b)"
)
# The same behind an article, as in 'the Lecture I gave', where a number would have a noun: 'the Phase I trial'.
_DONE_BY_ME = re.compile(
    r" (?:had|gave|took|saw|heard|told|lent|sang|played|built|made|held|chose|spent|left|found|went|got|said|sat|spoke|began|kept"
    r"|lost|met|brought|caught|taught|fought|sent|sold|drew|won|felt|broke|recited|delivered|attended|preached|composed|enjoyed"
    r"|watched|asked|passed|reached|joined|missed|described|submitted|finished|started|visited|used|called|entered)\b(?! (?:by|in|to be)\b)"
)
_RULING = (
    r"(?i:king|queen|pope|emperor|empress|tsar|czar|kaiser|sultan|pharaoh|prince|duke|shah|saint|st\.?|caliph|archduke)"
)
# A family name behind an initial, also behind one that has lost its stop. What is named after a king is none.
_OF_KINGS = (
    "Dock|Docks|Bridge|Hotel|Avenue|Street|Road|Square|Place|Park|Coast|Land|School|College|Hospital|Museum|Memorial|Library|Hall"
    "|House|Class|Station|Statue|Stamps?|Coronation|Jubilee|Sovereign|Penny|Shilling|Silver|Gold|Rex|Period|Era"
    "|Restaurant|France|Spain|England|Scotland|Britain|Germany|Paris|London|Rome|Nobody"
)
# What a king does in a heading: 'Charles V Becomes Emperor'.
_DEEDS = (
    "Abdicate[sd]|Became|Becomes|Came|Comes|Conquer(?:s|ed)|Crowned|Defeat(?:s|ed)|Die[sd]|Enter(?:s|ed)|Gave|Gives|Goes|Had|Has"
    "|Invade[sd]|Is|Leaves|Left|Loses|Lost|Made|Makes|Married|Marries|Meets|Met|Open(?:s|ed)|Order(?:s|ed)|Reign(?:s|ed)"
    "|Return(?:s|ed)|Rule[sd]|Said|Says|Speaks|Spoke|Takes|Took|Visit(?:s|ed)|Was|Went|Will|Wins|Won"
)
# Who speaks of these speaks of kings, not of a writer.
_REACH_OF_KINGS = 60
_ROYAL = re.compile(
    r"\b(?i:kings?|queens?|emperors?|empress|popes?|papal|pontiff|pontificate|thrones?|crown(?:ed)?|reign(?:ed|s)?|dynasty|coronation"
    r"|abdicat\w+|heirs?|shakespeare(?:'s)?|agincourt|habsburgs?|bourbons?|medici)\b"
)
_IN_HIS_REIGN = (
    r"\b(?:[Uu]nder|[Aa]fter|[Bb]efore|[Tt]roops of|[Ss]ince|[Ww]hen|[Uu]ntil|(?:reign|time|days|death|age|court) of) $"
)
_FAMILY_NAME = re.compile(
    rf"\.? (?![A-Z][a-z]+ [IVX]+\b)(?!(?:{_OF_KINGS}|{OPENERS}|Act|Scene|Sc|Part|Chapter|Book|King|Queen|Emperor|Pope|Duke|Count|Prince|Lord|{_DEEDS})\b)"
    r"(?:[A-Z]'?[A-Za-z]*[a-z]\b|[A-Z](?:\.| [A-Z][a-z])|(?:[Vv]an|[Vv]on|[Dd]e|[Dd]u) [A-Z])"
)
_ROMAN_NUMERAL = re.compile(r"(?=.)(?:XC|XL|L?X{0,4})(?:IX|IV|V?I{0,3})")


@lru_cache(maxsize=1)
def _lexicon() -> Lexicon:
    return Lexicon.load()


def is_known(word: str) -> bool:
    """Whether the dictionary has the word or a regular form of it."""
    return _lexicon().lookup(word) is not None


def speak_roman(text: str) -> str:
    """The text with roman numerals in words, if the text around them shows that they are numerals."""
    for pattern, speak in _ROMAN_RULES:
        text = pattern.sub(speak, text)
    return text


def spell_acronyms(text: str) -> str:
    """``HTTP`` as 'H T T P'; what the dictionary knows (NASA, FBI) and shouted words stay as they are."""
    return _ACRONYM.sub(_say_acronym, text)


def spell_beside_digits(text: str) -> str:
    """The text with short groups of letters beside a digit spelled if they are no words: mp3 as M P 3, CO2 as C O 2."""
    text = _COMPOUND.sub(
        lambda m: m[0] if is_known(m[0]) else " ".join(re.findall("[A-Za-z]|[0-9]+", m[0])).upper(), text
    )
    text = re.sub(
        r"(?<![0-9A-Za-z'])(?<![0-9] )(?!(?:km|cm|mm)[23]\b)[a-z]{2,4}(?=[0-9])",
        lambda m: m[0] if is_known(m[0]) else m[0].upper(),
        text,
    )
    text = re.sub(r"(?<=[A-Z][0-9])OH\b|(?<=[A-Z][0-9]{2})OH\b", "O H", text)
    return re.sub(r"(?<![A-Za-z'])[A-Z]{2,3}(?=[0-9])", _say_formula, text)


def _say_formula(match: re.Match[str]) -> str:
    letters = match[0]
    if letters in CODES or letters == "RM":
        return letters
    is_formula = len(letters) == 2 and set(letters) <= _SYMBOLS_OF_ELEMENTS
    return " ".join(letters) if is_formula or letters in ALWAYS_SPELLED or not is_known(letters) else letters


def _say_roman(match: re.Match[str]) -> str:
    name, numeral = match.group(1, 2)
    if not _ROMAN_NUMERAL.fullmatch(numeral) or _is_initial(match):
        return match[0]
    value = value_of(numeral)
    after = match.string[match.end() : match.end() + 24]
    before = match.string[max(0, match.start() - 24) : match.start()]
    if name.lower() in COUNTED:
        is_pronoun = numeral == "I" and name != "War" and not match[3] and _is_pronoun(before, after)
        return match[0] if is_pronoun else f"{name} {cardinal(value)}"
    if (name.lower() in RULERS or re.search(rf"\b{_RULING} $", before)) and value < 40:
        # In 'Elizabeth I know' and 'Mary I. Smith' the 'I' is not the number of a queen.
        if (
            numeral == "I"
            and not match[3]
            and not re.match(
                r"[,;:!?)\"']|\.?$| (?i:and) [A-Z][a-z]+ [IVX]+\b| the [A-Z]| \((?:[0-9]|c\.|r\.)| (?i:of|died|reigned|ruled|who|was|became|succeeded|ascended|married)\b",
                after,
            )
        ):
            return match[0]
        return f"{name} the {ordinal(value)}"
    # Among capitals a short numeral may be an acronym or a word: 'GIVE IV FLUIDS'.
    doubtful = name.isupper() and "II" not in numeral and len(numeral) < 3
    return f"{name} {cardinal(value)}" if len(numeral) > 1 and value < 40 and not doubtful else match[0]


def _is_initial(match: re.Match[str]) -> bool:
    """Whether the 'V' or 'X' of 'George V. Higgins' begins a name: a family name or a further initial follows."""
    if match[2] not in ("V", "X") or match[1].lower() in COUNTED:
        return False
    before = match.string[max(0, match.start() - 24) : match.start()]
    if not _FAMILY_NAME.match(match.string, match.end(2)) or re.search(rf"\b{_RULING} $", before):
        return False
    near = match.string[max(0, match.start() - _REACH_OF_KINGS) : match.start()].rpartition(";")[2]
    near += match.string[match.start() : match.end() + _REACH_OF_KINGS].partition(";")[0]
    if _ROYAL.search(near):
        return False
    return match.string[match.end(2)] == "." or not re.search(_IN_HIS_REIGN, before)


def _drop_stop_of_initial(match: re.Match[str]) -> str:
    return match[0].removesuffix(".") if match[1].lower() in RULERS and _is_initial(match) else match[0]


def _is_pronoun(before: str, after: str) -> bool:
    """Whether a verb after an 'I' shows that it is the word."""
    behind_article = re.search(
        r"\b(?:[Tt]he|[Ee]very|[Ee]ach|[Tt]his|[Tt]hat|[Aa]n?|[Aa]nother|[Ff]irst|[Ll]ast|[Oo]nly) $", before
    )
    return bool(_VERB_OF_I.match(after) or (behind_article and _DONE_BY_ME.match(after)))


def _say_counted(match: re.Match[str]) -> str:
    """``chapter iv``, ``PART XL`` and ``pp. ii-ix``: a numeral in any case after a word that is counted."""
    values = [value_of(numeral.upper()) for numeral in match.group(2, 3) if numeral]
    valid = all(LONG_NUMERAL.fullmatch(numeral.upper()) for numeral in match.group(2, 3) if numeral)
    if not valid:
        return match[0]
    if len(values) > 1 and values[0] >= values[1]:  # This is no range: 'Act V -- I saw it'.
        return f"{match[1]}{cardinal(values[0])}{match.string[match.end(2) : match.end()]}"
    return f"{match[1]}{' to '.join(map(cardinal, values))}{' point ' if match[4] else ''}"


def _say_list(match: re.Match[str]) -> str:
    """``Louis XIV, XV and XVI`` with ordinals and ``Parts I and II`` with numbers; a last 'I' is mostly the word."""
    name, last = match.group(1, 4)
    numerals = [*re.findall("[IVXL]+", match[2] + match[3]), last]
    is_ruler = name.lower() in RULERS
    if not (is_ruler or name.lower() in COUNTED) or not all(_ROMAN_NUMERAL.fullmatch(numeral) for numeral in numerals):
        return match[0]
    if last == "I" and not (is_ruler and re.match(r"[.,;:)]|$", match.string[match.end() : match.end() + 1])):
        return match[0]
    say = ordinal if is_ruler else cardinal
    joint = " to " if match[3].strip(" -") == "" else match[3]
    if joint != match[3] and value_of(numerals[0]) >= value_of(last):
        return match[0]
    words = re.sub("[IVXL]+", lambda numeral: say(value_of(numeral[0])), match[2] + joint + last)
    return f"{name} {'the ' * is_ruler}{words}"


def _say_century(match: re.Match[str]) -> str:
    numeral = match[1].upper()
    return ordinal(value_of(numeral)) if _ROMAN_NUMERAL.fullmatch(numeral) else match[0]


def _say_ruler(match: re.Match[str]) -> str:
    """``Henry the VIII`` as Henry the eighth."""
    is_ruler = match[1].split()[0].lower() in RULERS and _ROMAN_NUMERAL.fullmatch(match[2])
    return match[1] + ordinal(value_of(match[2])) if is_ruler else match[0]


def _say_roman_year(match: re.Match[str]) -> str:
    value = value_of(match[0]) if LONG_NUMERAL.fullmatch(match[0]) else 0
    return year(value) if 1000 <= value < 2100 else match[0]


def _say_acronym(match: re.Match[str]) -> str:
    word, ending = match.group(1, 2)
    is_word = is_known(word)
    if _is_without_h(match):
        return match[0]
    if "II" in word and _ROMAN_NUMERAL.fullmatch(word):
        return cardinal(value_of(word)) + (ending or "")  # this is no acronym, while 'IV' and 'XL' may be
    beside_shouted = _is_beside_shouted(match)
    if _is_spelled_there(match) and not beside_shouted:
        return " ".join(word) + ("'s" if ending else "")
    if is_word and (word not in ALWAYS_SPELLED or (beside_shouted and word in WORDS_TOO) or _is_called(match)):
        return match[0]
    has_vowel = re.search("[AEIOUY]", word)
    if has_vowel and (len(word) > _LONGEST_ACRONYM or (beside_shouted and len(word) == _LONGEST_ACRONYM)):
        return match[0]
    return " ".join(word) + ("'s" if ending else "")


def _is_without_h(match: re.Match[str]) -> bool:
    """Whether an apostrophe stands for an 'H', as in \"'ELLO\", or opens a quotation before a common word, as in \"'IT RAINS.'\"."""
    word, string = match[1], match.string
    mark = string[max(0, match.start() - 1) : match.start()]
    if mark not in ("'", '"') or string[match.end() : match.end() + 1] == mark or match[2]:
        return False
    whole = f"H{word}"
    is_common = mark == "'" and word in WORDS_TOO
    return is_known(whole) and not is_spelled_in_lexicon(whole) and (is_common or not is_known(word))


def _is_beside_shouted(match: re.Match[str]) -> bool:
    """Whether the neighbouring word is in upper case and in the dictionary, as in 'STOP IT NOW'."""
    before = re.search(r"\b([A-Z]{2,})[ ,'-]+$", match.string[max(0, match.start() - 24) : match.start()])
    after = re.match(r"[ ,'-]+([A-Z]{2,})\b", match.string[match.end() : match.end() + 24])
    words = [neighbour[1] for neighbour in (before, after) if neighbour]
    return any(word not in ALWAYS_SPELLED and is_known(word) and not is_spelled_in_lexicon(word) for word in words)


def _is_spelled_there(match: re.Match[str]) -> bool:
    """Whether the words around show that the letters are an initialism, although the dictionary has a word with them."""
    before = match.string[max(0, match.start() - 20) : match.start()]
    return is_initialism(match[1], match[2] or "", before, match.string[match.end() : match.end() + 16])


def _is_called(match: re.Match[str]) -> bool:
    """Whether 'LA' and its like are words: repeated (also TA-DA), alone before '!' or '...', or alone in a quotation.

    In '"LA is nice"' and '"MA, ME and NH"' they are letters.
    """
    if match[1] not in _CALLS or match[2]:
        return False
    before = match.string[max(0, match.start() - 12) : match.start()]
    after = match.string[match.end() : match.end() + 12]
    joint = r"(?:[ ,!-]|\.{3})+"
    call = "|".join(_CALLS)
    is_repeated = re.search(rf"\b(?:{match[1]}{joint}|(?:{call})-)$", before) or re.match(
        rf"(?:{joint}{match[1]}|, {match[1].lower()}|-(?:{call}))\b", after
    )
    is_alone = re.search(r"(?:^|[.!?;:\"(-] ?)$", before) and re.match(r"!|\.{2}", after)
    if is_repeated or is_alone:
        return True
    if not re.search(r"(?:^|[ (-])[\"']$", before):
        return False
    if match[1] == _NAMED:
        return bool(_SUNG.match(match.string[match.end() : match.end() + 40]))
    return bool(re.match(r"[.?!]|,(?! (?:[A-Z]{2}\b|and\b|or\b))|-{2}| -", after))


def is_spelled_in_lexicon(word: str) -> bool:
    """Whether the dictionary itself spells the word out: 'fbi' has as many primary or secondary stresses as letters."""
    phones = _lexicon().lookup(word) or ()
    stresses = sum(phone[-1] in "12" for phone in phones)
    return stresses >= len(word) > 1


# Two or more symbols of elements, one of them with a small letter: NaCl, CaCO3.
_ELEMENT = "Na|Ca|Mg|Cl|Fe|Cu|Zn|Al|Li|Ag|Pb|Ba|Mn|Ni|Cr|Hg|Si|Br|Ti|H|C|N|O|S|P|K|F|I"
_COMPOUND = re.compile(
    rf"(?<![A-Za-z'.-])(?=[A-Z][A-Z0-9]{{0,20}}[a-z])(?:(?:{_ELEMENT})[0-9]{{0,2}}){{2,8}}(?![A-Za-z0-9'])"
)
_COUNTED_WORD = "|".join(sorted(COUNTED, key=len, reverse=True))
_ROMAN_RULES: list[Rule] = [
    rule(r"(?<=\()i(?=\).{1,400}\(ii\))", lambda m: "one"),
    rule(r"(?<![\w'-])([IVXL]{2,7}|[VX]|I(?=st))(?:st|nd|rd|th)\b", _say_century),
    rule(r"(?<![\w'-])([IVX]{1,6})(?:th)?(?= ?-{1,2} ?[IVX]{1,6}(?:th)? (?i:century|centuries)\b)", _say_century),
    rule(r"(?<=[a-z]) ?-{1,2} ?(?=[IVX]{1,6}(?:th)? (?i:century|centuries)\b)", lambda m: " to "),
    rule(r"(?<![\w'-])([IVXivx]{1,6})(?:th)?(?= (?i:century|centuries)\b)(?<!\bi)", _say_century),
    rule(
        rf"(?<![A-Za-z])((?i:{_COUNTED_WORD})\.? )([IVXLC]{{2,9}}|[ivxlc]{{2,9}}|[VXL]|I(?= ?-{{1,2}} ?[IVXLC]{{2}}))(?: ?-{{1,2}} ?([IVXLC]{{1,9}}|[ivxlc]{{1,9}}))?(?![\w'])(?:(\.)(?=[0-9])|(?!\.[A-Za-z]))",
        _say_counted,
    ),
    rule(
        r"(?<![A-Za-z])((?i:chapter|act|scene|book|volume|canto|part|page|vol\.) )([ivx])()()(?=[.,:;)]|$)",
        _say_counted,
    ),
    rule(
        r"(?<![A-Za-z])([A-Za-z]{3,}) ([IVXL]{1,7})((?:, [IVXL]{1,7}){0,9},? (?:and|or|to|through|&) | ?-{1,2} ?)([IVXL]{1,7})(?![\w'-]|\.[A-Za-z])",
        _say_list,
    ),
    rule(
        r"\b((?i:type|phase|stage|class|schedule|category|level) )(I)()()(?= (?:errors?|diabetes|trials?|stud(?:y|ies)|cancers?|drugs?|devices?|collagen|fibers?|evidence|survivors?)\b)",
        _say_counted,
    ),
    rule(r"(?:^|(?<=\()|(?<=[.;:,] ))()((?!vi\)|xi\))[ivx]{2,5})()()(?=\) [A-Za-z])", _say_counted),
    rule(r"^()([IVX]{2,5})()()(?=\. ?[A-Z])", _say_counted),
    rule(r"\b([A-Z][a-z]+ the )([IVX]{2,6})(?![\w'])", _say_ruler),
    # A list of numerals that counts up from one: 'I, II, III and IV'.
    rule(
        r"(?<![\w'])I, II(?:, [IVX]{1,5}){0,9},?(?: (?:and|or|&) [IVX]{1,5})?(?![\w'-])",
        lambda m: re.sub("[IVX]+", lambda numeral: cardinal(value_of(numeral[0])), m[0]),
    ),
    *numeral_names.RULES,
    # A stop before a small letter or a comma shows that the letters are a numeral: 'Charles I. was', 'James I., King'.
    rule(r"\b([A-Z][A-Za-z]+) ([IVXL]+)\b(?!'(?!s\b)|\.[A-Z])(\.(?=,| [a-z(]|'s\b))?", _say_roman),
    rule(r"\b([A-Z][a-z]+) ([VX])\.(?= )", _drop_stop_of_initial),
    rule(r"(?<![\w'])M{1,3}[MDCLXVI]{3,14}(?![\w'])", _say_roman_year),
]
_ACRONYM = re.compile(
    r"(?<![A-Za-z])(?<![A-Za-z]')(?!(?<=')(?:TIS|TWAS|TWERE|TWILL|TWIXT|EM|TIL|BOUT|CAUSE|NUFF|NEATH|GAINST)\b)([A-Z]{2,})('?s)?(?![A-Za-z])"
)
