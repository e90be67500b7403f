"""Every option of every command with wrong, extreme, contradictory and missing values."""

import zlib
from collections.abc import Iterator
from pathlib import Path

from .case import COMMANDS, Case, draw
from .checks import sounds, tells
from .words import (
    ASSEMBLE,
    BUILD,
    BUILD_RAW,
    BUNDLE,
    CODES,
    DISTILL,
    EVALUATE,
    EXPORT,
    FETCH,
    INSPECT,
    LISTEN,
    PARTS,
    RESYNTHESIZE,
    SCORE,
    SOON,
    SPEAK,
    SPEAK_VOICE,
    TRAIN_DIFFUSION,
    TRAIN_DVAE,
    TRAIN_GPT,
    VERIFY,
    WRITES,
    exit_codes,
    patience,
    short,
    with_option,
)

KIND = "options"
NUMBERS = (
    "",
    "x",
    "-1",
    "-9223372036854775809",
    "1e3",
    "1.5",
    "nan",
    "inf",
    "99999999999999999999",
    "0x10",
    "١٢",
    " 5",
    "1_000",
    "true",
)
HUGE = "99999999999999999999"
NAMES = (
    "",
    " ",
    "nosuch",
    "../../etc/passwd",
    "a" * 300,
    "a\nb",
    "\udcff",
    "-",
    "--",
    "null",
    "CPU",
    "cuda:99",
    "meta",
    "mps",
)
PATHS = ("", "nowhere", "nowhere/deep/in", "/dev/null", "/dev/zero", "/proc/self/mem", "/", ".", "a" * 300, "\udcff\udcfe", "a\nb", "-", "~", "http:/x",
         "voice.wav/x", "%s%n{}", "/proc/self/fd/0")  # fmt: skip

