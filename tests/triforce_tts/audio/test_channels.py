from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from triforce_tts.audio.streaming import stream_audio


@pytest.mark.parametrize("channels", [7, 8, 16])
def test_eight_channels_and_more_are_averaged(tmp_path: Path, channels: int) -> None:
    """With eight planes or more, PyAV's to_ndarray reads past the list of planes, and the process dies."""
    wave = np.random.default_rng(0).uniform(-0.5, 0.5, (4000, channels)).astype(np.float32)
    sf.write(tmp_path / "many.wav", wave, 16000, subtype="FLOAT")
    heard = np.concatenate(list(stream_audio(tmp_path / "many.wav").blocks))
    assert np.abs(heard - wave.mean(1)).max() < 1e-6
