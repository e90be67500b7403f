"""The signs by which text files write what print shows: ``_italics_``, ``=bold=``, ``M^r``, ``man[oe]uvre``, ``co[:o]perate``."""

import re
import unicodedata

_ITALICS = re.compile(r"(?<![^\W\d_])_(?=\S)([^_]*?)_(?![^\W_])")
# Bold, spaced or small capital letters: the signs are attached to words, and hold a word.
_MARKED = re.compile(r"(?<![\w=+~])([=+~])(?=[^\W\d_]|[\"“‘'(])([^=+~\n]{0,300}?[^\W_][.,;:!?\"”’')—-]*)\1(?![\w=+~])")
# Raised letters end a word that is cut short: "M^r", "y^e", "4^{th}". One letter behind another one may be a power: "e^x", "2^n".
_RAISED = re.compile(
    r"(?:(?<=[^\W_])(?=\^\{?[^\W\d_]{2})|(?<=[^\W\d_][^\W\d_])|(?<=[A-Zy])(?=\^\{?[a-z])|(?<=\d)(?=\^\{?o))"
    r"\^(?:\{([^\W\d_]{1,5})\.?\}|([^\W\d_]{1,3})(?![^\W_]))"
)
_LIGATURE = re.compile(r"\[(oe|ae)\]", re.IGNORECASE)
_ACCENTS = {"=": "\u0304", ":": "\u0308", "'": "\u0301", "`": "\u0300", "^": "\u0302", "~": "\u0303", ")": "\u0306", ",": "\u0327"}  # fmt: skip
_ACCENTED = re.compile(r"\[(?:([=:'`^~)])([A-Za-z])|([A-Za-z])(['`^~,]))\]")


def without_signs(text: str) -> str:
    """A text without these signs; its letters stay the same. What they mark may begin on one line and end on another."""
    if "_" in text:
        text = _ITALICS.sub(lambda match: match[1], text)
    if any(sign in text for sign in "=+~"):
        text = _MARKED.sub(lambda match: match[2], text)
    if "^" in text:
        text = _RAISED.sub(lambda match: match[1] or match[2], text)
    if "[" in text:
        text = _LIGATURE.sub(lambda match: match[1], text)
        text = _ACCENTED.sub(_accented, text)
    return text


def _accented(match: re.Match[str]) -> str:
    """The letter with its accent, if there is one such letter; "s[:k]" is no sign for one."""
    letter, accent = match[2] or match[3], match[1] or match[4]
    accented = unicodedata.normalize("NFC", letter + _ACCENTS[accent])
    return accented if len(accented) == 1 else match[0]
