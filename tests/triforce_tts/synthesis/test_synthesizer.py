"""The interface of the synthesis with hardly trained networks.

They speak noise, so only the form of the result is checked.
"""

import json
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.conftest import next_logits
from tests.corpus import seal, voice_clip
from triforce_tts import Synthesizer
from triforce_tts.audio.io import Audio, read_audio, read_tags
from triforce_tts.checkpoint import read_lineage
from triforce_tts.errors import AudioError, CheckpointError, ConfigError, TextError
from triforce_tts.files import file_sha256, write_json
from triforce_tts.sampling.score import heard
from triforce_tts.synthesis import RESYNTHESIZED_S, Settings, speaking
from triforce_tts.synthesis.script import SpeakingLimits

pytestmark = pytest.mark.usefixtures("one_thread")

TEXT = "A cat sat. Was it a big one? It was."


@pytest.fixture(scope="module")
def synthesizer(model: Path) -> Synthesizer:
    return Synthesizer.load(model, "cpu")


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("something opened the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_equal_seeds_give_equal_speech_and_others_do_not(synthesizer: Synthesizer) -> None:
    first, again, other = (synthesizer.speak(TEXT, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.samples, again.samples)
    assert first.samples.shape != other.samples.shape or not torch.equal(first.samples, other.samples)


def test_speech_is_sound(synthesizer: Synthesizer) -> None:
    audio = synthesizer.speak(TEXT)
    assert audio.sample_rate == 8000
    assert audio.duration_s > 0.3
    assert torch.isfinite(audio.samples).all()
    assert audio.samples.abs().max() <= 1


def test_a_text_is_spoken_sentence_by_sentence(synthesizer: Synthesizer) -> None:
    spoken = list(synthesizer.sentences(TEXT))
    assert [s.text for s in spoken] == ["A cat sat.", "Was it a big one?", "It was."]
    whole = synthesizer.speak(TEXT)
    pauses = sum(s.pause_s for s in spoken[:-1])
    assert pauses > 0
    assert whole.duration_s == pytest.approx(sum(len(s.samples) for s in spoken) / 8000 + pauses, abs=0.01)


def test_a_sentence_is_stopped_at_its_limit(synthesizer: Synthesizer) -> None:
    for spoken in synthesizer.sentences(TEXT):
        limits = synthesizer.limits
        assert len(spoken.codes) / (8000 / 128 / 4) <= limits.slack * spoken.predicted_s + limits.pauses_s + 0.1


def test_a_file_says_that_it_is_synthetic(synthesizer: Synthesizer, tmp_path: Path) -> None:
    audio = synthesizer.speak("hi", seed=7)
    for suffix in ("wav", "flac", "mp3", "ogg"):
        audio.save(tmp_path / f"out.{suffix}")
        comment = read_tags(tmp_path / f"out.{suffix}")["comment"]
        assert "Synthetic speech" in comment
        assert "model tiny" in comment
        assert "seed 7" in comment


def test_resynthesis_keeps_the_length(synthesizer: Synthesizer, tmp_path: Path) -> None:
    clip = voice_clip(tmp_path / "voice.wav", 1.7)
    expected = len(read_audio(clip, 8000).samples)
    assert len(synthesizer.resynthesize(clip).samples) == expected
    synthesizer.settings = Settings(diffusion_steps=0)
    bare = synthesizer.resynthesize(clip)
    synthesizer.settings = Settings()
    assert len(bare.samples) == expected
    assert not torch.equal(bare.samples, synthesizer.resynthesize(clip).samples)


def test_listening_gives_letters(synthesizer: Synthesizer, tmp_path: Path) -> None:
    heard = synthesizer.listen(voice_clip(tmp_path / "voice.wav", 1.0))
    assert isinstance(heard, str)


def test_a_score_covers_every_code_and_letter(synthesizer: Synthesizer, tmp_path: Path) -> None:
    clip = voice_clip(tmp_path / "voice.wav", 1.0)
    found = synthesizer.score(clip, "It's 5.")
    assert found.letters == "it's five"
    assert len(found.text_given_speech) == len(found.text_alone) == len("it's five") + 1
    frames = -(-len(read_audio(clip, 8000).samples) // (128 * 4))
    assert len(found.speech_given_text) == 2 * frames + 1
    with pytest.raises(TextError, match="sentence by sentence"):
        synthesizer.score(clip, "far too long " * 80)


def test_the_best_of_several_candidates_is_one_of_them(model: Path) -> None:
    synthesizer = Synthesizer.load(model, "cpu")
    voice = synthesizer.voice()
    letters = synthesizer.tokenizer.encode_letters("a cat sat.")
    drawn = [synthesizer.generate_codes("a cat sat.", voice, 5 + k * 1_000_000_007)[:2] for k in range(4)]
    alone = [codes for codes, _ in drawn]
    scores = list(
        zip([ended for _, ended in drawn], heard(synthesizer.gpt, synthesizer.vocabulary, letters, alone), strict=True)
    )  # a candidate that ended by itself is preferred to one that was stopped
    synthesizer.settings = Settings(candidates=4)
    best, _, _ = synthesizer.generate_codes("a cat sat.", voice, 5)
    assert torch.equal(best, alone[scores.index(max(scores))])


def test_a_lexicon_of_ones_own_goes_first(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text("cat  D AO1 G\n")
    own, usual = Synthesizer.load(model, "cpu", file), Synthesizer.load(model, "cpu")
    assert own.tokenizer.encode("cat") == usual.tokenizer.encode("{D AO1 G}")
    assert own.tokenizer.encode("cat") != usual.tokenizer.encode("cat")


def test_a_reference_changes_the_voice(synthesizer: Synthesizer, tmp_path: Path) -> None:
    default = synthesizer.speak("hi", seed=3)
    cloned = synthesizer.speak("hi", voice_clip(tmp_path / "voice.wav", 3.0), seed=3)
    assert default.samples.shape != cloned.samples.shape or not torch.equal(default.samples, cloned.samples)


def test_texts_that_cannot_be_spoken(synthesizer: Synthesizer) -> None:
    with pytest.raises(TextError, match="empty"):
        synthesizer.speak(" ")
    with pytest.raises(TextError, match="20000"):
        synthesizer.speak("a" * 20_001)


def test_the_bundle_keeps_ids_and_halves_sizes(model: Path) -> None:
    for stage in ("dvae", "gpt", "diffusion"):
        run = model.parent / stage
        assert read_lineage(model / stage)["id"] == read_lineage(run)["id"]
    full = (model.parent / "gpt" / "step-00000002" / "model.safetensors").stat().st_size
    assert (model / "gpt" / "model.safetensors").stat().st_size < 0.55 * full


def test_equal_checkpoints_bundle_to_equal_bytes(model: Path, tmp_path: Path) -> None:
    from triforce_tts.stages.bundle import bundle

    runs = {stage: model.parent / stage for stage in ("dvae", "gpt", "diffusion")}
    bundle(runs, tmp_path / "again", "tiny", model.parent / "voice.flac", None, 1)
    files = sorted(p.relative_to(model) for p in model.rglob("*") if p.is_file())
    assert files == sorted(p.relative_to(tmp_path / "again") for p in (tmp_path / "again").rglob("*") if p.is_file())
    for file in files:
        assert (model / file).read_bytes() == (tmp_path / "again" / file).read_bytes(), file


def test_another_tokenizer_is_refused(model: Path, tmp_path: Path) -> None:
    import shutil

    mixed = tmp_path / "mixed"
    shutil.copytree(model, mixed)
    path = mixed / "gpt" / "lineage.json"
    write_json(path, {**json.loads(path.read_text()), "tokenizer": "feedfacefeedface"})
    seal(mixed)
    with pytest.raises(CheckpointError, match="feedfacefeedface"):
        Synthesizer.load(mixed)


def test_a_hugging_face_folder(model: Path) -> None:
    """The GPT of a model folder is a standard one: transformers' logits equal ours."""
    from transformers import AutoModelForCausalLM

    theirs = AutoModelForCausalLM.from_pretrained(model / "gpt", dtype=torch.float32).eval()
    ours = Synthesizer.load(model, "cpu").gpt
    ids = torch.randint(0, ours.vocabulary_size, (2, 40), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        assert torch.allclose(next_logits(ours, ids), theirs(ids).logits, atol=1e-4)


@pytest.fixture(scope="module")
def complex_model(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny model with a stage 3 that generates its own phase."""
    from triforce_tts import schema
    from triforce_tts.stages import diffusion
    from triforce_tts.stages.bundle import bundle
    from triforce_tts.stages.trainer.loop import Trainer

    folder = tmp_path_factory.mktemp("complex")
    chosen = ["run.steps=2", "run.validate_every=0", "model.target=complex", "model.bands=4", "model.band_overlap=2",
              "model.null_condition=true", "data.drop_share=0.5"]  # fmt: skip
    settings = schema.load(diffusion.DiffusionSettings, "diffusion", "tiny", chosen)
    task = diffusion.build(settings, [model.parent / "shards"], model.parent / "dvae")
    Trainer(task, settings.run, folder / "diffusion", {}).fit()
    runs = {"dvae": model.parent / "dvae", "gpt": model.parent / "gpt", "diffusion": folder / "diffusion"}
    bundle(runs, folder / "model", "complex", model.parent / "voice.wav", None, 3)
    return folder / "model"


def test_a_model_that_makes_its_own_phase_speaks(complex_model: Path, tmp_path: Path) -> None:
    synthesizer = Synthesizer.load(complex_model, "cpu")
    assert synthesizer.settings.diffusion_steps == 3
    first, again, other = (synthesizer.speak("A cat sat.", seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.samples, again.samples)
    assert first.samples.shape != other.samples.shape or not torch.equal(first.samples, other.samples)
    assert torch.isfinite(first.samples).all()
    clip = voice_clip(tmp_path / "voice.wav", 1.7)
    whole = synthesizer.resynthesize(clip)
    assert len(whole.samples) == len(read_audio(clip, 8000).samples)
    assert whole.samples.abs().max() > 0.01
    # The target has a phase, so the number of Griffin-Lim iterations has no effect.
    synthesizer.settings = replace(synthesizer.settings, phase_iterations=1)
    assert torch.equal(synthesizer.resynthesize(clip).samples, whole.samples)


@pytest.mark.parametrize("changes", [{"sampler": "midpoint"}, {"sampler": "multistep"}, {"guidance": 2.0}])
def test_every_way_to_sample_it_is_another_sound(complex_model: Path, tmp_path: Path, changes: dict[str, Any]) -> None:
    synthesizer = Synthesizer.load(complex_model, "cpu")
    clip = voice_clip(tmp_path / "voice.wav", 1.0)
    usual = synthesizer.resynthesize(clip).samples
    synthesizer.settings = replace(synthesizer.settings, diffusion_steps=4)
    euler = synthesizer.resynthesize(clip).samples
    synthesizer.settings = replace(synthesizer.settings, **changes)
    found = synthesizer.resynthesize(clip).samples
    assert torch.isfinite(found).all()
    assert not torch.equal(found, euler)
    assert not torch.equal(euler, usual)


def test_a_complete_line_is_spoken_once(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "unsaid", lambda *_: [])
    monkeypatch.setattr(speaking, "draw", draws_that([True]))
    speech = synthesizer.speak("A cat sat.", seed=3)
    assert speech.complete
    assert speech.faults == []
    assert [line.tries for line in speech.lines] == [1]


def draws_that(endings: list[bool]) -> Any:
    """A ``draw`` whose takes end or do not end, as the list says; ``seeds`` gets the seeds of the calls."""
    usual, left = speaking.draw, list(endings)

    def draw(model: Any, jobs: Any, *words: Any) -> Any:
        draw.seeds += [job.seed for job in jobs]  # type: ignore[attr-defined]
        return [replace(take, ended=left.pop(0)) for take in usual(model, jobs, *words)]

    draw.seeds = []  # type: ignore[attr-defined]
    return draw


def test_an_incomplete_line_is_tried_with_the_next_seeds(
    synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speaking, "unsaid", lambda *_: [])
    draw = draws_that([False, True])
    monkeypatch.setattr(speaking, "draw", draw)
    (line,) = synthesizer.sentences("A cat sat", seed=3)
    assert draw.seeds == [3 * 1_000_003, 3 * 1_000_003 + 1_000_000_007]
    assert (line.tries, line.complete, line.text) == (2, True, "A cat sat")


def test_what_stays_incomplete_is_said(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaking, "unsaid", lambda *_: ["cat"])
    monkeypatch.setattr(speaking, "draw", draws_that([False] * 3 + [True] * 3))
    speech = synthesizer.speak("A cat sat. 漢字 to it.", seed=3)
    assert not speech.complete
    assert [line.tries for line in speech.lines] == [3, 3]
    first, second, left_out = speech.faults
    assert "'A cat sat.'" in first
    assert "cat" in second
    assert "漢字" in left_out


def test_an_empty_take_is_no_sound(synthesizer: Synthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = speaking.draw
    empty = torch.zeros(0, synthesizer.vocabulary.config.groups, dtype=torch.long)
    monkeypatch.setattr(
        speaking, "draw", lambda *words: [replace(take, codes=empty, ended=True) for take in usual(*words)]
    )
    (line,) = synthesizer.sentences("A cat sat.")
    assert not line.complete
    assert line.unsaid == ("A", "cat", "sat")
    assert len(line.samples) == 0


@pytest.mark.parametrize("seed", [-1, 99999999999999999999])
def test_seeds_out_of_bounds(synthesizer: Synthesizer, seed: int) -> None:
    with pytest.raises(ConfigError, match=r"seed .* expected a whole number"):
        synthesizer.speak("hi", seed=seed)


def test_the_largest_seed_speaks(synthesizer: Synthesizer) -> None:
    synthesizer.settings = replace(synthesizer.settings, candidates=2)
    first, again = (synthesizer.speak("hi.", seed=2**63 - 1) for _ in range(2))
    synthesizer.settings = Settings()
    assert torch.equal(first.samples, again.samples)


def test_real_faults_of_a_sentence_are_raised(synthesizer: Synthesizer) -> None:
    with pytest.raises(TextError, match="EY9"):
        synthesizer.prepare("Good morning. I like {T AH0 M EY9 T OW0} a lot. Bye.")


def test_recordings_that_are_too_long_are_not_read_whole(
    synthesizer: Synthesizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds: list[float] = []

    def recorded(path: Path, rate: int, max_seconds: float) -> Audio:
        seconds.append(max_seconds)
        return Audio(torch.zeros(round((max_seconds + 1) * rate)), rate)

    monkeypatch.setattr("triforce_tts.synthesis.clips.read_audio", recorded)
    for use in (synthesizer.listen, synthesizer.resynthesize, lambda clip: synthesizer.score(clip, "hi")):
        with pytest.raises(AudioError, match=r"long\.wav lasts longer than"):
            use(tmp_path / "long.wav")
    assert seconds == [synthesizer.heard_s, RESYNTHESIZED_S, synthesizer.heard_s]


@pytest.mark.parametrize("wrong", [3, b"a.wav", torch.zeros(3), ["a.wav"], ""])
def test_what_is_no_path_is_refused_with_its_type(synthesizer: Synthesizer, wrong: Any) -> None:
    uses = [
        lambda: synthesizer.speak("Hi.", wrong),
        lambda: synthesizer.voice(wrong),
        lambda: synthesizer.listen(wrong),
        lambda: Synthesizer.load(wrong),
        lambda: Synthesizer.load(synthesizer.folder, lexicon=[wrong]),
    ]
    for use in uses:
        with pytest.raises(ConfigError, match=f"a {type(wrong).__name__}; expected a path"):
            use()


def test_a_seed_of_a_wrong_type_is_shown_as_it_is(synthesizer: Synthesizer) -> None:
    with pytest.raises(ConfigError, match="seed '3': expected a whole number"):
        synthesizer.speak("Hi.", seed="3")  # type: ignore[arg-type]
    with pytest.raises(CheckpointError, match="device 'None' is not available"):
        Synthesizer.load(synthesizer.folder, None)  # type: ignore[arg-type]


def test_a_model_without_speaking_limits_has_the_stated_ones(model: Path, tmp_path: Path) -> None:
    import shutil

    old = tmp_path / "old"
    shutil.copytree(model, old)
    config = json.loads((old / "gpt" / "config.json").read_text())
    del config["speaking"]
    write_json(old / "gpt" / "config.json", config)
    sign(old)
    assert Synthesizer.load(old, "cpu").limits == SpeakingLimits()
    write_json(old / "gpt" / "config.json", {**config, "speaking": {"slack": 0.1}})
    sign(old)
    with pytest.raises(CheckpointError, match=r"speaking\.slack"):
        Synthesizer.load(old, "cpu")


def sign(folder: Path) -> None:
    """Write the checksums of a model folder after a test has changed its configuration."""
    manifest = json.loads((folder / "model.json").read_text())
    manifest["sha256"]["gpt/config.json"] = file_sha256(folder / "gpt" / "config.json")
    write_json(folder / "model.json", manifest)
