"""Bundles and exports: what they may replace, and that a bundle's voice can be used."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.corpus import voice_clip
from tests.training import fast, trainer
from triforce_tts.audio.io import Audio
from triforce_tts.checkpoint import CONFIG, load_tensors, locate
from triforce_tts.cli import app as command_line
from triforce_tts.errors import AudioError, CheckpointError, ConfigError, TriforceError
from triforce_tts.manifest import read_manifest
from triforce_tts.stages.bundle import bundle, bundle_command, export_command
from triforce_tts.synthesis import Synthesizer

pytestmark = pytest.mark.usefixtures("one_thread")
RATE = 8000


@pytest.fixture(scope="module")
def runs(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A run of each stage; the runs belong together, and tests must not write to them."""
    folder = tmp_path_factory.mktemp("runs")
    for stage in ("gpt", "diffusion"):
        fast(stage, corpus, folder / stage, 1)
    return {"dvae": corpus["dvae"], "gpt": folder / "gpt", "diffusion": folder / "diffusion"}


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder that this program did not make."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "thesis.txt").write_text("mine")
    return folder


# --- what may be replaced ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("light", [True, False])
@pytest.mark.parametrize("force", [True, False])
def test_an_export_replaces_no_strangers_folder(
    light: bool, force: bool, runs: dict[str, Path], home: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(home, target_is_directory=True)
    for out in (home, link, home / "thesis.txt", tmp_path):
        with pytest.raises(TriforceError, match="choose"):
            export_command(runs["dvae"], out, light, force)
    assert tree(tmp_path) == {"home/thesis.txt": b"mine"}
    assert link.is_symlink()


@pytest.mark.parametrize("force", [True, False])
def test_an_export_never_replaces_its_run(
    force: bool, corpus: dict[str, Path], runs: dict[str, Path], tmp_path: Path
) -> None:
    run = Path(shutil.copytree(runs["dvae"], tmp_path / "runs" / "run"))
    link = tmp_path / "link"
    link.symlink_to(run, target_is_directory=True)
    before = tree(tmp_path)
    checkpoint = locate(run)
    for source, out in (
        (run, run),
        (run, link),
        (link, run),
        (run, run.parent),
        (checkpoint, run),
        (checkpoint, checkpoint),
    ):
        with pytest.raises(TriforceError, match="choose another place"):
            export_command(source, out, True, force)
    assert tree(tmp_path) == before


def test_an_export_is_replaced_by_force_alone(corpus: dict[str, Path], runs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "small"
    export_command(runs["dvae"], out, True)
    before = tree(out)
    with pytest.raises(TriforceError, match="--force"):
        export_command(runs["dvae"], out, False)
    assert tree(out) == before
    export_command(runs["dvae"], out, False, True)
    assert (locate(out) / "trainer" / "optimizer.safetensors").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small"]
    exported = {"shards": corpus["shards"]}
    assert trainer("dvae", exported, out).progress.step == 5  # the run continues from there


def test_a_light_export_of_a_checkpoint_that_is_no_runs_is_one_line(model: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"state\.json"):
        export_command(model / "dvae", tmp_path / "out", True)
    assert not (tmp_path / "out").exists()


def test_weights_too_large_for_half_precision_are_not_exported(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = fast("dvae", corpus, tmp_path / "run", 1)
    with torch.no_grad():
        made.network.conv_in.conv.weight[0, 0, 0] = 1e5
    made.learner.average = {}
    made.progress.step = 2
    made.checkpoints.save()
    with pytest.raises(CheckpointError, match="not finite in fp16"):
        export_command(tmp_path / "run", tmp_path / "out", True)
    assert not (tmp_path / "out").exists()


def test_a_bundle_replaces_no_strangers_folder_and_no_source(runs: dict[str, Path], home: Path, tmp_path: Path) -> None:
    clip = voice_clip(tmp_path / "voice.wav")
    copied = {stage: Path(shutil.copytree(run, tmp_path / "runs" / stage)) for stage, run in runs.items()}
    before = tree(tmp_path)
    for out in (home, tmp_path, tmp_path / "runs", copied["gpt"], locate(copied["dvae"])):
        for force in (True, False):
            with pytest.raises(TriforceError, match="choose"):
                bundle(copied, out, "x", clip, None, 1, force)
    assert tree(tmp_path) == before
    bundle(copied, tmp_path / "model", "x", clip, None, 1)
    with pytest.raises(TriforceError, match="--force"):
        bundle(copied, tmp_path / "model", "y", clip, None, 1)
    bundle(copied, tmp_path / "model", "y", clip, None, 1, force=True)
    assert Synthesizer.load(tmp_path / "model").name == "y"
    with pytest.raises(TriforceError, match="choose"):
        export_command(runs["dvae"], tmp_path / "model", True, True)  # a model folder is not a run


# --- a voice that can be used -----------------------------------------------------------------------------------------


def sounds() -> dict[str, torch.Tensor]:
    """Sounds that are no voice, 3 s each."""
    rng = torch.Generator().manual_seed(0)
    n = 3 * RATE
    white = torch.randn(n, generator=rng)
    spectrum, number = torch.fft.rfft(white), torch.arange(1, n // 2 + 2)
    time = torch.arange(n) / RATE
    return {
        "silent": torch.zeros(n),
        "white": white,
        "pink": torch.fft.irfft(spectrum / number.sqrt(), n),
        "brown": torch.fft.irfft(spectrum / number, n),
        "late": torch.cat((torch.zeros(RATE), white[RATE:])),
        "tone": torch.sin(2 * torch.pi * 440 * time),
        "hum": torch.sin(2 * torch.pi * 50 * time) + 0.3 * torch.sin(2 * torch.pi * 150 * time),
        "constant": torch.ones(n),
        "click": torch.cat((torch.ones(1), torch.zeros(n - 1))),
    }


def clip_of(name: str, folder: Path) -> Path:
    path = folder / f"{name}.wav"
    folder.mkdir()
    if name in sounds():
        sound = sounds()[name]
        Audio(0.7 * sound / sound.abs().max().clamp_min(1e-9), RATE).save(path)
    elif name == "short":
        voice_clip(path, 0.4)
    elif name != "missing":
        path.write_text("no sound" if name == "text" else "")
    return path


def test_checkpoints_that_do_not_belong_together_are_named_as_given(
    corpus: dict[str, Path], runs: dict[str, Path], tmp_path: Path
) -> None:
    fast("dvae", corpus, tmp_path / "dvae", 1)
    with pytest.raises(CheckpointError) as caught:
        bundle({**runs, "dvae": tmp_path / "dvae"}, tmp_path / "model", "m", voice_clip(tmp_path / "v.flac"), None, 1)
    assert str(caught.value).startswith(f"mismatched DVAE: {runs['gpt']} was made with ")
    assert f"but {tmp_path / 'dvae'} is " in str(caught.value)
    assert not (tmp_path / "model").exists()


@pytest.mark.parametrize("name", ["silent", "click", "short", "text", "missing", "empty"])
def test_what_is_no_voice_is_refused_before_anything_is_written(
    name: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    path = clip_of(name, tmp_path / "clips")
    with pytest.raises(AudioError, match=name) as caught:
        bundle(runs, tmp_path / "model", "x", path, None, 1)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clips"]


@pytest.mark.parametrize("name", ["white", "pink", "brown", "late", "tone", "hum"])
def test_what_does_not_sound_like_speech_is_said(
    name: str, runs: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = clip_of(name, tmp_path / "clips")
    bundle_command(runs["dvae"], runs["gpt"], runs["diffusion"], tmp_path / "model", path)
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 2
    assert "does not sound like speech" in told[0]


def test_speech_is_a_voice_without_a_word(runs: dict[str, Path], tmp_path: Path) -> None:
    recordings = sorted(Path("tests/speech").glob("*.ogg"))
    assert len(recordings) == 14
    for number, path in enumerate(recordings[::4]):
        assert bundle(runs, tmp_path / str(number), "x", path, None, 1) == ""


@pytest.mark.parametrize("steps", [-5, -1, 1001, 10**5])
def test_steps_of_stage_3_are_bounded(steps: int, runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"'diffusion_steps': .* found {steps}"):
        bundle(runs, tmp_path / "model", "x", voice_clip(tmp_path / "v.wav"), None, steps)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 101, "\x1b[2J", "a\u2028b", "../x", "."])
def test_a_models_name_is_bounded(name: str, runs: dict[str, Path], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="'name': "):
        bundle(runs, tmp_path / "model", name, voice_clip(tmp_path / "v.wav"), None, 1)
    assert not (tmp_path / "model").exists()


def test_another_configuration_is_another_model(runs: dict[str, Path], tmp_path: Path) -> None:
    """The limits of speaking are no weights, and change what a model says."""
    clip, other = voice_clip(tmp_path / "v.wav"), {**runs, "gpt": tmp_path / "gpt"}
    shutil.copytree(locate(runs["gpt"]), other["gpt"])
    bundle(runs, tmp_path / "one", "one", clip, None, 1)
    bundle(other, tmp_path / "same", "same", clip, None, 1)
    config = json.loads((other["gpt"] / CONFIG).read_text())
    config["speaking"]["slack"] = 1.5
    (other["gpt"] / CONFIG).write_text(json.dumps(config))
    bundle(other, tmp_path / "two", "two", clip, None, 1)
    one, same, two = (read_manifest(tmp_path / name) for name in ("one", "same", "two"))
    assert one.networks == same.networks == two.networks
    assert one.id == same.id != two.id
    assert Synthesizer.load(tmp_path / "two", "cpu").limits.slack == 1.5


@pytest.mark.parametrize(
    ("file", "called", "name"), [("kathleen.wav", "", "kathleen"), ("voice.wav", "", ""), ("voice.wav", "ann", "ann")]
)
def test_a_model_knows_the_name_of_its_voice(
    file: str, called: str, name: str, runs: dict[str, Path], tmp_path: Path
) -> None:
    """Audiobooks name it in their tags."""
    bundle(runs, tmp_path / "m", "x", voice_clip(tmp_path / file), None, 1, called=called)
    assert read_manifest(tmp_path / "m").voice == name
    assert Synthesizer.load(tmp_path / "m", "cpu").voice().name == name


def test_the_command_says_what_it_did(runs: dict[str, Path], tmp_path: Path) -> None:
    app = command_line.typer.Typer()
    app.command()(bundle_command)
    (tmp_path / "card.md").write_text("# mine")
    words = [word for stage, run in runs.items() for word in (f"--{stage}", str(run))]
    words += ["--voice", str(voice_clip(tmp_path / "v.wav")), "--out", str(tmp_path / "m"), "--name", "mine"]
    done = CliRunner().invoke(app, [*words, "--diffusion-steps", "-5"])
    assert done.exit_code == 2
    done = CliRunner().invoke(app, [*words, "--diffusion-steps", "2", "--card", str(tmp_path / "card.md")])
    assert done.exit_code == 0, done.output
    manifest = json.loads((tmp_path / "m" / "model.json").read_text())
    assert manifest["name"] == "mine"
    assert manifest["diffusion_steps"] == 2
    assert (tmp_path / "m" / "MODEL_CARD.md").read_text() == "# mine"
    assert load_tensors(tmp_path / "m" / "gpt" / "model.safetensors")
