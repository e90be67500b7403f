"""A clip, which is a short recording with its text and its speaker, and the inventory of the clips in folders."""

from dataclasses import dataclass, field
from pathlib import Path

from .names import printable

MANIFEST, HELDOUT = "manifest.jsonl", "heldout.json"
# The most characters of an utterance that a synthesiser speaks, unless the user gives another number.
MAX_CHARACTERS = 200


@dataclass(frozen=True)
class TeacherVoice:
    """How the teacher of ``labelled/kokoro.py`` says a clip."""

    voice: str  # a style, or a blend of two styles
    speed: float
    version: str  # the version of the teacher's network
    assets: Path  # the folder of the teacher's files; the same files in another folder give the same speech


@dataclass(frozen=True)
class Clip:
    """A short recording of one speaker with its text; its audio is not read yet."""

    id: str  # its key in the shards
    audio: str  # path
    text: str
    speaker: str
    collection: str  # the corpus or folder that the clip belongs to; the samples' JSON calls it ``source``
    license: str
    punct: bool  # whether the text has case and punctuation
    reader: str | None = None  # the name to give credit to, if it is known
    snr_db: float | None = None
    name: str | None = None  # its name in the collection, if that is not the id
    # The times of its words and sounds in the form of triforce_tts/text/alignment.py, if the manifest has them.
    alignment: tuple[tuple[float, ...], ...] | None = None
    normalized: str | None = None  # the normalised text that ``alignment`` belongs to, if the manifest has it
    teacher: TeacherVoice | None = None  # set if the teacher speaks the clip


@dataclass(frozen=True)
class Drop:
    """A clip that was left out, or a file or a line of a list that gave no clip."""

    id: str
    seconds: float
    reason: str
    value: str


@dataclass
class Inventory:
    """The clips of one or more folders, what could not be used, and notes for the user."""

    clips: list[Clip] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)  # lines for the terminal
    tables: int = 0  # how many tables were read

    def drop(self, name: str | Path, reason: str, value: object = "") -> None:
        """Record that something was left out, and why."""
        self.drops.append(Drop(printable(str(name)), 0.0, reason, printable(str(value))))
