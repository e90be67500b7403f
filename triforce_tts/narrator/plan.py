"""The plan of a narration: every line of a book with its voice, pause and seed, and every word that is not spoken.

The plan covers the whole book, so a line has one number whichever chapters are chosen. A line's seed comes from what it says and
from how often the book said the same before, not from its place: whoever edits a book keeps the sound of all other lines.
"""

import hashlib
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from triforce_tts.books.chapters import Block, Chapter, ChapterBook, count_words
from triforce_tts.errors import TextError
from triforce_tts.files import write_json
from triforce_tts.narrator.accounting import account_sentence
from triforce_tts.narrator.cast import Casting, Part
from triforce_tts.narrator.sentences import Sentence, Stretch, stretches
from triforce_tts.schema import Record
from triforce_tts.synthesis.script import Line, Room, make_lines
from triforce_tts.text.chunk import CLAUSE_PAUSE_S, PARAGRAPH_PAUSE_S
from triforce_tts.text.normalize import is_speakable, unspoken
from triforce_tts.text.respelling import readable
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.wording import printable

PLAN = "plan.json"  # the file in the folder of a narration
# The pause after a heading. The four pauses lie in the middle of the range of other narrators (docs/narrator.md).
HEADING_PAUSE_S = 1.2
BREAK_PAUSE_S = 1.8  # the pause between two scenes
CHAPTER_PAUSE_S = 2.0  # the pause after the last line of a chapter
_SEEDS = 2**63
_NO_READING = "no English reading"
_SIGN = "sign without an English reading"
_OPEN_ENDS = ",;:—–-"  # a text that ends with one of these does not end a sentence
_GOES_ON = re.compile(r"[\s\"“‘(\[—–-]*[a-z]")  # the beginning of a text that goes on in the middle of a sentence


class PlannedLine(Record):
    """A line: the written and the spoken text, how it is spoken, and the key of its sound in the cache."""

    number: int  # the line's number in the whole book, from 1
    source: str  # the sentence as it was written; a long sentence is the source of several lines
    text: str  # the normalised text, as it is spoken
    pause_s: float  # seconds of silence after the line
    seed: int
    key: str  # the key of its sound in the cache
    changed: bool = False  # whether a user gave this text in place of the book's
    speaker: str = ""  # the speaker of the line in the cast; empty for the narrator
    voice: str = ""  # the voice of the speaker in the cast; empty for the narrator's voice


class PlannedBlock(Record):
    """A paragraph, a heading, or another part of a chapter."""

    kind: str
    lines: tuple[PlannedLine, ...]


class PlannedChapter(Record):
    """A chapter. Chapters that are not chosen are also in the plan."""

    number: int  # the chapter's number, from 1
    title: str
    front: bool
    chosen: bool
    words: int
    blocks: tuple[PlannedBlock, ...]

    @property
    def lines(self) -> list[PlannedLine]:
        """The lines of the chapter, in order."""
        return [line for block in self.blocks for line in block.lines]


class Unspoken(Record):
    """A part of the source that is not spoken."""

    text: str
    words: int
    reason: str
    where: str = ""


class Plan(Record):
    """The content of ``plan.json``."""

    format: int = 1
    title: str
    author: str
    language: str
    model: str  # the model's name and id
    voice: str  # the name of the narrator's voice; empty for the default voice of a model that does not name it
    characters_per_second: float  # the rate of the model's training data, by which lengths are predicted
    chapters: tuple[PlannedChapter, ...]
    skipped: tuple[Unspoken, ...]
    remarks: tuple[str, ...] = ()
    opening: PlannedChapter | None = None  # the credits, whose words are no words of the book
    closing: PlannedChapter | None = None

    @property
    def parts(self) -> list[PlannedChapter]:
        """All parts that are narrated: the chosen chapters, and the credits around them."""
        return [part for part in (self.opening, *self.chosen, self.closing) if part is not None]

    @property
    def chosen(self) -> list[PlannedChapter]:
        """The chapters of the book that are narrated."""
        return [chapter for chapter in self.chapters if chapter.chosen]

    @property
    def lines(self) -> list[PlannedLine]:
        """The lines that are narrated, in order."""
        return [line for part in self.parts for line in part.lines]

    @property
    def spoken_words(self) -> int:
        """The number of words of the source that are narrated."""
        return sum(chapter.words for chapter in self.chosen)

    @property
    def credit_words(self) -> int:
        """The number of words in the credits."""
        return sum(part.words for part in (self.opening, self.closing) if part is not None)

    @property
    def skipped_words(self) -> dict[str, int]:
        """The number of words of the source that are not narrated, by reason."""
        words: Counter[str] = Counter()
        for part in self.skipped:
            if part.words:
                words[part.reason] += part.words
        for chapter in self.chapters:
            if not chapter.chosen:
                words["chapter not chosen"] += chapter.words
        return dict(words)

    @property
    def skipped_signs(self) -> str:
        """The signs, such as emoji, that are no words and are not spoken, each once."""
        return "".join(dict.fromkeys("".join(part.text for part in self.skipped if part.reason == _SIGN)))

    def write(self, folder: Path) -> None:
        """Write ``plan.json`` into ``folder``."""
        write_json(folder / PLAN, self.model_dump(mode="json"))


