import hashlib
import itertools
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from rich.console import Console

from tests import clips, forks
from triforce_tts.data.common.segments import MemorySound, Segment
from triforce_tts.data.raw import build as raw_build
from triforce_tts.data.steps import transcribe as t
from triforce_tts.data.steps.transcribe import TranscribeConfig, transcribe
from triforce_tts.errors import TriforceError

RATE = 16000


def spoken(name: str) -> tuple[MemorySound, Segment]:
    sound = MemorySound(clips.spoken(name), RATE)
    return sound, Segment(0.0, sound.duration_s)


def test_pocketsphinx_hears_words_and_says_that_they_are_its_own() -> None:
    sound, segment = spoken("kathleen-02")
    dropped = Segment(0.0, 1.0, reason="no speech")
    transcribe(sound, [segment, dropped], TranscribeConfig(engine="pocketsphinx"))
    assert "twentieth time" in segment.text
    assert segment.details == {"transcriber": "pocketsphinx", "punct": False}
    assert dropped.text == ""


def test_a_segment_in_which_nothing_is_heard_is_dropped() -> None:
    segment = Segment(0.0, 1.0)
    transcribe(MemorySound(np.zeros(RATE, np.float32), RATE), [segment], TranscribeConfig(engine="pocketsphinx"))
    assert segment.reason == "nothing recognised"


def test_no_recogniser_leaves_an_empty_text() -> None:
    sound, segment = spoken("kathleen-02")
    transcribe(sound, [segment], TranscribeConfig(engine="none"))
    assert segment.kept
    assert segment.text == ""


