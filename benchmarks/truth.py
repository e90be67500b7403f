"""Does the builder cut right? Long recordings whose cuts, readers and words are known, through the whole builder.

    python -m benchmarks.truth --speech ../shared/speech --out runs/truth --hours 2

Utterances of many readers are joined with pauses, silence, music-like tones, noise and turns of a second reader. Of
half the recordings the builder is given the text (with front matter and passages that nobody reads), of the others it
is not. Measured, with 95 % intervals over recordings (bootstrap):

  edge precision   share of the edges of kept segments within 0.25 s of the edge of a stretch of speech
  edge recall      share of the edges of stretches of speech within 0.25 s of any segment's edge
  words cut        share of kept segments with an edge in a word: in sound, and inside a word of the aligned utterance
  edges in sound   share of kept segments with an edge in the sound of an utterance: a word, breath or noise
  one reader       share of kept segments in which only one reader speaks
  purity           share of kept speech that is spoken by the commonest reader of its label
  kept             share of all speech that is kept
  false keeps      share of kept seconds that are music or noise
  word error       of the texts of kept segments, compared with what is spoken in them
"""

import argparse
import json
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.evaluation.statistics import interval
from triforce_tts.files import write_json, write_text
from triforce_tts.judges import words
from triforce_tts.judges.align import aligner

Wave = npt.NDArray[np.float32]
RATE = 24000
TOLERANCE_S = 0.25
ALONE_S = 0.1  # seconds; less speech of another reader does not count as a second reader
# An edge lies in sound if so much time on both sides has nearly the level of the speech.
INSIDE_S, NEAR_DB = 0.03, 25.0


@dataclass(frozen=True)
class Utterance:
    """A clip from which the recordings are built."""

    id: str
    samples: Wave
    reader: str
    text: str


@dataclass(frozen=True)
class Spoken:
    """The place of an utterance in a recording, in seconds."""

    start_s: float
    end_s: float
    reader: str
    text: str


@dataclass
class Truth:
    """The true content of an artificial recording."""

    duration_s: float = 0.0
    spoken: list[Spoken] = field(default_factory=list)
    other: list[tuple[float, float, str]] = field(default_factory=list)  # start, end, kind: music, noise


# --- the recordings ---------------------------------------------------------------------------------------------


def music(seconds: float, rng: np.random.Generator) -> Wave:
    """Broken chords of decaying harmonics with a beat, which a detector takes for a jingle."""
    time = np.arange(round(seconds * RATE)) / RATE
    wave = np.zeros(len(time))
    for beat in np.arange(0, seconds, 0.25):
        since = time - beat
        sounding = since >= 0
        pitch = 220 * 2 ** (rng.choice([0, 3, 5, 7, 10, 12]) / 12)
        tone = sum(np.sin(2 * np.pi * pitch * k * since[sounding]) / k for k in (1, 2, 3, 4))
        wave[sounding] += tone * np.exp(-4 * since[sounding])
        drum = rng.standard_normal(int(sounding.sum())) * np.exp(-60 * since[sounding])
        wave[sounding] += 0.5 * drum
    return _at(wave, 0.08)


def noise(seconds: float, rng: np.random.Generator) -> Wave:
    """Pink noise, like that of a room, a street or applause."""
    count = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    return _at(np.fft.irfft(spectrum, count), 0.04)


def _at(wave: npt.NDArray[np.float64], rms: float) -> Wave:
    return (wave * rms / max(1e-9, float(np.sqrt(np.mean(wave**2))))).clip(-1, 1).astype(np.float32)


