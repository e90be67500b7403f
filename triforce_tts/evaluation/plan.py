"""The plan of an evaluation: sentences, recordings and voices, and the list of clips that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from triforce_tts.audio.io import read_tags
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation.report import COPIES, Kind, Sentence
from triforce_tts.evaluation.sources import (
    Reader,
    Recording,
    group_names,
    read_readers,
    read_recordings,
    read_sentences,
    slug,
)
from triforce_tts.manifest import DEFAULT_VOICE

_MOST_SENTENCES = 10_000
_MOST_COPIED = 40  # the most recordings that go through the codes and back
_LONGEST_ARTIST = 60  # the most characters of a voice's name
VOICES = "voices"  # the label of cloned clips


@dataclass(frozen=True)
class Plan:
    """The material of an evaluation."""

    sentences: tuple[Sentence, ...]
    recordings: tuple[Recording, ...]
    readers: tuple[Reader, ...]
    seeds: tuple[int, ...]
    files: tuple[Path, ...] = ()  # the files that the material was read from


def make_plan(
    texts: Sequence[Path],
    natural: Sequence[Path],
    voices: Path | None,
    seeds: int,
    limit: int | None = None,
    beside: Sequence[Path] = (),
) -> Plan:
    """The plan that the options ask for.

    With ``natural`` and without ``texts``, the recordings' own sentences are spoken. With both, those recordings are used
    whose text is one of the sentences. The recordings of ``beside`` are judged, and their sentences are not spoken.
    ``limit`` keeps the first sentences of each list only.

    Raises:
        TriforceError: a file cannot be used, no recording says one of the sentences, or there are too many sentences.
    """
    names = group_names([*natural, *beside], folders=True)
    collections = [read_recordings(path, name) for path, name in zip([*natural, *beside], names, strict=True)]
    recordings = [recording for collection in collections[: len(natural)] for recording in collection]
    others = [recording for collection in collections[len(natural) :] for recording in collection[:limit]]
    sentences = _first(_sentences(texts, recordings), limit)
    if len(sentences) > _MOST_SENTENCES:
        raise TriforceError(
            f"{(*texts, *natural)[0]}: {len(sentences)} sentences; expected at most {_MOST_SENTENCES}: shorten the list, "
            "or take the first ones with --limit"
        )
    spoken = {_key(sentence.text): sentence for sentence in sentences}
    paired = [
        Recording(spoken[_key(r.sentence.text)], r.path, r.speaker, r.collection)
        for r in recordings
        if _key(r.sentence.text) in spoken
    ]
    if recordings and not paired:
        raise TriforceError(
            f"{natural[0]}: none of its recordings says one of the sentences; leave out --texts to speak its own texts, "
            "or give it by --beside"
        )
    for recording in (*paired, *others):
        if not recording.path.is_file():
            raise TriforceError(
                f"{recording.path}: there is no such recording, but {recording.collection}'s manifest names it"
            )
    readers = read_readers(voices) if voices is not None else ()
    files = tuple(path for path in (*texts, *natural, *beside, voices) if path is not None)
    return Plan(sentences, (*paired, *others), readers, tuple(range(seeds)), files)


def _sentences(texts: Sequence[Path], recordings: Sequence[Recording]) -> list[Sentence]:
    """The sentences that may be spoken, list after list, each once."""
    if not texts and not recordings:
        return list(read_sentences(None))
    sentences: dict[str, Sentence] = {}
    if not texts:
        for recording in recordings:
            sentences.setdefault(_key(recording.sentence.text), recording.sentence)
    for path, name in zip(texts, group_names(texts, folders=False), strict=True):
        for sentence in read_sentences(path, name):
            sentences.setdefault(sentence.text, sentence)
    return list(sentences.values())


def _first(sentences: Sequence[Sentence], limit: int | None) -> tuple[Sentence, ...]:
    """The first ``limit`` sentences of each list; all without a limit."""
    groups = [list(group) for _, group in groupby(sentences, key=lambda sentence: sentence.group)]
    return tuple(sentence for group in groups for sentence in group[:limit])


def _key(text: str) -> str:
    """A key that is equal for two writings of one sentence."""
    return " ".join("".join(c if c.isalnum() else " " for c in text.lower()).split())


@dataclass(frozen=True)
class Job:
    """One clip that is made and judged; a plain value, so that it can be sent to another process."""

    number: int
    kind: Kind | None  # none for a reference clip, which is only compared with others
    label: str  # the label of the model or of the recordings
    model: Path | None  # the model that speaks or copies
    # For a sound without a known text, the name of its file and an empty text.
    sentence: Sentence
    voice: str
    source: Path | None  # the recording, or the clip of the voice; none for the model's own voice
    seed: int = 0

    @property
    def system(self) -> str:
        """The system that makes the clip."""
        return f"{self.label}: {self.kind}"

    @property
    def name(self) -> str:
        """The clip's file name, without its suffix."""
        parts = (f"{self.number:05d}", self.label, self.kind or "reference", self.sentence.id, f"seed{self.seed}")
        return "-".join(map(slug, parts))


def own_voice(label: str, clip: Path) -> str:
    """The name of the own voice of the model ``label``; it names the speaker if the tags of ``clip`` do."""
    artist = " ".join(read_tags(clip).get("artist", "").partition(" (")[0].split())[:_LONGEST_ARTIST]
    return f"{artist}, default of {label}" if artist else f"default of {label}"


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
            add(None, VOICES, None, Sentence(id=slug(clip.stem), text=""), reader.name, clip)
    for label, model in models:
        clip = model / DEFAULT_VOICE
        own = own_voice(label, clip)
        add(None, label, None, Sentence(id="voice", text=""), own, clip)
        for seed in plan.seeds:
            for sentence in plan.sentences:
                add("spoken", label, model, sentence, own, None, seed)
            for number, reader in enumerate(plan.readers):
                sentence = plan.sentences[(number + seed) % len(plan.sentences)]
                add("cloned", label, model, sentence, reader.name, reader.clips[0], seed)
        for sentence, speaker, path in _copied(plan, own, clip):
            for kind in COPIES:
                add(kind, label, model, sentence, speaker, path)
    return jobs


def _copied(plan: Plan, own: str, clip: Path) -> list[tuple[Sentence, str, Path]]:
    """The sounds that go through the codes and back: recordings from the whole list, or else clips of the voices."""
    if plan.recordings:
        every = -(-len(plan.recordings) // _MOST_COPIED)
        return [(r.sentence, r.speaker, r.path) for r in plan.recordings[::every]]
    clips = [(reader.name, reader.clips[0]) for reader in plan.readers] or [(own, clip)]
    return [(Sentence(id=slug(name), text=""), name, source) for name, source in clips]
