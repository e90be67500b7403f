"""Puts the text of a page into a draft: what is said opens a block with the properties of what is around it, or is skipped."""

from dataclasses import dataclass
from typing import Any

from triforce_tts.errors import TextError

from .chapters import Kind, ReadOptions, Reason
from .draft import LINE_END, Draft
from .drop_caps import DropCaps
from .html_rules import is_block, name_of, source_parts
from .pronunciations import phones_at


@dataclass(frozen=True)
class Around:
    """The properties of a text that the elements around it decide."""

    kind: Kind = "paragraph"
    level: int = 0
    keeps_lines: bool = False
    is_set: bool = False  # whether the text is in a ``pre``, whose line ends belong to the text
    is_play: bool = False
    is_direction: bool = False  # whether the text is in a stage direction
    is_front: bool = False  # whether the text stands before the main text, as its type says
    note: str = ""
    depth: int = 0
    quotes: int = 0


class PageText:
    """Writes the text of a page, element by element, into a draft."""

    def __init__(self, draft: Draft, options: ReadOptions) -> None:
        self._draft, self._options = draft, options
        self._caps = DropCaps()
        self._document = ""
        self._marker = ""
        self._behind_speaker = False
        self._speech = ""  # the name of the speaker whose speech is being read
        self._scope: Any = None  # the element at whose end that speech ends
        self.faults: list[str] = []  # the faults of pronunciations in the pages

    def _say(self, text: str | None, around: Around) -> None:
        if not text:
            return
        text = text.replace(LINE_END, " ")
        if around.is_set:
            text = text.replace("\n", LINE_END)
        text = self._caps.joined(text)
        if self._behind_speaker and text.strip():
            text, self._behind_speaker = text.lstrip(" \t\n.:\u2003\u00a0"), False
        if not text.strip():
            self._draft.add(text)
            return
        block = self._draft.open(around.kind, level=around.level)
        if not block.texts:
            block.keeps_lines, block.note, block.is_front = around.keeps_lines, around.note, around.is_front
            block.speaker = self._speech if around.kind not in ("speaker", "heading", "note") else ""
            block.marker, self._marker = self._marker, ""
        if around.is_direction:
            block.directions.append(text)
        self._draft.say(text, around.kind)

    def _close(self) -> None:
        if not self._caps.is_waiting:
            self._draft.close()

    def _anchor(self, element: Any) -> None:
        for attribute in ("id", "name"):
            value = element.get(attribute)
            if value and (attribute == "id" or name_of(element) == "a"):
                self._draft.anchor(self._document, value)

    def _skip(self, element: Any, reason: Reason) -> None:
        block = is_block(element, name_of(element))
        if block:
            self._close()
        for child in element.iter("{*}*"):
            self._anchor(child)
        self._draft.skip("".join(source_parts(element)), reason)
        if block:
            self._close()

    def _phones(self, element: Any) -> str | None:
        """The pronunciation that the page gives an element, if it is wanted and can be used."""
        try:
            return phones_at(element) if self._options.phones else None
        except TextError as error:
            self.faults.append(str(error))
            return None
