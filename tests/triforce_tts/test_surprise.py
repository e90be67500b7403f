import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
import typer
from typer.testing import CliRunner

from triforce_tts import surprise
from triforce_tts.cli.recordings import score as command
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.sampling.score import Score

HALF, EIGHTH = math.log(1 / 2), math.log(1 / 8)
# Two frames of two codes and the end; two letters and the end.
SCORE = Score(
    speech_given_text=torch.tensor([HALF, EIGHTH, EIGHTH, EIGHTH, HALF]),
    text_given_speech=torch.tensor([HALF, HALF, EIGHTH]),
    text_alone=torch.tensor([EIGHTH, EIGHTH, HALF]),
    letters="a ",
)


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "clip.wav", 0.1 * np.sin(np.arange(8000) / 5), 8000)
    return tmp_path / "clip.wav"


def test_the_bits_of_a_frame_are_those_of_its_codes() -> None:
    assert surprise.bits(SCORE.text_alone).tolist() == pytest.approx([3, 3, 1])
    assert surprise.bits_by_frame(SCORE, groups=2).tolist() == pytest.approx([1 + 3, 3 + 3])


def test_the_picture_shows_every_symbol_in_its_place(
    clip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: list[Any] = []
    monkeypatch.setattr(surprise, "save_figure", lambda figure, path, dpi: figures.append(figure))
    model: Any = SimpleNamespace(code_rate=2.0, vocabulary=SimpleNamespace(config=SimpleNamespace(groups=2)))
    surprise.draw_surprise(SCORE, clip, model, tmp_path / "a.png")
    mel, frames, letters = figures[0].axes
    (stairs,) = frames.patches
    assert stairs.get_data().values.tolist() == pytest.approx([4, 6])
    assert stairs.get_data().edges.tolist() == [0.0, 0.5, 1.0]
    assert mel.get_xlim() == frames.get_xlim() == (0.0, 1.0)  # the clip lasts one second
    assert [bar.get_height() for bar in letters.patches] == pytest.approx([1, 1, 3])
    assert letters.lines[0].get_ydata().tolist() == pytest.approx([3, 3, 1])
    assert [label.get_text() for label in letters.get_xticklabels()] == ["a", "_", "end"]


def run(*words: object) -> Any:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_the_command_draws(model: Path, clip: Path, tmp_path: Path) -> None:
    picture = tmp_path / "new" / "a.PNG"
    result = run(clip, "hi", "--model", model, "--device", "cpu", "--plot", picture)
    assert result.exit_code == 0 and result.stdout.startswith("flip\t")
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("name", ["a.jpg", "a", "png"])
def test_another_kind_of_picture_is_refused_before_any_work(name: str, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--plot .*: the picture is a PNG; give it a name that ends in \.png"):
        run(clip, "hi", "--model", tmp_path / "missing", "--plot", tmp_path / name)


def test_the_recording_is_not_replaced_by_its_picture(clip: Path, tmp_path: Path) -> None:
    odd = clip.rename(tmp_path / "clip.png")
    with pytest.raises(TriforceError, match="is, or holds, the input"):
        run(odd, "hi", "--plot", odd)


def test_a_picture_does_not_go_into_the_model(model: Path, clip: Path) -> None:
    with pytest.raises(ConfigError, match="lies in the model folder"):
        run(clip, "hi", "--model", model, "--plot", model / "a.png")