# The option, its values, and whether all of them are wrong.
OPTIONS: dict[tuple[str, ...], tuple[tuple[str, tuple[str, ...], bool], ...]] = {
    SPEAK: (
        ("--seed", NUMBERS, False), ("--steps", NUMBERS, False), ("--threads", (*NUMBERS, "100000"), False), ("--device", NAMES, True),
        ("--candidates", (*NUMBERS, "65", "0"), True), ("--model", PATHS, True), ("--lexicon", PATHS, False),
        ("--seed", ("1764177734000000000", "-9223372036854775808", "18446744073709551615", "9223372036854775807"), False),
    ),
    SPEAK_VOICE: (("--voice", PATHS, True),),
    RESYNTHESIZE: (("--seed", NUMBERS, False), ("--steps", NUMBERS, False), ("--model", PATHS, True), ("--device", NAMES, True)),
    LISTEN: (("--model", PATHS, True), ("--device", NAMES, True), ("--threads", NUMBERS, False)),
    EVALUATE: (
        ("--seeds", (*NUMBERS, "0", "101"), True), ("--limit", (*NUMBERS, "0"), False), ("--workers", (*NUMBERS, "100000"), True), ("--model", PATHS, True), ("--texts", PATHS, True),
        ("--natural", PATHS, True), ("--voices", tuple(path for path in PATHS if path != "/"), False), ("--against", PATHS, True), ("--recogniser", NAMES, True),
    ),
    SCORE: (("--voice", PATHS, True), ("--model", PATHS, True)),
    BUILD: (
        ("--sample-rate", (*NUMBERS, "0", "1", "7", "1000000000"), False), ("--codec", (*NAMES, "mp3"), True), ("--workers", NUMBERS, False),
        ("--heldout", PATHS, True), ("--set", ("x", "a=b"), True), ("--part", ("1/2", "0/0", "x"), True), ("--only", ("fetch", "x"), True),
        ("--ray", ("auto", "", "x:1"), True), ("--synthetic", PATHS, True), ("--engine", NAMES, False),
    ),
    ("build", "--engine", "babble", "--sentences", "3", "--out", "made", "--workers", "1"): (
        ("--engine", NAMES, True), ("--voices", (*NAMES[1:], ",", "low,low", "low,nosuch"), False), ("--sentences", NUMBERS, False),
        ("--max-characters", (*NUMBERS, "9"), False), ("--synthetic", PATHS, True), ("--sample-rate", ("0", "-8000", HUGE), True),
    ),
    FETCH: (
        ("--config", (*NAMES, "nosuch.yaml", "/dev/null", "."), True), ("--part", ("0/1", "2/1", "1/0", "a/b", "1", "-1/3", "1/3", HUGE + "/" + HUGE, "١/٢", "1/1\n"), False),
        ("--only", ("", "x", "FETCH", "all "), True), ("--codec", NAMES, True), ("--sample-rate", (*NUMBERS, "0"), False), ("--ray", ("", "nosuch:1", "\udcff"), False),
        ("--workers", NUMBERS, False),
    ),
    CODES: (("--dvae", PATHS, True), ("--data", PATHS, True), ("--workers", NUMBERS, False)),
    VERIFY: (("--workers", (*NUMBERS, "0"), False),),
    TRAIN_DVAE: (
        ("--config", (*NAMES, "nosuch.yaml", "/dev/null"), True), ("--data", PATHS, True), ("--days", (*NUMBERS, "0"), False),
    ),
    TRAIN_DIFFUSION: (("--dvae", PATHS, True),),
    DISTILL: (("--teacher", PATHS, True),),
    BUNDLE: (
        ("--diffusion-steps", (*NUMBERS, "-5", "100000", "1000000"), False), ("--dvae", PATHS, True), ("--voice", PATHS, True), ("--card", PATHS, True),
        ("--name", ("", "../x", "a/b", "a\nb", "\udcff", "n" * 5000, "<script>", "CON", "."), False),
    ),
    EXPORT: ((("--light"), ("x",), True),),
}  # fmt: skip
SETTINGS = ("", "=", "x", "a=b", "=5", "run", "run.=1", ".steps=1", "run..steps=1", "run.steps", "run=5", "run.steps.x=1", "run.steps=[1", "run.steps={}",
            "run.steps=!!python/object/apply:os.system [id]", "run.steps=&a [*a]", "run.steps=2020-99-99", "run.steps=0x1G", "run.seed=1:60:90",
            "run.steps=" + "[" * 2000, "run.steps=" + "9" * 5000, "run.seed=" + "9" * 5000, "\udcff=1", "run.\udcff=1", "run.betas=[0.9]", "run.init_from=.", "run.keep_best=nosuch",
            "data.speakers=[nobody]", "data.repeat={nobody: 2}", "run.steps: 5", "run.init_from=/dev/zero",
            "run.trackers=[x]", "run.trackers=[wandb]")  # fmt: skip
FIELD_VALUES = ("-1", "0", "1000000000", "1e30", ".nan", ".inf", "null", "[]", "x", "1.5", "true")
_RUN = ("batch_size", "learning_rate", "stop_at", "warmup_steps", "final_learning_rate", "betas", "weight_decay", "clip_norm", "ema", "mega_batch_factor",
        "bucket_batches", "threads", "seed", "log_every", "validate_every", "validate_samples", "save_every", "preview_every", "preview_samples", "keep", "keep_best",
        "overfit", "lora_rank", "stop_after_skips", "precision", "optimizer", "workers", "shard", "recompute")  # fmt: skip
