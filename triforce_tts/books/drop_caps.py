"""Drop caps: a large first letter in an element of its own belongs to the word behind it."""

import re
from typing import Any

from triforce_tts.text.phonemes import Lexicon

from .html_rules import classes_of, name_of
from .notes import text_in

_CLASS = re.compile(r"(?:drop[-_]?caps?|initial|lettrine|first[-_]?letter|illuminated|capital)\d*")
_CAP = re.compile(r"[“‘\"'(]*[^\W\d_]")
_REST = re.compile(r"[^\W\d_]+")
_WORDS = ("A", "I", "O")  # letters that are words


def _letter_behind(picture: Any) -> str:
    """The letter directly behind a picture that is the first thing of its element, or of one around it, or nothing."""
    element, parent = picture, picture.getparent()
    while (
        parent is not None
        and name_of(parent) != "figure"
        and element.getprevious() is None
        and not (parent.text or "").strip()
    ):
        behind, following = element.tail or "", element.getnext()
        while not behind and following is not None:  # a comment holds nothing that is read
            behind = ("".join(following.itertext()) if name_of(following) else "") or following.tail or ""
            following = following.getnext()
        if behind:
            return behind[0] if behind[0].isalpha() else ""
        element, parent = parent, parent.getparent()
    return ""


class DropCaps:
    """Joins a drop cap with the text behind it, also over white space and the edge of a block."""

    def __init__(self) -> None:
        self._letter = ""
        self._spaced = False
        self._lexicon = Lexicon()
        self._last = ""

    @property
    def is_waiting(self) -> bool:
        """Whether the rest of the word has not come yet."""
        return bool(self._letter)

    def is_cap(self, element: Any) -> bool:
        """Whether an element is a drop cap: one letter, told by its class, or as a picture directly before the rest of the word."""
        is_picture = name_of(element) == "img"
        is_told = any(_CLASS.fullmatch(word) for word in classes_of(element))
        behind = _letter_behind(element) if is_picture else ""
        if not is_told and not behind:
            return False
        text = element.get("alt", "").strip() if is_picture else text_in(element)
        if not _CAP.fullmatch(text) or (not is_told and text[-1].islower() and not behind.islower()):
            return False
        self._last = text[-1]
        return True

    def wait(self) -> None:
        """The drop cap that ``is_cap`` told has been read."""
        self._letter, self._spaced = self._last, False

    def joined(self, text: str) -> str:
        """``text`` that follows, without the white space in front of the rest of the drop cap's word."""
        if not self._letter:
            return text
        rest = text.lstrip()
        self._spaced = self._spaced or rest != text
        if not rest:
            return ""
        letter, self._letter = self._letter, ""
        match = _REST.match(rest)
        if not self._spaced or match is None:
            return text
        return rest if self._belongs(letter, match[0]) else f" {rest}"

    def _belongs(self, letter: str, rest: str) -> bool:
        if letter.upper() not in _WORDS:
            return True
        is_word = (len(rest) > 1 or rest.upper() in _WORDS) and self._lexicon.lookup(rest) is not None
        return not is_word
