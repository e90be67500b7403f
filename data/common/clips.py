"""What a labelled recording is, and what reading a folder of them gives."""

from dataclasses import dataclass, field
from pathlib import Path

from .names import printable

MANIFEST, HELDOUT = "manifest.jsonl", "heldout.json"
MAX_CHARACTERS = 200  # of an utterance that a synthesiser speaks, unless told otherwise


@dataclass(frozen=True)
class TeacherVoice:
    """How the teacher of ``labelled/kokoro.py`` says a clip."""

    voice: str  # a style, or a blend of two
    speed: float
    version: str  # of its network
    assets: Path  # the folder of its files, which may move without changing anything


@dataclass(frozen=True)
class Recording:
    """One labelled recording, not yet read."""

    id: str  # its key in the shards
    audio: str  # path
    text: str
    speaker: str
    source: str
    license: str
    punct: bool  # whether the text has case and punctuation
    reader: str | None = None  # the name to give credit to, where it is known
    snr_db: float | None = None
    name: str | None = None  # its name in the collection, where that is not the id
    alignment: tuple[tuple[float, ...], ...] | None = (
        None  # as triforce_tts/text/alignment.py has it, where it is given
    )
    normalized: str | None = None  # the text that the alignment counts the words of, where it is given
    teacher: TeacherVoice | None = None  # of speech that the teacher makes


@dataclass(frozen=True)
class Drop:
    """A recording, or a file or a line that tells of one, that was left out."""

    id: str
    seconds: float
    reason: str
    value: str


@dataclass
class Found:
    """The recordings of one or more folders, what could not be used, and what a user should know."""

    recordings: list[Recording] = field(default_factory=list)
    drops: list[Drop] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    tables: int = 0  # how many lists with columns were read

    def drop(self, name: str | Path, reason: str, value: object = "") -> None:
        """Note what was left out."""
        self.drops.append(Drop(printable(str(name)), 0.0, reason, printable(str(value))))
