"""The bundled model takes the timbre of a clip that it would not reach by its prompt alone."""

from pathlib import Path

import numpy as np
import pytest
import scipy.signal
import soundfile
import torch

from triforce_tts import Synthesizer
from triforce_tts.audio.io import read_audio
from triforce_tts.audio.mel import mel_spectrogram
from triforce_tts.audio.timbre import add_timbre, loudness
from triforce_tts.named_voices import named_clips
from triforce_tts.narrator.speaking import voice_identity
from triforce_tts.synthesis import cloning
from triforce_tts.voices import Voice, read_reference

pytestmark = pytest.mark.usefixtures("one_thread")

TEXTS = (
    "The harbour was quiet, and the lamps along the pier went out one after another.",
    "She had never asked him why he kept the letters, or where he hid them.",
    "Bring two cups of water to the boil and stir in the rice with a pinch of salt.",
    "By five o'clock the fog had covered every roof between the church and the river.",
)


@pytest.fixture(scope="module")
def synthesizer() -> Synthesizer:
    return Synthesizer.load(device="cpu")


@pytest.fixture(scope="module")
def dull(tmp_path_factory: pytest.TempPathFactory, synthesizer: Synthesizer) -> Path:
    """A clip of a known voice through a filter that no voice of the training data has: 12 dB less above 1 kHz."""
    rate, path = synthesizer.audio.sample_rate, tmp_path_factory.mktemp("clip") / "dull.wav"
    samples = read_audio(named_clips()["kathleen"], rate).samples.numpy()
    low = scipy.signal.sosfilt(scipy.signal.butter(1, 1000, fs=rate, output="sos"), samples)
    soundfile.write(path, 0.75 * low + 0.25 * samples, rate)
    return path


def decoded(synthesizer: Synthesizer, codes: torch.Tensor) -> torch.Tensor:
    return synthesizer.dvae.decode(codes[None], torch.tensor([len(codes) * synthesizer.dvae.config.downsampling]))


def mean_spectrum(mel: torch.Tensor) -> np.ndarray:
    weights = loudness(mel)[:, None]
    return ((mel * weights).sum(0) / weights.sum()).numpy()


def brightness(samples: torch.Tensor) -> float:
    """The magnitude above a quarter of the band, against the level of all."""
    return float(np.abs(np.fft.rfft(samples.numpy()))[len(samples) // 8 :].mean() / len(samples) ** 0.5 / samples.std())


@torch.no_grad()
def test_what_is_said_comes_nearer_to_the_spectrum_of_the_clip(synthesizer: Synthesizer, dull: Path) -> None:
    voice = synthesizer.voice(dull)
    assert voice.timbre is not None
    speech, _ = read_reference(dull, synthesizer.audio)
    wanted = decoded(synthesizer, synthesizer.dvae.encode(mel_spectrogram(speech[None], synthesizer.audio))[0])
    spoken = torch.cat([decoded(synthesizer, synthesizer.generate_codes(text, voice, 3)[0]) for text in TEXTS], 1)
    apart = [
        float(np.square(mean_spectrum(mel[0]) - mean_spectrum(wanted[0])).mean())
        for mel in (spoken, add_timbre(spoken, voice.timbre[None]))
    ]
    assert apart[1] < 0.6 * apart[0]


def test_the_sound_has_the_timbre(synthesizer: Synthesizer, dull: Path) -> None:
    """Speech and streams have it, and the codes are the same without it."""
    voice = synthesizer.voice(dull)
    plain = Voice(voice.name, voice.codes, voice.speaker)
    whole, bare = (synthesizer.speak("Good morning.", v).samples for v in (voice, plain))
    streamed, bare_stream = (torch.cat(list(synthesizer.stream("Good morning.", v))) for v in (voice, plain))
    assert len(whole) == pytest.approx(len(bare), rel=0.1)
    assert brightness(whole) < 0.9 * brightness(bare)
    assert brightness(streamed) < 0.9 * brightness(bare_stream)
    assert brightness(streamed) == pytest.approx(brightness(whole), rel=0.1)


def test_a_lexicon_does_not_change_a_voice(synthesizer: Synthesizer, dull: Path, tmp_path: Path) -> None:
    """Otherwise a new word in the lexicon of a book would have all of the book spoken again."""
    (tmp_path / "words.txt").write_text("the  DH IY0\nharbour  HH AA1 B AH0\n")
    with_lexicon = Synthesizer.load(device="cpu", lexicon=tmp_path / "words.txt")
    assert voice_identity(with_lexicon.voice(dull)) == voice_identity(synthesizer.voice(dull))


def test_only_a_clip_has_a_timbre_and_it_belongs_to_the_voice(
    synthesizer: Synthesizer, dull: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert synthesizer.voice().timbre is None
    voice = synthesizer.voice(dull)
    assert voice_identity(voice) == voice_identity(synthesizer.voice(dull))
    assert voice_identity(voice) != voice_identity(Voice(voice.name, voice.codes, voice.speaker))
    monkeypatch.setattr(cloning, "draw", lambda *_: [])
    silent = synthesizer.voice(dull).timbre
    assert silent is not None and not silent.any()
