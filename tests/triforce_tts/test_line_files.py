"""A list is spoken as each of its texts alone."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from triforce_tts import line_files
from triforce_tts.line_files import Reader, make_orders, speak_orders
from triforce_tts.line_list import ListedText
from triforce_tts.speech import Spoken
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.speaking import Job

pytestmark = pytest.mark.usefixtures("one_thread")


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
