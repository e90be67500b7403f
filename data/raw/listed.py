"""Applies a held-out list to raw recordings: it finds the recordings, speakers and texts that the list names."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..common.heldout import HeldOut
from ..common.names import letters_of, make_key
from ..common.segments import UNKNOWN, Recording

# Letters: a held-out text of this length or more is also searched within longer texts; a shorter one would be anywhere.
_CONTAINED = 20


@dataclass(frozen=True)
class Listed:
    """The recordings, speakers and texts of a build that a held-out list names."""

    recordings: frozenset[str]  # their ids
    speakers: frozenset[str]
    texts: tuple[str, ...]  # letters only
    unmatched: tuple[str, ...]  # names that match nothing

    @staticmethod
    def of(held_list: HeldOut, recordings: Sequence[Recording], speakers: Iterable[str]) -> "Listed":
        """Find what ``held_list`` names among ``recordings`` and the names of their ``speakers``.

        An id of the list may be a recording's id, file name (with its suffix or without), title or address. A reader
        may be the name of a speaker, the collection of recordings, or anything that an id may be.
        """
        ids: set[str] = set()
        matched: set[str] = set()
        for recording in recordings:
            path = Path(recording.path)
            names = {recording.id, path.stem, path.name, recording.title or "", recording.url or ""} - {""}
            keys = {make_key(name) for name in names} & held_list.utterances
            readers = {recording.collection, *names} & held_list.speakers
            if keys or readers:
                ids.add(recording.id)
                matched |= keys | readers
        named = (set(speakers) - {UNKNOWN}) & held_list.speakers
        unmatched = sorted((held_list.utterances | held_list.speakers) - matched - named)
        return Listed(frozenset(ids), frozenset(named), tuple(sorted(held_list.texts)), tuple(unmatched))

    def text_in(self, text: str) -> str:
        """The held-out text that ``text`` is or contains; empty if there is none."""
        letters = letters_of(text)
        return next((t for t in self.texts if t == letters or (len(t) >= _CONTAINED and t in letters)), "")
