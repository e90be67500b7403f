"""What a title of a chapter counts: the words of a text file's headings, and also numbers alone."""

import re
from typing import Literal

from .numerals import NUMBER
from .plain_headings import is_number_only, kind_of

TitleKind = Literal["part", "chapter", "named"]
# "7", "IV: The Sea" and "One", but not "One day".
_NUMBERED = re.compile(rf"{NUMBER}\.?\s*(?:$|\n|[:—–-]|(?<=\.)\s*[^\W_])", re.IGNORECASE)
_NUMBER = re.compile(rf"{NUMBER}\W*", re.IGNORECASE)


def is_number(title: str) -> bool:
    """Whether a title is a number alone, with or without a word such as "Chapter"."""
    return is_number_only(title) or bool(_NUMBER.fullmatch(title))


def numbered(title: str) -> TitleKind | None:
    """What a title counts or names: a part, a chapter, or a piece such as a preface; None for any other title."""
    if not title or title[0].islower():
        return None
    kind = kind_of(title)
    if kind in ("part", "named"):
        return "part" if kind == "part" else "named"
    return "chapter" if kind is not None or _NUMBERED.match(title) else None
