"""A whole evaluation of tiny models by judges that know the answer."""

import importlib.util
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.corpus import voice_clip
from tests.triforce_tts.evaluation import once
from triforce_tts.audio.io import Audio, read_audio, write_audio
from triforce_tts.errors import TriforceError
from triforce_tts.evaluation import panel, plan, run, sources, table
from triforce_tts.evaluation.clips import MAKERS, Sound
from triforce_tts.evaluation.order import worst_first
from triforce_tts.evaluation.panel import ClipToJudge, Opinion, Panel
from triforce_tts.evaluation.report import (
    Clip,
    Figure,
    Report,
    Sentence,
    Summary,
    read_report,
    write_report,
)
from triforce_tts.files import file_sha256, marked_kind
from triforce_tts.judges import recognisers

TEXTS = ("a cat sat.", "the red mat <b>", "old hats run & run.")
WRONG = {TEXTS[0]: 0.0, TEXTS[1]: 3.0, TEXTS[2]: 1.0}


@dataclass(frozen=True)
class Knowing:
    """A judge to whom every text has its number of wrong words, and recordings have none."""

    def __call__(self, clip: ClipToJudge) -> Opinion:
        wrong = 0.0 if clip.rate == 16000 else WRONG.get(clip.text, 0.0)
        figures = {"word_error": Figure(amount=wrong, weight=4)} if clip.text else {}
        return Opinion(figures, f"heard: {clip.text}")


def loudness_vector(samples: np.ndarray, rate: int) -> list[float]:
    return [1.0, float(np.abs(samples).mean())]


