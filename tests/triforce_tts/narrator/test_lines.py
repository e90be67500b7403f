"""A line on disk is whole or missing."""

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.triforce_tts.narrator.conftest import record, tone
from triforce_tts.errors import AudioError
from triforce_tts.narrator.lines import Lines


def test_what_is_kept_comes_back_to_the_step_of_16_bits(tmp_path: Path) -> None:
    lines, samples = Lines(tmp_path, {}), tone(0.5)
    kept = lines.keep("a", samples, record(len(samples)))
    assert lines.record("a") == kept
    assert np.abs(lines.read("a", kept) - samples.numpy()).max() <= 0.5 / 32768
    first = lines.path("a").read_bytes()
    lines.keep("a", samples, record(len(samples)))
    assert lines.path("a").read_bytes() == first


@pytest.mark.parametrize("suffix", [".flac", ".json"])
def test_a_line_that_was_cut_short_damaged_or_removed_is_missing(suffix: str, tmp_path: Path) -> None:
    lines, samples = Lines(tmp_path, {}), tone(0.5)
    for content in (b"", b"\x00" * 100, None):
        lines.keep("a", samples, record(len(samples)))
        path = lines.path("a").with_suffix(suffix)
        if content is None:
            path.unlink()
        else:
            path.write_bytes(content)
        assert lines.record("a") is None


def test_a_line_without_sound_is_known(tmp_path: Path) -> None:
    lines = Lines(tmp_path, {})
    kept = lines.keep("a", torch.zeros(0), record(0, flags=("there is no sound",)))
    assert lines.record("a") == kept
    assert len(lines.read("a", kept)) == 0


def test_a_sound_that_changes_while_it_is_used_is_an_error(tmp_path: Path) -> None:
    lines = Lines(tmp_path, {})
    kept = lines.keep("a", tone(0.5), record(8000))
    lines.keep("a", tone(0.4), record(6400))
    with pytest.raises(AudioError, match="changed while it was used"):
        lines.read("a", kept)
    lines.path("a").unlink()
    with pytest.raises(AudioError, match="cannot be read"):
        lines.read("a", kept)
