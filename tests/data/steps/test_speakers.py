import importlib.util
import itertools

import numpy as np
import pytest

from tests.clips import spoken
from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.steps.speakers import (
    EDGE,
    SpeakersConfig,
    change_score,
    cluster,
    label_speakers,
    link_voices,
    turns,
    without_pauses,
)
from triforce_tts.errors import TriforceError
from triforce_tts.judges import embedding

RATE = 16000
needs_weights = pytest.mark.skipif(importlib.util.find_spec("resemblyzer") is None, reason=embedding.INSTALL)
rng = np.random.default_rng(0)


def unit(*values: float) -> np.ndarray:
    vector = np.asarray(values, np.float32)
    return vector / np.linalg.norm(vector)


def joined(*names: str, pause_s: float = 0.4) -> np.ndarray:
    pieces = []
    for name in names:
        wave = spoken(name)
        pieces += [wave / np.sqrt(np.mean(wave**2)) * 0.05, np.zeros(round(pause_s * RATE), np.float32)]
    return np.concatenate(pieces).astype(np.float32)


# --- the rules, with artificial vectors ------------------------------------------------------------------------------


def test_pauses_are_cut_out_and_their_places_told() -> None:
    tone = np.sin(np.arange(RATE) / 3).astype(np.float32)
    quiet = np.full(RATE // 2, 0.001, np.float32)
    closure = np.zeros(round(0.15 * RATE), np.float32)
    wave, places = without_pauses(np.concatenate([quiet, tone, quiet, tone, closure, tone, quiet]))
    (pause,) = places
    assert pause.frame == 100 + 2 * EDGE  # frames of 10 ms
    assert (pause.start_s, pause.end_s) == pytest.approx((1.5 + EDGE / 100, 2.0 - EDGE / 100))
    assert len(wave) == round((3 + 0.15 + 4 * EDGE / 100) * RATE)
    np.testing.assert_array_equal(wave[EDGE * 160 : EDGE * 160 + RATE], tone)


@pytest.mark.parametrize("samples", [0, 100, RATE])
def test_silence_and_next_to_nothing_stay_as_they_are(samples: int) -> None:
    wave, places = without_pauses(np.zeros(samples, np.float32))
    assert (len(wave), places) == (samples, [])


def test_a_change_is_found_wherever_it_lies_and_counts_more_at_a_pause() -> None:
    a, b = unit(1, 0, 0), unit(0, 1, 0)
    # Two voices with orthogonal vectors, 4 windows each: the distance is 1, the chance 0.2 + 1/4 + 1/4. There are no
    # pauses.
    two = np.stack([a] * 4 + [b] * 4)
    assert change_score(two) == pytest.approx(0.75 / 0.7)
    # The middles of windows 3 and 4 lie at 200 and 240 frames, so the pause at 220 is between them and the one at 300
    # is not.
    assert change_score(two, [220]) == pytest.approx(1 / 0.7)
    assert change_score(two, [300]) == pytest.approx(0.75 / 0.7)
    # Another speaker in the middle: 2 windows compared with 6.
    visit = np.stack([a] * 3 + [b] * 2 + [a] * 3)
    assert change_score(visit, [190, 270]) == pytest.approx(1 / (0.2 + 1 / 2 + 1 / 6))
    assert change_score(visit, [190]) == pytest.approx(0.75 / (0.2 + 1 / 2 + 1 / 6))
    assert change_score(np.stack([a] * 9), [100, 200]) == pytest.approx(0.0, abs=1e-6)
    assert change_score(a[None]) == 0.0


def test_the_pauses_where_another_voice_begins_and_ends_are_found() -> None:
    a, b = unit(1, 0, 0), unit(0, 1, 0)
    visit = np.stack([a] * 3 + [b] * 2 + [a] * 3)
    assert turns(visit, [100, 190, 240, 270, 330]) == [1, 3]
    assert turns(np.stack([a] * 4 + [b] * 4), [100, 220, 300]) == [1]
    assert turns(visit, []) == []
    assert turns(a[None], [50]) == []


def test_voices_are_linked_by_distance_and_numbered_in_sorted_order() -> None:
    voices = {
        ("x", "1"): unit(0, 1, 0.1),
        ("a", "0"): unit(1, 0, 0),
        ("b", "0"): unit(0, 1, 0),
        ("c", "0"): unit(1, 0.1, 0),
    }
    assert link_voices(voices, SpeakersConfig()) == {("a", "0"): 0, ("b", "0"): 1, ("c", "0"): 0, ("x", "1"): 1}
    assert link_voices({}, SpeakersConfig()) == {}


def test_groups() -> None:
    assert cluster(np.zeros((0, 3), np.float32), 0.25) == []
    assert cluster(unit(1, 0, 0)[None], 0.25) == [0]


# --- real speech --------------------------------------------------------------------------------------------------


@needs_weights
@pytest.mark.parametrize("divide", [False, True])
def test_readers_are_told_apart_and_a_mixed_segment_is_dropped_or_divided(divide: bool) -> None:
    parts = [
        joined("kathleen-00", "kathleen-01"), joined("ls_2428-09", "ls_2428-10"), joined("kathleen-02", "kathleen-03"),
        joined("ls_2428-11", "ls_2428-12"), joined("kathleen-01", "ls_2428-13"), joined("kathleen-00")[: 2 * RATE],
    ]  # fmt: skip
    edges = np.cumsum([0, *map(len, parts)]) / RATE
    segments = [Segment(float(a), float(b)) for a, b in itertools.pairwise(edges)]
    voices = label_speakers(MemorySound(np.concatenate(parts), RATE), segments, SpeakersConfig(divide=divide))
    assert [segment.start_s for segment in segments] == [0.0, *(segment.end_s for segment in segments[:-1])]
    assert segments[-1].end_s == edges[-1]
    mixed, short = segments[4:-1], segments[-1]
    assert (short.speaker, short.kept) == ("unknown", True)
    if divide:
        first, second = (segment for segment in mixed if segment.kept)
        assert (first.speaker, second.speaker) == (segments[0].speaker, segments[1].speaker)
        turn = edges[4] + len(joined("kathleen-01")) / RATE  # it begins after 0.4 s of silence
        assert turn - 0.4 < first.end_s <= second.start_s < turn + 0.4
    else:
        assert [segment.reason for segment in mixed] == ["two speakers"]
    labels = [segment.speaker for segment in segments[:4]]
    assert labels[0] == labels[2] != labels[1] == labels[3]
    assert set(labels) == {"0", "1"} == set(voices)
    talked = {label: sum(s.seconds for s in segments if s.speaker == label) for label in voices}
    assert talked["0"] > talked["1"]
    for vector in voices.values():
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


@needs_weights
def test_nothing_to_label() -> None:
    assert label_speakers(MemorySound(np.zeros(RATE, np.float32), RATE), [], SpeakersConfig()) == {}
    dropped = Segment(0.0, 1.0, reason="no speech")
    assert label_speakers(MemorySound(np.zeros(RATE, np.float32), RATE), [dropped], SpeakersConfig()) == {}


@needs_weights
def test_windows_alone_are_windows_together() -> None:
    waves = [
        joined("kathleen-00"),
        joined("ls_1462-04", "ls_1462-05"),
        rng.standard_normal(RATE // 2).astype(np.float32),
    ]
    together = embedding.embed_windows(waves, 40)
    for wave, vectors in zip(waves, together, strict=True):
        np.testing.assert_allclose(embedding.embed_windows([wave], 40)[0], vectors, atol=1e-5)


@needs_weights
def test_mels_are_librosas() -> None:
    """The same values as the package computes with librosa, in linear power."""
    librosa = pytest.importorskip("librosa")
    wave = joined("kathleen-00")
    expected = librosa.feature.melspectrogram(y=wave, sr=RATE, n_fft=400, hop_length=160, n_mels=40).T
    np.testing.assert_allclose(embedding.mel_power(wave).numpy(), expected, rtol=1e-3, atol=1e-6)


def test_missing_weights_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    embedding._encoder.cache_clear()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TriforceError, match="pip install --no-deps resemblyzer"):
        embedding.embed_windows([np.zeros(RATE, np.float32)])
    embedding._encoder.cache_clear()
