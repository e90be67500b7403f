"""From a folder of recordings to a model: once at toy size, killed between two steps; and all that is refused."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch
from rich.console import Console

from tests import inside
from triforce_tts import Synthesizer, checkpoint
from triforce_tts.adapt import judging, recordings, run, training, voice
from triforce_tts.adapt.journal import Journal
from triforce_tts.adapt.options import Options
from triforce_tts.data.labelled import babble
from triforce_tts.data.raw.build import load_config
from triforce_tts.errors import ConfigError, ShardError, TriforceError
from triforce_tts.judges import recognisers
from triforce_tts.manifest import read_manifest
from triforce_tts.shards import ShardSet

QUIET = Console(quiet=True)
WORDS = ("a", "cat", "sat", "on", "the", "red", "mat", "and", "saw", "six", "old", "hats", "run", "to", "him")
QUICK = (
    "gpt.run.steps=4", "gpt.run.batch_size=4", "gpt.run.validate_every=2", "gpt.run.validate_samples=2",
    "gpt.run.threads=1", "diffusion.run.steps=4", "diffusion.run.batch_size=2", "diffusion.run.validate_every=2",
    "diffusion.run.validate_samples=2", "diffusion.data.crop_seconds=0.5", "diffusion.data.reference_seconds=0.5",
    "diffusion.run.threads=1",
)  # fmt: skip


def text_of(number: int) -> str:
    return " ".join(WORDS[(3 * number + k * (1 + number % 4)) % len(WORDS)] for k in range(13))


def record(folder: Path, count: int, voice_name: str = "low", ending: str = ".txt") -> Path:
    """``count`` clips of about four seconds with their texts."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = text_of(number)
        sound = babble.speak(text, voice_name)
        soundfile.write(folder / f"clip{number:02d}.wav", sound.samples.numpy(), sound.sample_rate)
        (folder / f"clip{number:02d}{ending}").write_text(text + "\n", encoding="utf-8")
    return folder


class Killed(BaseException):
    pass


@dataclass
class Adapted:
    options: Options
    facts: dict[str, Any]
    marks_at_kill: list[str]
    trained: list[str]  # stages that were trained after the kill


