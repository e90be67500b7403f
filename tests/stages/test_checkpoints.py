"""The folder of a run: what pruning removes, what a resumed run needs in its checkpoint, what a killed run leaves."""

import json
import re
import shutil
import signal
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import forks
from tests.corpus import babble_shards, trained_dvae
from tests.training import fast, trainer
from triforce_tts.checkpoint import load_tensors, locate, read_lineage
from triforce_tts.errors import CheckpointError, TriforceError
from triforce_tts.stages.trainer import state as state_module
from triforce_tts.stages.trainer.state import TRAINER, prune

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def run(corpus: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the DVAE that stopped after 3 of 10 steps; a test must copy it first."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    fast("dvae", corpus, tmp_path_factory.mktemp("run") / "run", 3)
    torch.set_num_threads(threads)
    return tmp_path_factory.getbasetemp() / "run0" / "run"


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(run, tmp_path / "run"))


def fake_checkpoint(run: Path, step: int, name: str = "") -> Path:
    """A folder like those that the trainer writes, without real weights."""
    folder = run / (name or f"step-{step:08d}")
    (folder / TRAINER).mkdir(parents=True)
    (folder / "model.safetensors").write_bytes(b"")
    content = {"step": step, "seconds": 0.0, "audio_seconds": 0.0, "seed": 0, "batch_size": 1, "processes": 1}
    (folder / TRAINER / "state.json").write_text(json.dumps(content))
    return folder


def names(run: Path) -> list[str]:
    return sorted(path.name for path in run.iterdir() if path.is_dir())


@pytest.mark.parametrize(
    "stranger", ["step-00000005-best-so-far", "step-5", "step-0000000x", "step-00000001.bak", "old-step-00000001"]
)
def test_a_folder_of_another_name_is_not_pruned(stranger: str, tmp_path: Path) -> None:
    for step in (1, 2, 3):
        fake_checkpoint(tmp_path, step)
    fake_checkpoint(tmp_path, 5, stranger)
    prune(tmp_path, 1)
    assert names(tmp_path) == sorted([stranger, "step-00000003"])


def test_a_renamed_or_foreign_folder_of_our_name_is_not_pruned(tmp_path: Path) -> None:
    fake_checkpoint(tmp_path, 7, "step-00000001")  # a copy of step 7
    (fake_checkpoint(tmp_path, 2) / "notes.txt").write_text("the best one")
    (fake_checkpoint(tmp_path, 3) / TRAINER / "mine.txt").write_text("mine")
    (tmp_path / "step-00000004").mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "step-00000005").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "step-00000006").write_text("a file")
    for step in (8, 9):
        fake_checkpoint(tmp_path, step)
    prune(tmp_path, 1)
    assert names(tmp_path) == [
        "elsewhere",
        *(f"step-0000000{n}" for n in (1, 2, 3, 4, 5)),
        "step-00000009",
    ]
    assert (tmp_path / "step-00000006").read_text() == "a file"


def test_what_latest_or_best_names_is_not_pruned_whatever_its_number(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 100_000_000):
        fake_checkpoint(tmp_path, step)
    (tmp_path / "latest").write_text("step-00000002\n")
    (tmp_path / "best").write_text("step-00000001")
    prune(tmp_path, 1)
    assert names(tmp_path) == ["step-00000001", "step-00000002", "step-100000000"]


def test_a_run_that_went_back_to_its_best_goes_on(corpus: dict[str, Path], copy: Path) -> None:
    fast("dvae", corpus, copy, 6, "run.save_every=1", "run.keep=3")
    assert names(copy) == ["step-00000004", "step-00000005", "step-00000006", "tensorboard"]
    (copy / "latest").write_text("step-00000004")
    mine = Path(shutil.copytree(copy / "step-00000004", copy / "step-00000004-best-so-far"))
    fast("dvae", corpus, copy, 5, "run.keep=1")
    assert locate(copy).name == "step-00000005"
    assert mine.exists()
    assert fast("dvae", corpus, copy, 7, "run.keep=1").progress.step == 7
    assert names(copy) == ["step-00000004-best-so-far", "step-00000007", "tensorboard"]


