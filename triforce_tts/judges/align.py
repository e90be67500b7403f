"""Forced alignment: pocketsphinx' English acoustic model finds when each word and sound of a known text is spoken.

The aligner gives pocketsphinx the pronunciations of our tokenizer, so each of its phones stands for one of our symbols.
A word that the lexicon lacks is spelled letter by letter. That is rough, but it is enough to place the word in time.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from triforce_tts.audio.io import Audio
from triforce_tts.audio.pcm import to_pcm16
from triforce_tts.audio.resample import resample
from triforce_tts.errors import TextError
from triforce_tts.text.normalize import normalize
from triforce_tts.text.tokenizer import Piece, TextTokenizer

MODEL_RATE = 16000  # Hz; the acoustic model was trained at this sample rate
_GRAMMAR = "grammar"  # the name of the current grammar in the decoder
FRAME_S = 0.01  # seconds between two frames of pocketsphinx
_SOUNDS = dict(zip("abcdefghijklmnopqrstuvwxyz", (
    "AE", "B", "K", "D", "EH", "F", "G", "HH", "IH", "JH", "K", "L", "M",
    "N", "AA", "P", "K", "R", "S", "T", "AH", "V", "W", "S", "IY", "Z",
), strict=True))  # fmt: skip


class Aligner:
    """Aligns one piece of audio after the other; each result depends on its own audio alone."""

    def __init__(self) -> None:
        from pocketsphinx import Decoder

        self.tokenizer = TextTokenizer()
        # With cmn="live" the decoder's estimate of the channel would carry over from one piece of audio to the next.
        self._decoder: Any = Decoder(lm=None, loglevel="FATAL", samprate=MODEL_RATE, cmn="batch")
        self._known: set[str] = set()

    def __call__(self, audio: Audio, text: str) -> list[list[float]] | None:
        """For each word of the normalised ``text``: its start, then the end of each of its symbols, in seconds.

        The result is None if the text does not fit the audio. If the words can be placed but not their symbols, each
        word has only its start and its end.
        """
        try:
            words = [piece for piece in self.tokenizer.spell(normalize(text)) if piece.is_word]
        except TextError:
            return None
        sound = pcm(audio)
        names = [self._name(word) for word in words]
        if not self._pass(sound, " ".join(names)):
            return None
        spans = [(s.start_frame, s.end_frame + 1) for s in self._decoder.seg() if s.word in self._known]
        if len(spans) != len(words):
            return None
        phones = self._phones(sound)
        placed = []
        for i, word in enumerate(words):
            sounded = [symbol for symbol in word.symbols if sound_of(symbol)]
            if phones is not None and len(phones) == len(words) and len(phones[i]) == len(sounded) + 1:
                placed.append(_with_silent(word, phones[i]))
            else:
                placed.append([round(frame * FRAME_S, 2) for frame in spans[i]])
        return placed

    def score(self, audio: Audio, text: str) -> float | None:
        """How likely the normalised ``text`` is for the audio (larger is likelier); None if it does not fit.

        A text with one word too many does not fit. If the text lacks a spoken word, the decoder takes that word for
        noise and the score hardly changes.
        """
        try:
            words = [piece for piece in self.tokenizer.spell(text) if piece.is_word]
        except TextError:
            return None
        if not self._pass(pcm(audio), " ".join(map(self._name, words))):
            return None
        return float(self._decoder.hyp().score)

    def names(self, text: str) -> list[str]:
        """The decoder's names of the words of a normalised ``text``: an underscore before each of a word's phones.

        Raises:
            TextError: a part of the text cannot be spoken.
        """
        return [self._name(word) for word in self.tokenizer.spell(text) if word.is_word]

    def decode_grammar(self, audio: Audio, transitions: Sequence[tuple[Any, ...]], final: int) -> list[str]:
        """The words on the likeliest way through a grammar from state 0 to state ``final``; none if no way fits.

        Args:
            audio: the sound.
            transitions: from a state to a state with a probability, and the name of the word that is said, if any.
            final: the last state.
        """
        grammar = self._decoder.create_fsg(_GRAMMAR, 0, final, transitions)
        self._decoder.add_fsg(_GRAMMAR, grammar)
        self._decoder.activate_search(_GRAMMAR)
        if not self._decode(pcm(audio)) or self._decoder.hyp() is None:
            return []
        return [segment.word for segment in self._decoder.seg()]

    def _name(self, word: Piece) -> str:
        """The decoder's name of a pronunciation; a new pronunciation is added to the decoder first."""
        sounds = [sound for symbol in word.symbols if (sound := sound_of(symbol))] or ["AH"]
        name = "_" + "_".join(sounds)
        if name not in self._known:
            self._decoder.add_word(name, " ".join(sounds), False)
            self._known.add(name)
        return name

    def _pass(self, sound: bytes, text: str) -> bool:
        self._decoder.set_align_text(text)
        return self._decode(sound) and self._decoder.hyp() is not None

    def _phones(self, sound: bytes) -> list[list[float]] | None:
        """The start of each word and the ends of its phones, in seconds.

        A second pass of the decoder places the phones within the words that the first pass placed.
        """
        self._decoder.set_alignment()
        if not self._decode(sound):
            return None
        # The phones must be read before the next word: the library frees a word's memory when its iterator moves on.
        return [
            [round(f * FRAME_S, 2) for f in (word.start, *(phone.start + phone.duration for phone in word))]
            for word in self._decoder.get_alignment()
            if word.name in self._known
        ]

    def _decode(self, sound: bytes) -> bool:
        # Without this, the decoder's estimates of level and noise would outlive the utterance.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        try:
            self._decoder.process_raw(sound, full_utt=True)
            self._decoder.end_utt()
        except RuntimeError:  # pocketsphinx raises it when the search did not reach the last state
            return False
        return True


@lru_cache(maxsize=1)
def aligner() -> Aligner:
    """The one aligner of this process: loading its model takes longer than aligning a clip."""
    return Aligner()


def pcm(audio: Audio) -> bytes:
    """The sound in the form that the decoder takes."""
    return to_pcm16(resample(audio.samples.numpy(), audio.sample_rate, MODEL_RATE)).tobytes()


def sound_of(symbol: str) -> str:
    """The phone of pocketsphinx for a symbol; empty for an apostrophe, which has no sound."""
    return _SOUNDS.get(symbol, "") if symbol.islower() or symbol == "'" else re.sub(r"\d", "", symbol)


def _with_silent(word: Piece, times: list[float]) -> list[float]:
    """``times`` (a start, then the ends of the sounded symbols) with an end for each silent symbol too.

    A silent symbol ends where it starts.
    """
    filled, ends = [times[0]], iter(times[1:])
    for symbol in word.symbols:
        filled.append(next(ends) if sound_of(symbol) else filled[-1])
    return filled
