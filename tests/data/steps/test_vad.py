import numpy as np
import pytest

from benchmarks.truth import RATE as MADE_RATE
from benchmarks.truth import noise
from tests.clips import spoken
from triforce_tts.data.common.segments import MemorySound
from triforce_tts.data.steps.vad import FRAME_S, VadConfig, speech_probabilities, speech_spans
from triforce_tts.errors import TriforceError
from triforce_tts.judges import networks

RATE = 16000


def test_probabilities_are_sileros_own_frame_by_frame() -> None:
    """Compares the probabilities with those of the wheel's own wrapper, which takes one frame at a time."""
    silero = pytest.importorskip("silero_vad")
    torch = pytest.importorskip("torch")
    wave = spoken("ls_2428-09")
    model = silero.load_silero_vad(onnx=True)
    whole = len(wave) // 512 * 512
    expected = [float(model(torch.from_numpy(wave[i : i + 512]), RATE)) for i in range(0, whole, 512)]
    found = speech_probabilities(MemorySound(wave[:whole], RATE), VadConfig())
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["kathleen-00", "ls_1462-05", "ls_2428-09"])
def test_spans_are_sileros_own(name: str) -> None:
    """Compares the spans with ``get_speech_timestamps`` of the wheel, for a recording whose last frame is not full."""
    silero = pytest.importorskip("silero_vad")
    torch = pytest.importorskip("torch")
    gap = np.zeros(7001, np.float32)
    wave = np.concatenate([gap, spoken(name), gap, spoken(name)[:20000]])
    told = silero.get_speech_timestamps(torch.from_numpy(wave), silero.load_silero_vad(onnx=True))
    expected = [(t["start"] / RATE, t["end"] / RATE) for t in told]
    spans = speech_spans(speech_probabilities(MemorySound(wave, RATE), VadConfig()), VadConfig())
    found = [(start, min(end, len(wave) / RATE)) for start, end in spans]
    assert len(found) > 1
    np.testing.assert_allclose(found, expected, atol=1.5 / RATE)  # silero rounds to samples


class Counted(MemorySound):
    """It records the largest request."""

    most = 0.0

    def blocks(self, seconds: float, sample_rate: int | None = None):  # type: ignore[no-untyped-def]
        for block in super().blocks(seconds, sample_rate):
            self.most = max(self.most, len(block) / (sample_rate or self.sample_rate))
            yield block

    def read(self, start_s: float, end_s: float, sample_rate: int | None = None) -> np.ndarray:
        raise AssertionError("it is heard in blocks")


def test_no_more_than_a_block_is_held() -> None:
    sound = Counted(np.tile(spoken("ls_2428-09"), 5), RATE)
    speech_probabilities(sound, VadConfig(block_seconds=2.0))
    assert 0 < sound.most <= 2.0


def test_blocks_change_nothing() -> None:
    sound = MemorySound(np.tile(spoken("ls_2428-09"), 3), RATE)
    whole = speech_probabilities(sound, VadConfig(block_seconds=1000))
    for seconds in (0.1, 1.0, 3.3):
        np.testing.assert_allclose(speech_probabilities(sound, VadConfig(block_seconds=seconds)), whole, atol=1e-5)
    assert len(whole) == -(-len(sound.samples) // 512)
    assert len(speech_probabilities(MemorySound(np.zeros(0, np.float32), RATE), VadConfig())) == 0


def test_speech_is_found_where_it_was_put_and_noise_is_none() -> None:
    wave = spoken("ls_2428-09")
    gap = (3e-4 * np.random.default_rng(0).standard_normal(2 * RATE)).astype(np.float32)
    sound = MemorySound(np.concatenate([gap, wave, gap, wave, gap]), RATE)
    spans = speech_spans(speech_probabilities(sound, VadConfig(min_silence_s=0.8)), VadConfig(min_silence_s=0.8))
    assert len(spans) == 2
    for (start, end), begin in zip(spans, (2.0, 4.0 + len(wave) / RATE), strict=True):
        assert start == pytest.approx(begin, abs=0.4)
        assert end == pytest.approx(begin + len(wave) / RATE, abs=0.4)
    made = MemorySound(noise(5.0, np.random.default_rng(0)), MADE_RATE)
    assert speech_spans(speech_probabilities(made, VadConfig()), VadConfig()) == []


def test_the_two_thresholds_by_hand() -> None:
    config = VadConfig(min_silence_s=2 * FRAME_S, min_speech_s=1.5 * FRAME_S, pad_s=0.0)
    levels = [0.1, 0.4, 0.6, 0.4, 0.4, 0.6, 0.2, 0.6, 0.2, 0.2, 0.2, 0.9, 0.1, 0.1, 0.1]
    spans = speech_spans(np.array(levels, np.float32), config)
    # Speech lasts from the first 0.6 to the pause of two frames, because 0.4 does not end it; the single 0.9 is too
    # short.
    assert [(round(a / FRAME_S), round(b / FRAME_S)) for a, b in spans] == [(2, 8)]
    assert speech_spans(np.full(5, 0.9, np.float32), config) == [(0.0, pytest.approx(5 * FRAME_S))]


def test_padding_is_shared_between_neighbours() -> None:
    config = VadConfig(min_silence_s=FRAME_S, min_speech_s=0.0, pad_s=1.0)
    (a, b), (c, d) = speech_spans(np.array([0, 1, 1, 0, 0, 1, 1, 0], np.float32), config)
    assert b == pytest.approx(c)
    assert (a, d) == (0.0, pytest.approx(8 * FRAME_S))


def test_another_network_than_the_known_one_is_refused() -> None:
    with pytest.raises(TriforceError, match="SHA-256"):
        networks.session("silero_vad", "data/silero_vad_16k_sequence.onnx", "0" * 64)
    with pytest.raises(TriforceError, match="missing"):
        networks.session("no_such_package", "x", "0" * 64)