def trimmed(samples: Wave) -> Wave:
    """The samples without the silence at both ends, so that the edges of the speech are known."""
    frame = RATE // 100
    power = np.square(samples[: len(samples) // frame * frame].reshape(-1, frame)).mean(1)
    loud = np.flatnonzero(power > power.max() * 10**-4.5)
    return samples[loud[0] * frame : (loud[-1] + 1) * frame]


def make_recording(utterances: Sequence[Utterance], guest: Sequence[Utterance], seed: int) -> tuple[Wave, Truth]:
    """A recording [n] of ``utterances`` in order, with what a podcast has besides, and a turn of ``guest`` now and then.

    Pauses last 0.3 to 1.2 s, as between sentences, and hold a faint hiss instead of digital silence.
    """
    rng = np.random.default_rng(seed)
    truth, pieces, length, turns = Truth(), [], 0, list(guest)

    def add(wave: Wave) -> tuple[float, float]:
        nonlocal length
        pieces.append(wave)
        length += len(wave)
        return (length - len(wave)) / RATE, length / RATE

    def pause(least: float, most: float) -> None:
        add(np.zeros(round(rng.uniform(least, most) * RATE), np.float32))

    def say(utterance: Utterance) -> None:
        truth.spoken.append(Spoken(*add(trimmed(utterance.samples)), utterance.reader, utterance.text))

    pause(0.5, 2.0)
    for utterance in utterances:
        what = rng.random()
        if what < 0.05:
            truth.other.append((*add(music(rng.uniform(3, 8), rng)), "music"))
            pause(0.3, 1.0)
        elif what < 0.1:
            truth.other.append((*add(noise(rng.uniform(2, 6), rng)), "noise"))
            pause(0.3, 1.0)
        elif what < 0.15:
            pause(3.0, 8.0)
        elif what < 0.3 and turns:
            say(turns.pop(0))
            pause(0.2, 0.8)
        say(utterance)
        pause(0.3, 1.2)
    wave = np.concatenate(pieces)
    wave += (10 ** (-65 / 20) * rng.standard_normal(len(wave))).astype(np.float32)
    truth.duration_s = len(wave) / RATE
    return wave, truth


def book_of(truth: Truth, unread: Sequence[str], host: str, seed: int) -> str:
    """The text that ``host`` read from: front matter, and after every tenth utterance a passage that nobody reads."""
    rng = np.random.default_rng(seed)
    lines = ["THE BOOK", "", "Printed in the year of its making. All rights of the printer are reserved.", ""]
    passages = list(unread)
    for number, spoken in enumerate(part for part in truth.spoken if part.reader == host):
        lines.append(spoken.text.capitalize() + ("" if spoken.text.endswith((".", "?", "!")) else "."))
        if number % 10 == 9 and passages:
            lines.append(passages.pop(int(rng.integers(len(passages)))))
    return "\n".join(lines) + "\n"


# --- the figures -----------------------------------------------------------------------------------------------------


def judge(segments: Sequence[Any], truth: Truth, wave: Wave) -> dict[str, float]:
    """The figures of one recording, from ``Segment``s that cover it."""
    chosen = [segment for segment in segments if segment.kept]
    edges = np.array([edge for s in chosen for edge in (s.start_s, s.end_s)])
    every = np.array(sorted({edge for s in segments for edge in (s.start_s, s.end_s)}))
    stretches = speech_edges(truth)
    speech = sum(s.end_s - s.start_s for s in truth.spoken)
    shares = [readers_in(segment, truth) for segment in chosen]
    by_label: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for segment, share in zip(chosen, shares, strict=True):
        by_label[segment.speaker].update(share)
    labelled = sum(sum(c.values()) for c in by_label.values())
    other = sum(overlap(s.start_s, s.end_s, start, end) for s in chosen for start, end, _ in truth.other)
    return {
        "edge_precision": _near(edges, stretches),
        "edge_recall": _near(stretches, every),
        "words_cut": _mean([float(any(cuts_word(edge, wave, truth) for edge in (s.start_s, s.end_s))) for s in chosen]),
        "edges_in_sound": _mean(
            [float(any(in_sound(edge, wave, truth) is not None for edge in (s.start_s, s.end_s))) for s in chosen]
        ),
        "one_reader": _mean([float(sum(v > ALONE_S for v in share.values()) <= 1) for share in shares]),
        "purity": sum(c.most_common(1)[0][1] for c in by_label.values() if c) / labelled if labelled else float("nan"),
        "kept": labelled / speech,
        "false_keeps": other / max(1e-9, sum(s.seconds for s in chosen)),
        "segments": float(len(chosen)),
    }


def speech_edges(truth: Truth) -> npt.NDArray[np.float64]:
    """The edges of stretches of speech."""
    return np.array([edge for s in truth.spoken for edge in (s.start_s, s.end_s)])


def readers_in(segment: Any, truth: Truth) -> dict[str, float]:
    """Seconds of speech of each reader in a segment."""
    seconds_of: Counter[str] = Counter()
    for s in truth.spoken:
        if (seconds := overlap(segment.start_s, segment.end_s, s.start_s, s.end_s)) > 0:
            seconds_of[s.reader] += seconds
    return dict(seconds_of)


def overlap(a: float, b: float, c: float, d: float) -> float:
    """Seconds that [a, b] and [c, d] share."""
    return max(0.0, min(b, d) - max(a, c))


def in_sound(edge: float, wave: Wave, truth: Truth) -> Spoken | None:
    """The utterance that contains ``edge``, if the sound on both sides is near the level of its speech; else None."""
    for s in truth.spoken:
        if s.start_s + INSIDE_S < edge < s.end_s - INSIDE_S:
            whole = wave[round(s.start_s * RATE) : round(s.end_s * RATE)]
            least = float(np.sqrt(np.mean(whole**2))) * 10 ** (-NEAR_DB / 20)
            at, width = round(edge * RATE), round(INSIDE_S * RATE)
            sides = (wave[at - width : at], wave[at : at + width])
            return s if all(float(np.sqrt(np.mean(side**2))) > least for side in sides) else None
    return None


def cuts_word(edge: float, wave: Wave, truth: Truth) -> bool:
    """Whether ``edge`` is ``in_sound`` and inside a word by forced alignment.

    If no alignment is possible, all sound counts as words.
    """
    spoken = in_sound(edge, wave, truth)
    if spoken is None:
        return False
    sound = torch.from_numpy(wave[round(spoken.start_s * RATE) : round(spoken.end_s * RATE)])
    words = aligner()(Audio(sound, RATE), spoken.text)
    at = edge - spoken.start_s
    return words is None or any(word[0] + INSIDE_S < at < word[-1] - INSIDE_S for word in words)


def words_in(segment: Any, truth: Truth) -> str:
    """The true text of a segment: the texts of the utterances of which more than 0.3 s lie in it.

    A segment that ends inside an utterance has no known text; see ``whole``.
    """
    inside = [s for s in truth.spoken if overlap(segment.start_s, segment.end_s, s.start_s, s.end_s) > 0.3]
    return " ".join(s.text for s in inside)


def whole(segment: Any, truth: Truth) -> bool:
    """Whether every utterance in the segment lies in it completely, so that its words are known."""
    touched = [s for s in truth.spoken if overlap(segment.start_s, segment.end_s, s.start_s, s.end_s) > 0.05]
    return all(
        overlap(segment.start_s, segment.end_s, s.start_s, s.end_s) > s.end_s - s.start_s - TOLERANCE_S for s in touched
    )


def word_errors(segments: Sequence[Any], truth: Truth) -> tuple[int, int]:
    """Edits and reference words over kept segments whose words are known."""
    whole_segments = [segment for segment in segments if segment.kept and whole(segment, truth)]
    counts = [words.word_edits(words_in(segment, truth), segment.text, words.letters) for segment in whole_segments]
    counts = [edits for edits in counts if edits.total]
    return sum(edits.wrong for edits in counts), sum(edits.total for edits in counts)


def _near(edges: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> float:
    if not len(edges) or not len(others):
        return float("nan")
    return float((np.abs(edges[:, None] - others[None]).min(1) <= TOLERANCE_S).mean())


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else float("nan")


# --- the program ---------------------------------------------------------------------------------------------------


def read_clips(speech: Path) -> dict[str, list[Utterance]]:
    """The utterances of each reader under ``speech``, in the manifest's order, decoded when they are used."""
    by_reader: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (speech / "manifest.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        by_reader[row["speaker"]].append(row)
    return {reader: [Clip(speech, row) for row in rows] for reader, rows in by_reader.items()}  # type: ignore[misc]


class Clip:
    """An ``Utterance`` whose file is read when its samples are needed."""

    def __init__(self, speech: Path, row: dict[str, Any]) -> None:
        self.path, self.id, self.reader, self.text = speech / row["audio"], row["id"], row["speaker"], row["text"]

    @property
    def samples(self) -> Wave:
        """The sound at ``RATE``."""
        wave: Wave = read_audio(self.path, RATE).samples.numpy()
        return wave


def make_corpus(speech: Path, out: Path, hours: float, minutes: float, seed: int) -> dict[str, Truth]:
    """Write recordings of about ``minutes``, each into a folder under ``out``.

    Every second one has its book beside it.
    """
    import soundfile as sf

    clips = read_clips(speech)
    guests = [reader for reader, own in clips.items() if len(own) < 12]
    hosts = sorted((reader for reader, own in clips.items() if len(own) >= 30), key=lambda r: (-len(clips[r]), r))
    unread = [clip.text.capitalize() + "." for reader in guests for clip in clips[reader]]
    rng = np.random.default_rng(seed)
    truths: dict[str, Truth] = {}
    place: Counter[str] = Counter()
    total = 0.0
    while total < hours * 3600:
        number = len(truths)
        host = hosts[number % len(hosts)]
        parts: list[Any] = []
        seconds = 0.0
        while seconds < minutes * 60 and place[host] < len(clips[host]):
            parts.append(clips[host][place[host]])
            place[host] += 1
            seconds += len(parts[-1].samples) / RATE + 0.8
        if not parts:
            break
        visiting = clips[guests[int(rng.integers(len(guests)))]]
        wave, truth = make_recording(
            parts, [visiting[i % len(visiting)] for i in range(len(parts) // 8)], seed + number
        )
        name = f"{number:03d}-{host}"
        folder = out / name
        folder.mkdir(parents=True, exist_ok=True)
        sf.write(folder / f"{name}.flac", wave, RATE)
        if number % 2 == 0:
            write_text(folder / "book.txt", book_of(truth, unread, host, seed + number))
        truths[name] = truth
        total += truth.duration_s
    return truths


def main() -> None:
    """Make recordings, build them, judge the result."""
    from rich.console import Console

    from triforce_tts.data.raw import build as scrape
    from triforce_tts.data.raw.results import read_segments

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speech", type=Path, required=True, help="folder with a manifest.jsonl of many readers")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=2.0, help="of recordings to make; default: %(default)s")
    parser.add_argument("--minutes", type=float, default=8.0, help="of each recording; default: %(default)s")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--config", default="podcast")
    parser.add_argument("--set", action="append", default=["transcribe.engine=pocketsphinx"], dest="overrides")
    options = parser.parse_args()
    truths = make_corpus(options.speech, options.out / "recordings", options.hours, options.minutes, options.seed)
    config = scrape.load_config(options.config, options.overrides)
    accounts = scrape.build(
        [str(options.out / "recordings")], options.out / "shards", config, options.workers, Console()
    )
    figures: defaultdict[str, list[float]] = defaultdict(list)
    edits: dict[str, list[tuple[int, int]]] = {"given": [], "recognised": []}
    for account in accounts:
        name = Path(account.recording.path).stem
        wave = read_audio(account.recording.path, RATE).samples.numpy()
        segments = list(read_segments(options.out / "shards", account.recording))
        for figure, value in judge(segments, truths[name], wave).items():
            figures[figure].append(value)
        edits["given" if account.recording.text else "recognised"].append(word_errors(segments, truths[name]))
    result = {name: interval(values) for name, values in figures.items()}
    for kind, counts in edits.items():
        result[f"word_error_{kind}"] = interval([e / max(1, n) for e, n in counts if n])
        result[f"words_{kind}"] = interval([float(n) for _, n in counts])
    hours = sum(truth.duration_s for truth in truths.values()) / 3600
    write_json(options.out / "result.json", {"hours": hours, "recordings": len(truths), "figures": result})
    write_json(options.out / "truth.json", {name: asdict(truth) for name, truth in truths.items()})
    for name, value in result.items():
        print(name, value)


if __name__ == "__main__":
    main()