# --- resuming ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", ["optimizer.safetensors", "weights.safetensors", "rng-00000.safetensors"])
@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "other", "nan"])
def test_a_damaged_tensor_file_is_one_line(file: str, damage: str, corpus: dict[str, Path], copy: Path) -> None:
    path = locate(copy) / TRAINER / file
    tensors = load_file(path)
    if damage == "missing":
        path.unlink()
    elif damage == "empty":
        save_file({}, path)
    elif damage == "cut":
        path.write_bytes(path.read_bytes()[:-9])
    elif damage == "other":
        save_file({f"{name}x": value for name, value in tensors.items()}, path)
    else:
        spoilt = {name: torch.full(value.shape, torch.nan) for name, value in tensors.items()}
        save_file(spoilt, path)
    with pytest.raises(CheckpointError, match=file) as caught:
        trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])
    assert "\n" not in str(caught.value)


def test_averaged_weights_are_needed(corpus: dict[str, Path], copy: Path) -> None:
    path = locate(copy) / "model.safetensors"
    tensors = load_file(path)
    tensors.popitem()
    save_file(tensors, path)
    with pytest.raises(CheckpointError, match=r"model\.safetensors"):
        trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])


def test_one_optimiser_tensor_that_is_missing_or_of_another_shape_is_named(corpus: dict[str, Path], copy: Path) -> None:
    path = locate(copy) / TRAINER / "optimizer.safetensors"
    tensors = load_file(path)
    name = next(name for name, value in tensors.items() if name.endswith("/exp_avg"))
    less = {key: value for key, value in tensors.items() if key != name}
    for damaged, message in (
        (less, "expected"),
        ({**less, "unknown/exp_avg": tensors[name]}, "lacks 'exp_avg'"),
        ({**less, name: torch.zeros(3)}, r"\[3\], expected"),
    ):
        save_file(damaged, path)
        with pytest.raises(CheckpointError, match=message):
            trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"step": -1}, "step"),
        ({"step": "3"}, "step"),
        ({"step": 10**30}, "step"),
        ({"step": 3.5}, "step"),
        ({"step": None}, "step"),
        ({"seconds": float("nan")}, "seconds"),
        ({"seconds": -1.0}, "seconds"),
        ({"audio_seconds": float("inf")}, "audio_seconds"),
        ({"skipped": [1]}, "skipped"),
        ({"light_start": -2}, "light_start"),
        ({"best": "low"}, "best"),
        ({"best": float("nan")}, "best"),
        ({"seed": {}}, "seed"),
        ({"processes": 0}, "processes"),
        ({"optimizer_tensors": -1}, "optimizer_tensors"),
        ({"loss_scale": 0.0}, "loss_scale"),
    ],
)
def test_a_wrong_field_of_the_state_is_named(
    change: dict[str, object], key: str, corpus: dict[str, Path], copy: Path
) -> None:
    path = locate(copy) / TRAINER / "state.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(CheckpointError, match=rf"state\.json.*'{key}'") as caught:
        state_module.read_state(locate(copy))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, '{"step": 3}', '{"step": "\\ud800"}'])
def test_a_damaged_state_is_one_line(text: str, copy: Path) -> None:
    (locate(copy) / TRAINER / "state.json").write_text(text)
    with pytest.raises(CheckpointError, match=r"state\.json") as caught:
        state_module.read_state(locate(copy))
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_another_process_that_trained_meanwhile_is_noticed(corpus: dict[str, Path], copy: Path) -> None:
    late = trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])
    fast("dvae", corpus, copy, 5)
    with pytest.raises(TriforceError, match="another process trained here"):
        late.fit()