_DATA = ("min_seconds", "max_seconds", "speaker_hours", "repeat", "speakers")
FIELDS: dict[tuple[str, ...], tuple[str, ...]] = {
    TRAIN_DVAE: (*(f"run.{n}" for n in _RUN), *(f"data.{n}" for n in (*_DATA, "crop_seconds")), "mse_weight",
                 *(f"audio.{n}" for n in ("sample_rate", "n_fft", "hop_length", "n_mels", "mel_floor", "mel_mean", "mel_std")),
                 *(f"model.{n}" for n in ("channels", "downsampling", "levels", "code_dim", "groups", "blocks", "quantizer"))),
    TRAIN_GPT: (*(f"model.{n}" for n in ("layers", "dim", "heads", "hidden", "max_tokens", "dropout", "rope_theta", "norm_eps")),
                *(f"data.{n}" for n in ("mixture", "voice_seconds", "letters_share", "text_weight", "plain_share", "speech_weight", "guide_weight",
                                        "guide_layers", "guide_width"))),
    TRAIN_DIFFUSION: (*(f"model.{n}" for n in ("channels", "hidden", "blocks", "kernel_size", "reference_channels", "bands", "band_overlap")),
                      *(f"data.{n}" for n in ("crop_seconds", "reference_seconds", "true_mel_share", "drop_share", "noise_share")),
                      "consistency_weight", "magnitude_weight", "magnitude_before"),
    FETCH: ("opus_kbps", "sample_rate", "shard_samples", "heldout_share", "fetch.max_bytes", "fetch.max_seconds", "fetch.retries", "fetch.max_episodes",
            "fetch.user_agent", "level.target_db", "vad.threshold", "vad.block_seconds", "cut.min_seconds", "cut.max_seconds", "cut.pad_s", "speakers.min_seconds",
            "transcribe.batch_size", "transcribe.language", "transcribe.model", "book.candidates", "text.phrases", "text.max_word", "screen.max_clipped",
            "duplicates.max_bit_errors", "duplicates.min_seconds", "codec"),
    BUILD_RAW: ("sample_rate", "opus_kbps", "level.target_db", "level.most_gain_db", "vad.threshold", "vad.min_speech_s", "vad.pad_s", "vad.block_seconds", "cut.min_seconds",
                "cut.max_seconds", "cut.pad_s", "cut.join_s", "speakers.min_seconds", "speakers.pad_s", "screen.min_snr_db", "duplicates.min_seconds", "duplicates.min_overlap", "shard_samples", "heldout_share"),
}  # fmt: skip


def cases() -> Iterator[Case]:
    """The tables above, then command lines with missing or superfluous words, then options that contradict each other."""
    for words, rows in OPTIONS.items():
        for option, values, wrong in rows:
            for value in values:
                yield _case(words, option, value, wrong)
    for setting in SETTINGS:
        yield _case(TRAIN_DVAE, "--set", setting, False)
        if zlib.crc32(setting.encode("utf-8", "replace")) % 3 == 0:
            yield _case(FETCH, "--set", setting, False)
    for words, names in FIELDS.items():
        for name in names:
            count = 2 if words in (TRAIN_DIFFUSION, BUILD_RAW) else 3
            for value in draw(f"{words[:2]}{name}", list[object](FIELD_VALUES), count):
                yield _case(words, "--set", f"{name}={value}", False)
    yield from _usage()
    yield from _contradictions()


def _case(words: tuple[str, ...], option: str, value: str, wrong: bool) -> Case:
    shown = value if len(value) <= 60 else f"{value[:20]}({len(value)} characters)"
    base = PARTS.get(words, ())
    needed = {"--voice": ("voice.wav",)}.get(option, ())
    check = sounds() if words[0] in ("speak", "resynthesize") else None
    whole = with_option(words, option, value)
    return Case(
        f"{short(words)}/options/{option}={shown!a}", KIND, whole, (*dict.fromkeys((*base, *needed)), "victim"),
        expect="refused" if wrong and not _is_fine(option, value) else "either", check=check, writes=WRITES.get(words, ("made",)), codes=exit_codes(words),
        network=option == "--ray", patience=patience(words), cheap=words in SOON or words[0] == "speak",
    )  # fmt: skip


def _is_fine(option: str, value: str) -> bool:
    """Whether a value from a list of wrong ones is, or may be, right for this option."""
    numbers = {" 5", "1_000"}
    return (option, value) in {
        ("--device", "meta"),
        ("--synthetic", "."),
        ("--card", "/proc/self/fd/0"),
        ("--engine", "null"),
    } or (option in ("--candidates", "--seeds", "--workers") and value in numbers)


