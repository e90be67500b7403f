"""The arithmetic and the recording of the benchmark of the builder's signal steps."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks import build
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.streaming import stream_audio
from triforce_tts.data.common.segments import Segment
from triforce_tts.judges import dnsmos as network


def test_a_row_holds_medians_and_the_share_by_round() -> None:
    speed = build.Speed("x", 100.0, (1.0, 2.0, 8.0), (0.5, 1.9, 7.2))
    # The medians are 2 s and 1.9 s, and the shares are 50, 95 and 90 %.
    assert speed.row == "| x | 50 | 53 | 90 % |"
    assert build.Speed("y", 100.0, (4.0,)).row == "| y | 25 | | |"


def test_both_are_called_in_turn_and_the_first_time_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    clock = iter(range(1000))
    monkeypatch.setattr(build.time, "process_time", lambda: float(next(clock)))
    speed = build.measure("x", 1.0, lambda: calls.append("ours"), lambda: calls.append("bare"))
    assert calls == ["ours", "bare"] * (build.ROUNDS + 1)
    assert speed.ours == speed.bare == (1.0,) * build.ROUNDS
    assert build.measure("x", 1.0, lambda: None).bare == ()


def test_chapters_of_an_mp3_lie_behind_one_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "CHAPTER_S", 4.0)
    length = build.write_recording(tmp_path / "x.mp3", 12 / 3600)
    assert length == pytest.approx(12.0)
    stream = stream_audio(tmp_path / "x.mp3")
    found = np.concatenate(list(stream.blocks))
    assert (stream.sample_rate, stream.faults) == (build.SOURCE_RATE, [])
    # the tolerance covers the frames of mp3 and the encoder's delay
    assert len(found) / build.SOURCE_RATE == pytest.approx(12.0, abs=0.4)
    once = build.chapter(4.0)
    for number in range(3):  # the same chapter follows each time
        part = found[round(number * len(found) / 3) :][: len(once) + 6000]
        spectrum = np.fft.rfft(part, 2**19) * np.conj(np.fft.rfft(once, 2**19))
        likeness = np.fft.irfft(spectrum).max() / (np.linalg.norm(part) * np.linalg.norm(once))
        assert likeness > 0.9
    assert read_audio(tmp_path / "x.mp3").sample_rate == build.SOURCE_RATE


def test_the_bare_network_hears_as_many_windows_as_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[int] = []

    class Deaf:
        def run(self, names: None, given: dict[str, np.ndarray]) -> list[np.ndarray]:
            heard.append(given["input_1"].shape[1])
            return [np.ones((1, 3), np.float32)]

    monkeypatch.setattr(network, "session", lambda *_: Deaf())
    for seconds in (1.0, 3.0, 6.0, 9.0, 9.01, 9.5, 14.0, 20.0):
        heard.clear()
        wave = np.zeros(round(seconds * 16000), np.float32)
        network.dnsmos(wave, 16000)
        assert heard == [len(build._window(wave, at)) for at in build._windows(seconds)], seconds


def test_the_first_kept_segments_are_taken() -> None:
    segments = [Segment(0, 1, "no speech"), Segment(1, 5), Segment(5, 8, "too short"), Segment(8, 13), Segment(13, 20)]
    assert build.first(segments, 6.0) == [(1, 5), (8, 13)]
    assert all(a.end_s <= b.start_s for a, b in pairwise(build.fresh(build.first(segments, 99.0))))
