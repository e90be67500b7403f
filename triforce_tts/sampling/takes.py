"""Takes: a line as it was drawn once, and the words in it that have no sound."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts.sequences import Vocabulary
from triforce_tts.text.tokenizer import Piece

# The level below which sound is a pause: 20 dB below the level of all training speech, in dBFS.
SOUND_DB = -43.0
_WINDOW_S = 0.02  # a level is measured over so many seconds
# The shortest pause after the text. The closure of a stop such as the T of "act" takes less.
_PAUSE_S = 0.12
_WORD_S = 0.06  # the shortest sound of a last word
_MORE_S = 0.2  # the least sound after the pause that is something said; the release of a stop takes less


@dataclass(frozen=True)
class Take:
    """A line as it was drawn once."""

    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended the line by itself
    # The first frame of each word and one past its last; None if they are not known.
    spans: tuple[tuple[int, int], ...] | None
    last: int | None = None  # the frame before which the last phone of the last word stands; None if it is not known


def make_take(vocabulary: Vocabulary, pieces: Sequence[Piece], ids: list[int], limit: int) -> Take:
    """The take in ``ids``, which were drawn for the text ``pieces``; ``limit`` is the most steps that could be drawn."""
    codes, ended = vocabulary.codes(ids), vocabulary.count_steps(ids) < limit
    if not vocabulary.config.reads:
        return Take(codes, ended, None)
    starts = text_starts(vocabulary, ids)
    frames = (len(ids) - len(starts)) // vocabulary.config.groups
    return Take(codes, ended, word_spans(pieces, starts, frames), _last_start(pieces, starts))


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


def word_spans(pieces: Sequence[Piece], starts: Sequence[int], frames: int) -> tuple[tuple[int, int], ...]:
    """The first frame of every word and one past its last; a word that was not reached has no frames."""
    spans: list[tuple[int, int]] = []
    place = 0
    for piece in pieces:
        after = place + len(piece.symbols)
        if piece.is_word:
            first = starts[place] if place < len(starts) else frames
            spans.append((first, starts[after] if after < len(starts) else frames))
        place = after
    return tuple(spans)


def _last_start(pieces: Sequence[Piece], starts: Sequence[int]) -> int | None:
    """The frame before which the last phone of the last word stands; None if it was not drawn, or there is no word."""
    place = last = -1
    for piece in pieces:
        place += len(piece.symbols)
        last = place if piece.is_word else last
    return starts[last] if 0 <= last < len(starts) else None


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


def end_of_text(samples: torch.Tensor, word: int, last: int, sample_rate: int) -> tuple[int, bool]:
    """Where the text ends in a sound, and whether something else is said after it.

    A model that has learnt from longer clips does not end a very short line such as "Two." in time. It pauses, and then
    says something that no text token asks for. So the text ends at the first pause after the beginning of its last
    phone, provided that its last word was heard before that pause.

    Args:
        samples: the sound that was decoded so far, [n].
        word: the sample at which the last word begins.
        last: the sample at which the last phone of that word begins.
        sample_rate: the rate of ``samples``, Hz.

    Returns:
        The first sample of the pause, and whether there is more than a short noise after it. Without such a pause, the
        first sample of the quiet at the end, which may become one.
    """
    window = round(_WINDOW_S * sample_rate)
    first = word // window
    is_loud = (_levels(samples[first * window :], window) >= 10 ** (SOUND_DB / 10)).tolist()
    loud = quiet = 0
    for number, loud_here in enumerate(is_loud):
        is_past = (first + number) * window >= last
        loud, quiet = (loud + 1, 0) if loud_here else (loud, quiet + is_past)
        if quiet * _WINDOW_S >= _PAUSE_S and loud * _WINDOW_S >= _WORD_S:
            pause = (first + number + 1 - quiet) * window
            return pause, sum(is_loud[number:]) * _WINDOW_S >= _MORE_S
    # The sound that was decoded so far may end before the last word begins.
    return min(len(samples), (first + len(is_loud) - quiet) * window), False


def _has_sound(samples: torch.Tensor, sample_rate: int) -> bool:
    levels = _levels(samples, round(_WINDOW_S * sample_rate))
    return len(levels) > 0 and float(levels.max()) >= 10 ** (SOUND_DB / 10)


def _levels(samples: torch.Tensor, window: int) -> torch.Tensor:
    """The mean power [windows] of consecutive windows of so many samples; a shorter rest at the end is left out."""
    return samples[: len(samples) // window * window].reshape(-1, window).square().mean(dim=1)