@pytest.fixture(scope="module")
def adapted(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Adapted:
    """An adaptation that was killed before stage 3 and started again."""
    folder = tmp_path_factory.mktemp("adapt")
    source = record(folder / "recordings" / "ann", 18).parent
    options = Options(source, folder / "mine", model, minutes=5, evaluate=False, workers=1, settings=QUICK)
    trained: list[str] = []

    def counted(stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *arguments: (trained.append(stage), work(*arguments))[1]

    def killed(*arguments: Any) -> Any:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recordings, "is_installed", lambda package: False)  # judges take seconds
        patch.setattr(voice, "is_installed", lambda package: False)
        patch.setattr(training, "LEAST_GAIN", 0.0)  # four steps of a tiny network gain little
        with patch.context() as once:
            once.setattr(training, "train_diffusion", killed)
            with pytest.raises(Killed):
                run.adapt(options, QUIET)
        marks = list(json.loads((options.work / "steps.json").read_text())["steps"])
        patch.setattr(training, "train_gpt", counted("gpt", training.train_gpt))
        patch.setattr(training, "train_diffusion", counted("diffusion", training.train_diffusion))
        facts = run.adapt(options, QUIET)
    return Adapted(options, facts, marks, trained)


def test_what_was_done_before_a_kill_is_not_done_again(adapted: Adapted) -> None:
    assert adapted.marks_at_kill == ["build", "codes", "gpt", "select"]  # a file has them in the order of the alphabet
    assert adapted.trained == ["diffusion"]
    assert not adapted.options.out.with_name("mine.tmp").exists()


def test_the_model_speaks_and_only_stages_2_and_3_are_new(adapted: Adapted, model: Path) -> None:
    before, after = read_manifest(model), read_manifest(adapted.options.out)
    assert after.networks["dvae"] == before.networks["dvae"]
    assert after.id == adapted.facts["bundle"]["id"]
    parts = [model / "gpt", adapted.options.work / "gpt" / "best"]
    first, best, mean = (
        checkpoint.load_tensors(checkpoint.locate(path) / checkpoint.WEIGHTS)
        for path in (*parts, adapted.options.out / "gpt")
    )
    assert any(not torch.equal(first[name].float(), best[name].float()) for name in first)
    for name, value in mean.items():
        assert torch.allclose(value.float(), (first[name].float() + best[name].float()) / 2, atol=1e-3), name
    synthesizer = Synthesizer.load(adapted.options.out)
    assert synthesizer.voice().codes.numel()
    assert adapted.facts["gpt"]["best"] <= adapted.facts["gpt"]["first"]
    assert adapted.facts["gpt"]["steps"] == adapted.facts["diffusion"]["steps"] == 4


def test_a_stage_that_training_made_hardly_better_stays_as_it_was(
    adapted: Adapted, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "is_installed", lambda package: False)
    monkeypatch.setattr(training, "LEAST_GAIN", 0.99)
    options = replace(adapted.options, out=tmp_path / "mine")
    facts = run.adapt(options, QUIET)
    before, after = read_manifest(model), read_manifest(options.out)
    assert after.networks == before.networks
    assert facts["gpt"]["steps"] == 4  # it was trained all the same
    assert "stage 2 stayed as it was" in (options.out / "MODEL_CARD.md").read_text()


def test_the_clips_are_divided_and_the_copies_are_of_training_clips_alone(adapted: Adapted) -> None:
    work = adapted.options.work
    train, held = (ShardSet.open([work / "shards"], split, "audio") for split in ("train", "heldout"))
    assert len(train) + len(held) == 18 and len(held) >= 2
    assert not set(train.keys) & set(held.keys)
    codes = [ShardSet.open([work / "codes"], split, "codes") for split in ("train", "heldout")]
    assert len(codes[0]) == 6 * len(train) and codes[1].keys == held.keys


def test_the_speaking_limits_are_those_of_the_model_before(adapted: Adapted, model: Path) -> None:
    before, after = (checkpoint.read_config(folder / "gpt", "gpt") for folder in (model, adapted.options.out))
    assert after["speaking"] == before["speaking"]


def test_the_card_says_where_the_model_came_from(adapted: Adapted) -> None:
    card = (adapted.options.out / "MODEL_CARD.md").read_text()
    assert "the mean of its weights before and after" in card
    assert "'ann'" in card and "tiny" in card and "Nothing was measured" in card


def test_more_minutes_go_on_from_the_last_checkpoint(adapted: Adapted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice, "is_installed", lambda package: False)
    monkeypatch.setattr(training, "LEAST_GAIN", 0.0)
    more = replace(adapted.options, minutes=6, settings=tuple(s.replace("steps=4", "steps=6") for s in QUICK))
    facts = run.adapt(more, QUIET)
    assert facts["gpt"]["steps"] == facts["diffusion"]["steps"] == 6
    assert facts["gpt"]["first"] == adapted.facts["gpt"]["first"]  # it did not start anew


def test_work_that_was_begun_with_other_recordings_is_refused(adapted: Adapted) -> None:
    other = replace(adapted.options, speaker="bob")
    with pytest.raises(TriforceError, match=r"begun with speaker None, now it is bob; .*--force"):
        run.adapt(other, QUIET)


# --- what is refused ------------------------------------------------------------------------------------------------


def test_too_little_speech_says_how_much_there_is_and_is_needed(model: Path, tmp_path: Path) -> None:
    source = record(tmp_path / "ann", 3)
    with pytest.raises(ShardError, match=r"13\.2 s of usable speech by 'ann' \(3 clips of 3\), at least 1\.0 min"):
        run.adapt(Options(source, tmp_path / "mine", model, evaluate=False, workers=1), QUIET)
    assert not (tmp_path / "mine").exists()
    record(source, 4)  # one more is recorded, and taken
    with pytest.raises(ShardError, match=r"\(4 clips of 4\)"):
        run.adapt(Options(source, tmp_path / "mine", model, evaluate=False, workers=1), QUIET)


@pytest.mark.parametrize(
    "kind", ["missing", "file", "empty", "inside", "around", "taken", "occupied", "minutes", "set"]
)
def test_bad_input_is_one_line_and_exit_code_2(kind: str, model: Path, tmp_path: Path) -> None:
    source, out, more = tmp_path / "recordings", tmp_path / "mine", list[str]()
    source.mkdir()
    (tmp_path / "a.txt").write_text("words")
    if kind == "missing":
        source = tmp_path / "nothing"
    elif kind == "file":
        source = tmp_path / "a.txt"
    elif kind == "inside":
        out = source / "mine"
    elif kind == "around":
        out = tmp_path
    elif kind == "taken":
        out.mkdir()
        (out / "letter.txt").write_text("dear")
    elif kind == "occupied":
        out = model
    elif kind == "minutes":
        more = ["--minutes", "0"]
    elif kind == "set":
        more = ["--set", "dvae.run.steps=3"]
    words = ["adapt", str(source), "--out", str(out), "--model", str(model), "--no-evaluate", *more]
    done = inside.run(*words)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("triforce-tts: ")
    if kind == "taken":
        assert (out / "letter.txt").read_text() == "dear"


@pytest.mark.parametrize("setting", ["gpt.run.step=3", "diffusion.run.steps=no", "gpt.run.keep_best=null"])
def test_a_wrong_setting_is_refused_before_the_recordings_are_built(setting: str, model: Path, tmp_path: Path) -> None:
    source = record(tmp_path / "recordings", 2)
    with pytest.raises(ConfigError, match=rf"--set {setting.split('.')[0]}.*{setting.split('.')[2].split('=')[0]}"):
        run.adapt(Options(source, tmp_path / "mine", model, evaluate=False, settings=[setting]), QUIET)
    assert not (tmp_path / "mine.adapt").exists()


def test_several_speakers_are_named_and_one_can_be_chosen(tmp_path: Path) -> None:
    sets = [_fake_set(["ann"] * 2 + ["bob"], [30.0, 30.0, 50.0])]
    with pytest.raises(ShardError, match=r"--speaker: 'ann' \(1\.0 min\), 'bob' \(50\.0 s\)"):
        recordings.choose_speaker(sets, None, "labelled", tmp_path)
    assert recordings.choose_speaker(sets, "bob", "labelled", tmp_path) == "bob"
    assert recordings.choose_speaker(sets, None, "raw", tmp_path) == "ann"
    with pytest.raises(ShardError, match="nobody of that name"):
        recordings.choose_speaker(sets, "eve", "raw", tmp_path)


def _fake_set(speakers: list[str], seconds: list[float]) -> Any:
    class Set:
        def __len__(self) -> int:
            return len(speakers)

    made = Set()
    made.speakers, made.durations_s, made.keys = speakers, seconds, [f"k{i}" for i in range(len(speakers))]  # type: ignore[attr-defined]
    return made


def test_a_list_of_the_users_is_what_is_held_out() -> None:
    train, listed = _fake_set(["a"] * 20, [3.0] * 20), _fake_set(["a"] * 3, [3.0] * 3)
    parts = recordings._divided(recordings.Clips(train, range(20)), recordings.Clips(listed, range(3)), 0)
    assert [len(clips.numbers) for clips in parts["heldout"]] == [3]
    few = recordings._divided(recordings.Clips(train, range(20)), recordings.Clips(listed, []), 0)
    assert [len(clips.numbers) for clips in few["heldout"]] == [0, 2] and len(few["train"][0].numbers) == 18


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("a.wav", "a.txt"), True),
        (("a.wav", "a.lab"), True),
        (("manifest.jsonl",), True),
        (("a.wav", "b.wav"), False),
        (("long.wav", "long.txt"), False),  # a chapter and what is read in it
    ],
)
def test_labelled_recordings_are_told_from_raw_ones(files: tuple[str, ...], expected: bool, tmp_path: Path) -> None:
    for name in files:
        if name.endswith(".wav"):
            seconds = 40 if name == "long.wav" else 2
            soundfile.write(tmp_path / name, [0.0, 0.1] * (4000 * seconds), 8000)
        else:
            (tmp_path / name).write_text("a few words", encoding="utf-8")
    assert recordings.is_labelled(tmp_path) is expected


