"""What is evaluated: the sentences, the recordings beside them, the voices, and the list of clips that comes of it."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from triforce_tts.errors import TextError, TriforceError
from triforce_tts.evaluation.report import COPIES, Kind, Sentence
from triforce_tts.files import read_text_file
from triforce_tts.manifest import DEFAULT_VOICE
from triforce_tts.schema import Record, parse_record

_AUDIO = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".m4a")
_LONGEST = 400  # characters of a sentence
_MOST_COPIED = 40  # recordings that go through the codes and back
VOICES = "voices"  # the label of the clips that are cloned


class _Line(Record):
    """What is read of a line of a manifest; other keys are of no use here."""

    id: str
    audio: str
    text: str
    speaker: str = "unknown"


@dataclass(frozen=True)
class Recording:
    """A natural recording, or a teacher's, of a sentence."""

    sentence: Sentence
    path: Path
    speaker: str
    collection: str  # the name of its manifest's folder


@dataclass(frozen=True)
class Reader:
    """Someone whose voice is cloned: the first clip is the reference, the others show how alike one reader's clips are."""

    name: str
    clips: tuple[Path, ...]


@dataclass(frozen=True)
class Plan:
    """What is evaluated."""

    sentences: tuple[Sentence, ...]
    recordings: tuple[Recording, ...]
    readers: tuple[Reader, ...]
    seeds: tuple[int, ...]
    files: tuple[Path, ...] = ()  # that it was read from


def read_sentences(path: Path | None) -> tuple[Sentence, ...]:
    """The sentences of a text file, one a line; without a file the twenty that come with the package.

    Raises:
        TriforceError: it cannot be read, holds no sentence, or holds one that is too long.
    """
    source = path or Path(str(resources.files("triforce_tts"))) / "assets" / "sentences.txt"
    lines = [line.strip() for line in read_text_file(source).splitlines()]
    texts = list(dict.fromkeys(line for line in lines if line))
    if not texts:
        raise TextError(f"{source}: no sentence in it; expected one a line")
    for text in texts:
        if len(text) > _LONGEST:
            raise TextError(f"{source}: a line of {len(text)} characters; expected a sentence of at most {_LONGEST}")
    return tuple(Sentence(id=f"s{number:03d}", text=text) for number, text in enumerate(texts, 1))


def read_recordings(path: Path, collection: str) -> list[Recording]:
    """The recordings of a ``manifest.jsonl``, with paths relative to it; ``collection`` is what they are called together.

    Raises:
        TriforceError: it cannot be read, a line is no recording, or there is none.
    """
    found = []
    for number, line in enumerate(read_text_file(path).splitlines(), 1):
        if line.strip():
            row = parse_record(_Line, line, f"{path}, line {number}")
            sentence = Sentence(id=f"{_slug(collection)}-{number:05d}-{_slug(row.id)}", text=row.text)
            found.append(Recording(sentence, path.parent / row.audio, row.speaker, collection))
    if not found:
        raise TriforceError(f"{path}: no recording in it; expected a JSON object a line with id, audio and text")
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9_-]+", "-", text)[:60] or "x"


