"""The cast: a file gives the speakers of a book their voices, and each part of a block belongs to one of them.

The speakers of a play are those that the book marks as such, or the names in capitals that begin its paragraphs. In prose they are
those whom ``books.quotes`` is certain of. All that nobody else says belongs to the narrator.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from triforce_tts.books.chapters import Block, ChapterBook
from triforce_tts.books.quotes import Speech, speeches
from triforce_tts.books.speakers import PROSE, find_opening, name_key, opening_names
from triforce_tts.errors import AudioError, ConfigError, TriforceError
from triforce_tts.files import from_home, read_text_file
from triforce_tts.named_voices import find_clip, is_named
from triforce_tts.schema import read_yaml
from triforce_tts.text.normalize import is_speakable
from triforce_tts.wording import printable

NARRATOR = "narrator"
_MOST_BYTES = 1 << 20  # the largest cast file, in bytes
_SHOWN = 20  # a message lists at most so many speakers
_CHAPTER = re.compile(r"chapters?\s+([0-9]{1,6})(?:\s*[-–]\s*([0-9]{1,6}))?", re.IGNORECASE)
_BRACKETS = re.compile(r"\[[^\[\]]*\]")


@dataclass(frozen=True)
class CastFile:
    """The content of a cast file: the voices of the narrator, of speakers by ``name_key``, and of single chapters."""

    path: Path
    narrator: str | None
    speakers: dict[str, str]
    chapters: dict[int, str]
    names: dict[str, str]  # the names as they are written in the file

    def clip(self, voice: str) -> Path:
        """The clip or the named voice that ``voice`` means: a path is relative to the folder of the file, "~" is home."""
        return Path(voice) if is_named(voice) else self.path.parent / from_home(voice)

    def require_voices(self) -> None:
        """Refuse a voice that is neither a name nor a file.

        Raises:
            ConfigError: there is such a voice; the message names the cast file.
        """
        for voice in [*([self.narrator] if self.narrator else []), *self.voices]:
            try:
                find_clip(self.clip(voice))
            except AudioError as error:
                raise ConfigError(f"{self.path}: {error}") from error

    @property
    def voices(self) -> list[str]:
        """The voices of all but the narrator, each once."""
        return list(dict.fromkeys([*self.speakers.values(), *self.chapters.values()]))


def read_cast(path: Path) -> CastFile:
    """Read a cast file: lines of YAML such as ``JACK: kathleen``, or such lines with a tab in a file called ``.tsv``.

    Raises:
        ConfigError: the file cannot be read, an entry is no name with a voice, or a name stands there twice.
    """
    rows = _read_tsv(path) if path.suffix.lower() in (".tsv", ".txt") else list(read_yaml(path).items())
    if not rows:
        raise ConfigError(f"{path}: the cast is empty; expected lines such as 'JACK: kathleen' and 'narrator: me.wav'")
    narrator, speakers, chapters, names = None, dict[str, str](), dict[int, str](), dict[str, str]()
    for name, voice in rows:
        if not isinstance(name, str) or not isinstance(voice, str) or not name_key(name) or not voice.strip():
            raise ConfigError(
                f"{path}: found {name!r}: {voice!r}, expected a name and a voice, such as 'JACK: kathleen'"
            )
        key = name_key(name)
        if key in names:
            raise ConfigError(f"{path}: '{printable(name)}' and '{printable(names[key])}' are the same name; keep one")
        names[key] = name
        if key == NARRATOR:
            narrator = voice.strip()
        elif match := _CHAPTER.fullmatch(name.strip()):
            numbers = _numbers(path, match)
            if twice := chapters.keys() & set(numbers):
                raise ConfigError(
                    f"{path}: '{printable(name)}': chapter {min(twice)} has a voice already, '{printable(chapters[min(twice)])}'; keep one"
                )
            chapters |= dict.fromkeys(numbers, voice.strip())
        else:
            speakers[key] = voice.strip()
    return CastFile(path, narrator, speakers, chapters, names)


def _numbers(path: Path, match: re.Match[str]) -> range:
    first, last = int(match[1]), int(match[2] or match[1])
    if first > last:
        raise ConfigError(
            f"{path}: '{printable(match[0])}': expected the smaller number first, such as 'chapters {last}-{first}'"
        )
    return range(first, last + 1)


def _read_tsv(path: Path) -> list[tuple[str, str]]:
    try:
        lines = read_text_file(path, _MOST_BYTES).splitlines()
    except TriforceError as error:
        raise ConfigError(str(error)) from error
    rows = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith("#"):
            name, tab, voice = line.partition("\t")
            if not tab:
                raise ConfigError(
                    f"{path}:{number}: '{printable(line[:60])}' has no tab; expected a name, a tab and a voice"
                )
            rows.append((name, voice))
    return rows


@dataclass(frozen=True)
class Part:
    """A part of a block: its text, who speaks it, and the voice if it is not the narrator's."""

    text: str
    speaker: str = ""
    voice: str = ""


