"""Timbre: the mean spectrum of a voice while it speaks, and how speech gets the timbre of another recording.

A GPT that follows the prompt of a strange voice half way speaks with a spectrum between that voice and the voices it
knows. How far it stays away is nearly the same in everything that it says. So it can be measured once and added.
All mels here are standardised log-mels (``audio/mel.py``), and a timbre is in their unit.
"""

import torch

from triforce_tts.audio.mel import AudioConfig, smooth_bands

# A frame counts from the first loudness on, and fully from the second one on: the mean of its bands, where the mean of
# all training speech is 0 and its deviation 1. Pauses lie below, and most frames of speech above.
_LOUD_FROM, _LOUD = -1.0, -0.5
_BLOCK = 16  # frames whose mean is one sample of a spectrum: about two phones
_LEAST_BLOCKS = 8  # with fewer samples of speech nothing can be said
# The deviation of the Gaussian that smooths a timbre over the bands, as a share of all bands. Narrower differences are
# between the words that were said.
_SMOOTH = 0.02
# The most that a band is changed by against the others, in deviations of training speech (16 dB with the usual ones). What differs by more is
# not the voice but the recording, such as one by telephone.
_MOST = 1.0


def loudness(mel: torch.Tensor) -> torch.Tensor:
    """How much each frame of ``mel`` [..., frames, n_mels] counts as speech, 0 to 1: [..., frames]."""
    return ((mel.mean(-1) - _LOUD_FROM) / (_LOUD - _LOUD_FROM)).clamp(0, 1)


def add_timbre(mel: torch.Tensor, timbre: torch.Tensor) -> torch.Tensor:
    """``mel`` [batch, frames, n_mels] with ``timbre`` [batch, n_mels] added where it speaks; pauses stay as they are.

    A frame depends on itself alone, so a part of a line changes as it does in the whole line.
    """
    return mel + timbre[:, None] * loudness(mel)[..., None]


def timbre_between(spoken: torch.Tensor, wanted: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """The timbre [n_mels] that speech like ``spoken`` lacks to have the mean spectrum of ``wanted``, at its own level.

    Both are recordings of some seconds, [frames, n_mels], of different words, so a part of what their means differ by is
    chance. As much is left out: the difference is shrunk by the share that chance has in its square (James and Stein,
    "Estimation with quadratic loss", 1961; the positive part). Nothing is left (0 in all bands) if chance explains it, or
    if one of them holds less than a second and a half of speech or so.
    """
    samples = [_blocks(mel) for mel in (spoken, wanted)]
    if min(map(len, samples)) < _LEAST_BLOCKS:
        return torch.zeros(spoken.shape[1])
    smooth = [smooth_bands(blocks, _SMOOTH * audio.n_mels) for blocks in samples]
    means = [blocks.mean(0) for blocks in smooth]
    difference = means[1] - means[0]
    chance = sum(float((blocks.var(0) / len(blocks)).mean()) for blocks in smooth)
    share = max(0.0, 1 - chance / max(float(difference.square().mean()), 1e-9))
    timbre = (share * difference).clamp(-_MOST, _MOST)
    return timbre + _level(means[0], audio) - _level(means[0] + timbre, audio)


def _level(spectrum: torch.Tensor, audio: AudioConfig) -> torch.Tensor:
    """The level of a mean ``spectrum`` [n_mels], in its unit: half the logarithm of the sum of its powers."""
    return 0.5 * torch.logsumexp(2 * audio.mel_std * spectrum, 0) / audio.mel_std


def _blocks(mel: torch.Tensor) -> torch.Tensor:
    """The mean spectra [blocks, n_mels] of the stretches of ``mel`` [frames, n_mels] that are speech for the most part."""
    whole = len(mel) // _BLOCK * _BLOCK
    mel = mel[:whole].float().cpu().reshape(-1, _BLOCK, mel.shape[1])
    weights = loudness(mel)
    is_speech = weights.sum(1) > _BLOCK / 2
    mel, weights = mel[is_speech], weights[is_speech, :, None]
    return (mel * weights).sum(1) / weights.sum(1)