def test_first_weights_of_another_dvae_are_told(
    corpus: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fast("gpt", corpus, tmp_path / "first", 1)
    again = [f"run.init_from={tmp_path / 'first'}"]
    trainer("gpt", corpus, tmp_path / "same", again)
    assert "run.init_from" not in capsys.readouterr().out
    file = locate(tmp_path / "first") / "lineage.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "dvae": "another"}))
    trainer("gpt", corpus, tmp_path / "other", again)
    assert re.search("was trained with dvae another, this run has dvae [0-9a-f]{16}", capsys.readouterr().out)


def test_a_run_that_lost_its_latest_goes_on_from_its_newest_checkpoint(
    corpus: dict[str, Path], copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copy / "latest").unlink()
    made = trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])
    assert made.progress.step == 3
    assert "has no file 'latest'; it goes on from its newest checkpoint, step-00000003" in capsys.readouterr().out
    made.fit()
    assert locate(copy).name == "step-00000010"


def test_a_dangling_latest_is_no_new_run(corpus: dict[str, Path], copy: Path) -> None:
    (copy / "latest").unlink()
    (copy / "latest").symlink_to(copy / "nowhere")
    with pytest.raises(CheckpointError, match="no checkpoint here"):
        trainer("dvae", corpus, copy, ["run.steps=10", "run.batch_size=2"])


# --- another start than the run had -----------------------------------------------------------------------------------


def test_other_data_is_refused_or_accepted_and_remembered(corpus: dict[str, Path], copy: Path, tmp_path: Path) -> None:
    other = {**corpus, "shards": babble_shards(tmp_path / "other", 9)}
    was = read_lineage(copy)["data"]
    with pytest.raises(CheckpointError, match=rf"data {was}, now data is .*accept_changed=\[data\]"):
        trainer("dvae", other, copy, ["run.batch_size=2"])
    with pytest.raises(CheckpointError, match=was):
        trainer("dvae", other, copy, ["run.batch_size=2", "run.accept_changed=[optimizer,dvae]"])
    accepted = fast("dvae", other, copy, 5, "run.accept_changed=[data]")
    lineage = read_lineage(copy)
    assert lineage["data"] == accepted.task.train.fingerprint != was
    assert lineage["before"] == [{"data": was, "steps": 3}]
    fast("dvae", other, copy, 6)  # now this is the data of the run
    assert read_lineage(copy)["before"] == [{"data": was, "steps": 3}]
    fast("dvae", corpus, copy, 7, "run.accept_changed=[data]")  # The other way round works too.
    assert [change["steps"] for change in read_lineage(copy)["before"]] == [3, 6]


def test_other_hours_of_the_same_shards_are_other_data(corpus: dict[str, Path], copy: Path) -> None:
    with pytest.raises(CheckpointError, match="now data is"):
        trainer("dvae", corpus, copy, ["run.batch_size=2", "data.speaker_hours=0.001"])


def test_another_dvae_is_refused(corpus: dict[str, Path], tmp_path: Path) -> None:
    fast("diffusion", corpus, tmp_path / "run", 1)
    other = {**corpus, "dvae": trained_dvae(tmp_path / "dvae", corpus["shards"], steps=3)}
    ids = [read_lineage(folder)["id"] for folder in (corpus["dvae"], other["dvae"])]
    with pytest.raises(CheckpointError, match=rf"dvae {ids[0]}, now dvae is {ids[1]}"):
        trainer("diffusion", other, tmp_path / "run", ["run.batch_size=2"])
    fast("diffusion", other, tmp_path / "run", 2, "run.accept_changed=[dvae]")
    lineage = read_lineage(tmp_path / "run")
    assert lineage["dvae"] == ids[1]
    assert lineage["before"] == [{"dvae": ids[0], "steps": 1}]


