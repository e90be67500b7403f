"""Command lines that end well. Each case changes one thing in one of them."""

from collections.abc import Sequence

from .world import RAW

ONE = ("--threads", "1")
QUICK = ("--set", "run.validate_every=0", "--set", "run.preview_every=0", "--set", "run.threads=1")

SPEAK = ("speak", "a cat", "--model", "model", "--out", "out.wav", "--quiet", *ONE)
SPEAK_VOICE = (*SPEAK, "--voice", "voice.wav")
RESYNTHESIZE = ("resynthesize", "voice.wav", "--model", "model", "--out", "out.wav", "--quiet", *ONE)
LISTEN = ("listen", "voice.wav", "--model", "model", *ONE)
SCORE = ("score", "voice.wav", "a cat", "--model", "model", *ONE)
EVALUATE = ("evaluate", "--model", "model", "--texts", "labelled/r0.txt", "--out", "report", "--seeds", "1", "--limit", "1",
            "--recogniser", "pocketsphinx", "--workers", "1", "--quiet")  # fmt: skip
EVALUATE_BESIDE = (*EVALUATE, "--natural", "listed/manifest.jsonl")
BUILD = ("build", "labelled", "--out", "made", "--workers", "1")
BUILD_LISTED = ("build", "listed", "--out", "made", "--workers", "1")
BUILD_RAW = ("build", "raw", "--out", "made", *RAW)
FETCH = (*BUILD_RAW, "--only", "fetch")
ASSEMBLE = ("build", "raw", "--out", "built", *RAW, "--only", "assemble")
PROCESS = ("build", "raw", "--out", "built", *RAW, "--only", "process")
INSPECT = ("inspect", "shards")
VERIFY = ("verify", "shards", "--workers", "1")
CODES = ("codes", "--dvae", "dvae", "--data", "shards", "--out", "coded", "--workers", "1")
TRAIN_DVAE = ("train", "dvae", "--config", "tiny", "--data", "shards", "--run", "run", "--set", "run.steps=1", *QUICK)
TRAIN_GPT = ("train", "gpt", "--config", "tiny", "--data", "codes", "--run", "run", "--set", "run.steps=1", *QUICK)
TRAIN_DIFFUSION = ("train", "diffusion", "--config", "tiny", "--data", "shards", "--dvae", "dvae", "--run", "run",
                   "--set", "run.steps=1", *QUICK)  # fmt: skip
DISTILL = ("train", "distill", "--config", "tiny", "--data", "shards", "--dvae", "dvae", "--teacher", "diffusion",
           "--run", "run", "--set", "run.steps=1", *QUICK)  # fmt: skip
RESUME = ("train", "dvae", "--config", "tiny", "--data", "shards", "--run", "dvae", "--set", "run.steps=3", *QUICK)
RESUME_GPT = ("train", "gpt", "--config", "tiny", "--data", "codes", "--run", "gpt", "--set", "run.steps=3", *QUICK)
RESUME_DIFFUSION = ("train", "diffusion", "--config", "tiny", "--data", "shards", "--dvae", "dvae", "--run", "diffusion",
                    "--set", "run.steps=3", *QUICK)  # fmt: skip
BUNDLE = (
    "bundle",
    "--dvae",
    "dvae",
    "--gpt",
    "gpt",
    "--diffusion",
    "diffusion",
    "--voice",
    "voice.wav",
    "--out",
    "made",
)
EXPORT = ("export", "dvae", "--out", "made")

PARTS = {
    SPEAK: ("model",), SPEAK_VOICE: ("model", "voice.wav"), RESYNTHESIZE: ("model", "voice.wav"), LISTEN: ("model", "voice.wav"),
    SCORE: ("model", "voice.wav"), EVALUATE: ("model", "labelled"), EVALUATE_BESIDE: ("model", "labelled", "listed"), BUILD: ("labelled",), BUILD_LISTED: ("listed",), BUILD_RAW: ("raw",), FETCH: ("raw",), ASSEMBLE: ("raw", "built"),
    PROCESS: ("raw", "built"), INSPECT: ("shards",), VERIFY: ("shards",), CODES: ("dvae", "shards"), TRAIN_DVAE: ("shards",), TRAIN_GPT: ("codes",),
    TRAIN_DIFFUSION: ("shards", "dvae"), DISTILL: ("shards", "dvae", "diffusion"), RESUME: ("shards", "dvae"), RESUME_GPT: ("codes", "gpt"),
    RESUME_DIFFUSION: ("shards", "dvae", "diffusion"), BUNDLE: ("dvae", "gpt", "diffusion", "voice.wav"), EXPORT: ("dvae",),
}  # fmt: skip
WRITES = {
    SPEAK: ("out.wav",), SPEAK_VOICE: ("out.wav",), RESYNTHESIZE: ("out.wav",), EVALUATE: ("report",), EVALUATE_BESIDE: ("report",), BUILD: ("made",), BUILD_LISTED: ("made",), BUILD_RAW: ("made",),
    FETCH: ("made",), ASSEMBLE: ("built",), PROCESS: ("built",), CODES: ("coded",), TRAIN_DVAE: ("run",), TRAIN_GPT: ("run",),
    TRAIN_DIFFUSION: ("run",), DISTILL: ("run",), RESUME: ("dvae",), RESUME_GPT: ("gpt",), RESUME_DIFFUSION: ("diffusion",),
    BUNDLE: ("made",), EXPORT: ("made",),
}  # fmt: skip
# These take a second or less.
SOON = (SPEAK, RESYNTHESIZE, LISTEN, SCORE, FETCH, INSPECT, VERIFY, BUNDLE, EXPORT, BUILD, BUILD_LISTED)


def short(words: Sequence[str]) -> str:
    """A name for a command line: the command, with its stage, its part or its mode."""
    name = words[0]
    if name == "train":
        stage = words[1]
        return f"train-{stage}{'-resume' if '--run' in words and words[words.index('--run') + 1] == stage else ''}"
    if name == "build":
        if "--only" in words:
            return f"build-{words[words.index('--only') + 1]}"
        return "build-raw" if "--config" in words else "build-babble" if "babble" in words else f"build-{words[1]}"
    return f"{name}{'-light' if '--light' in words else ''}{'-voice' if name == 'speak' and '--voice' in words else ''}"


def exit_codes(words: Sequence[str]) -> tuple[int, ...]:
    """The exit codes with which a command refuses; ``verify`` also ends with 1 if it has found a fault."""
    return (1, 2) if words and words[0] == "verify" else (2,)


def patience(words: Sequence[str]) -> float:
    """By how much the limit of time is multiplied: in ``evaluate`` several judges hear every clip."""
    return 6.0 if words and words[0] == "evaluate" else 1.0


def with_option(words: Sequence[str], option: str, value: str) -> tuple[str, ...]:
    """The command line with ``option`` set to ``value``: its old value is replaced, or the option is added at the end."""
    changed = list(words)
    if option in changed and option != "--set":
        changed[changed.index(option) + 1] = value
        return tuple(changed)
    return (*changed, option, value)
