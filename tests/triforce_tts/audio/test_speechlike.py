import numpy as np
import numpy.typing as npt
import pytest
import torch

from tests.clips import SPEECH, spoken
from triforce_tts.audio.speechlike import speech_likeness

RATE = 16000
TIME = np.arange(4 * RATE) / RATE
Wave = npt.NDArray[np.float64]


def likeness_is_speech(wave: npt.NDArray[np.floating]) -> bool:
    return speech_likeness(torch.from_numpy(wave / (2 * np.abs(wave).max())).float(), RATE).is_speech


@pytest.mark.parametrize("clip", sorted(SPEECH.glob("*.ogg")), ids=lambda path: path.stem)
def test_speech(clip) -> None:  # type: ignore[no-untyped-def]
    assert likeness_is_speech(spoken(clip.stem))


def tone(hertz: float) -> Wave:
    wave: Wave = np.sin(2 * np.pi * hertz * TIME)
    return wave


def dialled() -> Wave:
    rng = np.random.default_rng(0)
    low, high = (np.repeat(rng.choice(tones, 40), RATE // 10) for tones in ([697, 770, 852, 941], [1209, 1336, 1477]))
    on = np.repeat(np.arange(40) % 2, RATE // 10)
    wave: Wave = on * (np.sin(2 * np.pi * low * TIME) + np.sin(2 * np.pi * high * TIME))
    return wave


def chords() -> Wave:
    out = np.zeros(len(TIME))
    for bar in range(8):
        root = 131 * 2 ** ((0, 5, 7, 3)[bar % 4] / 12)
        length = np.arange(RATE // 2) / RATE
        notes = [np.sin(2 * np.pi * k * root * 2 ** (i / 12) * length) / k for i in (0, 4, 7) for k in range(1, 6)]
        out[bar * RATE // 2 :][: RATE // 2] += sum(notes) * np.exp(-3 * length)
    return out


def made(kind: str) -> Wave:
    noise = np.random.default_rng(1).standard_normal(len(TIME))
    swell = 0.5 + 0.5 * np.sin(2 * np.pi * 4 * TIME)
    vibrato = sum(np.sin(k * (2 * np.pi * 200 * TIME + 2 * np.sin(2 * np.pi * 5.5 * TIME))) / k for k in range(1, 8))
    kinds: dict[str, Wave] = {
        "noise": noise, "brown noise": np.cumsum(noise) - np.linspace(0, noise.sum(), len(noise)),
        "noise that swells": noise * swell, "tone": tone(440), "high tone": tone(3000), "tone in noise": tone(300) + 0.1 * noise,
        "hum": sum((tone(50 * k) / k for k in range(1, 9)), np.zeros(len(TIME))), "square": np.sign(tone(150)),
        "dialled": dialled(), "chords": chords(), "vibrato": np.asarray(vibrato), "clicks": (np.arange(len(TIME)) % 2000 == 0) * 1.0,
        "sweep": np.sin(2 * np.pi * (100 * TIME + 200 * TIME**2)),
    }  # fmt: skip
    return kinds[kind]


@pytest.mark.parametrize(
    "kind",
    ["noise", "brown noise", "noise that swells", "tone", "high tone", "tone in noise", "hum", "square", "dialled", "chords",
     "vibrato", "clicks", "sweep"],
)  # fmt: skip
def test_what_is_no_speech(kind: str) -> None:
    assert not likeness_is_speech(made(kind))


def test_silence_is_no_speech() -> None:
    assert not speech_likeness(torch.zeros(2 * RATE), RATE).is_speech
