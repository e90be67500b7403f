"""What a labelled recording is, where its file is found, and the licence that lies beside it."""

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .texts import UnreadableText, decode

AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a")
MANIFEST, HELDOUT = "manifest.jsonl", "heldout.json"
UNKNOWN_LICENSE = "unknown"
_KEY_LENGTH = 90  # what fits into a tar header, with the extension
_LICENSE_BYTES = 1 << 16  # of a licence or a read-me file that are looked at


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
    name: str | None = None  # what its source calls it, where that is not the id
    alignment: tuple[tuple[float, ...], ...] | None = (
        None  # as triforce_tts/text/alignment.py has it, where it is given
    )
    normalized: str | None = None  # the text that the alignment counts the words of, where it is given


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


def make_key(name: str) -> str:
    """A webdataset key: it splits names at the first dot, and slashes are folders.

    Names that are long or not ASCII get a checksum, so that different ones stay different.
    """
    key = re.sub(r"[^A-Za-z0-9_-]", "_", name)
    if len(key) <= _KEY_LENGTH and name.isascii():
        return key
    return with_checksum(key, name)


def with_checksum(key: str, name: str) -> str:
    """``key`` with a checksum of ``name``, as long as a key may be."""
    return f"{key[: _KEY_LENGTH - 9]}-{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"


def letters_of(text: str) -> str:
    """Lower-case letters alone: how texts are compared."""
    return re.sub(r"[^a-z]", "", text.lower())


def printable(text: str) -> str:
    """``text`` for a message or a table: control characters and what is not Unicode are escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def name_of(folder: Path) -> str:
    """The name of a folder, also of ``.`` and ``..``."""
    return printable(absolute(folder).name) or "root"


def absolute(path: Path) -> Path:
    """``path`` from the root on, without dots; symbolic links are not followed."""
    return Path(os.path.normpath(path.absolute()))


def is_folder(path: Path) -> bool:
    """Whether ``path`` is a folder; of a name that no file can have, or a forbidden place, too."""
    try:
        return path.is_dir()
    except OSError:
        return False


class Place:
    """Files by their names, whatever the case of their suffixes."""

    def __init__(self) -> None:
        self._names: dict[Path, dict[str, list[str]]] = {}

    def find(self, path: Path) -> Path | None:
        """The file ``path``, or the one whose name differs in the case of its suffix alone."""
        names = self._listed(path.parent)
        alike = names.get(path.name.lower(), [])
        if path.name in alike:
            return path
        return next((path.with_name(name) for name in alike if Path(name).stem == path.stem), None)

    def audio(self, path: Path, preferred: str = "") -> Path:
        """The recording at ``path``, whose suffix may be left out; ``path`` with a suffix where there is none."""
        if path.suffix.lower() in AUDIO_SUFFIXES or not path.name:
            return self.find(path) or path
        suffixes = (preferred, *AUDIO_SUFFIXES) if preferred else AUDIO_SUFFIXES
        choices = [path.with_name(path.name + suffix) for suffix in suffixes]
        return next((file for choice in (*choices, path) if (file := self.find(choice))), choices[0])

    def _listed(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._names:
            table: dict[str, list[str]] = {}
            try:
                for name in sorted(path.name for path in folder.iterdir()):
                    table.setdefault(name.lower(), []).append(name)
            except (OSError, ValueError):  # missing, forbidden, no folder, or a name that none can have
                table.clear()
            self._names[folder] = table
        return self._names[folder]


# --- licences --------------------------------------------------------------------------------------------------


_CREATIVE_COMMONS = re.compile(r"creativecommons\.org/(licenses/([a-z-]+)|publicdomain/(zero|mark))/(\d\.\d)", re.I)


def license_name(text: str) -> str:
    """The licence that a text gives, on one line; the address of a Creative Commons licence becomes its SPDX name."""
    if found := _CREATIVE_COMMONS.search(text):
        _, kind, dedication, version = found.groups()
        if kind:
            return f"CC-{kind.upper()}-{version}"
        return f"CC0-{version}" if dedication.lower() == "zero" else "Public domain"
    return " ".join(text.split()) or UNKNOWN_LICENSE


def license_beside(folder: Path, top: Path, readme: bool = False) -> str:
    """The licence of what lies in ``folder``: the first line of the nearest ``LICENSE``, in it or above it up to ``top``.

    With ``readme``, a README beside it that speaks of the public domain, and of no other licence, is believed too.
    """
    for place in upwards(folder, top):
        found = {path.name.lower(): path for path in sorted(place.iterdir())}
        for name in ("license", "license.txt"):
            if name in found and (lines := _read_loosely(found[name]).strip().splitlines()):
                return "Public domain" if _says_public_domain(lines[0]) else license_name(lines[0])
        for name in ("readme", "readme.txt", "readme.md"):
            if readme and name in found and _says_public_domain(_read_loosely(found[name])):
                return "Public domain"
    return UNKNOWN_LICENSE


def _read_loosely(path: Path) -> str:
    if not path.is_file():  # a folder, or a pipe that would never end
        return ""
    with path.open("rb") as file:
        data = file.read(_LICENSE_BYTES)
    try:
        return decode(data, str(path))
    except UnreadableText:  # of a licence in another encoding the part in ASCII is enough
        return data.decode("ascii", errors="replace")


def _says_public_domain(text: str) -> bool:
    flat = " ".join(text.lower().split())
    other = re.search(r"\bnot (a |in |of )*(the )?public domain|creative ?commons|\bcc[ -]by", flat)
    return "public domain" in flat and not other


def upwards(folder: Path, top: Path) -> Iterator[Path]:
    """``folder`` and the folders above it as far as ``top``; ``folder`` alone when ``top`` is not above it."""
    yield folder
    if top in folder.parents:
        for parent in folder.parents:
            yield parent
            if parent == top:
                return
