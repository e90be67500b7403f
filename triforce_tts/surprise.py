"""A picture of how predictable a recording is to the GPT: the bits of every letter and of every frame of codes.

A symbol of probability p surprises by -log2 p bits. The picture has the mel spectrogram, the bits of each frame of codes
given the text under it, and the bits of each letter: given the speech, and alone. Where the speech is clear, the letters
given the speech lie far under those alone.
"""

import math
from pathlib import Path

import torch

from triforce_tts.audio.io import read_audio
from triforce_tts.audio.resample import ANALYSIS_RATE
from triforce_tts.drawing import blank_figure, draw_mel, save_figure
from triforce_tts.sampling.score import Score
from triforce_tts.synthesis.model import Model

_WIDTH_PER_LETTER = 0.11  # inches for each letter
_NARROWEST, _WIDEST = 7.0, 60.0  # inches


def bits(log_probabilities: torch.Tensor) -> torch.Tensor:
    """The surprise in bits of symbols with these ``log_probabilities`` in nats."""
    return -log_probabilities / math.log(2)


def bits_by_frame(score: Score, groups: int) -> torch.Tensor:
    """The surprise [frames] of each frame of ``groups`` codes given the text; the end of the speech is left out."""
    return bits(score.speech_given_text[:-1]).view(-1, groups).sum(1)


def draw_surprise(score: Score, recording: Path, model: Model, path: Path) -> None:
    """Write the picture of a ``score`` that ``model`` gave to ``recording`` as the PNG ``path``."""
    width = min(_WIDEST, max(_NARROWEST, _WIDTH_PER_LETTER * len(score.letters)))
    figure = blank_figure(width, 5.5)
    mel, frames, letters = figure.subplots(3, 1, height_ratios=(1.2, 1, 1))
    wave = read_audio(recording, ANALYSIS_RATE).samples.numpy()
    draw_mel(mel, wave)
    by_frame = bits_by_frame(score, model.vocabulary.config.groups)
    frames.stairs(by_frame.numpy(), [frame / model.code_rate for frame in range(len(by_frame) + 1)], fill=True)
    for axes in (mel, frames):
        axes.set_xlim(0, len(wave) / ANALYSIS_RATE)
    frames.set_xlabel("seconds", fontsize=8)
    frames.set_ylabel("bits a frame of codes", fontsize=8)
    places = range(len(score.letters) + 1)
    letters.bar(places, bits(score.text_given_speech).numpy(), width=0.8, label="given the speech")
    letters.step(places, bits(score.text_alone).numpy(), where="mid", color="black", linewidth=0.8, label="alone")
    letters.set_xticks(places, [*score.letters.replace(" ", "_"), "end"], fontsize=7, parse_math=False)
    letters.set_xlim(-0.6, len(score.letters) + 0.6)
    letters.set_ylabel("bits a letter", fontsize=8)
    letters.legend(fontsize=7, frameon=False)
    save_figure(figure, path, 100)
