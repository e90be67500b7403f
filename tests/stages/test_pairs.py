"""Pairs of renditions as files, and as the sequences that a network drew."""

from pathlib import Path

import pytest
import torch

from tests.conftest import scrambled
from triforce_tts.errors import ShardError
from triforce_tts.models.frame_gpt import make_gpt
from triforce_tts.models.gpt import GPT, GPTConfig, HeadConfig
from triforce_tts.sampling.nucleus import TokenSampling
from triforce_tts.sampling.tokens import Reading, generate, speech_grammar
from triforce_tts.sequences import END, Vocabulary, VocabularyConfig
from triforce_tts.shards import Sample, ShardSet, write_index, write_shard
from triforce_tts.stages.preferences.pairs import (
    Pair,
    PairDetails,
    Rendition,
    pair_sample,
    read_pair,
    read_pair_details,
    sequence_of,
)

SIZES = {"n_text": 6, "n_codes": 8, "groups": 2}
DETAILS = PairDetails(dvae="d", groups=2, n_codes=8, code_rate=10.0, tokenizer="t", gpt="g", reads=True)
TOKENS = (3, 1, 4)


def a_network(reads: bool, by_frames: bool) -> tuple[GPT, Vocabulary]:
    vocabulary = Vocabulary(VocabularyConfig(**SIZES, reads=reads, by_frames=by_frames))
    head = HeadConfig(layers=1, hidden=16) if by_frames else None
    network = scrambled(make_gpt(GPTConfig(layers=2, dim=32, heads=4, hidden=48, max_tokens=64, head=head), vocabulary))
    assert isinstance(network, GPT)
    return network, vocabulary


def a_pair() -> Pair:
    codes = torch.arange(20).reshape(10, 2) % 8
    return Pair(
        codes[:2], TOKENS, Rendition(codes[2:6], (0, 1, 3), True, ((1, 2), (3, 5))), Rendition(codes[6:], (0, 2), False)
    )  # fmt: skip


def written(folder: Path, pairs: list[Pair], details: PairDetails = DETAILS) -> Path:
    samples = [
        pair_sample(f"p{n}", pair, details, {"text": "x", "speaker": "s"}, (n, n + 1)) for n, pair in enumerate(pairs)
    ]
    write_index(
        folder,
        "pairs",
        {"train": [write_shard(folder / "train-000000.tar", samples)], "heldout": []},
        details.model_dump(),
    )
    return folder


@pytest.mark.parametrize(("reads", "by_frames"), [(True, True), (True, False), (False, True), (False, False)])
@pytest.mark.parametrize("limit", [60, 9])
def test_a_rendition_becomes_the_sequence_that_was_drawn(reads: bool, by_frames: bool, limit: int) -> None:
    network, vocabulary = a_network(reads, by_frames)
    voice = torch.tensor([[1, 2], [3, 4]])
    prompt = (vocabulary.read_prompt if reads else vocabulary.speak_prompt)(voice, TOKENS)
    grammar = Reading(vocabulary, [TOKENS], 4) if reads else speech_grammar(vocabulary)
    limit = min(limit, 64 - len(network.pack(prompt)))
    if not by_frames and not reads:
        limit -= limit % 2  # a frame that lacks a code at the limit is no frame
    (ids,) = generate(network, [prompt], grammar, [limit], [5], TokenSampling(1.0))
    ended = vocabulary.count_steps(ids) < limit
    rendition = Rendition.of(vocabulary, ids, ended)
    sequence = sequence_of(vocabulary, voice, TOKENS, rendition)
    whole = ids
    if not by_frames and not ended:  # the last frame may lack a code
        whole = ids[: len(sequence.ids) - len(prompt)]
        assert len(ids) - len(whole) < 2
    assert sequence.ids == [*prompt, *whole, *([END] if ended else [])]
    assert sequence.weights == [0.0] * len(prompt) + [1.0] * (len(sequence.ids) - len(prompt))
    network.pack(sequence.ids)


def test_what_a_stopped_rendition_did_not_reach_is_not_in_its_sequence() -> None:
    vocabulary = Vocabulary(VocabularyConfig(**SIZES, reads=True))
    codes = torch.tensor([[1, 2], [3, 4]])
    stopped = sequence_of(vocabulary, codes[:1], TOKENS, Rendition(codes, (0, 1), False))
    prompt = vocabulary.read_prompt(codes[:1], TOKENS)  # the whole text is given all the same
    first, second = vocabulary.code_ids(codes[:1]), vocabulary.code_ids(codes[1:])
    three, one = vocabulary.text_ids(TOKENS[:2])
    assert stopped.ids == [*prompt, three, *first, one, *second]


