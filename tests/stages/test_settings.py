import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest

from triforce_tts import checkpoint
from triforce_tts.audio.mel import AudioConfig
from triforce_tts.errors import ConfigError
from triforce_tts.models.dvae import DVAEConfig
from triforce_tts.models.gpt import GPTConfig
from triforce_tts.models.targets import DiffusionConfig
from triforce_tts.schema import Config, load, parse
from triforce_tts.shards import Sample, ShardSet, write_index, write_shard
from triforce_tts.stages.diffusion import DiffusionSettings
from triforce_tts.stages.distill import DistillSettings
from triforce_tts.stages.dvae import DVAESettings
from triforce_tts.stages.gpt import GPTSettings
from triforce_tts.stages.trainer.settings import DataSettings
from triforce_tts.synthesis import bundled_model


def recordings(folder: Path) -> ShardSet:
    """Ten samples of half an hour each, of the speakers a b a b ..."""
    samples = [Sample(f"u{n}", {"speaker": "ab"[n % 2], "duration_s": 1800.0}, bytes([n]), "flac") for n in range(10)]
    infos = [write_shard(folder / "train-000000.tar", samples)]
    write_index(folder, "audio", {"train": infos, "heldout": []}, {})
    return ShardSet.open([folder], "train", "audio")


def numbers(shards: ShardSet) -> list[int]:
    return [shards.payload(n)[0] for n in range(len(shards))]


def test_balance_changes_nothing_unless_told(tmp_path: Path) -> None:
    shards = recordings(tmp_path)
    assert numbers(DataSettings().balance(shards)) == list(range(10))


def test_each_speaker_is_cut_to_its_hours_and_repeated(tmp_path: Path) -> None:
    shards = recordings(tmp_path)
    assert numbers(DataSettings(speaker_hours=1.0).balance(shards)) == [0, 1, 2, 3]
    balanced = DataSettings(speaker_hours=1.0, repeat={"b": 3}).balance(shards)
    assert numbers(balanced) == [0, 1, 1, 1, 2, 3, 3, 3]
    # A voice prompt comes from another clip of the speaker; repeats of a clip count as one clip.
    assert {name: [balanced.keys[i] for i in found] for name, found in balanced.by_speaker.items()} == {
        "a": ["u0", "u2"],
        "b": ["u1", "u3"],
    }
    assert balanced.fingerprint != shards.fingerprint


def test_repeating_an_unknown_speaker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="carol"):
        DataSettings(repeat={"carol": 2}).balance(recordings(tmp_path))


FINITE = [".nan", ".inf", "-.inf"]
RUN = {
    "batch_size": [-1, 0, 1 << 21, 10**30],
    "learning_rate": [*FINITE, 0, -1e-3, 1e6, "1e400"],
    "steps": [-1, 10**12],
    "stop_at": [-1, 10**12],
    "minutes": [*FINITE, -1, 1e9],
    "ends_at": [*FINITE, -1, 1e12],
    "warmup_steps": [-1, 10**12],
    "final_learning_rate": [*FINITE, -0.1, 1.5],
    "betas": ["[0.9, 1.0]", "[-0.1, 0.9]", "[.nan, 0.9]", "[0.9]", "[0.9, 0.9, 0.9]"],
    "weight_decay": [*FINITE, -0.1, 100],
    "clip_norm": [*FINITE, 0, -1],
    "ema": [*FINITE, -0.1, 1.0, 2],
    "mega_batch_factor": [0, -1, 10**9],
    "bucket_batches": [0, -1, 10**9, 60_000],
    "workers": [-1, 10_000],
    "threads": [-1, 100_000],
    "seed": [-1, 1 << 62, 10**30, 0.5],
    "log_every": [0, -5],
    "validate_every": [-1, 10**12],
    "validate_samples": [-1],
    "save_every": [-1],
    "preview_every": [-1],
    "preview_samples": [-1],
    "keep": [0, -1],
    "patience": [-1],
    "overfit": [*FINITE, -1],
    "lora_rank": [-1, 10**6],
    "stop_after_skips": [0, -1],
    "accept_changed": ["[seed]", "data"],
}
DATA = {
    "min_seconds": [*FINITE, -1],
    "max_seconds": [*FINITE, -1],
    "speaker_hours": [*FINITE, -1],
    "repeat": ["{a: 0}", "{a: -1}", "{a: 1000000000}", "{a: 1.5}"],
}
STAGES: dict[tuple[str, str], dict[str, list[object]]] = {
    ("gpt", "data"): {
        **DATA,
        "mixture": ["[.nan, 0, 0, 1]", "[1.5, -0.5, 0, 0]"],
        "voice_seconds": ["[0.0, 1.0]", "[1.0, .inf]", "[.nan, 1.0]", "[1.0, 1e9]", "[-1.0, 1.0]"],
        "previous_share": [*FINITE, -0.1, 1.1],
        "letters_share": [*FINITE, -0.1, 1.1],
        "text_weight": [*FINITE, -0.1, 1e9],
        "plain_share": [*FINITE, -0.1, 1.1],
        "speech_weight": [*FINITE, -0.1],
        "guide_weight": [*FINITE, -0.1],
        "guide_layers": ["[-1]", "[99999999999999]"],
        "guide_width": [*FINITE, 0, -1],
    },
    ("dvae", "data"): {**DATA, "crop_seconds": [*FINITE, 0, -1, 1e-9, 1e9]},
    ("dvae", ""): {"neighbours": [-1, 10**12], "mse_weight": [*FINITE, -1]},
    ("diffusion", "data"): {
        "reference_seconds": [*FINITE, 0, -1, 1e9],
        "true_mel_share": [*FINITE, -0.1, 1.1],
        "drop_share": [*FINITE, -0.1, 1.1],
        "noise_share": [*FINITE, -0.1, 1.1],
    },
    ("diffusion", ""): {
        "consistency_weight": [*FINITE, -1],
        "consistency_after": [-1, 10**12],
        "magnitude_weight": [*FINITE, -1],
        "magnitude_before": [*FINITE, -1, 2],
        "magnitude_after": [-1, 10**12],
    },
    ("distill", ""): {"teacher_steps": [0, -1, 10**6], "student_steps": [0, -1, 10**6]},
    **{(stage, "run"): RUN for stage in ("dvae", "gpt", "diffusion", "distill")},
}
KINDS: dict[str, type[Config]] = {
    "dvae": DVAESettings,
    "gpt": GPTSettings,
    "diffusion": DiffusionSettings,
    "distill": DistillSettings,
}