def read_readers(folder: Path) -> tuple[Reader, ...]:
    """The readers in a folder: a sound file is a reader's only clip, a folder in it holds a reader's clips.

    Raises:
        TriforceError: there is none.
    """
    if not folder.is_dir():
        raise TriforceError(f"{folder}: no such folder; expected one with a clip, or a folder of clips, of each voice")
    readers = []
    for entry in sorted(folder.iterdir()):
        clips = sorted(entry.iterdir()) if entry.is_dir() else [entry]
        sounds = tuple(clip for clip in clips if clip.is_file() and clip.suffix.lower() in _AUDIO)
        if sounds:
            readers.append(Reader(entry.name if entry.is_dir() else entry.stem, sounds))
    if not readers:
        raise TriforceError(f"{folder}: no sound files in it; expected one of {', '.join(_AUDIO)} for each voice")
    names = [reader.name for reader in readers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise TriforceError(f"{folder}: two voices are called '{twice[0]}'; rename one")
    return tuple(readers)


def make_plan(
    texts: Path | None, natural: Sequence[Path], voices: Path | None, seeds: int, limit: int | None = None
) -> Plan:
    """The plan that the options ask for.

    With ``natural`` and without ``texts``, the recordings' own sentences are spoken. With both, those recordings are used
    whose text is one of the sentences. ``limit`` keeps the first sentences only.

    Raises:
        TriforceError: a file cannot be used, or no recording says one of the sentences.
    """
    names = _collections(natural)
    recordings = [r for path, name in zip(natural, names, strict=True) for r in read_recordings(path, name)]
    if texts is None and recordings:
        by_text = {_key(recording.sentence.text): recording.sentence for recording in reversed(recordings)}
        sentences = tuple(reversed(by_text.values()))
    else:
        sentences = read_sentences(texts)
    sentences = sentences[:limit]
    spoken = {_key(sentence.text): sentence for sentence in sentences}
    beside = [
        Recording(spoken[_key(r.sentence.text)], r.path, r.speaker, r.collection)
        for r in recordings
        if _key(r.sentence.text) in spoken
    ]
    if recordings and not beside:
        raise TriforceError(
            f"{natural[0]}: none of its recordings says one of the sentences; leave out --texts to speak its own texts"
        )
    for recording in beside:
        if not recording.path.is_file():
            raise TriforceError(
                f"{recording.path}: there is no such recording, but {recording.collection}'s manifest names it"
            )
    readers = read_readers(voices) if voices is not None else ()
    files = tuple(path for path in (texts, *natural, voices) if path is not None)
    return Plan(sentences, tuple(beside), readers, tuple(range(seeds)), files)


def _collections(manifests: Sequence[Path]) -> list[str]:
    """What the recordings of each manifest are called: by its folder; a number tells those apart that are called alike."""
    folders = [Path(os.path.realpath(path)).parent.name for path in manifests]  # resolve() fails on a circle of links
    return [
        name if folders.count(name) == 1 else f"{name}-{folders[: number + 1].count(name)}"
        for number, name in enumerate(folders)
    ]


def _key(text: str) -> str:
    """What two writings of one sentence have in common."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


@dataclass(frozen=True)
class Job:
    """One clip that is made and judged; a plain value, so that it can be sent to another process."""

    number: int
    kind: Kind | None  # none: a reference clip, which is only compared with others
    label: str  # of the model, or of the recordings
    model: Path | None  # that speaks or copies
    sentence: Sentence  # for a sound without a known text: the name of its file, and an empty text
    voice: str
    source: Path | None  # the recording, or the clip of the voice; none: the model's own voice
    seed: int = 0

    @property
    def system(self) -> str:
        """Whose clip it is."""
        return f"{self.label}: {self.kind}"

    @property
    def name(self) -> str:
        """The clip's file name, without its suffix."""
        parts = (f"{self.number:05d}", self.label, self.kind or "reference", self.sentence.id, f"seed{self.seed}")
        return "-".join(map(_slug, parts))


def own_voice(label: str) -> str:
    """What the voice is called in which the model ``label`` speaks by itself."""
    return f"default of {label}"


def make_jobs(plan: Plan, models: Sequence[tuple[str, Path]]) -> list[Job]:
    """All clips of an evaluation, for ``models`` as pairs of label and folder."""
    jobs: list[Job] = []

    def add(
        kind: Kind | None,
        label: str,
        model: Path | None,
        sentence: Sentence,
        voice: str,
        source: Path | None,
        seed: int = 0,
    ) -> None:
        jobs.append(Job(len(jobs), kind, label, model, sentence, voice, source, seed))

    for recording in plan.recordings:
        add("natural", recording.collection, None, recording.sentence, recording.speaker, recording.path)
    for reader in plan.readers:
        for clip in reader.clips:
            add(None, VOICES, None, Sentence(id=_slug(clip.stem), text=""), reader.name, clip)
    for label, model in models:
        voice = Sentence(id="voice", text="")
        add(None, label, None, voice, own_voice(label), model / DEFAULT_VOICE)
        for seed in plan.seeds:
            for sentence in plan.sentences:
                add("spoken", label, model, sentence, own_voice(label), None, seed)
            for number, reader in enumerate(plan.readers):
                sentence = plan.sentences[(number + seed) % len(plan.sentences)]
                add("cloned", label, model, sentence, reader.name, reader.clips[0], seed)
        for sentence, speaker, path in _copied(plan, label, model):
            for kind in COPIES:
                add(kind, label, model, sentence, speaker, path)
    return jobs


def _copied(plan: Plan, label: str, model: Path) -> list[tuple[Sentence, str, Path]]:
    """What goes through the codes and back: recordings from all over the list; without any, the clips of the voices."""
    if plan.recordings:
        every = -(-len(plan.recordings) // _MOST_COPIED)
        return [(r.sentence, r.speaker, r.path) for r in plan.recordings[::every]]
    clips = [(reader.name, reader.clips[0]) for reader in plan.readers] or [(own_voice(label), model / DEFAULT_VOICE)]
    return [(Sentence(id=_slug(name), text=""), name, clip) for name, clip in clips]