def _usage() -> Iterator[Case]:
    """Command lines with missing or superfluous words."""
    lines: tuple[tuple[str, ...], ...] = (
        (), ("",), ("-",), ("--",), ("nosuch",), ("Speak",), ("speak",), ("speak", "a", "b"), ("speak", "--bogus"), ("speak", "a", "--out"), ("speak", "a", "-o", "x"),
        ("speak", "\udcff", "--model", "model"), ("resynthesize",), ("listen",), ("listen", "nowhere.wav"), ("score", "x"), ("build", "--out", "made"), ("build", "", "--out", "made"),
        ("build", "", "--config", "podcast", "--out", "made"), ("build", "nowhere", "--out", "made"), ("build", "--config", "podcast", "--out", "made"), ("build", " ", "--out", "made"),
        ("build", "--synthetic", "nowhere", "--out", "made"), ("build", "nowhere", "--synthetic", "x"), ("inspect",), ("inspect", ""), ("inspect", "nowhere"),
        ("inspect", "."), ("inspect", "/"), ("inspect", "/dev/null"), ("verify",), ("verify", ""), ("verify", "."), ("verify", "/dev/zero"), ("verify", "nowhere"), ("codes",),
        ("codes", "--dvae", "x"), ("train",), ("train", "nosuch"), ("train", "dvae"), ("train", "gpt", "--data", "."), ("train", "dvae", "--data", "nowhere", "--run", "run"),
        ("train", "distill", "--data", "x", "--run", "run"), ("bundle",), ("bundle", "--dvae", "x"), ("export",), ("export", "nowhere", "--out", "made"), ("export", "", "--out", "made"),
        ("--bogus",), ("inspect", *("x" for _ in range(500))), ("build", *(f"x{n}" for n in range(500)), "--out", "made"),
        ("verify", "\udcff"), ("inspect", "a" * 300), ("export", "a" * 5000, "--out", "made"), ("listen", "a\nb"), ("listen", "/proc/self/mem"), ("score", "/dev/zero", "x"),
    )  # fmt: skip
    for number, words in enumerate(lines):
        shown = " ".join(words[:4])[:50]
        yield Case(
            f"{_command(words)}/usage/{number:02}-{shown!a}".replace("//", "/"),
            "usage",
            words,
            ("victim",),
            expect="refused",
            codes=exit_codes(words),
        )
    for words in (
        (),
        ("speak",),
        ("resynthesize",),
        ("listen",),
        ("score",),
        ("evaluate",),
        ("build",),
        ("inspect",),
        ("verify",),
        ("codes",),
        ("train",),
        ("train", "dvae"),
        ("bundle",),
        ("export",),
    ):
        yield Case(
            f"{_command(words)}/usage/--help of {' '.join(words)}",
            "usage",
            (*words, "--help"),
            expect="ran",
            check=tells("Usage"),
        )
    yield Case("(none)/usage/--version", "usage", ("--version",), expect="ran", check=tells("."))


def _command(words: tuple[str, ...]) -> str:
    return words[0] if words and words[0] in COMMANDS else "(none)"


def _same(folder: Path) -> None:
    (folder / "other").mkdir()