@pytest.fixture(scope="module")
def folder(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of two models, the second the first by another name, beside recordings."""
    place = tmp_path_factory.mktemp("evaluation")
    other = place / "other"
    shutil.copytree(model, other)
    manifest = json.loads((other / "model.json").read_text())
    (other / "model.json").write_text(json.dumps({**manifest, "name": "second", "id": "0123456789abcdef"}))
    (place / "texts.txt").write_text("\n".join(TEXTS))
    lines = []
    for number, text in enumerate((TEXTS[0].upper(), TEXTS[2], "not asked for")):
        voice_clip(place / f"{number}.wav", 1.0)
        lines.append(
            json.dumps({"id": f"r/{number}", "audio": f"{number}.wav", "text": text, "speaker": "low", "x": 1})
        )
    (place / "manifest.jsonl").write_text("\n".join(lines))
    voices = place / "voices"
    voices.mkdir()
    voice_clip(voices / "ann.wav", 1.5)
    (voices / "bob").mkdir()
    voice_clip(voices / "bob" / "1.wav", 1.5)
    voice_clip(voices / "bob" / "2.wav", 2.0)
    planned = plan.make_plan([place / "texts.txt"], [place / "manifest.jsonl"], voices, seeds=2)
    stub = Panel(
        (panel.Delivery(), Knowing()), loudness_vector, "the knowing one", ("DNSMOS: left out, because it is",)
    )
    once.evaluate([model, other], planned, stub, place / "report", drawn=True)
    return place / "report"


@pytest.fixture(scope="module")
def report(folder: Path) -> Report:
    return read_report(folder)


def test_every_clip_that_was_planned_is_there(folder: Path, report: Report) -> None:
    counts = {summary.system.split(": ")[1]: summary.clips for summary in report.summaries if summary.label == "tiny"}
    # 3 sentences and 2 voices with 2 seeds each; 2 recordings are copied in three ways.
    assert counts == {"spoken": 6, "cloned": 4, "griffin_lim": 2, "stage1": 2, "stages13": 2}
    assert {model.label for model in report.models} == {"tiny", "second"}
    natural = report.summary("natural")
    assert natural is not None and natural.clips == 2  # the third says no sentence of ours
    assert all(clip.audio is None or (folder / "audio" / clip.audio).is_file() for clip in report.clips)
    assert marked_kind(folder) == "report"


def test_the_figures_are_what_the_judge_said(report: Report) -> None:
    spoken = report.summary("spoken", "tiny")
    assert spoken is not None
    assert spoken.figures["word_error"].value == pytest.approx((0 + 3 + 1) / 12)
    assert spoken.figures["word_error"].sentences == 3
    assert {"rtf", "rtf_gpt", "rtf_dvae", "complete", "rate", "level_db", "ending_db"} <= spoken.figures.keys()
    stages = [estimate.value for name, estimate in spoken.figures.items() if name.startswith("rtf_")]
    assert spoken.figures["rtf"].value == pytest.approx(sum(stages))


def test_models_are_compared_on_the_same_sentences(report: Report) -> None:
    pairs = {(d.first, d.second): d.figures for d in report.differences}
    alike = pairs["tiny: spoken", "second: spoken"]["word_error"]
    assert (alike.value, alike.low, alike.high, alike.sentences) == (0.0, 0.0, 0.0, 3)
    names = [second for first, second in pairs if second.endswith(": natural")]
    assert len(names) == 1
    assert pairs["tiny: spoken", names[0]]["word_error"].sentences == 2


def test_equal_models_say_the_same(report: Report) -> None:
    def lengths(label: str) -> list[float]:
        return [clip.seconds for clip in report.clips if clip.system == f"{label}: spoken"]

    assert lengths("tiny") == lengths("second")


def test_the_page_has_every_sentence_the_worst_first_and_needs_no_network(folder: Path, report: Report) -> None:
    text = (folder / "index.html").read_text(encoding="utf-8")
    places = [text.index(f"<h2>{escaped}</h2>") for escaped in (
        "the red mat &lt;b&gt;", "old hats run &amp; run.", "a cat sat.",
    )]  # fmt: skip
    assert places == sorted(places)
    assert not re.search(r"https?:|//", text.replace("</", "").replace("<!doctype", ""))
    for wanted in ("tiny: copy by stages 1 and 3", "the best that the model could say"):
        assert wanted in text
    assert not re.search(r"griffin_lim|stages?1", re.sub(r'(src|id)="[^"]+"', "", text))  # words, not our names
    linked = re.findall(r'src="([^"]+)"', text)
    assert len(linked) > len(report.clips) - 1
    assert all((folder / name).is_file() for name in linked)
    assert "DNSMOS: left out, because it is" in text
    assert "Words were recognised by the knowing one." in text


def test_pictures_are_of_the_worst_sentences_and_of_who_sounds_like_whom(folder: Path, report: Report) -> None:
    names = {path.name for path in (folder / "pictures").iterdir()}
    assert names == {"similarity.png", *(f"{sentence.id}.png" for sentence in report.sentences)}
    alike = report.similarity
    assert alike is not None and alike.same is not None and alike.different is not None
    assert alike.references == ("ann", "bob", "default of second", "default of tiny")
    assert alike.same_from == "different clips of one reader"
    assert np.array(alike.cosines).shape == (6, 4)  # two models in their own voice and in two others
    assert all(0.9 < value <= 1.0 + 1e-9 for row in alike.cosines for value in row)


def test_the_report_is_what_was_written(report: Report, tmp_path: Path) -> None:
    write_report(tmp_path, report)
    assert read_report(tmp_path) == report
    (tmp_path / "report.json").write_text('{"format": 2}')
    with pytest.raises(TriforceError, match=r"report\.json: 'format'"):
        read_report(tmp_path)


def test_tables_hold_every_figure_and_what_was_left_out(report: Report) -> None:
    text = table.markdown(report)
    for wanted in ("| words wrong |", "tiny: spoken", "second: copy by stages 1 and 3", "0.333 (0.000 to 0.750)"):
        assert wanted in text
    assert "DNSMOS: left out" in text
    output = StringIO()
    table.show(report, Console(file=output, width=300))
    assert "words wrong" in output.getvalue() and "DNSMOS: left out" in output.getvalue()


def test_a_report_is_not_overwritten_unless_asked(folder: Path, model: Path) -> None:
    planned = plan.Plan((), (), (), (0,))
    with pytest.raises(TriforceError, match="exists already"):
        run.evaluate(run.candidates([model]), planned, Panel((), None, None), folder, 1, Console(file=StringIO()))


def test_the_same_model_twice_is_refused(model: Path) -> None:
    with pytest.raises(TriforceError, match="the same model"):
        run.candidates([model, model])


def test_one_models_networks_with_more_steps_are_another_model(model: Path, tmp_path: Path) -> None:
    shutil.copytree(model, tmp_path / "steps")
    manifest = json.loads((model / "model.json").read_text())
    (tmp_path / "steps" / "model.json").write_text(json.dumps({**manifest, "diffusion_steps": 4}))
    labels = [candidate.model.label for candidate in run.candidates([model, tmp_path / "steps"])]
    assert labels == [f"tiny-{manifest['id'][:8]}", f"tiny-{manifest['id'][:8]}-2"]
    (tmp_path / "steps" / "model.json").write_text(json.dumps({**manifest, "id": "0123456789abcdef"}))
    labels = [candidate.model.label for candidate in run.candidates([model, tmp_path / "steps"])]
    assert labels == [f"tiny-{manifest['id'][:8]}", "tiny-01234567"]


def test_a_clip_without_any_sound_has_all_words_wrong(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from triforce_tts.audio.io import Audio
    from triforce_tts.evaluation.clips import Work, judge

    empty = Audio(__import__("torch").zeros(0), 8000)
    monkeypatch.setitem(MAKERS, "spoken", lambda job: Sound(empty, {}, ("nothing came",)))
    job = plan.Job(0, "spoken", "m", model, Sentence(id="s", text="four words are here"), "v", None)
    clip = judge(Work(job, Panel((Knowing(),), loudness_vector, "whisper"), tmp_path)).clip
    assert clip is not None
    assert clip.figures["word_error"] == Figure(amount=4, weight=4)
    assert (clip.audio, clip.faults) == (None, ("nothing came",))


def test_a_single_sentence_has_no_interval(report: Report) -> None:
    one = Summary.model_validate(
        {
            "system": "m: spoken", "kind": "spoken", "label": "m", "clips": 1,
            "figures": {"word_error": {"value": 0.5, "low": 0.5, "high": 0.5, "sentences": 1}},
        }
    )  # fmt: skip
    text = table.markdown(report.model_copy(update={"summaries": (one,), "differences": (), "similarity": None}))
    assert "| words wrong | 0.500 |" in text


def test_each_list_of_sentences_has_figures_of_its_own(model: Path, tmp_path: Path) -> None:
    (tmp_path / "news.txt").write_text("a cat sat.\nred mat.\nbig hats.\n")
    (tmp_path / "books.txt").write_text("old hats run.\na cat sat.\n")
    (tmp_path / "ann").mkdir()
    for name in "12":
        voice_clip(tmp_path / "ann" / f"{name}.wav", 1.0)
    rows = [{"id": name, "audio": f"{name}.wav", "text": f"other {name}", "speaker": "ann"} for name in "12"]
    (tmp_path / "ann" / "manifest.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lists = [tmp_path / "news.txt", tmp_path / "books.txt"]
    planned = plan.make_plan(lists, [], None, 1, limit=2, beside=[tmp_path / "ann" / "manifest.jsonl"])
    assert [s.text for s in planned.sentences] == ["a cat sat.", "red mat.", "old hats run."]  # each sentence once
    assert [r.sentence.text for r in planned.recordings] == ["other 1", "other 2"]
    stub = Panel((panel.Delivery(), Knowing()), None, None)
    report, _ = once.evaluate([model], planned, stub, tmp_path / "out")
    assert [(g.name, g.sentences) for g in report.groups] == [("ann", 2), ("news", 2), ("books", 1)]
    books = {summary.kind: summary for summary in report.groups[2].summaries}
    assert books.keys() == {"spoken"} and books["spoken"].clips == 1
    assert {s.kind: s.clips for s in report.summaries} == {
        "natural": 2, "spoken": 3, "griffin_lim": 2, "stage1": 2, "stages13": 2,
    }  # fmt: skip
    text = (tmp_path / "out" / "index.html").read_text()
    assert "<h2>other 1</h2>" in text and "Figures of the 2 sentences of ann alone" in text


def test_the_page_says_whose_the_default_voice_is(model: Path, tmp_path: Path) -> None:
    named = tmp_path / "named"
    shutil.copytree(model, named)
    voice = read_audio(named / "voice.flac")
    write_audio(named / "voice.flac", Audio(voice.samples, voice.sample_rate, {"artist": "Ann <b>  Other"}))
    manifest = json.loads((named / "model.json").read_text())
    manifest["sha256"]["voice.flac"] = file_sha256(named / "voice.flac")
    (named / "model.json").write_text(json.dumps(manifest))
    planned = plan.Plan((Sentence(id="s", text="a cat"),), (), (), (0,))
    stub = Panel((panel.Delivery(),), None, None)
    report, _ = once.evaluate([named], planned, stub, tmp_path / "out")
    assert {clip.voice for clip in report.clips} == {"Ann <b> Other, default of tiny"}
    text = (tmp_path / "out" / "index.html").read_text()
    assert "The clip of the voice: Ann &lt;b&gt; Other, default of tiny" in text


def test_a_clip_that_cannot_be_used_is_left_out_with_its_reason(model: Path, tmp_path: Path) -> None:
    voice_clip(tmp_path / "good.wav", 1.0)
    (tmp_path / "bad.wav").write_bytes(b"RIFF is all there is")
    sentences = [Sentence(id=name, text="a cat sat") for name in ("good", "bad")]
    beside = tuple(sources.Recording(s, tmp_path / f"{s.id}.wav", "low", "here") for s in sentences)
    stub = Panel((panel.Delivery(),), None, None)
    report, _ = once.evaluate([model], plan.Plan((), beside, (), (0,)), stub, tmp_path / "out")
    assert [clip.sentence for clip in report.clips] == ["good"] * 4
    assert len(report.missing) == 4
    assert all("bad" in line and "the clip is left out: " in line for line in report.missing)
    with pytest.raises(TriforceError, match=r"no clip could be judged; the first fault was: .*bad"):
        once.evaluate([model], plan.Plan((), beside[1:], (), (0,)), stub, tmp_path / "none")
    assert not (tmp_path / "none").exists()


# --- order ---------------------------------------------------------------------------------------------------------


def clip(sentence: str, wrong: float, grade: float, system: str = "m: spoken", seed: int = 0) -> Clip:
    figures = {"word_error": Figure(amount=wrong, weight=10), "dnsmos_ovrl": Figure(amount=grade)}
    return Clip(
        system=system, sentence=sentence, text=sentence, voice="v", seed=seed, audio=None, seconds=1.0, heard="",
        figures=figures,
    )  # fmt: skip


def test_words_sort_first_then_the_grade_and_the_unspoken_comes_last() -> None:
    clips = (
        clip("good", 0, 3.5), clip("rough", 0, 2.0), clip("wrong", 5, 4.0),
        clip("wrong", 0, 4.0, seed=1), clip("copied", 9, 1.0, "m: stage1"), clip("wrong", 0, 4.0, "n: natural"),
    )  # fmt: skip
    kinds = (("m", "spoken"), ("m", "stage1"), ("n", "natural"))
    summaries = tuple(
        Summary.model_validate({"system": f"{a}: {b}", "kind": b, "label": a, "clips": 1, "figures": {}})
        for a, b in kinds
    )
    model: Any = {"label": "m", "id": "x", "networks": {}, "diffusion_steps": 1}
    report = Report.model_validate({
        "models": (model,), "recogniser": None, "missing": (), "seeds": (0,), "sentences": (), "clips": clips,
        "summaries": summaries, "differences": (), "similarity": None, "processes": 1, "seconds": 1.0,
    })  # fmt: skip
    shown = worst_first(report)
    assert [entry.sentence for entry in shown] == ["wrong", "rough", "good", "copied"]
    assert [(c.system, c.seed) for c in shown[0].clips] == [("n: natural", 0), ("m: spoken", 0), ("m: spoken", 1)]


# --- what is missing -----------------------------------------------------------------------------------------------


@pytest.fixture
def nothing_kept() -> Iterator[None]:
    yield
    recognisers.open_recogniser.cache_clear()


def test_every_missing_judge_is_one_line(monkeypatch: pytest.MonkeyPatch, nothing_kept: None) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    found = panel.assemble()
    assert found.judges == (panel.Delivery(),)
    assert (found.embed, found.recogniser) == (None, None)
    lines = "\n".join(found.missing)
    assert len(found.missing) == 5
    for wanted in (
        "no words are recognised", "words wrong: left out, because jiwer and whisper_normalizer cannot be found; pip install",
        "DNSMOS: left out", "pitch: left out, because librosa", "resemblyzer==0.1.4",
    ):  # fmt: skip
        assert wanted in lines


def test_the_fallback_to_pocketsphinx_stands_in_the_report(monkeypatch: pytest.MonkeyPatch, nothing_kept: None) -> None:
    pytest.importorskip("pocketsphinx")
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "faster_whisper" else find(name))
    found = panel.assemble()
    assert found.recogniser == "pocketsphinx"
    assert "Whisper is not used, because faster_whisper" in found.missing[0]
