"""A run from a pack: every stage and what it leaves, what a failure costs, and that everything ends in time."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from tests import forks
from tests.training import fast, trainer
from triforce_tts import checkpoint
from triforce_tts.errors import ConfigError, TriforceError
from triforce_tts.stages.gpu import cli as gpu_cli
from triforce_tts.stages.gpu.launch import STOPPED, launch_process
from triforce_tts.stages.gpu.pack import PackOrder, make_pack
from triforce_tts.stages.gpu.run import Places, Rental, clone_root
from triforce_tts.stages.gpu.watch import Watch
from triforce_tts.stages.trainer.progress import Progress
from triforce_tts.synthesis.cloning import open_voice
from triforce_tts.synthesis.model import load_model

pytestmark = pytest.mark.usefixtures("one_thread")

ROOT = Path(__file__).parent.parent.parent
STAGES = ("dvae", "codes", "diffusion", "gpt", "bundle")
SETTINGS = [f"{stage}.{setting}" for stage in ("dvae", "gpt", "diffusion")
            for setting in ("run.steps=2", "run.batch_size=2", "run.threads=1")]  # fmt: skip
LONG = 3600.0  # seconds; these runs end by their steps


def forked(words: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
    with log.open("ab") as file:
        return forks.Program(list(words), stdout=file, stderr=file).wait(forks.SLOW_S)


def order(corpus: dict[str, Path], **changes: Any) -> PackOrder:
    given = {
        "data": [corpus["shards"]], "codes": (), "config": "tiny", "plan": "tiny", "settings": (), "init": None, "voice": None,
        "wheels": (), "constraints": None, "python": "3.12", "bit_rate": 12_000, "heldout": 40, "megabytes": 3.0,
    }  # fmt: skip
    return PackOrder(**{**given, **changes})


@pytest.fixture(scope="module")
def pack(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("packs") / "pack"
    make_pack(order(corpus, settings=SETTINGS), folder)
    return folder


@pytest.fixture(scope="module")
def earlier(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack with the weights of a DVAE, the codes that it made, and no others."""
    folder = tmp_path_factory.mktemp("earlier")
    (folder / "init").mkdir()
    (folder / "init" / "dvae").symlink_to(corpus["dvae"], target_is_directory=True)
    make_pack(order(corpus, settings=SETTINGS, init=folder / "init", codes=[corpus["codes"]]), folder / "pack")
    return folder / "pack"


def rental(pack: Path, folder: Path, launch: Any = forked, seconds: float = LONG, *settings: str) -> Rental:
    (folder / "out").mkdir(parents=True, exist_ok=True)
    places = Places(pack, folder / "out", folder / "work", None)
    return Rental(places, settings, time.time() + seconds, launch, lambda text: None)