def test_every_number_of_every_setting_has_bounds() -> None:
    """Every setting that is a number or holds numbers must be in the lists above, so that nobody forgets a new one."""
    for stage, kind in KINDS.items():
        for part in ("", "run", "data"):
            inner = kind.model_fields[part].annotation if part else kind
            assert isinstance(inner, type)
            assert issubclass(inner, Config)
            numbers = {
                name
                for name, field in inner.model_fields.items()
                if any(word in str(field.annotation) for word in ("int", "float"))
                and "Settings" not in str(field.annotation)
            }
            listed = {name for (_, where), found in STAGES.items() if where == part for name in found}
            assert numbers <= listed, (stage, part, numbers - listed)


@pytest.mark.parametrize(("stage", "part"), list(STAGES))
def test_a_number_out_of_bounds_is_one_line_that_names_its_key(stage: str, part: str) -> None:
    for name, values in STAGES[stage, part].items():
        for value in values:
            setting = f"{part}.{name}={value}" if part else f"{name}={value}"
            with pytest.raises(ConfigError, match=name) as caught:
                load(KINDS[stage], stage, "tiny", [setting, *(["run.batch_size=1000"] if value == 60_000 else [])])
            assert "\n" not in str(caught.value), setting


@pytest.mark.parametrize(
    "setting",
    ["run.seed=1764176400123456789", "run.seed=0", "run.betas=[0.0, 0.999]", "run.minutes=0.5", "run.threads=1",
     "run.validate_every=0", "run.accept_changed=[data, optimizer]", "run.learning_rate=1"],
)  # fmt: skip
def test_unusual_but_sound_numbers_are_taken(setting: str) -> None:
    for stage, kind in KINDS.items():
        load(kind, stage, "tiny", [setting])


def test_lengths_that_leave_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="no sample is left"):
        load(DVAESettings, "dvae", "tiny", ["data.min_seconds=5", "data.max_seconds=2"])


def test_codes_that_a_coded_shard_cannot_hold_are_refused_before_training() -> None:
    with pytest.raises(ConfigError, match=r"give 390625 codes a group, and coded shards can hold 65536"):
        load(DVAESettings, "dvae", "tiny", ["model.levels=[5,5,5,5,5,5,5,5]"])
    load(DVAESettings, "dvae", "tiny", ["model.levels=[16,16,16,16]"])


def test_a_contradiction_does_not_repeat_all_settings() -> None:
    with pytest.raises(ConfigError, match=r"'run': ema must be in \[0, 1\), found 1.0$"):
        load(DVAESettings, "dvae", "tiny", ["run.ema=1"])