@pytest.mark.parametrize(
    ("places", "counts"),
    [  # of a text token and two codes, another token and two codes, two codes, and <end>
        ((), "111 111 11 1"),
        (((0, 1),), "111 000 00 0"),
        (((1, 2),), "000 111 00 0"),
        (((2, 3),), "000 000 11 0"),
        (((0, 1), (2, 4)), "111 000 11 1"),  # <end> belongs to the frame after the last one
        (((3, 4),), "000 000 00 1"),
    ],
)
def test_only_what_lies_in_the_places_counts(places: tuple[tuple[int, int], ...], counts: str) -> None:
    vocabulary = Vocabulary(VocabularyConfig(**SIZES, reads=True))
    codes = torch.tensor([[1, 2], [3, 4], [5, 6]])
    sequence = sequence_of(vocabulary, codes[:1], TOKENS[:2], Rendition(codes, (0, 1), True, places))
    prompt = len(vocabulary.read_prompt(codes[:1], TOKENS[:2]))
    assert sequence.weights == [0.0] * prompt + [float(count) for count in counts.replace(" ", "")]


def test_pairs_survive_their_files(tmp_path: Path) -> None:
    shards = ShardSet.open([written(tmp_path, [a_pair(), a_pair()])], "train", "pairs")
    assert read_pair_details(shards) == DETAILS
    assert shards.durations_s == [0.8, 0.8]  # 4 + 4 frames at 10 a second
    pair, again = a_pair(), read_pair(shards, 1, DETAILS)
    assert again.tokens == pair.tokens
    assert torch.equal(again.voice, pair.voice)
    for one, other in ((again.better, pair.better), (again.worse, pair.worse)):
        assert torch.equal(one.codes, other.codes)
        assert (one.starts, one.ended, one.places) == (other.starts, other.ended, other.places)


def test_pairs_are_no_training_data_of_another_stage(tmp_path: Path) -> None:
    folder = written(tmp_path, [a_pair()])
    with pytest.raises(ShardError, match="the shards hold 'pairs', expected 'codes'; run 'triforce-tts codes'"):
        ShardSet.open([folder], "train", "codes")
    write_index(tmp_path / "other", "codes", {"train": [], "heldout": []}, {})
    with pytest.raises(
        ShardError, match="hold 'codes', expected 'pairs'; give a folder that 'triforce-tts prefer' made"
    ):
        ShardSet.open([tmp_path / "other"], "train", "pairs")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"tokens": []}, "'tokens'"),
        ({"voice_frames": 3}, r"codes \[10, 2\], expected \[11, 2\]"),
        ({"better": {"frames": 4, "starts": [2, 1], "ended": True}}, "starts must never fall"),
        ({"better": {"frames": 4, "starts": [0, 9], "ended": True}}, "beyond the last frame"),
        ({"better": {"frames": 4, "starts": [0], "ended": True, "places": [[1, 6]]}}, "no spans of its frames"),
        ({"better": {"frames": 4, "starts": [0], "ended": True, "places": [[2, 2]]}}, "no spans of its frames"),
        ({"tokens": [1], "worse": {"frames": 4, "starts": [0, 1], "ended": True}}, "more starts than"),
        ({"worse": {"starts": [], "ended": True}}, "'worse.frames'"),
    ],
)
def test_a_damaged_pair_is_named(tmp_path: Path, change: dict[str, object], told: str) -> None:
    sample = pair_sample("p0", a_pair(), DETAILS, {"text": "x", "speaker": "s"}, (0, 1))
    spoilt = Sample(sample.key, {**sample.meta, **change}, sample.payload, sample.extension)
    infos = [write_shard(tmp_path / "train-000000.tar", [spoilt])]
    write_index(tmp_path, "pairs", {"train": infos, "heldout": []}, DETAILS.model_dump())
    with pytest.raises(ShardError, match=f"pair 'p0'.*{told}"):
        read_pair(ShardSet.open([tmp_path], "train", "pairs"), 0, DETAILS)


def test_pairs_of_two_networks_mix_and_those_of_two_dvaes_do_not(tmp_path: Path) -> None:
    first = written(tmp_path / "a", [a_pair()])
    later = written(tmp_path / "b", [a_pair()], DETAILS.model_copy(update={"gpt": "other"}))
    assert len(ShardSet.open([first, later], "train", "pairs")) == 2
    read_pair_details(ShardSet.open([first, later], "train", "pairs"))
    foreign = written(tmp_path / "c", [a_pair()], DETAILS.model_copy(update={"dvae": "other"}))
    with pytest.raises(ShardError, match="other codes or text tokens"):
        read_pair_details(ShardSet.open([first, foreign], "train", "pairs"))
