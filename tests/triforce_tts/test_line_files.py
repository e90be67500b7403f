"""A list is spoken as each of its texts alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from triforce_tts import line_files, native
from triforce_tts.line_files import Reader, make_orders, speak_orders
from triforce_tts.line_list import ListedText
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.speaking import Job

pytestmark = pytest.mark.usefixtures("one_thread")
LISTED = [
    ListedText(1, "story", "The end. A cat came in. It sat down. It was a big one."), ListedText(2, "why", "Why?"),
    ListedText(3, "home", "He saw them."), ListedText(4, "hats", "Six old hats and a red mat."),
]  # fmt: skip


def test_pauses_have_the_speed_of_the_reader(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silent(model: object, jobs: Sequence[Job], *rest: object) -> list[Spoken]:
        return [Spoken(job.line.text, torch.zeros(100), torch.zeros(1, 1), True, 1.0, job.line.pause_s) for job in jobs]

    monkeypatch.setattr(line_files, "speak_jobs", silent)
    synthesizer = Synthesizer.load(model, "cpu")
    voice, seconds = synthesizer.voice(), []
    for speed in (1.0, 1.25):
        synthesizer.settings = replace(synthesizer.settings, batch=1, speed=speed)
        reader = Reader(synthesizer, voice)
        (order,) = make_orders(reader, [ListedText(1, "fox", "He ran. She ran. They ran.")], tmp_path, ".wav", 0)
        ((_, record),) = speak_orders(reader, [order], tmp_path)
        seconds.append(record.seconds - 300 / synthesizer.audio.sample_rate)
    assert seconds[1] == pytest.approx(seconds[0] / 1.25, abs=0.001)


def test_another_batch_keeps_the_files(model: Path, tmp_path: Path) -> None:
    synthesizer = Synthesizer.load(model, "cpu")
    voice, keys = synthesizer.voice(), set()
    for batch in (1, 2, 8):
        synthesizer.settings = replace(synthesizer.settings, batch=batch, diffusion_steps=0)
        orders = make_orders(Reader(synthesizer, voice), LISTED, tmp_path, ".wav", 0)
        keys.add(tuple(order.key for order in orders))
    assert len(keys) == 1


@pytest.mark.skipif(not native.available(), reason="the native operators were not built ('make ext')")
def test_texts_of_any_length_are_spoken_together_with_the_bytes_of_each_alone(model: Path, tmp_path: Path) -> None:
    synthesizer = Synthesizer.load(model, "cpu")
    voice, sounds = synthesizer.voice(), []
    for batch in (1, 3):
        folder = tmp_path / str(batch)
        folder.mkdir()
        synthesizer.settings = replace(synthesizer.settings, batch=batch, diffusion_steps=0)
        reader = Reader(synthesizer, voice)
        done = list(speak_orders(reader, make_orders(reader, LISTED, folder, ".wav", 0), folder))
        assert [order.name for order, _ in done] == [text.name for text in LISTED]
        sounds.append([(order.path.read_bytes(), record.sha256, record.faults) for order, record in done])
    assert sounds[0] == sounds[1]


def test_a_long_text_fills_a_batch_by_itself(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counts: list[int] = []

    def silent(model: object, jobs: Sequence[Job], *rest: object) -> list[Spoken]:
        counts.append(len(jobs))
        return [Spoken(job.line.text, torch.zeros(100), torch.zeros(1, 1), True, 1.0, job.line.pause_s) for job in jobs]

    monkeypatch.setattr(line_files, "speak_jobs", silent)
    synthesizer = Synthesizer.load(model, "cpu")
    synthesizer.settings = replace(synthesizer.settings, batch=3)
    reader = Reader(synthesizer, synthesizer.voice())
    list(speak_orders(reader, make_orders(reader, LISTED, tmp_path, ".wav", 0), tmp_path))
    assert counts == [4, 2, 1]