@dataclass(frozen=True)
class Replacement:
    """The user's wish for a line: another take of it, and perhaps another text."""

    take: int
    text: str | None = None
    drawn: int = 0  # the number of the line among equal ones from which its seed comes; 0: its own


@dataclass(frozen=True)
class Speaker:
    """Everything apart from the line that decides how it is spoken.

    ``identity`` stands for model, settings and the narrator's voice; ``voices`` has such an identity for each voice of the cast.
    """

    tokenizer: TextTokenizer
    room: Room
    identity: str
    seed: int = 0
    voices: Mapping[str, str] = field(default_factory=dict)

    def seed_of(self, text: str, occurrence: int, take: int) -> int:
        """The seed of a line that is the ``occurrence``-th with its text."""
        return int(_digest(self.seed, text, occurrence, take)[:16], 16) % _SEEDS

    def key_of(self, line: Line, seed: int, voice: str = "") -> str:
        """The name of a line's sound. It changes with everything that the sound depends on, and with nothing else."""
        identity = self.voices[voice] if voice else self.identity
        return _digest(identity, line.text, line.tokens, seed)[:32]


def _digest(*values: object) -> str:
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


class Planner:
    """Makes the lines of a book, in order: numbers and seeds go on from block to block."""

    def __init__(
        self, speaker: Speaker, replacements: Callable[[str, int], Replacement | None], casting: Casting | None = None
    ) -> None:
        self._speaker, self._replacements, self._casting = speaker, replacements, casting or Casting()
        self._said: Counter[str] = Counter()
        self.unspoken: list[Unspoken] = []
        self.originals: list[str] = []  # the book's own text of each line
        self._is_held = False  # whether the book asks for the pause behind the last line

    def chapter(self, chapter: Chapter, number: int, chosen: bool) -> PlannedChapter:
        """A chapter with its lines; text without a reading is added to ``unspoken``."""
        blocks: list[PlannedBlock] = []
        where = f"chapter {number}"
        before = sum(part.words for part in self.unspoken)
        for block, after in zip(chapter.blocks, [*chapter.blocks[1:], None], strict=True):
            if block.kind == "break":
                continue
            leads = [pause.seconds for pause in block.pauses if pause.at == 0]
            if blocks and leads:
                last = blocks[-1]
                blocks[-1] = last.model_copy(update={"lines": tuple(self._hold(last.lines, sum(leads)))})
            lines = self._block(block, self._casting.parts(block, number), where)
            if lines:
                if not self._is_held:
                    lines[-1] = lines[-1].model_copy(update={"pause_s": pause_after(block, after)})
                blocks.append(PlannedBlock(kind=block.kind, lines=tuple(lines)))
        words = chapter.words - (sum(part.words for part in self.unspoken) - before)
        return PlannedChapter(
            number=number,
            title=printable(readable(chapter.title)),
            front=chapter.front,
            chosen=chosen,
            words=words,
            blocks=tuple(blocks),
        )

    def credit(self, chapter: Chapter, number: int) -> PlannedChapter:
        """Credits with their lines. They come after all chapters, so that the book's lines keep number, seed and sound."""
        count = len(self.unspoken)
        planned = self.chapter(chapter, number, True)
        del self.unspoken[count:]  # the texts added here are no words of the book
        return planned

    def _block(self, block: Block, parts: Sequence[Part], where: str) -> list[PlannedLine]:
        planned: list[PlannedLine] = []
        begin = 0
        for part, after in zip(parts, [*parts[1:], None], strict=True):
            end = begin + len(part.text)
            lines = self._part(part, stretches(block, begin, end, self._speaker.tokenizer.lexicon.overrides), where)
            goes_on = after and (part.text.rstrip()[-1:] in _OPEN_ENDS or _GOES_ON.match(after.text))
            if lines and goes_on and not self._is_held:
                lines[-1] = lines[-1].model_copy(update={"pause_s": CLAUSE_PAUSE_S})
            planned += lines
            begin = end
        return planned

    def _part(self, part: Part, spoken: Iterable[Stretch], where: str) -> list[PlannedLine]:
        """The lines of a part that one voice speaks without a break."""
        planned: list[PlannedLine] = []
        for stretch in spoken:
            for sentence in stretch.sentences:
                if is_speakable(sentence.source):
                    planned += self._sentence(sentence, part, where)
                else:
                    self._leave_out([sentence.source], sentence.source, where)
            if stretch.pause_s is not None:
                planned = self._hold(planned, stretch.pause_s)
        return planned

    def _sentence(self, sentence: Sentence, part: Part, where: str) -> list[PlannedLine]:
        lines = make_lines(sentence.spoken, self._speaker.tokenizer, self._speaker.room)
        silent = account_sentence(sentence.spoken, [word for line in lines for word in line.words])
        self._leave_out(silent, sentence.source, where)
        lines[-1] = replace(lines[-1], pause_s=sentence.pause_s)
        self._is_held = False
        has_phones = sentence.spoken != sentence.source
        return [self._line(line, sentence.source if has_phones else line.source, part) for line in lines]

    def _hold(self, planned: Sequence[PlannedLine], pause_s: float) -> list[PlannedLine]:
        """``planned`` with the pause that the book asks for behind its last line; pauses beside each other add up."""
        if not planned:
            return []
        whole_s = pause_s + (planned[-1].pause_s if self._is_held else 0.0)
        self._is_held = True
        return [*planned[:-1], planned[-1].model_copy(update={"pause_s": whole_s})]

    def _leave_out(self, texts: Iterable[str], source: str, where: str) -> None:
        """List the words of ``texts``, and the signs of ``source``, that are not spoken."""
        for text in texts:
            if words := count_words(text):
                self.unspoken.append(Unspoken(text=text, words=words, reason=_NO_READING, where=where))
        if signs := "".join(sign for sign in unspoken(source) if unicodedata.category(sign)[0] not in "LNM"):
            self.unspoken.append(Unspoken(text=signs, words=0, reason=_SIGN, where=where))

    def _line(self, line: Line, source: str, part: Part) -> PlannedLine:
        self._said[line.text] += 1
        self.originals.append(line.text)
        occurrence = self._said[line.text]
        asked = self._replacements(line.text, occurrence) or Replacement(0)
        seed = self._speaker.seed_of(line.text, asked.drawn or occurrence, asked.take)
        spoken = line if asked.text is None else one_line(asked.text, self._speaker)
        return PlannedLine(
            number=len(self.originals), source=source, text=spoken.text, pause_s=line.pause_s, seed=seed,
            key=self._speaker.key_of(spoken, seed, part.voice), changed=asked.text is not None,
            speaker=printable(part.speaker), voice=part.voice,
        )  # fmt: skip


