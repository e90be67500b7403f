"""Takes: a line as it was drawn once, and the words in it that have no sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts.sequences import Vocabulary
from triforce_tts.text.tokenizer import Piece

# The level below which sound is a pause: 20 dB below the level of all training speech, in dBFS.
SOUND_DB = -43.0
_WINDOW_S = 0.02  # a level is measured over so many seconds


@dataclass(frozen=True)
class Take:
    """A line as it was drawn once."""

    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended the line by itself
    # The first frame of each word and one past its last; None if they are not known.
    spans: tuple[tuple[int, int], ...] | None


def make_take(vocabulary: Vocabulary, pieces: Sequence[Piece], ids: list[int], limit: int) -> Take:
    """The take in ``ids``, which were drawn for the text ``pieces``; ``limit`` is the most steps that could be drawn."""
    spans = _word_spans(vocabulary, pieces, ids) if vocabulary.config.reads else None
    return Take(vocabulary.codes(ids), vocabulary.count_steps(ids) < limit, spans)


def text_starts(vocabulary: Vocabulary, ids: Sequence[int]) -> list[int]:
    """The frame before which each text token among the drawn ``ids`` stands."""
    starts: list[int] = []
    codes = 0
    for token in ids:
        if vocabulary.text_offset <= token < vocabulary.code_offset:
            starts.append(codes // vocabulary.config.groups)
        else:
            codes += 1
    return starts


def _word_spans(vocabulary: Vocabulary, pieces: Sequence[Piece], ids: list[int]) -> tuple[tuple[int, int], ...]:
    """The first frame of every word and one past its last; a word that was not reached has no frames."""
    starts = text_starts(vocabulary, ids)
    frames = (len(ids) - len(starts)) // vocabulary.config.groups
    spans: list[tuple[int, int]] = []
    place = 0
    for piece in pieces:
        after = place + len(piece.symbols)
        if piece.is_word:
            first = starts[place] if place < len(starts) else frames
            spans.append((first, starts[after] if after < len(starts) else frames))
        place = after
    return tuple(spans)


def unsaid(take: Take, words: Sequence[str], samples: torch.Tensor, frame_length: int, sample_rate: int) -> list[str]:
    """The words that cannot be heard in the sound of a take: they have no frames, or their frames have no sound.

    The sound of a word may lie a frame before its first frame or a frame after its last. If it is not known where the
    words lie, all of them are unsaid when there is no sound at all, and none otherwise.

    Args:
        take: the take.
        words: the words of its line, in order.
        samples: the sound that was decoded from its codes, [n], silence included.
        frame_length: the number of samples in a frame of codes.
        sample_rate: the rate of ``samples``, Hz.
    """
    if take.spans is None:
        return [] if _has_sound(samples, sample_rate) else list(words)
    return [
        word
        for word, (first, end) in zip(words, take.spans, strict=True)
        if end <= first
        or not _has_sound(samples[max(0, first - 1) * frame_length : (end + 1) * frame_length], sample_rate)
    ]


def _has_sound(samples: torch.Tensor, sample_rate: int) -> bool:
    window = round(_WINDOW_S * sample_rate)
    whole = samples[: len(samples) // window * window].reshape(-1, window)
    return len(whole) > 0 and float(whole.square().mean(dim=1).max()) >= 10 ** (SOUND_DB / 10)