def test_raw_recordings_without_a_transcriber_are_refused_in_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(recognisers, "choose", lambda: recognisers.Choice("pocketsphinx", "rough"))
    options = Options(tmp_path, tmp_path.with_name("mine"), tmp_path, raw=True)
    with pytest.raises(ShardError, match="no sound files"):
        recordings.kind_of(options)
    (tmp_path / "a.wav").write_bytes(b"")
    with pytest.raises(
        ShardError, match=r"a\.wav: has no text.*no transcriber is installed.*pip install.*--transcriber"
    ):
        recordings.kind_of(options)
    assert recordings.transcriber(replace(options, transcriber="pocketsphinx")) == ["transcribe.engine=pocketsphinx"]
    assert "transcribe.model=weights" in recordings.transcriber(replace(options, transcriber="weights"))
    (tmp_path / "a.txt").write_text("what is read in it")
    assert recordings.transcriber(options) == ["transcribe.engine=none"]
    monkeypatch.setattr(recognisers, "choose", lambda: recognisers.Choice("tiny.en"))
    assert "transcribe.model=tiny.en" in recordings.transcriber(options)
    config = load_config("podcast", recordings.raw_settings(options, recordings.Needs(24000, True, 12.5)))
    assert (config.cut.max_seconds, config.transcribe.model, config.heldout_share) == (12.5, "tiny.en", 0.0)


