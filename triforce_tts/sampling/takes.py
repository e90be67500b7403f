"""Takes: readings of one line as they were drawn, and whether they say all of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from triforce_tts.sequences import Vocabulary
from triforce_tts.text.tokenizer import Piece

SOUND_DB = -43.0  # dBFS: 20 dB below the level that all speech is brought to before training; weaker is a pause
_WINDOW_S = 0.02  # in which a level is taken


@dataclass(frozen=True)
class Take:
    """One reading of a line."""

    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended it by itself
    spans: (
        tuple[tuple[int, int], ...] | None
    )  # of each word: first frame, one past its last; None: text is not in place


def make_take(vocabulary: Vocabulary, pieces: Sequence[Piece], ids: list[int], limit: int) -> Take:
    """The take that ``ids``, drawn for the text ``pieces`` with at most ``limit`` tokens, hold."""
    spans = _word_spans(vocabulary, pieces, ids) if vocabulary.config.reads else None
    return Take(vocabulary.codes(ids), len(ids) < limit, spans)


def _word_spans(vocabulary: Vocabulary, pieces: Sequence[Piece], ids: list[int]) -> tuple[tuple[int, int], ...]:
    """First frame and one past the last of every word; a word that was not reached has none."""
    starts: list[int] = []  # frame at which each text token stands
    codes = 0
    for token in ids:
        if vocabulary.text_offset <= token < vocabulary.code_offset:
            starts.append(codes // vocabulary.config.groups)
        else:
            codes += 1
    frames = codes // vocabulary.config.groups
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
    """The ``words`` of a line that ``samples`` [n], the sound of its ``take``, do not say: no frames, or no sound in them.

    A word's sound may lie a frame before or after its own. Where it is not known where words lie, they are
    unsaid only all together, when there is no sound at all.

    Args:
        take: of the line.
        words: of the line, in order.
        samples: decoded from the take's codes, silence included.
        frame_length: samples a frame of codes.
        sample_rate: of ``samples``, Hz.
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
