"""The command that makes pairs: its lists, its rule, and the way from texts to shards with the tiny model."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from rich.console import Console

from triforce_tts import schema
from triforce_tts.audio.io import read_audio
from triforce_tts.errors import CheckpointError, ConfigError, TextError, TriforceError
from triforce_tts.judges import recognisers
from triforce_tts.shards import ShardSet
from triforce_tts.stages.preferences import draw as prefer_draw
from triforce_tts.stages.preferences import plan as prefer_plan
from triforce_tts.stages.preferences import prefer, speakers
from triforce_tts.stages.preferences.choosing import Outcome
from triforce_tts.stages.preferences.pairs import read_pair, read_pair_details
from triforce_tts.stages.preferences.prefer import Options
from triforce_tts.stages.preferences.rule import Judgement, PreferSettings, RuleSettings, choose_pair, cost
from triforce_tts.stages.preferences.speakers import voices_of
from triforce_tts.synthesis import Synthesizer
from triforce_tts.synthesis.model import bundled_model

RULE = RuleSettings()
QUIET = Console(quiet=True)


def judgement(seed: int = 0, **changes: Any) -> Judgement:
    good = {
        "line": "k", "seed": seed, "text": "a b c d", "heard": "a b c d", "words_wrong": 0, "words": 4,
        "characters_wrong": 0, "characters": 8, "unsaid": [], "ended": True, "seconds": 2.0, "predicted_s": 2.0,
        "similarity": 1.0,
    }  # fmt: skip
    return Judgement(**{**good, **changes})


# --- the rule ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, 0.0),
        ({"words_wrong": 2, "characters_wrong": 1}, 0.5 * 2 / 4 + 0.5 * 1 / 8),
        ({"unsaid": ["b"]}, 0.25),
        ({"ended": False}, 0.5),
        ({"seconds": 1.4}, 0.0),  # .7 of the predicted length is free
        ({"seconds": 0.7}, 0.5 * 0.693147),  # half of what is free
        ({"seconds": 6.0}, 0.5 * 0.693147),  # twice what is free
        ({"similarity": 0.5}, 0.25),
        ({"similarity": None}, 0.0),
    ],
)
def test_the_cost_of_a_rendition(changes: dict[str, Any], expected: float) -> None:
    assert cost(judgement(**changes), RULE) == pytest.approx(expected, abs=1e-5)


def test_silence_costs_more_than_any_speech() -> None:
    silent = judgement(seconds=0.0, heard="", words_wrong=4, characters_wrong=8, unsaid=list("abcd"), similarity=0.0)
    assert cost(silent, RULE) > cost(judgement(words_wrong=4, characters_wrong=8, seconds=0.1), RULE)


def test_the_best_and_the_worst_are_a_pair_if_they_differ_enough() -> None:
    good, middle, bad = judgement(0), judgement(1, words_wrong=1), judgement(2, words_wrong=3)
    assert choose_pair([middle, bad, good], RULE) == (good, bad)
    assert choose_pair([good, judgement(1)], RULE) is None
    assert choose_pair([good], RULE) is None
    assert choose_pair([bad, judgement(3, words_wrong=4, characters_wrong=8)], RULE) is None  # the best is bad too
    lenient = RuleSettings(most_of_better=1.0)
    assert choose_pair([bad, judgement(3, words_wrong=4, characters_wrong=8)], lenient) is not None


def test_paces_must_rise() -> None:
    with pytest.raises(ConfigError, match="two rising ratios"):
        schema.load(PreferSettings, "prefer", "default", ["rule.paces=[2.0, 1.0]"])


# --- lists ------------------------------------------------------------------------------------------------------------


def test_a_text_is_what_stands_after_the_last_tab(tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_text("k1\tbook\tThe first.\nA plain one.\n\nk2\tThe first.\n")
    assert prefer_plan.read_texts([tmp_path / "a.tsv"]) == ["The first.", "A plain one."]
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(TextError, match="no text in it"):
        prefer_plan.read_texts([tmp_path / "empty.txt"])
    with pytest.raises(TextError, match="no text in it"):
        prefer_plan.read_texts([tmp_path / "a.tsv", tmp_path / "empty.txt"])


def test_texts_are_excluded_however_they_are_written(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"about": "-", "book_sentences": ["Mr. Lee has 5 cats!"]}))
    # In JSON a line ends at a line feed alone.
    (tmp_path / "b.jsonl").write_text('{"id": "x", "text": "Go\u2028on"}\r\n\n{"id": "y"}\n', encoding="utf-8")
    (tmp_path / "c.txt").write_text("x\tStop.\n")
    excluded = prefer_plan.read_excluded([tmp_path / name for name in ("a.json", "b.jsonl", "c.txt")])
    for same in ("mr lee has 5 cats", "Mister Lee has five cats.", "GO ON!", "stop"):
        assert prefer_plan.writings(same) & excluded, same
    for other in ("Mr. Lee has 6 cats!", "Go", "Don't stop."):
        assert not prefer_plan.writings(other) & excluded, other


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [("a.json", "{", "not valid JSON"), ("b.jsonl", '{"id": 1}\n', "would exclude nothing"), ("c.txt", "", "no text")],
)
def test_a_list_that_excludes_nothing_is_refused(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(TextError, match=told):
        prefer_plan.read_excluded([tmp_path / name])


def test_voices_without_a_share_divide_the_rest(tmp_path: Path) -> None:
    assert prefer_plan.parse_voices([]) == {"": 1.0}
    clip = tmp_path / "c=d.wav"
    clip.touch()
    assert prefer_plan.parse_voices(["a=0.5", "b", str(clip)]) == {"a": 0.5, "b": 0.25, str(clip): 0.25}
    for given in (["a", "a=0.1"], ["a=0.5"], ["a=0.7", "b=0.7"], ["a=1", "b"]):
        with pytest.raises(ConfigError, match="--voice"):
            prefer_plan.parse_voices(given)
    for share in ("2", "0", "-0.5", "50%", "0,5", "nan", ""):
        with pytest.raises(ConfigError, match=rf"--voice a={share}: .* above 0 and at most 1, such as a=0\.5"):
            prefer_plan.parse_voices([f"a={share}"])


def test_the_speakers_of_shards_are_voices(
    corpus: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = corpus["shards"]
    with pytest.raises(ConfigError, match="none of its speakers has a clip of 2 s"):
        voices_of({str(source): 1.0}, tmp_path)
    monkeypatch.setattr(speakers, "_LEAST_S", 0.1)
    shards = ShardSet.open([source], "train", "audio")
    voices = voices_of({"a": 0.25, str(source): 0.75}, tmp_path)
    clips = [Path(name) for name in voices if name != "a"]
    assert voices == {"a": 0.25, **dict.fromkeys(map(str, clips), 0.75 / len(clips))}
    for samples, clip in zip(shards.by_speaker.values(), clips, strict=True):
        best = min(samples, key=lambda one: abs(shards.durations_s[one] - 8))
        assert clip.read_bytes() == shards.payload(best)
        assert clip.parent == tmp_path / "voices" / "1"
        assert read_audio(clip).duration_s == pytest.approx(shards.durations_s[best], abs=0.01)


# --- from texts to shards ---------------------------------------------------------------------------------------------

TEXTS = ("a red cat", "six old hats", "on the mat", "to him and the cat", "the red mat")


class Deaf:
    """A recogniser that hears the first words of a text, as many as it finds hundredths of a second; no network."""

    def __call__(self, samples: Any) -> str:
        """Other words for another length of sound."""
        return " ".join(["red", "cat", "on", "mat"][: len(samples) // 160 % 4])


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges without networks."""
    for module in (recognisers, prefer_draw):
        monkeypatch.setattr(module, "open_recogniser", lambda _: recognisers.Recogniser("deaf", Deaf()))
    monkeypatch.setattr(prefer_draw, "embed", lambda samples, rate: [1.0, float(len(samples) % 7) / 10])


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("texts") / "texts.tsv"
    path.write_text("".join(f"t{number}\tbook\t{text}\n" for number, text in enumerate(TEXTS)))
    return path