def one_line(text: str, speaker: Speaker) -> Line:
    """A text that a user gave for one line.

    Raises:
        TextError: it cannot be spoken, or needs more than one line.
    """
    lines = make_lines(text, speaker.tokenizer, speaker.room)
    if len(lines) > 1:
        raise TextError(
            f"the new text '{text[:60]}' needs {len(lines)} lines, expected one sentence that fits one line; "
            "shorten it, or edit the book"
        )
    return lines[0]


def pause_after(block: Block, after: Block | None) -> float:
    """The silence in seconds between ``block`` and the one that follows it in the chapter."""
    if after is None:
        return CHAPTER_PAUSE_S
    if after.kind == "break":
        return BREAK_PAUSE_S
    return HEADING_PAUSE_S if block.kind == "heading" else PARAGRAPH_PAUSE_S


def make_plan(
    book: ChapterBook,
    chosen: Sequence[int],
    planner: Planner,
    model: str,
    voice: str,
    rate: float,
    front: bool = True,
    credited: tuple[Chapter, Chapter] | None = None,
    planned: Callable[[int], None] = lambda number: None,
) -> Plan:
    """The plan of ``book``; ``account_sentence`` has proved that each word of its chapters is said once, in order.

    Args:
        book: the book that ``read_chapters`` has read.
        chosen: the numbers of the chapters that are narrated.
        planner: makes the lines.
        model: the name of the model that speaks, for readers of the plan.
        voice: the name of the narrator's voice, for readers of the plan.
        rate: the characters that the model speaks in a second.
        front: whether chapters in front of the main text are narrated if they are chosen.
        credited: the opening and the closing credits, if there are any.
        planned: is called with the number of each chapter that is planned.

    Raises:
        TextError: the proof fails, or nothing of what was chosen can be spoken.
    """
    numbers = set(chosen)
    chapters = []
    for number, chapter in enumerate(book.chapters, 1):
        chapters.append(planner.chapter(chapter, number, number in numbers and (front or not chapter.front)))
        planned(number)
    skipped = [Unspoken(text=p.text, words=p.words, reason=p.reason, where=printable(p.where)) for p in book.skipped]
    about = book.about
    plan = Plan(
        title=printable(about.title), author=printable(about.author), language=printable(about.language), model=model,
        voice=printable(voice), characters_per_second=rate, chapters=tuple(chapters), skipped=(*skipped, *planner.unspoken),
        remarks=tuple(map(printable, book.remarks)),
    )  # fmt: skip
    if not plan.lines:
        raise TextError(
            "nothing of the chosen chapters can be spoken; choose others with --chapters ('--list' shows them), or front "
            "matter with --front"
        )
    if credited is None:
        return plan
    opening, closing = credited
    credits = {"opening": planner.credit(opening, 0), "closing": planner.credit(closing, len(chapters) + 1)}
    return plan.model_copy(update=credits)
