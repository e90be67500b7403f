"""Ruby: small signs above a text that say how it is read. Either the text or its reading is spoken, never both."""

import re
from collections.abc import Iterator
from typing import Any

from .chapters import Reason
from .html_rules import name_of, source_parts

_LATIN = re.compile(r"[A-Za-zÀ-ɏ]")


def ruby_parts(element: Any) -> Iterator[tuple[str, Reason | None]]:
    """The texts of a ``ruby`` in order, each with the reason why it is not spoken, or none.

    The reading is spoken where it has Latin letters and the text has none.
    """
    readings = "".join("".join(part.itertext()) for part in element.iter("{*}rt"))
    base = "".join(text for text, reason in _parts(element, speaks_reading=False, in_reading=False) if reason is None)
    speaks_reading = not _LATIN.search(base) and bool(_LATIN.search(readings))
    yield from _parts(element, speaks_reading, in_reading=False)


def _parts(element: Any, speaks_reading: bool, in_reading: bool) -> Iterator[tuple[str, Reason | None]]:
    reason: Reason | None = None if in_reading == speaks_reading else "ruby"
    yield element.text or "", reason
    for child in element:
        name = name_of(child)
        if name == "rp":
            yield "".join(source_parts(child)), "ruby"
        elif name:
            yield from _parts(child, speaks_reading, in_reading or name in ("rt", "rtc"))
        elif "Comment" in getattr(child.tag, "__name__", ""):
            yield child.text or "", "comment"
        yield child.tail or "", reason