def test_the_shipped_nano_is_what_the_bundled_model_was_made_with() -> None:
    """The settings that both describe must agree: sizes, the shape of sound, voices, text in its place."""
    model = bundled_model()
    dvae, gpt = load(DVAESettings, "dvae", "nano"), load(GPTSettings, "gpt", "nano")
    diffusion = load(DiffusionSettings, "diffusion", "nano")
    found = checkpoint.read_config(model / "dvae", "dvae")
    assert parse(AudioConfig, found["audio"], "") == dvae.audio
    assert parse(DVAEConfig, found["model"], "") == dvae.model
    found = checkpoint.read_config(model / "gpt", "gpt")
    assert parse(GPTConfig, found["model"], "") == gpt.model
    assert found["voice_seconds"] == list(gpt.data.voice_seconds)
    assert found["vocabulary"]["reads"] == gpt.data.reads
    assert found["vocabulary"]["groups"] == dvae.model.groups
    assert found["vocabulary"]["n_codes"] == dvae.model.n_codes
    found = checkpoint.read_config(model / "diffusion", "diffusion")
    assert parse(DiffusionConfig, found["model"], "") == diffusion.model


def test_the_script_trains_as_the_model_card_says() -> None:
    card = (bundled_model() / "MODEL_CARD.md").read_text()
    script = Path("configs/nano.sh").read_text()
    for run, steps, batch in (
        ("dvae", "2938", "64 crops"),
        ("gpt-first", "2648", "96 sequences, `af_heart` three times"),
        ("gpt-second", "661", "24 sequences, `af_heart` twice"),
        ("diffusion", "5615", "16 crops"),
    ):
        (row,) = [line for line in card.splitlines() if line.startswith(f"| {run} |")]
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        assert steps in cells[2] and cells[3].startswith(batch)
        (command,) = re.findall(rf'--run "\$WORK/{run}" (?:.*\\\n)*.*', script)
        assert f"$(steps {steps})" in command
        assert f"run.batch_size={batch.split()[0]}" in command
    assert "copies at .9 and 1.1 times the speed" in card
    assert script.count("--speed 0.9 --speed 1.1") == 2
    assert '"data.repeat={kokoro-$TEACHER: 3' in script


def test_a_path_in_a_setting_may_lie_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    settings = load(DVAESettings, "dvae", "tiny", ["run.init_from=~/runs/one"])
    assert settings.run.init_from == "/home/ann/runs/one"


def test_make_hands_settings_on_as_they_are() -> None:
    words = [
        "make",
        "--dry-run",
        "train-dvae",
        "DATA=d",
        "RUN=r",
        "SET=data.repeat={a:3,b:2} run.accept_changed=[data]",
    ]
    said = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    command = next(line for line in said.splitlines() if " train dvae " in line)
    assert shlex.split(command)[-4:] == ["--set", "data.repeat={a:3,b:2}", "--set", "run.accept_changed=[data]"]
    assert "--set 'data.repeat={a:3,b:2}'" in command  # A shell would make two words of it.


def test_make_takes_names_with_spaces() -> None:
    words = ["make", "--dry-run", "train-diffusion", "DATA=d", "RUN=my runs/one", "DVAE=my runs/two", "CONFIG=a b.yaml"]
    said = subprocess.run(words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True).stdout
    command = shlex.split(next(line for line in said.splitlines() if " train diffusion " in line))
    given = {name: command[command.index(name) + 1] for name in ("--run", "--dvae", "--config", "--data")}
    assert given == {"--run": "my runs/one", "--dvae": "my runs/two", "--config": "a b.yaml", "--data": "d"}


@pytest.mark.parametrize(
    ("book", "given"),
    [
        ("a  b.epub", "a  b.epub"),
        ("~/my book.epub", "/home/ann/my book.epub"),
        ("'my book.epub'", "my book.epub"),
        ("my\\ book.epub", "my book.epub"),
        ("her brother's.epub", "her brother's.epub"),
        ("one,two (three).epub", "one,two (three).epub"),
    ],
)
def test_make_hands_names_on_as_they_are_meant(book: str, given: str) -> None:
    words = ["make", "--dry-run", "narrate", f"BOOK={book}", "OUT=~/out 1"]
    environment = {**os.environ, "HOME": "/home/ann"}
    done = subprocess.run(
        words, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True, env=environment
    )
    command = shlex.split(next(line for line in done.stdout.splitlines() if " narrate " in line))
    assert command[-3:] == [given, "--out", "/home/ann/out 1"]
