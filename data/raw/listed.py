"""What a held-out list names among raw recordings: whole recordings, readers, and texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..common.heldout import HeldOut
from ..common.names import letters_of, make_key
from ..common.segments import UNKNOWN, Source

_CONTAINED = 20  # letters of a held-out text that is also looked for within a longer one; shorter ones are everywhere


@dataclass(frozen=True)
class Listed:
    """What a list holds out of a build."""

    recordings: frozenset[str]  # their ids
    speakers: frozenset[str]
    texts: tuple[str, ...]  # letters only
    unmatched: tuple[str, ...]  # names that match nothing

    @staticmethod
    def of(held: HeldOut, sources: Sequence[Source], speakers: Iterable[str]) -> "Listed":
        """``held`` among ``sources`` and the names of their ``speakers``.

        An id of the list may be a recording's id, file name (with its suffix or without), title or address. A reader may
        be a speaker's name, the folder, feed or book that recordings are of, or what an id may be.
        """
        found: set[str] = set()
        matched: set[str] = set()
        for source in sources:
            path = Path(source.path)
            names = {source.id, path.stem, path.name, source.title or "", source.url or ""} - {""}
            keys = {make_key(name) for name in names} & held.utterances
            readers = {source.collection, *names} & held.speakers
            if keys or readers:
                found.add(source.id)
                matched |= keys | readers
        ours = (set(speakers) - {UNKNOWN}) & held.speakers
        unmatched = sorted((held.utterances | held.speakers) - matched - ours)
        return Listed(frozenset(found), frozenset(ours), tuple(sorted(held.texts)), tuple(unmatched))

    def text_in(self, text: str) -> str:
        """The held-out text that ``text`` is or holds; empty: none."""
        letters = letters_of(text)
        return next((t for t in self.texts if t == letters or (len(t) >= _CONTAINED and t in letters)), "")
