"""The model inside the package: whole, small enough, and able to speak."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from triforce_tts import Synthesizer
from triforce_tts.manifest import MANIFEST
from triforce_tts.synthesis import bundled_model
from triforce_tts.synthesis.script import SpeakingLimits
from triforce_tts.text.normalize import normalize
from triforce_tts.text.phonemes import PHONES
from triforce_tts.text.tokenizer import LETTERS

MOST_BYTES = 45_000_000


def test_it_is_whole_and_small() -> None:
    folder = bundled_model()
    checksums = json.loads((folder / MANIFEST).read_text())["sha256"]
    assert {"dvae/model.safetensors", "gpt/model.safetensors", "diffusion/model.safetensors"} <= checksums.keys()
    for name, expected in checksums.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == expected, name
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= MOST_BYTES


def test_it_speaks(tmp_path: Path) -> None:
    audio = Synthesizer.load().speak("Good morning.", seed=1)
    assert audio.sample_rate == 24000
    assert 0.3 < audio.duration_s < 6
    assert torch.isfinite(audio.samples).all()
    assert audio.samples.abs().max() > 0.02
    audio.save(tmp_path / "morning.wav")


@pytest.mark.parametrize(("text", "seed"), [("Why?", 0), ("A", 2), ("5", 1), ("Oh?", 3)])
def test_a_word_alone_has_a_sound(text: str, seed: int) -> None:
    """Before words had a least duration, each of these words was missing or only a fragment of it was spoken."""
    speech = Synthesizer.load().speak(text, seed=seed)
    assert speech.complete, speech.faults
    assert speech.duration_s > 0.25
    assert speech.samples.abs().max() > 0.05


def test_nothing_is_said_after_a_very_short_line() -> None:
    """The model goes on after such a line, with a pause and more sound: it has learnt from clips of a second and more."""
    synthesizer = Synthesizer.load()
    for text, seed in (("Two.", 1), ("I.", 0)):
        speech = synthesizer.speak(text, seed=seed)
        assert speech.complete
        assert 0.25 < speech.duration_s < 1.1
        streamed = torch.cat(list(synthesizer.stream(text, seed=seed)))
        assert abs(len(streamed) - len(speech.samples)) < 0.05 * speech.sample_rate


def test_a_sentence_of_numbers_is_spoken_whole() -> None:
    """The text is spoken as 37 words, which take about twelve seconds; an earlier version cut it off after 4.5 s."""
    text = "Pay $1,234,567,890.12, then $9,876,543,210.99."
    synthesizer = Synthesizer.load()
    speech = synthesizer.speak(text, seed=1)
    assert speech.complete, speech.faults
    spoken = " ".join(line.text for line in speech.lines)
    assert re.findall("[a-z]+", spoken.lower()) == re.findall("[a-z]+", normalize(text).lower())
    predicted = sum(line.predicted_s for line in speech.lines)
    assert 0.6 * predicted < speech.duration_s < 1.6 * predicted


def test_its_limits_are_in_its_configuration() -> None:
    limits = Synthesizer.load().limits
    assert limits != SpeakingLimits()
    assert (limits.line_characters, limits.longest_symbol_s, limits.slack) == (160, 1.5, 2.0)
    assert limits.least_seconds.keys() == {*PHONES, *LETTERS}
    assert all(0.02 < seconds < 0.15 for seconds in limits.least_seconds.values())
    assert limits.guidance == 1.6 == Synthesizer.load().settings.sampling.guidance
    assert limits.least_seconds["AY1"] > limits.least_seconds["AH0"]


def test_the_card_holds_measured_figures() -> None:
    card = (bundled_model() / "MODEL_CARD.md").read_text()
    for word in ("## Data", "## Training", "## Figures", "Ends properly", "nearest reference", "CC BY 4.0"):
        assert word in card


def test_speaking_imports_neither_torchs_compiler_nor_torchaudio_nor_ffmpeg(tmp_path: Path) -> None:
    """Each of them takes longer to import than a sentence takes to say. The process is a new one: forks inherit imports."""
    program = (
        "import sys; from triforce_tts.cli.app import main\n"
        f"sys.argv = ['triforce-tts', 'speak', 'Good morning.', '--out', {str(tmp_path / 'a.wav')!r}]\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print([name for name in ('torch._dynamo', 'sympy', 'torchaudio', 'av', 'librosa', 'scipy') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "[]"
