"""Finds the speakers of plays in pages that type them by classes: names in small capitals, or in paragraphs of their own."""

import re
from collections.abc import Sequence
from typing import Any

from .chapters import count_words
from .html_rules import PERSONA_ATTRIBUTE, classes_of, is_block, name_of
from .notes import text_in

_CLASS = re.compile(r"(?:speaker|persona|charname|char-name|character-name|speaker-name)s?", re.IGNORECASE)
_SMALL_CAPS = re.compile(r"sc|smcap|smallcaps?|small-caps?", re.IGNORECASE)
# What opens paragraphs of textbooks and letters, and is no name.
_NO_NAME = re.compile(
    r"(?:definitions?|examples?|theorems?|lemmas?|corollar(?:y|ies)|propositions?|axioms?|postulates?|proofs?|scholi(?:um|a)|"
    r"remarks?|observations?|notes?|exercises?|problems?|solutions?|answers?|hints?|warnings?|cautions?|methods?|rules?|"
    r"articles?|ingredients|summary|objections?|(?:my )?dear(?:est)?|of|on|in|to|from|how|why|what|when)\b",
    re.IGNORECASE,
)
_SIGN = re.compile(r"\s*[.:]")
_MOST_NAME = 5  # the most words of a name
_LEAST_SPEECHES = 2  # a name that begins so many paragraphs shows that the book is a play
_LEAST_NAMES = 2  # so many names must do so, and they must begin most of what looks like speeches


def mark_speakers(pages: Sequence[Any]) -> None:
    """Set an attribute on the names that begin speeches, if they are marked by such a class, and two of them begin several."""
    found: dict[str, list[Any]] = {}
    for page in pages:
        for element in page.iter("{*}p", "{*}span", "{*}b", "{*}div"):
            if _may_be_name(element):
                found.setdefault(text_in(element).strip(" .:").casefold(), []).append(element)
    often = [len(elements) for elements in found.values() if len(elements) >= _LEAST_SPEECHES]
    if len(often) < _LEAST_NAMES or 2 * sum(often) < sum(map(len, found.values())):
        return
    for elements in found.values():
        for element in elements:
            element.set(PERSONA_ATTRIBUTE, "")


def _may_be_name(element: Any) -> bool:
    """Whether an element is a name by its class: a block, or the begin of a paragraph before a full stop or a colon."""
    classes, name = classes_of(element), name_of(element)
    is_speaker = any(_CLASS.fullmatch(word) for word in classes)
    if not is_speaker and not any(_SMALL_CAPS.fullmatch(word) for word in classes):
        return False
    text = text_in(element)
    if count_words(text) not in range(1, _MOST_NAME + 1) or text.endswith((",", ";")) or re.search(r"\d", text):
        return False
    if not is_speaker and _NO_NAME.match(text):
        return False
    if is_block(element, name):
        return is_speaker and not any(is_block(child, name_of(child)) for child in element)
    parent = element.getparent()
    opens = parent is not None and name_of(parent) in ("p", "div") and not (parent.text or "").strip()
    is_first = opens and element.getprevious() is None
    ends = text.endswith((".", ":")) or bool(_SIGN.match(element.tail or ""))
    behind = "".join(parent.itertext()).strip()[len(text) :].strip(" .:") if is_first else ""
    return is_first and (is_speaker or ends) and bool(behind)