def settings(*changes: str) -> PreferSettings:
    loose = ["rule.least_apart=0.01", "rule.most_of_better=10.0", "lines_together=2", "heldout_share=0.0"]
    return schema.load(PreferSettings, "prefer", "default", [*loose, *changes])


def options(model: Path, out: Path, **changes: Any) -> Options:
    return dataclasses.replace(Options(out, model, candidates=3, recogniser="tiny.en", device="cpu"), **changes)


def made(model: Path, out: Path, *changes: str, **wanted: Any) -> Outcome:
    return prefer.prefer(options(model, out, **wanted), settings(*changes), QUIET)


def test_a_line_is_drawn_anew_when_the_model_speaks_otherwise(model: Path) -> None:
    def key(guidance: float) -> str:
        loaded = Synthesizer.load(model, "cpu").model
        guided = dataclasses.replace(loaded, limits=loaded.limits.model_copy(update={"guidance": guidance}))
        speaker = prefer_plan.open_speaker(guided, "", 1.0)
        lines, faults = prefer_plan.plan_lines(guided, ["a red cat"], [speaker], [0, 1], 0.0, "how")
        assert not faults
        return str(lines[0].key)

    assert key(1.0) == key(1.0) != key(1.6)


@pytest.mark.usefixtures("judged", "one_thread")
def test_pairs_of_texts_and_a_second_start(
    model: Path, texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "pairs"
    first = made(model, out, texts=[texts], limit=3)
    assert first.lines == first.drawn == 3
    rows = [json.loads(row) for row in (out / "judged.jsonl").read_text().splitlines()]
    assert len(rows) == 9
    shards = ShardSet.open([out], "train", "pairs")
    assert len(shards) == first.pairs["train"] == sum(row["role"] == "better" for row in rows) > 0

    # The pair is what 'speak' says with the seeds that the rule chose.
    details, meta, pair = read_pair_details(shards), shards.meta(0), read_pair(shards, 0, read_pair_details(shards))
    costs = {row["seed"]: row["cost"] for row in rows if row["text"] == meta["text"]}
    assert costs[meta["better"]["seed"]] == min(costs.values())
    assert costs[meta["worse"]["seed"]] == max(costs.values())
    synthesizer = Synthesizer.load(model, "cpu")
    synthesizer.settings = dataclasses.replace(synthesizer.settings, tries=1)
    for end, rendition in (("better", pair.better), ("worse", pair.worse)):
        (line,) = synthesizer.speak(meta["text"], seed=meta[end]["seed"]).lines
        assert torch.equal(line.codes, rendition.codes)
        assert line.ended == rendition.ended
    assert details.reads == synthesizer.vocabulary.config.reads
    assert torch.equal(pair.voice, synthesizer.voice().codes)

    # A longer list draws what is missing; the same list draws nothing, and equal files come of it.
    drawn: list[int] = []
    work = prefer_draw.draw_job
    monkeypatch.setattr(prefer_draw, "draw_job", lambda job: drawn.append(len(job.lines)) or work(job))
    made(model, out, texts=[texts])
    assert sum(drawn) == len(TEXTS) - 3
    before = {path.name: path.read_bytes() for path in out.glob("*") if path.is_file()}
    made(model, out, texts=[texts])
    assert sum(drawn) == len(TEXTS) - 3
    assert before == {path.name: path.read_bytes() for path in out.glob("*") if path.is_file()}

    # Another rule chooses other pairs of what is drawn; shards that are too many go.
    made(model, out, "pairs_of_shard=1", texts=[texts], draw=False)
    assert len(list(out.glob("train-*.tar"))) > 1
    made(model, out, texts=[texts], draw=False, limit=3)
    assert [path.name for path in out.glob("train-*.tar")] == ["train-000000.tar"]
    with pytest.raises(TriforceError, match=r"none of 5 lines gives a pair .*lower rule.least_apart"):
        made(model, out, "rule.least_apart=1000.0", texts=[texts], draw=False)


@pytest.mark.usefixtures("judged", "one_thread")
def test_pairs_about_words(model: Path, texts: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not read its text in place"):
        made(model, tmp_path / "none", "unit=word", texts=[texts])
    out = tmp_path / "pairs"
    outcome = made(bundled_model(), out, "unit=word", texts=[texts])
    shards = ShardSet.open([out], "train", "pairs")
    pairs = [read_pair(shards, number, read_pair_details(shards)) for number in range(len(shards))]
    assert len(pairs) == outcome.pairs["train"] > 0
    assert all(pair.better.places and pair.worse.places for pair in pairs)
    assert len(set(shards.keys)) == len(pairs)
    rows = [json.loads(row) for row in (out / "judged.jsonl").read_text().splitlines()]
    assert {row["role"] for row in rows} <= {"", "better", "worse", "better and worse"}
    assert sum("worse" in row["role"] for row in rows) == len(pairs)  # a rendition is the worse one of one pair at most


@pytest.mark.usefixtures("judged", "one_thread")
def test_words_that_are_never_heard_rightly_give_no_pair(
    texts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = recognisers.Recogniser("silent", lambda samples: "")
    monkeypatch.setattr(prefer_draw, "open_recogniser", lambda _: silent)
    with pytest.raises(TriforceError, match=r"none of 1 line gives a pair .*raise temperature"):
        made(bundled_model(), tmp_path / "pairs", "unit=word", texts=[texts], limit=1)


@pytest.mark.usefixtures("judged", "one_thread")
def test_texts_with_separators_of_lines_are_read_back(model: Path, tmp_path: Path) -> None:
    text = "a red\u2028cat\u0085sat"
    (tmp_path / "texts.txt").write_text(f"{text}\n", encoding="utf-8")
    for draw in (True, False):
        assert made(model, tmp_path / "pairs", texts=[tmp_path / "texts.txt"], draw=draw).drawn == 1
    (tmp_path / "choices.jsonl").write_text(
        json.dumps({"text": text, "better": 1, "worse": 2}, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    assert made(model, tmp_path / "chosen", choices=[tmp_path / "choices.jsonl"]).pairs == {"train": 1, "heldout": 0}


@pytest.mark.usefixtures("judged", "one_thread")
def test_what_is_held_out_is_not_drawn(model: Path, texts: Path, tmp_path: Path) -> None:
    (tmp_path / "not.txt").write_text(f"{TEXTS[0]}!\n{TEXTS[1].upper()}\n")
    outcome = made(model, tmp_path / "pairs", texts=[texts], not_in=[tmp_path / "not.txt"], limit=1, candidates=2)
    assert "left out 2 texts that --not-in names" in outcome.notes
    said = {json.loads(row)["text"] for row in (tmp_path / "pairs" / "judged.jsonl").read_text().splitlines()}
    assert said == {TEXTS[2]}
    with pytest.raises(TextError, match="--not-in names all of the 5 texts of --texts"):
        made(model, tmp_path / "c", texts=[texts], not_in=[texts])
    (tmp_path / "choices.jsonl").write_text(json.dumps({"text": TEXTS[0], "better": 0, "worse": 1}) + "\n")
    with pytest.raises(TextError, match=f"'{TEXTS[0]}' is one that --not-in names"):
        made(model, tmp_path / "b", choices=[tmp_path / "choices.jsonl"], not_in=[tmp_path / "not.txt"])


@pytest.mark.usefixtures("judged", "one_thread")
def test_choices_of_people_become_pairs(model: Path, texts: Path, tmp_path: Path) -> None:
    drawn = tmp_path / "drawn"
    made(model, drawn, texts=[texts], limit=1, sounds=True)
    files = sorted((drawn / "sounds").glob("*.safetensors"))
    assert len(files) == 3 and all(file.with_suffix(".ogg").is_file() for file in files)
    choices = tmp_path / "choices.jsonl"
    rows = [
        {"text": TEXTS[0], "better": 2, "worse": 1},
        {"text": TEXTS[0], "better": f"drawn/sounds/{files[0].name}", "worse": 2},
        {"text": TEXTS[0], "better": f"drawn/sounds/{files[1].name}", "worse": f"drawn/sounds/{files[0].name}"},
    ]
    choices.write_text("".join(json.dumps(row) + "\n" for row in rows))
    outcome = made(model, tmp_path / "pairs", choices=[choices])
    assert outcome.pairs == {"train": 3, "heldout": 0}
    shards = ShardSet.open([tmp_path / "pairs"], "train", "pairs")
    details = read_pair_details(shards)
    pairs = [read_pair(shards, index, details) for index in range(3)]
    assert torch.equal(pairs[0].better.codes, pairs[1].worse.codes)
    assert torch.equal(pairs[0].worse.codes, pairs[2].better.codes)
    assert torch.equal(pairs[1].better.codes, pairs[2].worse.codes)
    assert shards.meta(0)["better"]["seed"] == 2
    assert shards.meta(2)["better"]["seed"] is None


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ({"text": TEXTS[0], "better": 1, "worse": 1}, "the same one"),
        ({"text": TEXTS[0], "better": "gone.safetensors", "worse": 1}, "there is no file"),
        ({"text": TEXTS[0], "better": -1, "worse": 1}, "seed -1"),
        ({"text": "One. Two.", "better": 0, "worse": 1}, "spoken in 2 lines"),
        ({"better": 0, "worse": 1}, "key 'text' is missing"),
    ],
)
@pytest.mark.usefixtures("judged", "one_thread")
def test_a_wrong_choice_is_named_by_its_line(model: Path, tmp_path: Path, row: dict[str, Any], told: str) -> None:
    choices = tmp_path / "choices.jsonl"
    choices.write_text("\n" + json.dumps(row) + "\n")
    with pytest.raises(TriforceError, match=f"line 2.*{told}"):
        made(model, tmp_path / "pairs", choices=[choices])


@pytest.mark.usefixtures("judged", "one_thread")
def test_files_that_are_damaged_are_named(model: Path, texts: Path, tmp_path: Path) -> None:
    out = tmp_path / "pairs"
    made(model, out, texts=[texts], limit=1)
    (tensors,) = (out / "drawn").glob("*.safetensors")
    whole = tensors.read_bytes()
    tensors.unlink()
    with pytest.raises(TriforceError, match="is missing, but its judgements are there"):
        made(model, out, texts=[texts], limit=1)
    tensors.write_bytes(whole[:50])
    prefer_draw._tensors.cache_clear()
    with pytest.raises(CheckpointError, match="cannot read"):
        made(model, out, texts=[texts], limit=1, draw=False)
    tensors.write_bytes(whole)
    (judgements,) = (out / "drawn").glob("*.jsonl")
    judgements.write_text('{"line": 3}\n')
    with pytest.raises(TriforceError, match=r"line 1 \(remove the file to draw it again\)"):
        made(model, out, texts=[texts], limit=1)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"candidates": 1}, "--candidates 1"),
        ({"seed": -1}, "--seed -1"),
        ({"workers": 0}, "--workers 0"),
        ({"limit": 0}, "--limit 0"),
        ({"texts": ()}, "expected texts"),
    ],
)
def test_options_out_of_bounds_are_refused(texts: Path, changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ConfigError, match=told):
        options(Path("m"), Path("o"), **{"texts": [texts], **changes}).check()


def test_the_files_of_a_choice_may_lie_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    row = {"text": "Yes.", "voice": "~/ann.wav", "better": "~/a.safetensors", "worse": 1}
    choice = schema.parse_record(prefer_plan.ChoiceRecord, json.dumps(row), "here")
    assert (choice.voice, choice.better, choice.worse) == ("/home/ann/ann.wav", "/home/ann/a.safetensors", 1)
