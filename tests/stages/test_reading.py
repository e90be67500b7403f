"""Sequences with each letter at its place among the codes.

How they are made, that a network learns them, and that it follows them.
"""

from pathlib import Path

import pytest
import torch

from tests.corpus import babble_shards, voice_clip
from triforce_tts import Synthesizer, schema
from triforce_tts.audio.io import Audio
from triforce_tts.data.labelled import babble
from triforce_tts.errors import ConfigError
from triforce_tts.models.load import load_gpt
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.tokens import Reading, generate
from triforce_tts.sequences import PAD, SPEECH, TEXT, TokenSequence
from triforce_tts.stages import diffusion as diffusion_stage
from triforce_tts.stages import gpt as gpt_stage
from triforce_tts.stages.bundle import bundle
from triforce_tts.stages.codes import decode_codes, make_codes
from triforce_tts.stages.trainer.loop import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")

QUIET = ["run.validate_every=0", "run.save_every=0", "run.preview_every=0", "data.reads=true"]


def settings_of(*overrides: str) -> gpt_stage.GPTSettings:
    return schema.load(gpt_stage.GPTSettings, "gpt", "tiny", [*QUIET, *overrides])


def test_a_read_sequence_holds_the_text_where_it_is_spoken(corpus: dict[str, Path]) -> None:
    """Letters last .08 s, and there are 15.6 frames a second: the n-th letter of the babbler stands at its own time."""
    task = gpt_stage.build(settings_of("data.letters_share=1.0"), [corpus["codes"]])
    vocabulary = task.vocabulary
    for index in range(len(task.train)):
        meta, codes = task.train.meta(index), decode_codes(task.train.payload(index))
        sequence = task.speak(task.train, index, torch.Generator().manual_seed(0), plain_share=0.0)
        start = sequence.ids.index(vocabulary.read)
        announced = sequence.ids[sequence.ids.index(TEXT) + 1 : start]
        read = sequence.ids[start + 1 : -1]
        assert vocabulary.text_ids(vocabulary.text_tokens(read)) == announced
        assert torch.equal(vocabulary.codes(read), codes)
        times = [time for word in babble.alignment(meta["text"]) for time in word[:-1]]
        frames = 0
        for token in read:
            if token >= vocabulary.code_offset:
                frames += 1
            elif task.tokenizer.symbols[token - vocabulary.text_offset] != " ":
                assert frames / vocabulary.config.groups == round(times.pop(0) * task.code["code_rate"])
        assert not times


def test_the_plain_share_is_spoken_without(corpus: dict[str, Path]) -> None:
    task = gpt_stage.build(settings_of("data.plain_share=0.25"), [corpus["codes"]])
    kinds = [SPEECH in task.speak(task.train, 0, torch.Generator().manual_seed(seed), 0.25).ids for seed in range(400)]
    assert sum(kinds) / 400 == pytest.approx(0.25, abs=0.06)


def test_another_text_is_spread_over_the_speech(corpus: dict[str, Path]) -> None:
    task = gpt_stage.build(settings_of("data.letters_share=0.0"), [corpus["codes"]])
    sequence = task.speak(task.train, 0, torch.Generator().manual_seed(0), 0.0, "six old hats")
    read = sequence.ids[sequence.ids.index(task.vocabulary.read) + 1 :]
    assert task.vocabulary.text_tokens(read) == task.tokenizer.encode("six old hats")


def test_speech_without_alignment_cannot_be_read(tmp_path: Path, corpus: dict[str, Path]) -> None:
    shards = babble_shards(tmp_path / "shards", align=False)
    make_codes(corpus["dvae"], [shards], tmp_path / "codes", workers=1)
    with pytest.raises(ConfigError, match=r"data\.reads: no sample .* build the shards with --align"):
        gpt_stage.build(settings_of(), [tmp_path / "codes"])


def test_the_checkpoint_says_how_fast_its_data_speaks(corpus: dict[str, Path]) -> None:
    """Each letter of the babbler takes .08 s; in a word of the lexicon, the phones divide the time of the letters."""
    task = gpt_stage.build(settings_of(), [corpus["codes"]])
    again = gpt_stage.build(settings_of(), [corpus["codes"]])
    plain = gpt_stage.build(settings_of("data.reads=false"), [corpus["codes"]])
    least = task.config()["speaking"]["least_seconds"]
    assert least == again.config()["speaking"]["least_seconds"]
    assert any(least.values())
    assert all(seconds == 0.0 or 0.03 <= seconds <= 0.3 for seconds in least.values())
    assert plain.config()["speaking"]["least_seconds"] == {}
    assert task.config()["speaking"]["line_characters"] == 160


