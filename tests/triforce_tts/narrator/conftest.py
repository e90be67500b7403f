"""Small books, plans and lines; the sounds are tones, which need no network."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from triforce_tts.audio.resample import Wave
from triforce_tts.books.chapters import ChapterBook
from triforce_tts.books.read import read_chapters
from triforce_tts.narrator.lines import LineRecord, Lines
from triforce_tts.narrator.plan import Plan, Planner, Replacement, Speaker, make_plan
from triforce_tts.narrator.selection import choose_chapters
from triforce_tts.synthesis.script import Room, SpeakingLimits
from triforce_tts.text.tokenizer import TextTokenizer

RATE = 16_000
STORY = """CHAPTER I

Mr. Green walked out in 1884. "Yes," he said. "Yes," he said.

It was dark, and the wind rose.

* * *

The end of {this}.

CHAPTER II

Another day. It cost $5.

CHAPTER III

The last day came.
"""
MakePlan = Callable[..., Plan]


@pytest.fixture(scope="session")
def speaker() -> Speaker:
    return Speaker(TextTokenizer(), Room(SpeakingLimits(), 15.0, 3000, 94.0, True), "someone")


@pytest.fixture
def story(tmp_path: Path) -> Path:
    path = tmp_path / "story.txt"
    path.write_text(STORY)
    return path


@pytest.fixture
def plan_of(speaker: Speaker) -> MakePlan:
    """Plans a text file or a book."""

    def make(
        source: Path | ChapterBook, chapters: str | None = None, front: bool = True,
        replacements: Callable[[str, int], Replacement | None] = lambda text, occurrence: None,
    ) -> Plan:  # fmt: skip
        book = read_chapters(source) if isinstance(source, Path) else source
        planner = Planner(speaker, replacements)
        return make_plan(book, choose_chapters(chapters, len(book.chapters)), planner, "m", "v", 15.0, front)

    return make


def tone(seconds: float, hertz: float = 220.0, level: float = 0.1, rate: int = RATE) -> torch.Tensor:
    time = np.arange(round(seconds * rate)) / rate
    return torch.from_numpy((level * np.sin(2 * np.pi * hertz * time)).astype(np.float32))


def record(samples: int, **more: object) -> LineRecord:
    values: dict[str, object] = {
        "samples": samples, "sample_rate": RATE, "sha256": "", "take": 0, "tries": 1, "flags": (), "figures": {},
        "checks": ("engine", "sound"), "took_s": 1.0,
    }  # fmt: skip
    return LineRecord.model_validate({**values, **more})


class Tones(Lines):
    """Lines that need no disk: each is a tone, whose pitch comes from its name."""

    def read(self, key: str, record: LineRecord) -> Wave:
        """The tone of a line."""
        return tone(record.seconds, 200.0 + int(key[:2], 16)).numpy()


def tones(plan: Plan, seconds: float = 0.6) -> tuple[Lines, dict[str, LineRecord]]:
    """Every line of a plan as a tone."""
    records = {line.key: record(round(seconds * RATE)) for line in plan.lines}
    return Tones(Path(), {"software": "test", "comment": "Synthetic speech"}), records
