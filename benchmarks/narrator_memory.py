"""The memory of a long narration: ``python -m benchmarks.narrator_memory WORK --words 100000``.

A book of so many words, in chapters of 5000, is planned, spoken and written, and the memory of the process is printed after each step and
each chapter. With ``--tones`` a tone stands for each line, so that plan, cache, timeline, encoder and report are measured without the time
of a model; the model is loaded all the same.
"""

import argparse
import resource
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from triforce_tts.books.read import read_chapters
from triforce_tts.narrator import narrate as narration
from triforce_tts.narrator import speaking
from triforce_tts.narrator.checks import Checker
from triforce_tts.narrator.order import Order
from triforce_tts.narrator.plan import PlannedLine
from triforce_tts.narrator.speaking import Studio
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer

_CHAPTER_WORDS = 5_000
_SENTENCE = "In the year of the flood number {} the grey fox ran over the hill, and nobody saw it again."
_PITCH_HZ = 220


def write_book(path: Path, words: int) -> None:
    """Write a book of about so many words, in which no sentence occurs twice."""
    sentence_words = len(_SENTENCE.split())
    sentences = [_SENTENCE.format(number) for number in range(words // sentence_words)]
    a_chapter = _CHAPTER_WORDS // sentence_words
    chapters = [sentences[at : at + a_chapter] for at in range(0, len(sentences), a_chapter)]
    paragraphs = ["\n\n".join(" ".join(some[at : at + 5]) for at in range(0, len(some), 5)) for some in chapters]
    path.write_text("".join(f"CHAPTER {n}\n\n{text}\n\n" for n, text in enumerate(paragraphs, 1)), encoding="utf-8")


def tone(studio: Studio, line: PlannedLine, number: int) -> Spoken:
    """A tone as long as the line would be."""
    rate = studio.synthesizer.audio.sample_rate
    seconds = len(line.text) / studio.synthesizer.model.characters_per_second
    samples = 0.1 * torch.sin(torch.arange(round(seconds * rate)) * (2 * torch.pi * _PITCH_HZ / rate))
    return Spoken(line.text, samples, torch.zeros(1, 1), True, seconds, line.pause_s)


@dataclass
class Memory:
    """Prints the memory of this process, a row for each step."""

    chapters: dict[int, int] = field(default_factory=dict)  # the chapter of each line, by the line's number
    chapter: int = 0
    step: str = ""

    def show(self, what: str) -> None:
        """Print the memory now and its peak so far."""
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        now_mb = pages * resource.getpagesize() / 1e6
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
        print(f"| {what} | {now_mb:.0f} | {peak_mb:.0f} | {time.process_time():.0f} |", flush=True)

    def __call__(self, event: str, done: float, total: float, left_s: float | None, **values: object) -> None:
        """Print a row when a chapter or a new step begins."""
        chapter = self.chapters.get(int(str(values.get("number", 0))), 0)
        if event == "line" and chapter > self.chapter:
            self.show(f"before chapter {chapter}")
            self.chapter = chapter
        elif event != self.step:
            self.show(f"before {event}")
        self.step = event


def main() -> None:
    """Narrate the book and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path, help="folder that is made")
    parser.add_argument("--words", type=int, default=100_000)
    parser.add_argument("--model", type=Path, help="model folder; default: the bundled model")
    parser.add_argument("--tones", action="store_true", help="a tone in place of each line")
    chosen = parser.parse_args()
    chosen.work.mkdir(parents=True)
    torch.set_num_threads(1)
    memory = Memory()
    print("| step | MB now | MB at most so far | processor s |\n|---|--:|--:|--:|")
    synthesizer = Synthesizer.load(chosen.model, "cpu")
    studio = Studio(synthesizer, synthesizer.voice(), Checker(None, None), 1)
    synthesizer.settings = replace(synthesizer.settings, batch=1)
    if chosen.tones:
        speaking._take = tone
    memory.show("model loaded")
    path = chosen.work / "book.txt"
    write_book(path, chosen.words)
    book, order = read_chapters(path), Order(path, chosen.work / "book.m4b", master="podcast")
    memory.show(f"book of {sum(chapter.words for chapter in book.chapters)} words read")
    plan, _ = narration.plan_book(order, book, studio, narration.Redo())
    memory.chapters = {line.number: chapter.number for chapter in plan.chapters for line in chapter.lines}
    memory.show(f"{len(plan.lines)} lines planned")
    del plan
    outcome = narration.narrate(order, book, studio, memory)
    memory.show(f"{outcome.files[0].loudness.seconds / 3600:.1f} hours written")


if __name__ == "__main__":
    main()
