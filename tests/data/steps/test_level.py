import numpy as np
import pytest
import torch

from triforce_tts.audio.edit import active_level_db
from triforce_tts.data.common.segments import MemorySound
from triforce_tts.data.labelled import babble
from triforce_tts.data.steps.level import LevelConfig, levelled, speech_level_db

RATE = 16000
VOICE = next(iter(babble.VOICES))


def talk(seconds: float = 6.0) -> np.ndarray:
    return np.resize(babble.speak("a plain sentence to be read aloud", VOICE).samples.numpy(), round(seconds * RATE))


def test_the_level_is_that_of_the_speech_as_measured_at_once() -> None:
    wave = np.concatenate([talk(), np.zeros(10 * RATE, np.float32)])
    whole = active_level_db(torch.from_numpy(wave), RATE)
    assert speech_level_db(MemorySound(wave, RATE)) == pytest.approx(whole, abs=0.5)


def test_a_click_does_not_hide_the_speech() -> None:
    wave = 0.01 * talk()
    clicked = wave.copy()
    clicked[1000:1010] = 1.0
    assert speech_level_db(MemorySound(clicked, RATE)) == pytest.approx(
        speech_level_db(MemorySound(wave, RATE)), abs=1.5
    )


def test_quiet_speech_is_made_louder_and_silence_is_left_alone() -> None:
    quiet = MemorySound(0.02 * talk(), RATE)
    louder = levelled(quiet, LevelConfig())
    whole = np.concatenate(list(louder.blocks(1.3)))
    assert active_level_db(torch.from_numpy(whole), RATE) == pytest.approx(-23, abs=0.7)
    np.testing.assert_allclose(louder.read(1.0, 2.0), whole[RATE : 2 * RATE], atol=1e-6)
    for nothing in (np.zeros(RATE, np.float32), 1e-5 * talk(), np.zeros(0, np.float32)):
        assert levelled(MemorySound(nothing, RATE), LevelConfig()).gain_db == 0