# --- the parts ------------------------------------------------------------------------------------------------------


def test_a_step_is_done_once_for_an_input_and_those_after_it_again(tmp_path: Path) -> None:
    done: list[str] = []

    def start(first: int) -> None:
        journal = Journal(tmp_path)
        for name, given in (("one", {"n": first}), ("two", {})):
            journal.do(name, given, lambda name=name: (done.append(name), {"told": name})[1])  # type: ignore[misc]

    start(1)
    start(1)
    assert done == ["one", "two"]
    start(2)
    assert done == ["one", "two"] * 2


def test_figures_of_both_models_by_hand(tmp_path: Path) -> None:
    rows = [
        {"system": "before", "text": "a", "words": [2, 4], "alike": 0.5},
        {"system": "after", "text": "a", "words": [1, 4], "alike": 0.7},
        {"system": "before", "text": "b", "words": [0, 4], "alike": 0.7},
        {"system": "after", "text": "b", "words": [0, 4], "alike": None},
    ]
    summary = judging.summarise(rows)
    assert summary["words"]["before"][0] == 0.25 and summary["words"]["after"][0] == 0.125
    assert summary["words"]["change"][0] == -0.125
    assert summary["alike"]["before"][0] == 0.6 and summary["alike"]["after"][0] == 0.7
    assert judging.lines(summary)[0].startswith("words wrong: before 25.0 %")
    ledger = tmp_path / "judged.jsonl"
    ledger.write_text("\n".join(json.dumps(row) for row in rows[:2]) + '\n{"system": "bef')
    assert judging._read(ledger) == rows[:2]
    assert ledger.read_text().count("\n") == 2 and ledger.read_text().endswith("}\n")


def test_what_was_judged_is_kept_unless_it_is_of_another_model(
    adapted: Adapted, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged: list[str] = []

    class Fake:
        remarks = ("none",)

        def __call__(self, samples: Any, rate: int, text: str) -> dict[str, Any]:
            judged.append(text)
            assert rate in (8000, sound.sample_rate) and len(samples)
            return {"words": [1, 4], "alike": None}

    monkeypatch.setattr(judging.Judges, "installed", lambda shards: Fake())
    sound = babble.speak("a cat", "low")
    speaker = SimpleNamespace(speak=lambda text, clip, seed: sound)  # the tiny model takes seconds for each text
    monkeypatch.setattr(judging.Synthesizer, "load", lambda folder: speaker)
    work, ledger = adapted.options.work, tmp_path / "judged.jsonl"

    def figures(after: Path) -> dict[str, Any]:
        return judging.judge(model, after, work / "voice.flac", work / "shards", 1, 0, ledger, QUIET)

    first = figures(adapted.options.out)
    assert len(judged) == 3 and len(set(judged)) == 1  # a text that was held out: recorded, before, after
    assert set(first["words"]) == {"recorded", "before", "after", "change"} and first["remarks"] == ("none",)
    assert figures(adapted.options.out) == first and len(judged) == 3
    figures(model)
    assert len(judged) == 4


def test_a_kill_between_the_model_and_its_mark_is_no_stranger_there(adapted: Adapted) -> None:
    steps = adapted.options.work / "steps.json"
    content = json.loads(steps.read_text())
    assert content["steps"].pop("bundle")
    steps.write_text(json.dumps(content))
    run._require_free(adapted.options)
    del content["steps"]["voice"]
    steps.write_text(json.dumps(content))
    with pytest.raises(TriforceError, match=r"exists already.*--force"):
        run._require_free(adapted.options)


def test_options_are_checked_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--sentences 0"):
        Options(tmp_path, tmp_path.with_name("out"), tmp_path, sentences=0).check()


def test_recordings_of_any_format_below_linked_folders_are_found(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "given").mkdir()
    (tmp_path / "real" / "a.aiff").write_text("sound")
    (tmp_path / "given" / "more").symlink_to(tmp_path / "real")
    (tmp_path / "given" / "loop").symlink_to(tmp_path / "given")
    before = recordings.fingerprint(tmp_path / "given")
    assert not recordings.is_labelled(tmp_path / "given")
    (tmp_path / "real" / "a.aiff").write_text("another sound")
    assert recordings.fingerprint(tmp_path / "given") != before