def save_tiny_whisper(folder: Path) -> Path:
    """A Whisper of random weights with a byte vocabulary, saved as the real ones are."""
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperProcessor,
        WhisperTokenizer,
    )
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    folder.mkdir()
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>"]
    special += ["<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    vocabulary = {letter: number for number, letter in enumerate(bytes_to_unicode().values())}
    vocabulary |= {name: 256 + number for number, name in enumerate(special)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    tokenizer = WhisperTokenizer(
        str(folder / "vocab.json"), str(folder / "merges.txt"), extra_special_tokens=special[1:], language="en"
    )
    ids = {name: 256 + number for number, name in enumerate(special)}
    torch.manual_seed(0)
    network = WhisperForConditionalGeneration(
        WhisperConfig(
            vocab_size=len(vocabulary), d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
            decoder_attention_heads=2, encoder_ffn_dim=32, decoder_ffn_dim=32, num_mel_bins=80, max_target_positions=40,
            pad_token_id=256, bos_token_id=256, eos_token_id=256, decoder_start_token_id=257,
        )
    )  # fmt: skip
    network.generation_config = GenerationConfig(
        decoder_start_token_id=257, eos_token_id=256, pad_token_id=256, bos_token_id=256, max_length=24,
        is_multilingual=True, lang_to_id={"<|en|>": ids["<|en|>"], "<|de|>": ids["<|de|>"]},
        task_to_id={"transcribe": ids["<|transcribe|>"], "translate": ids["<|translate|>"]},
        no_timestamps_token_id=ids["<|notimestamps|>"], suppress_tokens=list(range(257, 257 + len(special) - 1)),
    )  # fmt: skip
    network.save_pretrained(folder)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokenizer).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def tiny_whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("transformers")
    return save_tiny_whisper(tmp_path_factory.mktemp("whisper") / "tiny")


def test_whisper_writes_the_same_alone_and_in_a_batch(tiny_whisper: Path) -> None:
    heard = {}
    for size in (1, 3):
        segments = []
        for name in ("kathleen-00", "ls_1462-04", "ls_2428-09"):
            segments.append(Segment(0.0, spoken(name)[1].seconds))
        joined = MemorySound(
            np.concatenate([spoken(n)[0].samples for n in ("kathleen-00", "ls_1462-04", "ls_2428-09")]), RATE
        )
        start = 0.0
        for segment in segments:
            segment.start_s, segment.end_s = start, start + segment.end_s
            start = segment.end_s
        transcribe(joined, segments, TranscribeConfig(model=str(tiny_whisper), batch_size=size, device="cpu"))
        heard[size] = segments
    for alone, together in zip(heard[1], heard[3], strict=True):
        assert alone.text == together.text
        assert alone.scores.keys() == {"avg_logprob", "language_probability", "no_speech_probability"}
        for name, value in alone.scores.items():
            assert together.scores[name] == pytest.approx(value, abs=1e-4)
        assert 0 < alone.scores["language_probability"] < 1
        assert alone.scores["avg_logprob"] < 0
        weights = hashlib.sha256((tiny_whisper / "model.safetensors").read_bytes()).hexdigest()
        assert alone.details["transcriber"] == f"tiny@{weights[:12]}"


def test_the_scores_are_those_of_the_network(tiny_whisper: Path) -> None:
    """Compares the scores with one forward pass over the text that was written."""
    sound, _ = spoken("kathleen-00")
    whisper = t.Whisper(tiny_whisper, "tiny", "cpu")
    ((_, scores),) = whisper([sound.samples], "en")
    features = whisper.processor([sound.samples], sampling_rate=RATE, return_tensors="pt").input_features
    with torch.inference_mode():
        logits = whisper.network(features, decoder_input_ids=torch.tensor([[257]])).logits[0, 0].softmax(-1)
    ids = whisper.processor.tokenizer.convert_tokens_to_ids(["<|en|>", "<|de|>", "<|nospeech|>"])
    english, german, silence = (float(logits[i]) for i in ids)
    assert scores["language_probability"] == pytest.approx(english / (english + german), rel=1e-4)
    assert scores["no_speech_probability"] == pytest.approx(silence, rel=1e-4)


def end_after(whisper: t.Whisper, features: torch.Tensor, lengths: Sequence[int]) -> None:
    """Change the weights so that the text of each of ``features`` ends after the given number of tokens.

    The first of the decoder's dimensions counts tokens from minus the length on, which it knows by the sound alone, and
    the end token is what fits when the count is above zero.
    """
    step = 0.05  # the size of one step of the count; the other dimensions have values of about the same size
    decoder = whisper.network.model.decoder
    (layer,) = decoder.layers
    attention = layer.encoder_attn
    with torch.no_grad():
        means = whisper.network.model.encoder(features).last_hidden_state.mean(1)  # [sounds, width]
        # three tokens of the prompt are counted before the first one
        wanted = -step * (torch.tensor(lengths) + 3 - 0.5)
        read_off = torch.linalg.lstsq(means.double(), wanted.double()[:, None], driver="gelsd").solution[:, 0]
        # without a query, attention gives the mean of the sound
        for part in (attention.q_proj, attention.v_proj, attention.out_proj):
            part.weight.zero_()
            part.bias.zero_()
        attention.v_proj.weight[0] = read_off.float()
        attention.out_proj.weight[0, 0] = 1.0
        for part in (layer.self_attn.out_proj, layer.fc2):  # no other part of the network changes the count
            part.weight[0] = 0.0
            part.bias[0] = 0.0
        decoder.embed_tokens.weight[:, 0] = 0.0
        decoder.embed_positions.weight[:, 0] = step * torch.arange(len(decoder.embed_positions.weight))
        decoder.embed_tokens.weight[256] = 0.0
        decoder.embed_tokens.weight[256, 0] = 10.0


def by_hand(whisper: t.Whisper, features: torch.Tensor) -> tuple[list[int], float]:
    """The likeliest tokens of one sound and their mean log probability.

    Each token is computed with a separate forward pass.
    """
    names = ["<|startoftranscript|>", "<|en|>", "<|transcribe|>", "<|notimestamps|>"]
    prompt = whisper.processor.tokenizer.convert_tokens_to_ids(names)
    tokens, logprobs = list[int](), list[float]()
    while len(tokens) < 24:
        with torch.inference_mode():
            logits = whisper.network(features, decoder_input_ids=torch.tensor([prompt + tokens])).logits[0, -1]
        likely = logits[:257].double().log_softmax(-1)  # the tokens after it are suppressed
        if (token := int(likely.argmax())) == 256:
            break
        tokens.append(token)
        logprobs.append(float(likely[token]))
    return tokens, sum(logprobs) / max(1, len(logprobs))


@pytest.mark.parametrize("size", [1, 2, 4])
def test_a_text_that_ends_before_its_batch_mates_has_its_own_scores(
    tiny_whisper: Path, tmp_path: Path, size: int
) -> None:
    lengths = [7, 0, 17, 3]
    waves = [spoken(name)[0].samples for name in ("kathleen-00", "kathleen-02", "ls_1462-04", "ls_2428-09")]
    whisper = t.Whisper(tiny_whisper, "tiny", "cpu")
    features = whisper.processor(waves, sampling_rate=RATE, return_tensors="pt").input_features
    end_after(whisper, features, lengths)
    expected = [by_hand(whisper, sound[None]) for sound in features]
    assert [len(tokens) for tokens, _ in expected] == lengths
    folder = tmp_path / "whisper"
    shutil.copytree(tiny_whisper, folder)
    whisper.network.save_pretrained(folder)

    edges = np.cumsum([0, *map(len, waves)]) / RATE
    segments = [Segment(float(start), float(end)) for start, end in itertools.pairwise(edges)]
    sound = MemorySound(np.concatenate(waves), RATE)
    transcribe(sound, segments, TranscribeConfig(model=str(folder), batch_size=size, device="cpu"))
    for segment, (tokens, logprob) in zip(segments, expected, strict=True):
        assert segment.text == whisper.processor.decode(tokens, skip_special_tokens=True).strip()
        assert segment.scores["avg_logprob"] == pytest.approx(logprob, abs=1e-4)
    assert [segment.reason for segment in segments] == ["", "nothing recognised", "", ""]
    # all scores differ, so the test would notice if they were mixed up
    assert len({round(logprob, 3) for _, logprob in expected}) == len(expected)


def test_missing_weights_are_one_line(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    sound, segment = spoken("kathleen-00")
    with pytest.raises(TriforceError, match=r"transcribe\.engine=pocketsphinx"):
        transcribe(sound, [segment], TranscribeConfig(model=str(tmp_path / "nothing")))


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The questions that the hub gets; neither the hub nor this machine has the weights."""
    import huggingface_hub

    asked: list[str] = []

    def nothing(model: str, revision: str, allow_patterns: list[str], local_files_only: bool = False) -> str:
        asked.append(f"{'here' if local_files_only else 'hub'} {model} {revision[:7]}")
        raise FileNotFoundError("not found\nanywhere")

    def info(self: object, model: str, revision: str, timeout: float) -> None:
        asked.append(f"is there {model} {revision[:7]}")
        assert timeout <= 10
        raise ConnectionError("no network\nhere")

    monkeypatch.setattr(huggingface_hub, "snapshot_download", nothing)
    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", info)
    return asked


def test_the_hub_is_asked_once_for_the_commit_that_is_not_here(hub: list[str]) -> None:
    with pytest.raises(
        TriforceError, match=r"cannot load Whisper from there \(it is not on this .*: no network\); give a fold"
    ):
        t.weights_folder(TranscribeConfig())
    turbo = "openai/whisper-large-v3-turbo 41f01f3"
    assert hub == [f"here {turbo}", f"is there {turbo}"]
    hub.clear()
    with pytest.raises(TriforceError, match="no network"):
        t.weights_folder(TranscribeConfig(model="someone/whisper", revision="ab" * 20))
    assert hub == ["here someone/whisper abababa", "is there someone/whisper abababa"]


def test_a_folder_needs_no_hub_and_another_model_needs_a_commit(hub: list[str], tmp_path: Path) -> None:
    assert t.weights_folder(TranscribeConfig(model=str(tmp_path))) == tmp_path
    with pytest.raises(TriforceError, match=r"someone/whisper: .* set transcribe\.revision"):
        t.weights_folder(TranscribeConfig(model="someone/whisper"))
    for wrong in ("main", "41f01f3", "G" * 40):
        with pytest.raises(ValueError, match="revision"):
            TranscribeConfig(revision=wrong)
    assert hub == []


def test_half_of_a_model_in_the_cache_is_fetched_whole(
    hub: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    (tmp_path / "config.json").touch()
    monkeypatch.setattr(huggingface_hub, "snapshot_download", lambda *_, **__: str(tmp_path))
    with pytest.raises(TriforceError, match="no network"):
        t.weights_folder(TranscribeConfig())
    (tmp_path / "model.safetensors").touch()
    assert t.weights_folder(TranscribeConfig()) == tmp_path
    assert len(hub) == 1


def test_a_build_says_at_once_that_there_are_no_weights(hub: list[str], tmp_path: Path) -> None:
    sf.write(tmp_path / "a.wav", np.zeros(RATE), RATE)
    with pytest.raises(TriforceError, match="no network"):
        raw_build.build(
            [str(tmp_path / "a.wav")], tmp_path / "out", raw_build.load_config("podcast"), 1, Console(quiet=True)
        )
    assert not list((tmp_path / "out" / "work").glob("a-*"))


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer_config.json"])
def test_damaged_weights_are_one_line(tiny_whisper: Path, tmp_path: Path, name: str) -> None:
    shutil.copytree(tiny_whisper, tmp_path / "w")
    (tmp_path / "w" / name).write_bytes(b"[" * 50)
    sound, segment = spoken("kathleen-00")
    with pytest.raises(TriforceError, match="cannot load Whisper from there") as caught:
        transcribe(sound, [segment], TranscribeConfig(model=str(tmp_path / "w")))
    assert "\n" not in str(caught.value)


def test_transformers_has_nothing_to_warn_of(tiny_whisper: Path) -> None:
    """The library warns with its own logger, which filters of warnings do not see."""
    program = (
        "import sys, warnings, numpy as np; from pathlib import Path\n"
        "warnings.simplefilter('always')\n"
        "from triforce_tts.data.steps.transcribe import Whisper\n"
        "Whisper(Path(sys.argv[1]), 'tiny', 'cpu')([np.zeros(16000, np.float32)] * 2, 'en')"
    )
    done = forks.run(["-c", program, tiny_whisper])
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_unknown_language_is_one_line(tiny_whisper: Path) -> None:
    sound, segment = spoken("kathleen-00")
    with pytest.raises(TriforceError, match=r"transcribe\.language: Whisper does not know 'xx'"):
        transcribe(sound, [segment], TranscribeConfig(model=str(tiny_whisper), language="xx"))


def test_faster_whisper_writes_by_the_librarys_recogniser(monkeypatch: pytest.MonkeyPatch) -> None:
    class Network:
        name = "faster-whisper/tiny.en@123"

        def __call__(self, waves: Sequence[np.ndarray], language: str) -> list[tuple[str, dict[str, float]]]:
            return [("Good morning.", {"avg_logprob": -0.25}) for _ in waves]

    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(t, "faster_whisper", lambda model, device: asked.append((model, device)) or Network())
    sound, segment = spoken("kathleen-00")
    transcribe(sound, [segment], TranscribeConfig(engine="faster-whisper", model="tiny.en", device="cpu"))
    assert asked == [("tiny.en", "cpu")]
    assert (segment.text, segment.scores) == ("Good morning.", {"avg_logprob": -0.25})
    assert segment.details == {"transcriber": "faster-whisper/tiny.en@123"}


def test_a_build_with_faster_whisper_says_at_once_that_there_are_no_weights(tmp_path: Path) -> None:
    config = TranscribeConfig(engine="faster-whisper", model=str(tmp_path))
    with pytest.raises(TriforceError, match=r"no such folder of CTranslate2 weights .* tiny\.en"):
        t.weights_folder(config)


def test_a_folder_of_weights_may_lie_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert TranscribeConfig(model="~/whisper").model == "/home/ann/whisper"
    assert TranscribeConfig(model="openai/whisper-tiny").model == "openai/whisper-tiny"
