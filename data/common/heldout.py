"""What must never be trained on: ids, readers and texts, from a ``heldout.json``."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, model_validator

from triforce_tts.errors import ShardError
from triforce_tts.schema import Record, parse_record
from triforce_tts.textfiles import LIST_BYTES, UnreadableText, read_text

from .clips import MANIFEST, Found, Recording
from .manifest import read_manifest
from .names import letters_of, make_key

READERS, UTTERANCES, SENTENCES, ABOUT = "readers", "_utterances", "_sentences", "about"
_FORM = f"expected lists of texts called *{UTTERANCES}, *{SENTENCES} or {READERS}; see docs/data.md"


@dataclass(frozen=True)
class HeldOut:
    """What must never be trained on."""

    utterances: frozenset[str] = frozenset()  # keys, see ``make_key``
    speakers: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()  # letters only, see ``letters_of``
    unknown: tuple[str, ...] = ()  # keys of the file that hold nothing out

    def holds(self, recording: Recording) -> bool:
        """Whether ``recording`` belongs to the held-out split."""
        return self._names(recording) or recording.speaker in self.speakers or letters_of(recording.text) in self.texts

    def __or__(self, other: "HeldOut") -> "HeldOut":
        """What either of the two holds out."""
        return HeldOut(
            self.utterances | other.utterances,
            self.speakers | other.speakers,
            self.texts | other.texts,
            (*self.unknown, *other.unknown),
        )

    def with_texts_of(self, recordings: Iterable[Recording]) -> "HeldOut":
        """This, and the texts of those ``recordings`` whose ids it names: others may say the same."""
        texts = {letters_of(recording.text) for recording in recordings if self._names(recording)}
        return replace(self, texts=self.texts | (texts - {""}))

    def unmatched(self, recordings: Iterable[Recording]) -> list[str]:
        """The ids and speakers that no recording has."""
        keys, speakers = set[str](), set[str]()
        for recording in recordings:
            keys |= {recording.id, make_key(recording.name or recording.id)}
            speakers.add(recording.speaker)
        return sorted(self.utterances - keys) + sorted(self.speakers - speakers)

    def _names(self, recording: Recording) -> bool:
        return bool({recording.id, make_key(recording.name or recording.id)} & self.utterances)


class _Lists(Record):
    """The content of the file: any number of lists, told apart by the ends of their names."""

    model_config = ConfigDict(extra="allow")

    readers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "_Lists":
        for name, items in self.lists().items():
            if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
                raise ValueError(f"'{name}' is no list of texts")
        return self

    def lists(self, ending: str = "") -> dict[str, Any]:
        """The lists whose names end so; without ``ending`` all of either kind."""
        extra = self.model_extra or {}
        return {name: items for name, items in extra.items() if name.endswith(ending or (UTTERANCES, SENTENCES))}


def read_heldout(path: Path) -> HeldOut:
    """The held-out list in a JSON file: ``*_utterances`` hold ids, ``readers`` speakers, ``*_sentences`` texts.

    Where a manifest lies beside the file, the texts of its held-out utterances are held out too.

    Raises:
        ShardError: the file is missing or not such a list.
    """
    try:
        lists = parse_record(_Lists, read_text(path, LIST_BYTES), str(path), ShardError)
    except (ShardError, UnreadableText) as error:
        raise ShardError(f"{error}; {_FORM}") from error
    utterances = frozenset(make_key(item) for items in lists.lists(UTTERANCES).values() for item in items)
    texts = frozenset(letters_of(item) for items in lists.lists(SENTENCES).values() for item in items)
    unknown = tuple(name for name in lists.model_extra or {} if name not in lists.lists() and name != ABOUT)
    held = HeldOut(utterances, frozenset(lists.readers), texts - {""}, unknown)
    if not (held.utterances or held.speakers or held.texts):
        raise ShardError(f"{path}: it holds nothing out; {_FORM}")
    return held.with_texts_of(_beside(path))


def _beside(path: Path) -> list[Recording]:
    """The recordings of a manifest beside a held-out list."""
    found = Found()
    manifest = path.parent / MANIFEST
    if manifest.is_file():
        try:
            read_manifest(manifest, found)
        except UnreadableText as error:
            raise ShardError(
                f"{path}: the texts of its utterances are in a manifest that cannot be read ({error})"
            ) from error
    return found.recordings
