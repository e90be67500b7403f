"""What the narrator's checks find: ``python -m benchmarks.narrator_checks speak|measure|recordings|table FOLDER``.

``speak`` speaks lines of a book once each into FOLDER. ``measure`` checks each line as it is and with each fault of
``benchmarks.narrator_faults``; what a recogniser hears is kept in FOLDER, so that a second run with other bounds is fast.
``recordings`` checks recordings of a manifest, which have no fault: a flag on one of them is a false alarm for certain, while a line
that a model spoke may have a fault of its own. ``table`` prints the shares. All go on where they were stopped.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.narrator_faults import Cached, faulty_codes, faulty_sounds
from triforce_tts.audio.edit import trim_silence
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave, resample
from triforce_tts.books.read import read_chapters
from triforce_tts.errors import TextError
from triforce_tts.evaluation.statistics import interval
from triforce_tts.judges.recognisers import AUTO, Recogniser, choose, open_recogniser
from triforce_tts.manifest import DEFAULT_VOICE
from triforce_tts.named_voices import find_clip
from triforce_tts.narrator.checks import Checked, Checker, doubt_flags, open_checker, with_voice, word_flags
from triforce_tts.sampling.takes import Take, unsaid
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.model import Model
from triforce_tts.synthesis.script import Line, make_lines, spoken_length
from triforce_tts.synthesis.speaking import Job, draw, text_end
from triforce_tts.synthesis.vocoding import Utterance, vocode

UNTOUCHED, RECORDED = "none", "none, a recording"
_LEAST_WORDS = 4
_SEED = 1000  # the seed of the first line
_RESULTS, _HEARD = "results.jsonl", "heard.jsonl"


def book_lines(synthesizer: Synthesizer, book: Path, count: int) -> list[Line]:
    """``count`` lines of at least four words from all over a book."""
    lines: list[Line] = []
    for chapter in read_chapters(book).chapters:
        for block in chapter.blocks:
            try:
                spoken = make_lines(block.text, synthesizer.tokenizer, synthesizer.room)
            except TextError:  # The block has only signs.
                continue
            lines += [line for line in spoken if len(line.words) >= _LEAST_WORDS]
    return lines[:: max(1, len(lines) // count)][:count]


def speak(synthesizer: Synthesizer, lines: list[Line], voice: str | None, folder: Path) -> None:
    """Speak each line that ``folder`` lacks, once, in one try."""
    folder.mkdir(parents=True, exist_ok=True)
    chosen, model = synthesizer.voice(voice), synthesizer.model
    for number, line in enumerate(lines):
        path = folder / f"{number:03d}.npz"
        if path.exists():
            continue
        job = Job(line, chosen, _SEED + number)
        (take,) = draw(model, [job], synthesizer.settings, synthesizer.stopwatch)
        utterance = Utterance(take.codes, chosen.speaker, job.seed, chosen.timbre)
        (wave,) = vocode(model, [utterance], synthesizer.settings, synthesizer.stopwatch)
        take, wave = _without_more(model, take, wave)
        missing = unsaid(take, line.words, wave, model.code_samples, model.audio.sample_rate)
        samples = trim_silence(wave, model.audio.sample_rate)
        temporary = path.with_suffix(".part.npz")
        np.savez(
            temporary, codes=take.codes.numpy(), spans=np.array(take.spans), ended=take.ended, text=line.text,
            pcm=(samples.numpy() * 32767).astype(np.int16), unsaid=json.dumps(missing), predicted=line.predicted_s,
            seed=job.seed,
        )  # fmt: skip
        temporary.rename(path)


def _without_more(model: Model, take: Take, wave: torch.Tensor) -> tuple[Take, torch.Tensor]:
    """A take and its sound [n] without what is said after the text, which ``narrate`` cuts off as well."""
    end, is_followed = text_end(model, take, wave)
    frames = -(-end // model.code_samples)
    return (replace(take, codes=take.codes[:frames]), wave[:end]) if is_followed else (take, wave)


def read_lines(folder: Path) -> list[Cached]:
    """The lines that ``speak`` wrote."""
    return [_read(path) for path in sorted(folder.glob("[0-9][0-9][0-9].npz"))]


def _read(path: Path) -> Cached:
    with np.load(path) as arrays:
        return Cached(
            int(path.stem), str(arrays["text"]), arrays["codes"], tuple((int(a), int(b)) for a, b in arrays["spans"]),
            arrays["pcm"].astype(np.float32) / 32767, int(arrays["seed"]), bool(arrays["ended"]),
            tuple(json.loads(str(arrays["unsaid"]))), float(arrays["predicted"]),
        )  # fmt: skip


@dataclass
class Bench:
    """The tools of a measurement: a synthesizer for faulty codes, the checks, and the texts that were heard before."""

    synthesizer: Synthesizer
    checker: Checker
    recogniser: Recogniser | None
    folder: Path
    # The texts that were heard, by the number of the line, the fault and the recogniser.
    heard: dict[str, str]

    def sounds(self, line: Cached, lines: list[Cached], voices: list[Cached]) -> Iterator[tuple[str, Wave]]:
        """Each fault's name and its sound."""
        rng = np.random.default_rng(line.number)
        others = [other for other in lines if other.number != line.number]
        speaker, rate = self.synthesizer.voice().speaker, self.synthesizer.audio.sample_rate
        for name, codes in faulty_codes(line, others, rng).items():
            wave = self.synthesizer.decode(torch.from_numpy(codes), speaker, line.seed)
            yield name, trim_silence(wave, rate).numpy()
        yield from faulty_sounds(line, others, voices, rate, rng).items()

    def row(self, line: Cached, fault: str, wave: Wave) -> dict[str, Any]:
        """The results of the checks of one sound, and the time that they take."""
        ended, missing = (line.ended, line.unsaid) if fault == UNTOUCHED else (True, ())
        spoken = Spoken(
            line.text, torch.from_numpy(wave), torch.zeros(0, 1), ended, line.predicted_s, 0.0, unsaid=missing
        )
        rate = self.synthesizer.audio.sample_rate
        began = time.process_time()
        checked = self.checker(spoken, rate)
        row: dict[str, Any] = {"line": line.number, "fault": fault, "text": line.text, "seconds": len(wave) / rate}
        row["check_s"] = time.process_time() - began
        if self.recogniser is not None:
            began = time.process_time()
            checked = self._heard(checked, line, wave, row)
            row["hear_s"] = time.process_time() - began
        return {**row, **asdict(checked)}

    def _heard(self, checked: Checked, line: Cached, wave: Wave, row: dict[str, Any]) -> Checked:
        """``checked``, with the recogniser's flags also in ``row``, because the table counts them apart."""
        assert self.recogniser is not None
        key = f"{line.number} {row['fault']} {self.recogniser.name}"
        if key not in self.heard:
            self.heard[key] = self.recogniser.hear(resample(wave, self.synthesizer.audio.sample_rate, ANALYSIS_RATE))
            with (self.folder / _HEARD).open("a", encoding="utf-8") as out:
                out.write(json.dumps([key, self.heard[key]]) + "\n")
        heard = self.heard[key]
        figures = dict(checked.figures)
        row["word_flags"] = [*word_flags(line.text, heard, figures), *doubt_flags(figures)]
        return Checked(checked.flags, figures, heard, checked.missing)