@dataclass(frozen=True)
class Casting:
    """The cast of one book; without one, the narrator speaks all."""

    speakers: dict[str, str] = field(default_factory=dict)  # the voice of each speaker, by ``name_key``
    chapters: dict[int, str] = field(default_factory=dict)
    openings: frozenset[str] = frozenset()  # names in capitals that begin a speech in this book

    def parts(self, block: Block, chapter: int) -> list[Part]:
        """The parts of a block in order; neighbours with the same voice are one part."""
        usual = self.chapters.get(chapter, "")
        if not self.speakers:
            return [Part(block.spoken, voice=usual)]
        parts: list[Part] = []
        for speech in _speeches(block, self.openings):
            voice = self.speakers.get(name_key(speech.speaker), "") if speech.speaker else ""
            part = Part(speech.text, speech.speaker if voice else "", voice or usual)
            last = parts[-1] if parts else None
            if last and ((last.voice, last.speaker) == (part.voice, part.speaker) or not is_speakable(part.text)):
                parts[-1] = Part(last.text + part.text, last.speaker, last.voice)
            elif last and not is_speakable(last.text):
                parts[-1] = Part(last.text + part.text, part.speaker, part.voice)
            else:
                parts.append(part)
        return parts


def cast_book(cast: CastFile | None, book: ChapterBook) -> Casting:
    """The cast of ``book``.

    Raises:
        ConfigError: the file names a speaker or a chapter that the book does not have; the message lists the speakers.
    """
    if cast is None:
        return Casting()
    openings = opening_names(book)
    lines = speakers_of(book, openings)
    keys = {name_key(name) for name in lines}
    if unknown := [cast.names[key] for key in cast.speakers if key not in keys]:
        listed = ", ".join(printable(name) for name, _ in lines.most_common(_SHOWN))
        more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        hint = f"its speakers are {listed}{more}" if lines else "no speaker in it is certain"
        if any(name.casefold().split()[0].rstrip("s") == "chapter" for name in unknown):
            hint += "; a chapter is written as 'chapter 3' or 'chapters 3-5'"
        raise ConfigError(f"{cast.path}: the book has no speaker '{printable(', '.join(unknown)[:200])}'; {hint}")
    count = len(book.chapters)
    if wrong := [number for number in cast.chapters if not 1 <= number <= count]:
        raise ConfigError(f"{cast.path}: chapter {wrong[0]}: expected 1 to {count}; '--list' shows the chapters")
    return Casting(cast.speakers, cast.chapters, openings)


def speakers_of(book: ChapterBook, openings: frozenset[str]) -> Counter[str]:
    """How many speeches each speaker has, by the name that the book uses first."""
    names: dict[str, str] = {}
    speeches_of: Counter[str] = Counter()
    for block in book.blocks():
        for speech in _speeches(block, openings):
            if speech.speaker:
                name = names.setdefault(name_key(speech.speaker), speech.speaker)
                speeches_of[name] += 1
    return speeches_of


def _speeches(block: Block, openings: frozenset[str]) -> list[Speech]:
    """The parts of a block in order with their speakers; their joined texts are the spoken text of the block."""
    text, speaker, before = block.spoken, block.speaker, ""
    if match := find_opening(block, openings):
        cut = len(text) - len(block.text) + match.end()
        text, speaker, before = text[cut:], match["name"], text[:cut]
    if speaker:
        spoken = _without_directions(text, speaker, block.directions)
        return [Speech(before), *spoken] if before else list(spoken)
    return speeches(text) if block.kind in PROSE else [Speech(text)]


def _without_directions(text: str, speaker: str, directions: Sequence[str]) -> Iterator[Speech]:
    """A speech of a play. Text in square brackets or marked as a direction belongs to the narrator."""
    spans = [match.span() for match in _BRACKETS.finditer(text)]
    at = 0
    for direction in directions:
        begin = text.find(direction, at)
        if begin >= 0:
            at = begin + len(direction)
            spans.append((begin, at))
    at = 0
    for begin, end in sorted(spans):
        if begin >= at:
            yield from (part for part in (Speech(text[at:begin], speaker), Speech(text[begin:end])) if part.text)
            at = end
    if text[at:]:
        yield Speech(text[at:], speaker)