@pytest.fixture(scope="module")
def ran(pack: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a whole run."""
    folder = tmp_path_factory.mktemp("ran")
    made = rental(pack, folder)
    assert made.run(STAGES), [vars(step) for step in made.steps]
    return folder / "out"


def summary(out: Path) -> dict[str, dict[str, Any]]:
    return {step["name"]: step for step in json.loads((out / "summary.json").read_text())["steps"]}


def test_tests_and_benchmarks_are_found_in_a_clone() -> None:
    assert clone_root() == ROOT


def test_a_run_leaves_a_model_a_table_and_logs(ran: Path, tmp_path: Path) -> None:
    names = {path.name for path in ran.iterdir() if not path.name.startswith(".")}
    assert names == {"dvae.tar", "gpt.tar", "diffusion.tar", "bundle.tar", "logs.tar", "summary.json", "summary.txt"}
    steps = summary(ran)
    for stage in ("dvae", "gpt", "diffusion"):
        assert steps[stage]["status"] == "done"
        assert steps[stage]["steps"] == 2
        assert steps[stage]["audio_s_per_s"] > 0
        assert steps[stage]["files"] == [f"{stage}.tar"]
        assert steps[stage]["gpu_busy"] == "not measured"  # there is no nvidia-smi
        assert steps[stage]["figures"]
    assert "| gpt | done |" in (ran / "summary.txt").read_text()
    for name in ("dvae", "gpt", "diffusion", "bundle", "logs"):
        subprocess.run(f"cat {ran}/{name}.tar* | tar x -C {tmp_path}", shell=True, check=True)
    assert (tmp_path / "logs" / "gpt-metrics.jsonl").is_file()
    model = load_model(tmp_path, torch_cpu())
    assert open_voice(model).codes.numel()


def torch_cpu() -> Any:
    import torch

    return torch.device("cpu")


def test_the_next_run_starts_from_the_last_ones_results(ran: Path, corpus: dict[str, Path], tmp_path: Path) -> None:
    made = make_pack(order(corpus, init=ran, settings=SETTINGS), tmp_path / "next")
    assert set(made.init) == {"dvae", "gpt", "diffusion"}
    words: list[Sequence[str]] = []
    again = rental(tmp_path / "next", tmp_path, lambda given, *rest: words.append(given) or 1)
    again.run(["codes", "diffusion", "gpt"])
    assert f"run.init_from={tmp_path / 'next' / 'init' / 'diffusion'}" in words[1]
    assert words[1][words[1].index("--dvae") + 1] == str(tmp_path / "next" / "init" / "dvae")
    assert rental(tmp_path / "next", tmp_path / "real", forked).run(["diffusion"])
    weights = checkpoint.load_tensors(tmp_path / "next" / "init" / "gpt" / "model.safetensors")
    assert all(str(value.dtype) == "torch.float16" for value in weights.values())


def test_codes_of_the_pack_are_trained_on(earlier: Path, tmp_path: Path) -> None:
    made = rental(earlier, tmp_path)
    assert made.run(["gpt"])
    assert {path.name for path in (tmp_path / "out").glob("*.tar*")} == {"gpt.tar", "logs.tar"}


# --- failures ------------------------------------------------------------------------------------------------------------


def failing(*names: str) -> Callable[..., int]:
    """A launch in which training of ``names`` fails, and anything else of them."""

    def launch(words: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
        if log.stem in names:
            log.write_text("first\nCUDA out of memory\n")
            return 1
        return forked(words, log, seconds, folder)

    return launch


def test_a_failed_stage_costs_nothing_of_the_others(pack: Path, tmp_path: Path) -> None:
    made = rental(pack, tmp_path, failing("diffusion"))
    assert not made.run(["dvae", "diffusion", "codes", "gpt", "bundle"])
    steps = summary(tmp_path / "out")
    assert {name: step["status"] for name, step in steps.items()} == {
        "dvae": "done", "diffusion": "failed", "codes": "done", "gpt": "done", "bundle": "not run",
    }  # fmt: skip
    assert "exit code 1: first / CUDA out of memory" in steps["diffusion"]["note"]
    assert steps["bundle"]["note"] == "'diffusion' did not end well"
    assert {path.name for path in (tmp_path / "out").glob("*.tar*")} == {"dvae.tar", "gpt.tar", "logs.tar"}


def test_what_needs_a_failed_stage_is_not_run(pack: Path, tmp_path: Path) -> None:
    made = rental(pack, tmp_path, failing("dvae"))
    assert not made.run(STAGES)
    assert [step.status for step in made.steps] == ["failed", *["not run"] * 4]


def test_a_stage_that_fails_late_is_exported_as_far_as_it_came(
    earlier: Path, corpus: dict[str, Path], tmp_path: Path
) -> None:
    def launch(words: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
        fast("gpt", corpus, tmp_path / "work" / "gpt", 1)
        return STOPPED

    made = rental(earlier, tmp_path, launch)
    assert not made.run(["gpt"])
    assert made.steps[0].files == ["gpt.tar"]
    assert "its time was over" in made.steps[0].note


def test_a_failure_is_the_exit_code_of_the_command(pack: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Rental.__init__, "__defaults__", (failing("dvae"), print))
    with pytest.raises(typer.Exit) as caught:
        gpu_cli.run(pack, tmp_path / "out", 9.0, "dvae codes", checks=False)
    assert caught.value.exit_code == 1
    assert summary(tmp_path / "out")["codes"]["status"] == "not run"


@pytest.mark.parametrize(
    ("stages", "message"),
    [
        (["gpt", "gpt"], "each once"),
        (["gtp"], "expected some of 'dvae codes diffusion gpt'"),
        ([], "expected some of"),
        (["codes", "gpt"], "'codes' needs 'dvae' before it, or in the pack"),
        (["gpt", "dvae"], "'gpt' needs 'dvae'"),
        (["dvae", "gpt"], "'gpt' needs 'codes'"),
        (["diffusion"], "'diffusion' needs 'dvae'"),
    ],
)
def test_stages_in_an_order_that_cannot_be_are_refused(
    stages: list[str], message: str, pack: Path, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError, match=message):
        rental(pack, tmp_path).run(stages)


def test_old_codes_are_no_codes_of_a_new_dvae(earlier: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a trained DVAE has new codes"):
        rental(earlier, tmp_path).run(["dvae", "gpt"])


def test_networks_that_do_not_belong_together_are_not_bundled(pack: Path, earlier: Path, tmp_path: Path) -> None:
    assert rental(pack, tmp_path).can_bundle(["dvae", "codes", "gpt", "diffusion"])
    assert not rental(pack, tmp_path).can_bundle(["dvae", "codes", "gpt"])
    assert rental(earlier, tmp_path).can_bundle(["gpt", "diffusion"])
    assert not rental(earlier, tmp_path).can_bundle(["gpt"])


def test_tests_and_benchmarks_need_a_clone(pack: Path, tmp_path: Path) -> None:
    made = rental(pack, tmp_path)
    made.run(["tests", "dvae"])
    assert made.steps[0].note.startswith("the tests are not in an installed package")
    assert made.steps[1].status == "done"


def test_in_a_clone_both_come_first(pack: Path, tmp_path: Path) -> None:
    words: list[Sequence[str]] = []

    def launch(given: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
        assert folder == tmp_path / "clone"
        log.write_text("| dvae | 12 audio-s |")
        words.append(given)
        return 0

    made = rental(pack, tmp_path, launch)
    made.places = Places(pack, tmp_path / "out", tmp_path / "work", tmp_path / "clone")
    assert made.run(["tests", "benchmarks"])
    assert [given[1] for given in words] == ["pytest", "benchmarks.train", "benchmarks.decode"]
    assert "| dvae | 12 audio-s |" in (tmp_path / "out" / "summary.txt").read_text()


# --- time ----------------------------------------------------------------------------------------------------------------


def test_the_minutes_are_divided_by_the_shares(pack: Path, tmp_path: Path) -> None:
    ends: list[float] = []

    def launch(words: Sequence[str], log: Path, seconds: float, folder: Path | None) -> int:
        ends.extend(float(word.split("=")[1]) for word in words if word.startswith("run.ends_at="))
        return 1 if log.stem != "dvae" else forked(words, log, seconds, folder)

    made = rental(pack, tmp_path, launch, 1002.0, "shares.dvae=2", "shares.diffusion=3", "shares.gpt=5")
    began = made.ends_at - 1002
    made.run(["dvae", "codes", "diffusion"])
    # 2 s are kept for the bundle and 1 s for the end of each stage. The other stage has what the first one left.
    assert ends[0] - began == pytest.approx(1000 * 2 / 5 - 1, abs=20)
    assert ends[1] == pytest.approx(made.ends_at - 3, abs=0.1)


def test_a_stage_without_time_is_not_begun(pack: Path, tmp_path: Path) -> None:
    made = rental(pack, tmp_path, lambda *given: pytest.fail("it was begun"), 4.0)
    assert not made.run(["dvae", "codes"])
    assert made.steps[0].status == "not run"
    assert "its share of the time is" in made.steps[0].note


def test_training_ends_by_the_clock(corpus: dict[str, Path], tmp_path: Path) -> None:
    made = trainer("dvae", corpus, tmp_path / "run", ["run.steps=1000000", f"run.ends_at={time.time() + 1.0}"])
    began = time.time()
    outcome = made.fit()
    assert outcome.progress.step > 0
    assert time.time() - began < 10
    assert made.learning_rate < 0.5 * made.settings.learning_rate  # the schedule ended, too
    assert (tmp_path / "run" / "latest").is_file()


def test_a_run_is_saved_before_its_last_validation(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever rents a machine by the minute may be stopped while it validates."""
    made = trainer("dvae", corpus, tmp_path / "run", ["run.steps=2"])

    def stopped(*given: Any) -> dict[str, float]:
        raise KeyboardInterrupt

    monkeypatch.setattr(made.task, "validate", stopped)
    with pytest.raises(KeyboardInterrupt):
        made.fit()
    assert checkpoint.locate(tmp_path / "run").name == "step-00000002"


def test_the_budget_of_the_clock_counts_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = SimpleNamespace(steps=0, minutes=0.0, ends_at=1000.0, stop_at=0)
    spent = []
    for now, seconds in ((900.0, 0.0), (925.0, 25.0), (950.0, 30.0), (1000.0, 60.0), (1001.0, 61.0)):
        monkeypatch.setattr(time, "time", lambda now=now: now)
        spent.append(Progress(seconds=seconds).budget_spent(settings))
    assert spent == [0.0, 0.25, 0.375, 1.0, 1.0]


def is_running(process: int) -> bool:
    """Whether a process of this number exists and is not dead."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] not in "ZX"
    except OSError:  # there is none, or it ended while its file was read
        return False


def test_a_command_that_does_not_end_is_stopped_with_all_its_processes(tmp_path: Path) -> None:
    code = "import subprocess, sys, time; print(subprocess.Popen(['sleep', '60']).pid, flush=True); time.sleep(60)"
    began = time.monotonic()
    assert launch_process(["-c", code], tmp_path / "log", 1.0, tmp_path) == STOPPED
    assert time.monotonic() - began < 8
    child = int((tmp_path / "log").read_text())
    patience = time.monotonic() + 10.0  # a process that was sent the signal needs a moment to end
    while (running := is_running(child)) and time.monotonic() < patience:
        time.sleep(0.01)
    assert not running
    assert launch_process(["-c", "raise SystemExit(3)"], tmp_path / "log", 60, None) == 3


# --- the GPU's own figures -----------------------------------------------------------------------------------------------


def test_the_use_of_a_gpu_is_read(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    lines = "'50, 1000, GPU X\\n' + '[N/A], 900, GPU X\\n' + '100, 2000, GPU X\\n'"
    program.write_text(f"#!{sys.executable}\nimport time\nprint({lines}, flush=True)\ntime.sleep(30)\n")
    program.chmod(0o755)
    began = time.monotonic()
    with Watch(str(program)) as watch:
        while len(watch.readings) < 2 and time.monotonic() < began + 20:
            time.sleep(0.01)
    use = watch.use(began, time.monotonic())
    assert use is not None
    assert (use.busy, use.memory_gb, watch.device) == (75.0, 2.1, "GPU X")
    assert watch.use(began - 10, began - 5) is None


def test_without_a_gpu_nothing_is_measured(tmp_path: Path) -> None:
    with Watch(str(tmp_path / "nowhere")) as watch:
        pass
    assert watch.use(0.0, time.monotonic()) is None


def test_a_run_of_no_pack_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TriforceError, match=r"pack\.json"):
        rental(tmp_path, tmp_path / "run")


def test_results_of_an_earlier_run_are_kept(pack: Path, ran: Path) -> None:
    with pytest.raises(TriforceError, match="holds the results of an earlier run"):
        gpu_cli.run(pack, ran, 9.0, "dvae", checks=False)


@pytest.mark.parametrize(
    ("variables", "message"),
    [({}, "PACK: folder that gpu-pack made"), ({"PACK": "nowhere", "OUT": "out"}, "nowhere: no pack here"),
     ({"PACK": ".", "OUT": "out", "PYTHON": "no-python"}, "PYTHON=no-python: there is no such program")],
)  # fmt: skip
def test_the_script_says_what_it_lacks(variables: dict[str, str], message: str, tmp_path: Path) -> None:
    (tmp_path / "pack.json").touch()
    environment = {"PATH": os.environ["PATH"], **variables}
    done = subprocess.run(
        ["bash", str(ROOT / "configs" / "gpu-run.sh")],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert message in done.stderr
