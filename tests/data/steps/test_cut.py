import itertools

import numpy as np
import pytest

from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.steps.cut import CutConfig, cut
from triforce_tts.data.steps.vad import FRAME_S

RATE = 16000
rng = np.random.default_rng(0)


def made(parts: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], MemorySound, np.ndarray]:
    """Speech (noise) and pauses (faint noise) in turn, of the given seconds, with the true spans and probabilities."""
    waves, spans, now = [], [], 0.0
    for pause, speech in parts:
        waves += [1e-4 * rng.standard_normal(round(pause * RATE)), 0.1 * rng.standard_normal(round(speech * RATE))]
        if speech:
            spans.append((now + pause, now + pause + speech))
        now += pause + speech
    sound = MemorySound(np.concatenate(waves).astype(np.float32), RATE)
    frames = np.zeros(-(-len(sound.samples) // 512), np.float32)
    for start, end in spans:
        frames[int(start / FRAME_S) : int(np.ceil(end / FRAME_S))] = 0.9
    return spans, sound, frames


def covered(segments: list[Segment], sound: MemorySound) -> None:
    """The segments follow one another from the beginning to the end of the sound."""
    assert segments[0].start_s == 0
    assert segments[-1].end_s == pytest.approx(sound.duration_s)
    for before, after in itertools.pairwise(segments):
        assert before.end_s == after.start_s
    assert all(segment.seconds > 0 for segment in segments)


def test_cuts_lie_in_pauses_and_lengths_are_kept_to() -> None:
    spans, sound, frames = made([(0.7, float(rng.uniform(1, 6))) for _ in range(30)] + [(2.0, 0.0)])
    segments = cut(spans, sound, frames, CutConfig())
    covered(segments, sound)
    kept = [s for s in segments if s.kept]
    assert sum(s.seconds for s in kept) > 0.8 * sum(b - a for a, b in spans)
    for segment in kept:
        assert 3 <= segment.seconds <= 20
        for edge in (segment.start_s, segment.end_s):
            assert not any(start + 0.01 < edge < end - 0.01 for start, end in spans)


def test_speech_without_a_pause_is_never_cut_but_dropped() -> None:
    spans, sound, frames = made([(1.0, 25.0), (1.0, 5.0), (1.0, 0.0)])
    segments = cut(spans, sound, frames, CutConfig())
    covered(segments, sound)
    long = next(s for s in segments if s.seconds > 20)
    assert long.reason == "too long without a pause"
    (kept,) = (s for s in segments if s.kept)
    assert (kept.start_s, kept.end_s) == (pytest.approx(26.8, abs=0.15), pytest.approx(32.2, abs=0.15))


def test_what_is_short_is_joined_and_what_is_alone_is_dropped() -> None:
    spans, sound, frames = made([(1.0, 2.0), (0.5, 2.0), (5.0, 1.0), (5.0, 0.0)])
    segments = cut(spans, sound, frames, CutConfig())
    covered(segments, sound)
    assert len([s for s in segments if s.kept]) == 1
    assert [s.reason for s in segments if 0 < s.seconds < 3 and s.reason == "too short"] == ["too short"]


def test_a_long_pause_is_no_part_of_a_segment() -> None:
    spans, sound, frames = made([(1.0, 4.0), (3.0, 4.0), (1.0, 0.0)])
    segments = cut(spans, sound, frames, CutConfig())
    assert len([s for s in segments if s.kept]) == 2
    assert next(s for s in segments[1:] if not s.kept).reason == "no speech"


def test_silence_at_both_ends_is_no_part_of_a_segment_without_padding_either() -> None:
    spans, sound, frames = made([(4.0, 5.0), (30.0, 0.0)])
    for pad in (0.0, 0.2):
        before, kept, after = cut(spans, sound, frames, CutConfig(pad_s=pad))
        assert kept.kept
        assert (before.reason, after.reason) == ("no speech", "no speech")
        assert (kept.start_s, kept.end_s) == (pytest.approx(4.0 - pad, abs=0.11), pytest.approx(9.0 + pad, abs=0.11))
    spans, sound, frames = made([(0.0, 5.0)])  # there is no silence
    (only,) = cut(spans, sound, frames, CutConfig())
    assert (only.start_s, only.end_s, only.kept) == (0.0, 5.0, True)


def test_a_word_that_the_detector_lost_is_not_cut_into() -> None:
    """The word lies in the pause; its probability is high enough for speech, but it is too short to be a span."""
    spans, sound, frames = made([(1.0, 4.0), (1.2, 4.0), (1.0, 0.0)])
    config = CutConfig(pad_s=0.5)  # the pause has no room for this on each side, so the cut lies in its middle
    middle = round(5.6 / FRAME_S)
    word = ((middle - 2) * FRAME_S, (middle + 3) * FRAME_S)
    inside = [s for s in cut(spans, sound, frames, config) if word[0] < s.end_s < word[1]]
    assert inside
    frames[middle - 2 : middle + 3] = 0.45
    segments = cut(spans, sound, frames, config)
    assert len([s for s in segments if s.kept]) == 2
    assert not [s for s in segments if word[0] < s.end_s < word[1]]


def test_nothing_but_silence_and_nothing_at_all() -> None:
    sound = MemorySound(np.zeros(RATE, np.float32), RATE)
    (only,) = cut([], sound, np.zeros(32, np.float32), CutConfig())
    assert (only.start_s, only.end_s, only.reason) == (0.0, 1.0, "no speech")
    assert cut([], MemorySound(np.zeros(0, np.float32), RATE), np.zeros(0, np.float32), CutConfig()) == []


@pytest.mark.parametrize("seed", range(5))
def test_any_recording_is_covered(seed: int) -> None:
    draw = np.random.default_rng(seed)
    parts = [(float(draw.uniform(0.05, 3)), float(draw.exponential(4) + 0.3)) for _ in range(40)]
    spans, sound, frames = made(parts)
    segments = cut(spans, sound, frames, CutConfig())
    covered(segments, sound)
    assert all(3 <= s.seconds <= 20 for s in segments if s.kept)


class Counted(MemorySound):
    """It records the largest request, and never gives the whole sound."""

    most = 0.0

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> np.ndarray:
        self.most = max(self.most, end_s - start_s)
        return super().read(start_s, end_s, sample_rate)

    def blocks(self, seconds: float, sample_rate: int | None = None):  # type: ignore[no-untyped-def]
        raise AssertionError("only pauses are looked at")


def test_no_more_than_a_pause_is_held() -> None:
    spans, sound, frames = made([(float(rng.uniform(0.3, 1.4)), float(rng.uniform(1, 6))) for _ in range(50)])
    counted = Counted(sound.samples, RATE)
    cut(spans, counted, frames, CutConfig())
    assert 0 < counted.most < 1.0


@pytest.mark.parametrize("rate", [16000, 22050, 24000, 44100])
def test_edges_lie_on_samples_and_share_none_where_a_pause_has_just_room_for_both(rate: int) -> None:
    """A pause with the length of three paddings is cut twice, at places that may touch."""
    for pad in (0.1, 0.15, 0.2):
        pause = 3 * pad + 1e-6
        spans = [(1.0, 5.0), (5.0 + pause, 9.0 + pause)]
        # The quietest places are the ends of both searched stretches, where they meet.
        time = np.arange(round((10.0 + pause) * rate)) / rate
        sound = MemorySound((1e-3 + np.abs(time - (5.0 + pause / 2))).clip(max=0.5).astype(np.float32), rate)
        segments = cut(spans, sound, np.zeros(len(time), np.float32), CutConfig(pad_s=pad, min_seconds=1.0))
        covered(segments, sound)
        for segment in segments[:-1]:
            assert segment.end_s * rate == pytest.approx(round(segment.end_s * rate), abs=1e-6)


def test_the_best_cuts_are_found() -> None:
    """Compares the result with every possible choice of pauses, by the rule in the docstring of ``cut``."""
    config = CutConfig(pad_s=0.0)  # Without padding, a segment ends exactly where its speech ends.
    draw = np.random.default_rng(3)
    for _ in range(20):
        parts = [(float(draw.uniform(0.3, 1.2)), float(draw.uniform(1, 9))) for _ in range(8)]
        spans, sound, frames = made([*parts, (1.0, 0.0)])
        pauses = [min(pause, 1.0) for pause, _ in parts[1:]]

        def value(chosen: tuple[int, ...], spans=spans, pauses=pauses) -> float:  # type: ignore[no-untyped-def]
            firsts, lasts = [0, *(i + 1 for i in chosen)], [*chosen, len(spans) - 1]
            lengths = [spans[last][1] - spans[first][0] for first, last in zip(firsts, lasts, strict=True)]
            if any(s > config.max_seconds and a < b for s, a, b in zip(lengths, firsts, lasts, strict=True)):
                return -1.0  # a segment with pauses in it may not be too long
            kept = sum(s for s in lengths if config.min_seconds <= s <= config.max_seconds)
            return kept + sum(pauses[i] - config.good_pause_s for i in chosen)

        places = range(len(pauses))
        best = max(value(c) for n in range(len(pauses) + 1) for c in itertools.combinations(places, n))
        ends = [s.end_s for s in cut(spans, sound, frames, config) if s.reason != "no speech"]
        mine = tuple(i for i in places if any(abs(end - spans[i][1]) < 0.02 for end in ends))
        assert value(mine) == pytest.approx(best, abs=0.05)
