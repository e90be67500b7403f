"""Text as it is printed to text as it is spoken: words, apostrophes and a small set of punctuation.

What comes out holds only the letters A-Z and a-z, ``'``, ``. , ! ? ; : - "``, single spaces, and inline
phonemes in braces. Letters outside numbers and abbreviations survive; scripts without a reading are dropped.
"""

import re
import unicodedata
from functools import lru_cache

from triforce_tts.errors import TextError
from triforce_tts.text.abbreviations import expand, is_known, spell_acronyms
from triforce_tts.text.numbers import speak_numbers
from triforce_tts.text.phonemes import BRACES, parse_phones

_FOLDS = {
    **dict.fromkeys("‘’‚‛ʼ′`´", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑−", "-"),
    **dict.fromkeys("–—―‒", " -- "),
    **dict.fromkeys("€£¥₹¢°×", None),  # None: stays for the rules of numbers
    **{"…": "...", "⁄": "/", "·": " ", "•": " ", "ß": "ss", "ẞ": "SS", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe"},
    **{"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th", "ı": "i"},
    **{
        "™": "",
        "®": "",
        "©": "",
        "²": "^2",
        "³": "^3",
        "÷": " divided by ",
        "±": " plus or minus ",
        "§": " section ",
        "№": "No. ",
    },
}
_SYMBOLS = {
    **{
        "&": "and",
        "%": "percent",
        "+": "plus",
        "=": "equals",
        "@": "at",
        "°": "degrees",
        "$": "dollars",
        "£": "pounds",
    },
    **{"€": "euros", "¥": "yen", "₹": "rupees", "¢": "cents", "×": "times"},
}
_URL = re.compile(r"\b(?:https?://|ftp://|www\.)[^\s<>\"]+", re.IGNORECASE)
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5}")
_DOMAIN = re.compile(r"(?<![\w.@-])(?:[A-Za-z0-9-]{1,63}\.){1,4}(?:com|org|net|edu|gov|io|uk|dev)\b(?:/[^\s<>\"]*)?")
_URL_WORDS = {
    ".": "dot",
    "/": "slash",
    "-": "dash",
    "_": "underscore",
    "@": "at",
    "?": "question mark",
    "=": "equals",
    "&": "and",
    "#": "hash",
}
_ELISIONS = {"tis", "twas", "twere", "twill", "til", "em", "cause", "bout", "round", "n", "neath", "gainst", "im", "er"}
_DASH = "\x00"  # stands for a dash between words until hyphens are done with


def normalize(text: str) -> str:
    """The text as words.

    Inline phonemes such as ``{T AH0 M EY1 T OW0}`` are checked and pass through.

    Raises:
        TextError: nothing in the text can be spoken; a brace lacks its partner; or a phone is unknown.
    """
    plain = BRACES.split(text)  # text, phones, text, phones, ..., text
    for stray in "{}":
        if any(stray in part for part in plain[::2]):
            raise TextError(
                f"a '{stray}' without its partner in '{text.strip()[:60]}': braces hold phonemes, such as {{T AH0 M EY1 T OW0}}"
            )
    shouted = _is_shouted(" ".join(plain[::2]))
    parts = [_speak(part, shouted) if i % 2 == 0 else _phonemes(part) for i, part in enumerate(plain)]
    spoken = _tidy(_quotes(_dashes("".join(parts))))
    if not re.search("[A-Za-z]", spoken):
        raise TextError(
            f"nothing in '{text.strip()[:60]}' can be spoken: it holds no letter or digit that English knows"
        )
    return spoken


def is_speakable(text: str) -> bool:
    """Whether the text holds a letter or digit that ``normalize`` would speak."""
    return any(character.isalnum() for character in _fold(text) if character.isascii())


def _phonemes(inside: str) -> str:
    return "{" + " ".join(parse_phones(inside)) + "}"


def _is_shouted(text: str) -> bool:
    """Whether the text is all upper case, which then says nothing; a lone acronym is not shouted."""
    words = re.findall(r"[A-Z]{2,}", text) if text.isupper() else []
    return len(words) > 1 or (len(words) == 1 and len(words[0]) > 5)


def _speak(text: str, shouted: bool) -> str:
    """A stretch without braces, in words; the white space at its ends is kept."""
    text = re.sub(r"\s+", " ", _fold(text))
    if shouted:
        text = text.lower()
    for pattern in (_URL, _EMAIL, _DOMAIN):
        text = pattern.sub(_say_address, text)
    text = re.sub(r"(?<![\w#])#(?=[0-9])", "number ", text)
    text = _letters_beside_digits(expand(text))
    return spell_acronyms(_symbols(speak_numbers(text)))


def _fold(text: str) -> str:
    """The text in ASCII, without accents; only the signs that number rules need stay."""
    text = re.sub(r"(?<=[0-9])[–‒](?=[0-9])", "-", text)
    return "".join(character if character.isascii() else _fold_character(character) for character in text)


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    """One character folded. One at a time, as ordering a long run of accents takes quadratic time."""
    if character in _FOLDS:
        folded = _FOLDS[character]
        return character if folded is None else folded
    if unicodedata.category(character) in ("Cf", "Mn", "Me"):
        return ""  # joiners, soft hyphens, accents
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    decomposed = unicodedata.normalize("NFKD", character).replace("\u2044", "/")
    ascii_only = "".join(part for part in decomposed if part.isascii())
    return f" {ascii_only}" if "/" in ascii_only and ascii_only[0].isdigit() else ascii_only or " "


def _say_address(match: re.Match[str]) -> str:
    """A web or mail address with its signs in words; the scheme is left out."""
    address = match[0].rstrip(".,!?;:)'\"")
    rest = match[0][len(address) :]
    address = re.sub(r"^[a-zA-Z]+://", "", address).rstrip("/")
    words = [_URL_WORDS.get(part, part) for part in re.findall(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]", address)]
    return " ".join("W W W" if word.lower() == "www" else word for word in words) + rest


def _letters_beside_digits(text: str) -> str:
    """Short letter groups at a digit in upper case where they are no word, to be spelled: mp3 as MP 3."""
    return re.sub(r"(?<![A-Za-z'])[a-z]{2,4}(?=[0-9])", lambda m: m[0] if is_known(m[0]) else m[0].upper(), text)


def _symbols(text: str) -> str:
    text = re.sub(r"\band/or\b", "and or", text)
    text = re.sub(r"(?<=[A-Za-z]) ?/ ?(?=[A-Za-z])", " slash ", text)
    text = re.sub(r"(?<=\b[A-Z])#", " sharp ", text)
    text = re.sub(r"#(?=[A-Za-z])", " hashtag ", text)
    return "".join(f" {_SYMBOLS[character]} " if character in _SYMBOLS else character for character in text)


def _dashes(text: str) -> str:
    """Dashes marked apart from hyphens; a hyphen that hangs on one word ('pre- and') goes."""
    text = re.sub(r"-{2,}|(?:^| )-(?= |$)", f" {_DASH} ", text)
    return re.sub(r"(?<![A-Za-z}])-|-(?![A-Za-z{])", " ", text)


def _quotes(text: str) -> str:
    """Apostrophes kept, single quotation marks made double, anything else of the kind dropped."""
    out: list[str] = []
    is_open = False
    for i, character in enumerate(text):
        if character != "'":
            out.append(character)
            continue
        after_letter = i > 0 and (text[i - 1].isalpha() or text[i - 1] == "}")
        before_letter = text[i + 1 : i + 2].isalpha()
        if after_letter and before_letter:
            out.append("'")
        elif before_letter:
            elided = re.match("[a-z]+", text[i + 1 : i + 9].lower())
            is_elision = elided is not None and elided[0] in _ELISIONS
            out.append("'" if is_elision else '"')
            is_open = is_open or not is_elision
        elif is_open:
            out.append('"')
            is_open = False
        elif after_letter:
            out.append("'")  # dogs', goin'
    return "".join(out)


def _tidy(text: str) -> str:
    """Single spaces and single punctuation, each where it belongs."""
    text = re.sub(r"(?<!\.)(?<!\. )\.(?: ?\.)+(?= ?[a-z])", ",", text)  # an ellipsis within a sentence
    text = re.sub(r"[()\[\]]", ", ", text)
    text = re.sub(rf"[^A-Za-z0-9'.,!?;:\-\" {{}}{_DASH}]", " ", text)
    text = re.sub(r" +", " ", text)
    text = re.sub(r" ?[.,!?;:](?: ?[.,!?;:])*", lambda m: _strongest(m[0]), text)
    text = re.sub(rf" ?{_DASH}(?: ?{_DASH})* ?", _DASH, text)
    text = re.sub(rf"(?:^|(?<=[.,!?;:])){_DASH}|{_DASH}(?=[.,!?;:]|$)", " ", text)
    text = text.replace(_DASH, " - ")
    text = re.sub(r"([.,!?;:])(?=\"?[A-Za-z{])", r"\1 ", text)
    text = re.sub(r"\"(?: ?\")+", '"', text)
    text = re.sub(r" (?=[.,!?;:])", "", re.sub(r" +", " ", text))
    return text.lstrip(" ,.;:!?-").rstrip(" ,;:-")


def _strongest(marks: str) -> str:
    return next(mark for mark in "?!.;:," if mark in marks)