def measure(bench: Bench, faulty: int) -> None:
    """Check every line, and the first ``faulty`` lines with each fault; rows that are there are not made again."""
    path = bench.folder / _RESULTS
    done = {(row["line"], row["fault"]) for row in _rows(path)}
    lines = read_lines(bench.folder)
    voices = [line for folder in sorted(bench.folder.glob("*/")) for line in read_lines(folder)]
    with path.open("a", encoding="utf-8") as out:
        for line in lines:
            sounds = bench.sounds(line, lines, voices) if line.number < faulty else iter(())
            if line.number < faulty and (line.number, "0.4 s of noise") in done:
                continue
            for fault, wave in [(UNTOUCHED, line.samples), *sounds]:
                if (line.number, fault) not in done:
                    out.write(json.dumps(bench.row(line, fault, wave)) + "\n")
                    out.flush()


def measure_recordings(bench: Bench, manifest: Path) -> None:
    """Check every recording of a manifest as a line of a book; rows that are there are not made again."""
    path, rate = bench.folder / _RESULTS, bench.synthesizer.audio.sample_rate
    path.parent.mkdir(parents=True, exist_ok=True)
    done = {row["line"] for row in _rows(path) if row["fault"] == RECORDED}
    with path.open("a", encoding="utf-8") as out:
        for number, row in enumerate(_rows(manifest)):
            if number in done:
                continue
            samples = trim_silence(read_audio(manifest.parent / row["audio"], rate).samples, rate).numpy()
            predicted_s = spoken_length(row["text"]) / bench.synthesizer.model.characters_per_second
            line = Cached(number, row["text"], np.zeros((0, 1)), (), samples, 0, True, (), predicted_s)
            out.write(json.dumps(bench.row(line, RECORDED, samples)) + "\n")
            out.flush()


