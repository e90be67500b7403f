"""DNSMOS against the code of its own package, which needs librosa."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from tests.clips import spoken
from triforce_tts.errors import TriforceError
from triforce_tts.judges import dnsmos as judge
from triforce_tts.judges import networks

RATE = 16000
PACKAGE = importlib.util.find_spec(judge.PACKAGE)
needs_package = pytest.mark.skipif(PACKAGE is None, reason="speechmos is not installed")


@pytest.fixture(scope="module")
def package() -> Any:
    """The module dnsmos.py of speechmos; 'requests', which it imports without need, is replaced."""
    assert PACKAGE is not None and PACKAGE.origin is not None
    requests = ModuleType("requests")
    requests.session = None  # type: ignore[attr-defined]
    path = Path(PACKAGE.origin).parent / "dnsmos.py"
    spec = importlib.util.spec_from_file_location("speechmos_dnsmos", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "requests", requests)
        spec.loader.exec_module(module)
    return module


@needs_package
@pytest.mark.parametrize("seconds", [2.0, 9.5])
def test_the_grades_are_those_of_the_package(package: Any, seconds: float) -> None:
    clips = [spoken(name) for name in ("kathleen-00", "ls_1462-05", "ls_2428-09")]
    wave = np.concatenate(clips)[: round(seconds * RATE)]
    expected = package.run(wave, RATE)
    ours = judge.dnsmos(wave, RATE) | {"p808": judge.p808(wave, RATE)}
    assert ours == pytest.approx({name: expected[f"{name}_mos"] for name in ours}, abs=2e-3)


@needs_package
def test_natural_speech_is_graded_as_in_the_literature_and_noise_below_it() -> None:
    clean = spoken("kathleen-02")
    noisy = clean + np.random.default_rng(0).normal(0, 0.05, len(clean)).astype(np.float32)
    assert 3.0 < judge.p808(clean, RATE) < 4.5
    assert judge.p808(noisy, RATE) < judge.p808(clean, RATE) - 0.5


def test_the_filters_are_librosas() -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.filters.mel(sr=RATE, n_fft=judge._N_FFT, n_mels=judge._N_MELS)
    np.testing.assert_allclose(judge._filters().T, expected, atol=1e-7)


def test_silence_has_levels_too() -> None:
    assert np.isfinite(judge._mel_levels(np.zeros(RATE, np.float32))).all()


def test_a_missing_package_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    networks.session.cache_clear()
    with pytest.raises(TriforceError, match="the package speechmos is missing; install it with: pip install"):
        judge.p808(np.ones(RATE, np.float32), RATE)


@pytest.mark.parametrize(("seconds", "count"), [(2.2, 9), (9.5, 1), (11.5, 3), (40.0, 31)])
def test_a_few_windows_are_spread_over_the_sound(seconds: float, count: int) -> None:
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, round(seconds * RATE)).astype(np.float32)
    every, few = (list(judge._windows(wave, RATE, most)) for most in (None, 3))
    assert len(every) == count and len(few) == min(3, count)
    assert np.array_equal(few[0], every[0]) and np.array_equal(few[-1], every[-1])
    if count > 2:
        assert np.array_equal(few[1], every[(count - 1) // 2])


@needs_package
def test_a_few_windows_give_nearly_the_same_grades() -> None:
    wave = np.concatenate([spoken(name) for name in ("kathleen-00", "ls_1462-05")])[: 4 * RATE]
    whole, few = judge.dnsmos(wave, RATE), judge.dnsmos(wave, RATE, 3)
    assert few == pytest.approx(whole, abs=0.1)
