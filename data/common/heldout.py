"""The held-out list: ids, readers and texts that no network may be trained on, read from a ``heldout.json``."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, model_validator

from triforce_tts.errors import ShardError
from triforce_tts.schema import Record, parse_record
from triforce_tts.textfiles import LIST_BYTES, UnreadableText, read_text

from .clips import MANIFEST, Clip, Inventory
from .manifest import read_manifest
from .names import letters_of, make_key

READERS, UTTERANCES, SENTENCES, ABOUT = "readers", "_utterances", "_sentences", "about"
_FORM = f"expected lists of texts called *{UTTERANCES}, *{SENTENCES} or {READERS}; see docs/data.md"


@dataclass(frozen=True)
class HeldOut:
    """The utterances, speakers and texts that no network may be trained on."""

    utterances: frozenset[str] = frozenset()  # keys, see ``make_key``
    speakers: frozenset[str] = frozenset()
    texts: frozenset[str] = frozenset()  # letters only, see ``letters_of``
    unknown: tuple[str, ...] = ()  # keys of the JSON file that are no kind of list; nothing is held out by them

    def holds(self, clip: Clip) -> bool:
        """Whether ``clip`` belongs to the held-out split."""
        return self._names(clip) or clip.speaker in self.speakers or letters_of(clip.text) in self.texts

    def __or__(self, other: "HeldOut") -> "HeldOut":
        """A list that holds out everything that either of the two holds out."""
        return HeldOut(
            self.utterances | other.utterances,
            self.speakers | other.speakers,
            self.texts | other.texts,
            (*self.unknown, *other.unknown),
        )

    def with_texts_of(self, clips: Iterable[Clip]) -> "HeldOut":
        """This list with the texts of those ``clips`` whose ids it names: other clips may have the same text."""
        texts = {letters_of(clip.text) for clip in clips if self._names(clip)}
        return replace(self, texts=self.texts | (texts - {""}))

    def unmatched(self, clips: Iterable[Clip]) -> list[str]:
        """The ids and speakers of the list that no clip has."""
        keys, speakers = set[str](), set[str]()
        for clip in clips:
            keys |= {clip.id, make_key(clip.name or clip.id)}
            speakers.add(clip.speaker)
        return sorted(self.utterances - keys) + sorted(self.speakers - speakers)

    def _names(self, clip: Clip) -> bool:
        return bool({clip.id, make_key(clip.name or clip.id)} & self.utterances)


class _Lists(Record):
    """The content of the file: any number of lists; the end of a list's name says what the list holds."""

    model_config = ConfigDict(extra="allow")

    readers: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> "_Lists":
        for name, items in self.lists().items():
            if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
                raise ValueError(f"'{name}' is no list of texts")
        return self

    def lists(self, ending: str = "") -> dict[str, Any]:
        """The lists whose names end with ``ending``; without it, all lists of utterances and of sentences."""
        extra = self.model_extra or {}
        return {name: items for name, items in extra.items() if name.endswith(ending or (UTTERANCES, SENTENCES))}


def read_heldout(path: Path) -> HeldOut:
    """Read a held-out list from JSON: ``*_utterances`` hold ids, ``readers`` speakers, ``*_sentences`` texts.

    If a manifest lies beside the file, the texts of its held-out utterances are held out too.

    Raises:
        ShardError: the file is missing or is not such a list.
    """
    try:
        lists = parse_record(_Lists, read_text(path, LIST_BYTES), str(path), ShardError)
    except (ShardError, UnreadableText) as error:
        raise ShardError(f"{error}; {_FORM}") from error
    utterances = frozenset(make_key(item) for items in lists.lists(UTTERANCES).values() for item in items)
    texts = frozenset(letters_of(item) for items in lists.lists(SENTENCES).values() for item in items)
    unknown = tuple(name for name in lists.model_extra or {} if name not in lists.lists() and name != ABOUT)
    heldout = HeldOut(utterances, frozenset(lists.readers), texts - {""}, unknown)
    if not (heldout.utterances or heldout.speakers or heldout.texts):
        raise ShardError(f"{path}: it holds nothing out; {_FORM}")
    return heldout.with_texts_of(_beside(path))


def _beside(path: Path) -> list[Clip]:
    """The clips of a manifest that lies beside a held-out list."""
    inventory = Inventory()
    manifest = path.parent / MANIFEST
    if manifest.is_file():
        try:
            read_manifest(manifest, inventory)
        except UnreadableText as error:
            raise ShardError(
                f"{path}: the texts of its utterances are in a manifest that cannot be read ({error})"
            ) from error
    return inventory.clips