def _rows(path: Path) -> list[Any]:
    return [json.loads(row) for row in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []


def table(folder: Path) -> None:
    """Print the shares that are caught, without and with the recogniser, with 95 % intervals."""
    rows = _rows(folder / _RESULTS)
    faults = list(dict.fromkeys(row["fault"] for row in rows))
    print("| fault | lines | without a recogniser | with it |\n|---|--:|--:|--:|")
    for fault in [*faults, "all faults"]:
        own = [
            row
            for row in rows
            if row["fault"] == fault or (fault == "all faults" and row["fault"] not in (UNTOUCHED, RECORDED))
        ]
        cells = [_share([bool(row["flags"]) for row in own])]
        cells.append(_share([bool(row["flags"] or row["word_flags"]) for row in own if "word_flags" in row]))
        print(f"| {fault} | {len(own)} | {' | '.join(cells)} |")
    seconds = sum(row["seconds"] for row in rows)
    print(f"\nprocessor seconds a second of sound: {sum(row['check_s'] for row in rows) / seconds:.3f}", end="")
    print(f", the recogniser {sum(row.get('hear_s', 0) for row in rows) / seconds:.3f}")


def _share(caught: list[bool]) -> str:
    if not caught:
        return ""
    mean, low, high = interval([float(one) for one in caught])
    return f"{100 * mean:.0f} % ({100 * low:.0f} to {100 * high:.0f})"


def main() -> None:
    """Speak, measure, or print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=("speak", "measure", "recordings", "table"))
    parser.add_argument(
        "folder", type=Path, help="of the lines and the results; another voice's lines lie in a folder within"
    )
    parser.add_argument("--book", type=Path, help="to speak lines of")
    parser.add_argument("--lines", type=int, default=200)
    parser.add_argument("--voice", help="of the lines or the recordings; default: the model's own")
    parser.add_argument("--manifest", type=Path, help="of the recordings")
    parser.add_argument("--faulty", type=int, default=60, help="lines that get the faults")
    parser.add_argument("--recogniser", default=AUTO, help="auto, none, tiny.en, pocketsphinx or a folder")
    options = parser.parse_args()
    torch.set_num_threads(1)
    if options.step == "table":
        table(options.folder)
        return
    synthesizer = Synthesizer.load(device="cpu")
    if options.step == "speak":
        speak(synthesizer, book_lines(synthesizer, options.book, options.lines), options.voice, options.folder)
        return
    choice = None if options.recogniser == "none" else choose(options.recogniser).recogniser
    clip = find_clip(options.voice) if options.voice else synthesizer.folder / DEFAULT_VOICE
    checker = with_voice(open_checker(True, None), clip, synthesizer.audio)
    heard = dict(_rows(options.folder / _HEARD))
    bench = Bench(synthesizer, checker, open_recogniser(choice) if choice else None, options.folder, heard)
    if options.step == "recordings":
        measure_recordings(bench, options.manifest)
    else:
        measure(bench, options.faulty)


if __name__ == "__main__":
    main()