def _contradictions() -> Iterator[Case]:
    """Options that contradict each other, inputs of the wrong sort, and good command lines."""
    lines: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], str]] = {
        "model-is-a-run": (with_option(SPEAK, "--model", "gpt"), ("gpt",), ("out.wav",), "refused"),
        "model-is-shards": (with_option(SPEAK, "--model", "shards"), ("shards",), ("out.wav",), "refused"),
        "model-is-a-file": (with_option(SPEAK, "--model", "voice.wav"), ("voice.wav",), ("out.wav",), "refused"),
        "voice-is-a-folder": ((*SPEAK, "--voice", "model"), ("model",), ("out.wav",), "refused"),
        "dvae-is-a-gpt": (with_option(CODES, "--dvae", "gpt"), ("gpt", "shards"), ("coded",), "refused"),
        "dvae-is-a-model": (with_option(CODES, "--dvae", "model"), ("model", "shards"), ("coded",), "refused"),
        "data-are-codes": (with_option(CODES, "--data", "codes"), ("dvae", "codes"), ("coded",), "refused"),
        "data-twice": ((*CODES, "--data", "shards"), ("dvae", "shards"), ("coded",), "either"),
        "gpt-on-sound": (with_option(TRAIN_GPT, "--data", "shards"), ("shards",), ("run",), "refused"),
        "dvae-on-codes": (with_option(TRAIN_DVAE, "--data", "codes"), ("codes",), ("run",), "refused"),
        "train-on-model": (with_option(TRAIN_DVAE, "--data", "model"), ("model",), ("run",), "refused"),
        "data-is-a-file": (with_option(TRAIN_DVAE, "--data", "shards/index.json"), ("shards",), ("run",), "refused"),
        "data-twice-train": ((*TRAIN_DVAE, "--data", "shards"), ("shards",), ("run",), "either"),
        "run-of-another-stage": (with_option(TRAIN_DVAE, "--run", "gpt"), ("shards", "gpt"), (), "refused"),
        "bundle-swapped": (with_option(with_option(BUNDLE, "--dvae", "gpt"), "--gpt", "dvae"), PARTS[BUNDLE], ("made",), "refused"),
        "bundle-of-models": (with_option(BUNDLE, "--dvae", "model"), (*PARTS[BUNDLE], "model"), ("made",), "either"),
        "bundle-voice-is-text": (with_option(BUNDLE, "--voice", "victim/thesis.txt"), PARTS[BUNDLE], ("made",), "refused"),
        "export-a-model": (with_option(("export", "model", "--out", "made"), "--out", "made"), ("model",), ("made",), "refused"),
        "export-shards": (("export", "shards", "--out", "made"), ("shards",), ("made",), "refused"),
        "verify-a-model": (("verify", "model", "--workers", "1"), ("model",), (), "refused"),
        "verify-twice": (("verify", "shards", "shards", "--workers", "1"), ("shards",), (), "either"),
        "inspect-a-run": (("inspect", "dvae"), ("dvae",), (), "refused"),
        "sources-and-synthetic": ((*BUILD, "--synthetic", "victim/thesis.txt"), ("labelled",), ("made",), "refused"),
        "build-one-wave": (("build", "voice.wav", "--out", "made"), ("voice.wav",), ("made",), "refused"),
        "build-empty-folder": (("build", "other", "--out", "made"), (), ("made",), "refused"),
        "raw-empty-folder": (("build", "other", "--config", "podcast", "--out", "made"), (), ("made",), "refused"),
        "raw-of-shards": (("build", "shards", *FETCH[2:]), ("shards",), ("made",), "either"),
        "assemble-before-fetch": (with_option(ASSEMBLE, "--out", "made"), ("raw",), ("made",), "refused"),
        "process-part-9": (("build", "raw", "--out", "built", *FETCH[4:-2], "--only", "process", "--part", "9/9"), ("raw", "built"), ("built",), "either"),
        "evaluate-good": (EVALUATE, PARTS[EVALUATE], ("report",), "ran"), "verify-good": (VERIFY, ("shards",), (), "ran"), "inspect-good": (INSPECT, ("shards",), (), "ran"), "speak-good": (SPEAK, ("model",), ("out.wav",), "ran"),
        "listen-good": (LISTEN, PARTS[LISTEN], (), "ran"), "score-good": (SCORE, PARTS[SCORE], (), "ran"), "build-good": (BUILD, PARTS[BUILD], ("made",), "ran"),
        "codes-good": (CODES, PARTS[CODES], ("coded",), "ran"), "train-good": (TRAIN_DVAE, PARTS[TRAIN_DVAE], ("run",), "ran"),
        "gpt-good": (TRAIN_GPT, PARTS[TRAIN_GPT], ("run",), "ran"), "diffusion-good": (TRAIN_DIFFUSION, PARTS[TRAIN_DIFFUSION], ("run",), "ran"),
        "distill-good": (DISTILL, PARTS[DISTILL], ("run",), "ran"), "bundle-good": (BUNDLE, PARTS[BUNDLE], ("made",), "ran"), "export-good": (EXPORT, PARTS[EXPORT], ("made",), "ran"),
        "export-light-good": ((*EXPORT, "--light"), PARTS[EXPORT], ("made",), "ran"), "resynthesize-good": (RESYNTHESIZE, PARTS[RESYNTHESIZE], ("out.wav",), "ran"),
        "raw-good": (BUILD_RAW, PARTS[BUILD_RAW], ("made",), "either"), "assemble-good": (ASSEMBLE, PARTS[ASSEMBLE], ("built",), "either"),
    }  # fmt: skip
    for name, (words, parts, writes, expect) in lines.items():
        yield Case(f"{words[0]}/contradictions/{name}", "contradictions", words, tuple(dict.fromkeys((*parts, "victim"))), _same, expect,
                   writes=writes, codes=exit_codes(words), patience=patience(words), cheap=words in SOON)  # fmt: skip
