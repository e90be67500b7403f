"""A toy synthesiser: it speaks every letter as a short tone with two formants, so the text alone decides the sound.

Tests use it instead of real speech: a network that can reproduce it has learnt to read.
"""

import random
import zlib

import numpy as np
import numpy.typing as npt
import torch

from triforce_tts.audio.io import Audio

SAMPLE_RATE = 16000
VOICES = {"low": 110.0, "mid": 160.0, "high": 220.0}  # fundamental, Hz
_LETTER_S = 0.08
_PAUSE_S = 0.12
_LEAD_S = 0.05


def speak(text: str, voice: str) -> Audio:
    """The sound of ``text`` by one of ``VOICES``; equal input gives equal samples."""
    noise = np.random.default_rng(zlib.crc32(f"{voice}:{text}".encode()))
    pieces = [np.zeros(round(_LEAD_S * SAMPLE_RATE))]
    for character in text.lower():
        if "a" <= character <= "z":
            pieces.append(_letter(ord(character) - ord("a"), VOICES[voice]))
        else:
            pieces.append(np.zeros(round(_PAUSE_S * SAMPLE_RATE)))
    wave = np.concatenate([*pieces, np.zeros(round(0.1 * SAMPLE_RATE))])
    wave = 0.3 * wave + 1e-3 * noise.standard_normal(len(wave))
    return Audio(torch.from_numpy(wave.astype(np.float32)), SAMPLE_RATE)


def alignment(text: str) -> list[list[float]]:
    """For each word of ``text``: its start, then the end of each of its letters, in seconds."""
    words: list[list[float]] = []
    now, inside = _LEAD_S, False
    for character in text.lower():
        is_letter = "a" <= character <= "z"
        if is_letter and not inside:
            words.append([round(now, 3)])
        now += _LETTER_S if is_letter else _PAUSE_S
        if is_letter:
            words[-1].append(round(now, 3))
        inside = is_letter
    return words


def sentences(count: int) -> list[str]:
    """``count`` different made-up sentences of three to six words; every call gives the same ones."""
    draw = random.Random(0)
    texts: dict[str, None] = {}
    while len(texts) < count:
        words = [
            "".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randint(2, 6))) for _ in range(draw.randint(3, 6))
        ]
        texts[" ".join(words).capitalize() + "."] = None
    return list(texts)


def _letter(index: int, pitch: float) -> npt.NDArray[np.float64]:
    """Harmonics of ``pitch`` under two resonances; the 26 letters lie on a 6 by 5 grid of resonance frequencies."""
    time = np.arange(round(_LETTER_S * SAMPLE_RATE)) / SAMPLE_RATE
    first, second = 250.0 + 130.0 * (index % 6), 1000.0 + 450.0 * (index // 6)
    wave = np.zeros_like(time)
    for harmonic in range(1, int(3600 / pitch)):
        frequency = harmonic * pitch
        gain = 1 / (1 + ((frequency - first) / 80) ** 2) + 0.7 / (1 + ((frequency - second) / 120) ** 2)
        wave += gain * np.sin(2 * np.pi * frequency * time)
    return wave * np.hanning(len(time)) / 2.0