@pytest.mark.parametrize("now", ["smorms3", "muon"])
@pytest.mark.parametrize("says", [True, False])
def test_another_optimiser_is_refused_or_starts_anew(
    now: str, says: bool, corpus: dict[str, Path], copy: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if not says:  # older versions did not write it down
        path = locate(copy) / TRAINER / "state.json"
        content = json.loads(path.read_text())
        for key in ("optimizer", "optimizer_tensors", "keep_best", "overflows", "loss_scale", "loss_scale_steps"):
            del content[key]
        path.write_text(json.dumps(content))
        assert trainer("dvae", corpus, copy, ["run.batch_size=2"]).progress.step == 3
    chosen = ["run.batch_size=2", f"run.optimizer={now}"]
    with pytest.raises(CheckpointError, match=rf"optimizer .*, now optimizer is {now}.*accept_changed=\[optimizer\]"):
        trainer("dvae", corpus, copy, chosen)
    made = trainer("dvae", corpus, copy, [*chosen, "run.accept_changed=[optimizer]"])
    assert "not an exact resume" in capsys.readouterr().out
    # the learning rate warms up again
    assert made.progress.learning_rate(made.settings) < 0.02 * made.settings.learning_rate
    fast("dvae", corpus, copy, 4, f"run.optimizer={now}", "run.accept_changed=[optimizer]")
    fast("dvae", corpus, copy, 5, f"run.optimizer={now}")  # now this is the optimiser of the run


def test_another_figure_is_not_compared_with_the_best_of_this_one(corpus: dict[str, Path], copy: Path) -> None:
    chosen = ["run.validate_every=1", "run.validate_samples=1", "run.keep=9"]
    first = fast("dvae", corpus, copy, 4, "run.keep_best=l1", *chosen)
    assert first.progress.best is not None
    again = ["run.batch_size=2", *chosen]
    assert trainer("dvae", corpus, copy, [*again, "run.keep_best=l1"]).progress.best == first.progress.best
    assert (
        trainer("dvae", corpus, copy, [*again, "neighbours=9", "run.keep_best=neighbour_phone"]).progress.best is None
    )


# --- killed, and a full disk ------------------------------------------------------------------------------------------

DYING = """
import os, signal, sys
from pathlib import Path
from tests.training import fast
from triforce_tts import checkpoint

def die(file, tensors, metadata=None):
    Path(file).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)

checkpoint.save_tensors = die
fast("dvae", {"shards": Path(sys.argv[1])}, Path(sys.argv[2]), 5)
"""


def test_what_a_killed_save_left_is_gone_after_the_next_start(corpus: dict[str, Path], copy: Path) -> None:
    done = forks.run(["-c", DYING, corpus["shards"], copy])
    assert done.returncode == -signal.SIGKILL, done.stderr[-2000:]
    left = [path.name for path in copy.iterdir() if path.name.endswith(".tmp")]
    assert len(left) == 1, "the test killed it at another moment"
    assert locate(copy).name == "step-00000003"
    fast("dvae", corpus, copy, 5)
    hidden = {path.name for path in copy.iterdir() if path.name.startswith(".")}
    assert hidden == {".lock", ".triforce-tts.json"}
    assert locate(copy).name == "step-00000005"


FULL = """
import resource, signal, sys
from pathlib import Path
from tests.training import trainer
from triforce_tts.errors import TriforceError

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
made = trainer("dvae", {"shards": Path(sys.argv[1])}, Path(sys.argv[2]), ["run.steps=10", "run.batch_size=2"])
# no file grows longer, as on a full disk
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    made.checkpoints.save()
except TriforceError as error:
    print(error)
"""


@pytest.mark.parametrize("most", [2_000, 400_000])
def test_a_full_disk_is_one_line(most: int, corpus: dict[str, Path], copy: Path) -> None:
    before = names(copy)
    done = forks.run(["-c", FULL, corpus["shards"], copy, str(most)])
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(done.stdout.splitlines()) == 1
    assert "free some space" in done.stdout
    assert names(copy) == before
    assert load_tensors(locate(copy) / "model.safetensors")


def test_two_runs_never_share_a_folder_of_another_kind(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    for folder in (tmp_path / "home", corpus["shards"], corpus["codes"]):
        before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
        with pytest.raises(TriforceError, match="choose"):
            trainer("dvae", corpus, folder).fit()
        assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