def test_a_network_is_guided_if_it_learns_speech_without_text(corpus: dict[str, Path]) -> None:
    def guidance(*changes: str) -> float:
        return float(gpt_stage.build(settings_of(*changes), [corpus["codes"]]).config()["speaking"]["guidance"])

    assert guidance() == gpt_stage.GUIDANCE > 1
    assert guidance("data.mixture=[1.0,0.0,0.0,0.0]") == 1
    assert guidance("data.mixture=[0.8,0.2,0.0,0.0]", "data.speech_weight=0") == 1
    assert guidance("data.mixture=[0.8,0.0,0.2,0.0]", "data.speech_weight=0") == gpt_stage.GUIDANCE
    assert guidance("data.reads=false") == 1


@pytest.mark.parametrize("head", ["null", "{layers: 1, hidden: 64}"], ids=["codes", "frames"])
def test_one_batch_is_learnt_and_said_back(corpus: dict[str, Path], tmp_path: Path, head: str) -> None:
    """Greedy decoding under the grammar returns the batch's codes and text, and a bundled model speaks by it."""
    settings = settings_of(
        "run.steps=600", "run.overfit=0.05", "run.ema=0", "data.mixture=[1.0,0.0,0.0,0.0]", "run.learning_rate=2e-3",
        "data.text_weight=0.0", "data.plain_share=0.0", "data.letters_share=0.0", "run.batch_size=4",
        f"model.head={head}",
    )  # fmt: skip
    task = gpt_stage.build(settings, [corpus["codes"]])
    trainer = Trainer(task, settings.run, tmp_path / "gpt", settings.model_dump(mode="json"))
    batch = next(trainer._batches())
    assert trainer.fit().metrics["nats"] <= 0.05

    network, vocabulary = load_gpt(tmp_path / "gpt")
    assert vocabulary.config.reads
    assert vocabulary.config.by_frames == (head != "null")
    for row in batch.ids:
        ids = row[row != PAD].tolist()
        start, end = ids.index(vocabulary.read) + 1, len(ids) - ids[::-1].index(4) - 1
        text = vocabulary.text_tokens(ids[ids.index(TEXT) : start])
        grammar = Reading(vocabulary, [text], 20)
        (said,) = generate(network, [ids[:start]], grammar, [end - start + 8], [0], TokenSampling(temperature=0.0))
        assert said == ids[start:end]


@pytest.mark.parametrize("head", ["null", "{layers: 1, hidden: 32}"], ids=["codes", "frames"])
def test_a_model_that_reads_speaks_every_symbol(corpus: dict[str, Path], tmp_path: Path, head: str) -> None:
    settings = settings_of("run.steps=2", f"model.head={head}")
    task = gpt_stage.build(settings, [corpus["codes"]])
    Trainer(task, settings.run, tmp_path / "gpt", settings.model_dump(mode="json")).fit()
    upsampler = schema.load(diffusion_stage.DiffusionSettings, "diffusion", "tiny", [*QUIET[:3], "run.steps=2"])
    Trainer(
        diffusion_stage.build(upsampler, [corpus["shards"]], corpus["dvae"]), upsampler.run, tmp_path / "diffusion",
        upsampler.model_dump(mode="json"),
    ).fit()  # fmt: skip
    runs = {"dvae": corpus["dvae"], "gpt": tmp_path / "gpt", "diffusion": tmp_path / "diffusion"}
    bundle(runs, tmp_path / "model", "reads", voice_clip(tmp_path / "voice.wav"), None, 1)
    synthesizer = Synthesizer.load(tmp_path / "model", "cpu")
    (spoken,) = synthesizer.sentences("six old hats", seed=1)
    assert spoken.ended
    assert spoken.samples.abs().max() > 0
    assert spoken.codes.shape[1] == synthesizer.dvae.config.groups
    clip = Audio(spoken.samples.repeat(8)[:24_000], synthesizer.audio.sample_rate)
    assert isinstance(synthesizer.listen(clip), str)
    assert len(synthesizer.score(clip, "six old hats").speech_given_text) > synthesizer.dvae.config.groups


def test_a_batch_says_how_much_of_it_is_padding(corpus: dict[str, Path]) -> None:
    """Sequences of 5 and 3 tokens in a batch whose length is rounded up."""
    task = gpt_stage.build(settings_of(), [corpus["codes"]])
    batch = task.collate([(TokenSequence([3] * n, [1.0] * n), 1.0) for n in (5, 3)])
    assert batch.ids.shape == (2, gpt_stage.LENGTH_MULTIPLE, 1)
    assert batch.padded_share() == pytest.approx(1 - 8 / (2 * gpt_stage.LENGTH_MULTIPLE))
