"""The orchestrator: text and a voice in, speech out. It names the steps; each stage does its own work.

text -> sentences -> text tokens -> [GPT] -> codes -> [DVAE] -> mel -> [diffusion] -> spectrogram or wave -> wave
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import torch

from triforce_tts import checkpoint
from triforce_tts.audio.edit import join, normalize_level, trim_silence
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import griffin_lim, mel_spectrogram
from triforce_tts.errors import CheckpointError, ConfigError, TextError
from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, read_manifest
from triforce_tts.models.load import load_diffusion, load_dvae, load_gpt
from triforce_tts.models.targets import noise_shape
from triforce_tts.sampling.diffusion import upsample
from triforce_tts.sampling.score import Score, heard, score_tokens
from triforce_tts.sampling.tokens import Reading, TokenSampling, generate, speech_grammar, text_grammar
from triforce_tts.text.chunk import split_sentences
from triforce_tts.text.normalize import normalize
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.voices import Voice, make_voice

MAX_CHARACTERS = 20_000
SENTENCE_CHARACTERS = 160  # longer sentences are cut at a pause: the model is trained on clips of seconds
_LONGEST_SYMBOL_S = 1.5  # a sound or a pause of one sentence that lasts longer is a reader who is stuck
_SLACK = 2.0  # a sentence may last so many times as long as predicted before it is stopped


@dataclass(frozen=True)
class Settings:
    """How speech is made. ``diffusion_steps`` 0 leaves stage 3 out: the bare DVAE decode."""

    candidates: int = 1  # drawn of each sentence; the one is taken in which the GPT hears the text best (the flip)
    sampling: TokenSampling = field(default_factory=TokenSampling)
    diffusion_steps: int = 1
    sampler: str = "euler"
    guidance: float = 1.0  # of stage 3; other than 1 needs a network trained with dropped conditions
    phase_iterations: int = 32  # of Griffin-Lim, where stage 3 leaves the phase open


@dataclass
class Spoken:
    """One sentence as it was spoken."""

    text: str
    samples: torch.Tensor  # [n], silence at the ends cut
    codes: torch.Tensor  # [frames, groups]
    ended: bool  # whether the GPT ended it by itself
    predicted_s: float  # duration expected from the characters
    pause_s: float  # after it


@dataclass
class Stopwatch:
    """Seconds spent in each stage."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def time(self, stage: str) -> Iterator[None]:
        """Add the block's duration to ``stage``."""
        began = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began


def bundled_model() -> Path:
    """The folder of the model inside the package.

    Raises:
        CheckpointError: the package was built without one.
    """
    path = Path(str(resources.files("triforce_tts"))) / "assets" / "nano"
    if not (path / MANIFEST).is_file():
        raise CheckpointError("the package holds no model; train one ('make nano') and give it with --model")
    return path


class Synthesizer:
    """The three networks of one model folder, checked to belong together."""

    def __init__(self, model: Path, device: torch.device, lexicon: Lexicon | None = None) -> None:
        manifest = read_manifest(model)
        self.folder, self.device = model, device
        self.name, self.id = manifest.name, manifest.id
        self.dvae, self.audio = load_dvae(model / "dvae", device)
        self.gpt, self.vocabulary = load_gpt(model / "gpt", device)
        self.diffusion = load_diffusion(model / "diffusion", self.audio, device)
        self.tokenizer = TextTokenizer(lexicon)
        gpt_config = checkpoint.read_config(model / "gpt", "gpt")
        self.prompt_seconds = float(gpt_config["voice_seconds"][1])
        self.characters_per_second = float(gpt_config["characters_per_second"])
        self.settings = Settings(diffusion_steps=manifest.diffusion_steps)
        self.stopwatch = Stopwatch()
        check_lineage(model, self.tokenizer)

    @classmethod
    def load(
        cls, model: Path | str | None = None, device: str = "auto", lexicon: Path | str | None = None
    ) -> "Synthesizer":
        """The model in a folder (without one: the bundled model) on ``cpu``, ``cuda`` or whichever there is.

        Pronunciations in the file ``lexicon`` (lines ``word  P H OW0 N``) go before the dictionary's.

        Raises:
            TextError: the lexicon cannot be read.
            CheckpointError: the folder is no model, is damaged, or mixes networks that were not trained together.
        """
        folder = bundled_model() if model is None else Path(model)
        if not folder.is_dir():
            raise CheckpointError(f"{folder}: no such model folder; expected one that 'triforce-tts bundle' made")
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            chosen = torch.device(device)
            torch.empty(0, device=chosen)
        except (RuntimeError, AssertionError) as error:
            raise CheckpointError(f"device '{device}' is not available here; use cpu, cuda or auto") from error
        return cls(folder, chosen, Lexicon.load(Path(lexicon) if lexicon else None))

    # --- voices -----------------------------------------------------------------------------------------------

    def voice(self, path: Path | str | None = None) -> Voice:
        """The voice of a reference clip; without one the model's default voice."""
        name = "default" if path is None else Path(path).stem
        clip = self.folder / DEFAULT_VOICE if path is None else path
        with self.stopwatch.time("voice"):
            return make_voice(clip, name, self.audio, self.dvae, self.diffusion, self.prompt_seconds)

    # --- text to speech ---------------------------------------------------------------------------------------

    def speak(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> Audio:
        """Speech of ``text``; equal input, model, seed and threads give equal samples.

        Raises:
            TextError: empty, nothing speakable, or over 20 000 characters.
            AudioError: the voice cannot be used.
        """
        spoken = list(self.sentences(text, voice, seed))
        samples = join([s.samples for s in spoken], [s.pause_s for s in spoken[:-1]], self.audio.sample_rate)
        return Audio(samples, self.audio.sample_rate, self.tags(seed))

    def sentences(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> Iterator[Spoken]:
        """The sentences of ``text`` one by one, as they are ready."""
        parts = self.prepare(text)
        chosen = voice if isinstance(voice, Voice) else self.voice(voice)
        for number, (normalized, pause_s) in enumerate(parts):
            # Far apart, so that no sentence of one seed shares its noise with one of the next.
            sentence_seed = seed * 1_000_003 + number
            yield self._sentence(normalized, pause_s, chosen, sentence_seed)

    def prepare(self, text: str) -> list[tuple[str, float]]:
        """Normalised sentences of ``text``, each with the pause after it in seconds.

        Raises:
            TextError: empty, nothing speakable, or over 20 000 characters.
        """
        if not text.strip():
            raise TextError("the text is empty; give at least one word")
        if len(text) > MAX_CHARACTERS:
            raise TextError(
                f"the text has {len(text)} characters, at most {MAX_CHARACTERS} are spoken at once; "
                "for a book use narration, which reads it chapter by chapter"
            )
        parts = []
        for chunk in split_sentences(text, SENTENCE_CHARACTERS):
            try:
                parts.append((normalize(chunk.text), chunk.pause_s))
            except TextError:
                if len(parts) == 0 and chunk.source == text:
                    raise
        if not parts:
            raise TextError(f"nothing in the text can be spoken: {text.strip()[:40]!r}; give letters or numbers")
        return parts

    def _sentence(self, normalized: str, pause_s: float, voice: Voice, seed: int) -> Spoken:
        codes, ended, predicted_s = self.generate_codes(normalized, voice, seed)
        samples = self.decode(codes, voice.speaker, seed)
        cut = trim_silence(samples, self.audio.sample_rate)
        return Spoken(normalized, cut if len(cut) else samples, codes, ended, predicted_s, pause_s)

    def generate_codes(self, normalized: str, voice: Voice, seed: int) -> tuple[torch.Tensor, bool, float]:
        """Codes [frames, groups] of one normalised sentence, whether it ended by itself, and its predicted seconds."""
        reads, count = self.vocabulary.config.reads, self.settings.candidates
        with self.stopwatch.time("text"):
            tokens = self.tokenizer.encode(normalized)
            open_sequence = self.vocabulary.read_prompt if reads else self.vocabulary.speak_prompt
            prompt = open_sequence(voice.codes, tokens)
        predicted_s = len(normalized) / self.characters_per_second
        frame_rate = self.audio.frame_rate / self.dvae.config.downsampling
        rate = frame_rate * self.dvae.config.groups
        longest = round((_SLACK * predicted_s + 1.0) * rate) + (len(tokens) if reads else 0)
        limit = min(longest, self.gpt.config.max_tokens - len(prompt))
        if limit < rate:
            raise TextError(f"the sentence is too long for the model: {normalized[:60]!r}...; put a full stop into it")
        with self.stopwatch.time("gpt"):
            # Far apart, so that no candidate of one sentence is the first of another.
            seeds = [seed + number * 1_000_000_007 for number in range(count)]
            grammar = (
                Reading(self.vocabulary, [tokens] * count, round(_LONGEST_SYMBOL_S * frame_rate))
                if reads
                else speech_grammar(self.vocabulary)
            )
            drawn = generate(self.gpt, [prompt] * count, grammar, [limit] * count, seeds, self.settings.sampling)
        candidates = [(self._codes(ids), len(ids) < limit) for ids in drawn]
        codes, ended = candidates[0] if count == 1 else self._best(candidates, normalized)
        return codes, ended, predicted_s

    def _codes(self, ids: list[int]) -> torch.Tensor:
        codes = self.vocabulary.codes(ids)
        if len(codes) == 0:  # an end at once: one frame of whatever comes, so that the wave is not empty
            codes = torch.zeros(1, self.dvae.config.groups, dtype=torch.long)
        return codes

    def _best(self, candidates: list[tuple[torch.Tensor, bool]], normalized: str) -> tuple[torch.Tensor, bool]:
        """The candidate in which the GPT hears ``normalized`` best, one that ended by itself if any did."""
        with self.stopwatch.time("rank"):
            letters = self.tokenizer.encode_letters(normalized)
            scores = heard(self.gpt, self.vocabulary, letters, [codes for codes, _ in candidates])
        best = max(range(len(candidates)), key=lambda i: (candidates[i][1], scores[i]))
        return candidates[best]

    # --- sound to sound ---------------------------------------------------------------------------------------

    @torch.inference_mode()
    def decode(self, codes: torch.Tensor, speaker: torch.Tensor, seed: int) -> torch.Tensor:
        """Samples [n] of ``codes`` [frames, groups] in the voice of ``speaker`` [1, reference channels]."""
        with self.stopwatch.time("dvae"):
            mel = self.dvae.decode(codes[None].to(self.device))
        iterations = self.settings.phase_iterations
        if self.settings.diffusion_steps:
            with self.stopwatch.time("diffusion"):
                state = self._upsample(mel, speaker, seed)
            with self.stopwatch.time("phase"):
                samples = self.diffusion.target.samples(state, mel, iterations)[0]
        else:
            with self.stopwatch.time("phase"):
                samples = griffin_lim(noise_shape(mel, self.audio)[0], self.audio, iterations)
        return samples.cpu().clamp(-1, 1)

    def _upsample(self, mel: torch.Tensor, speaker: torch.Tensor, seed: int) -> torch.Tensor:
        """The clean state of stage 3 that ``mel`` [1, frames, n_mels] becomes."""
        settings = self.settings
        if settings.guidance != 1.0 and not self.diffusion.config.null_condition:
            raise ConfigError(
                f"guidance {settings.guidance:g}: model {self.name} was not trained with dropped conditions; use 1"
            )
        lengths = torch.tensor([mel.shape[1]], device=self.device)
        steps, sampler, guidance = settings.diffusion_steps, settings.sampler, settings.guidance
        return upsample(self.diffusion, mel, speaker, lengths, [seed], steps, sampler, guidance)

    @torch.inference_mode()
    def resynthesize(self, clip: Audio | Path | str, seed: int = 0) -> Audio:
        """A recording through stages 1 and 3 alone: what the codes can carry."""
        samples, mel, codes = self._encode(clip)
        speaker = self.diffusion.reference(mel, torch.tensor([mel.shape[1]], device=self.device))
        made = self.decode(codes, speaker, seed)[: len(samples)]
        return Audio(made, self.audio.sample_rate, self.tags(seed))

    @torch.inference_mode()
    def listen(self, clip: Audio | Path | str, seed: int = 0) -> str:
        """What the GPT hears in a recording, lower-case letters (the flip); the likeliest letter at each step."""
        samples, _, codes = self._encode(clip)
        prompt = self.vocabulary.listen_prompt(codes.cpu())
        room = self.gpt.config.max_tokens - len(prompt)
        if room < 1:
            raise TextError(f"the recording is too long to listen to: {len(samples) / self.audio.sample_rate:.1f} s")
        limit = min(room, round(3.0 * self.characters_per_second * len(samples) / self.audio.sample_rate) + 10)
        (ids,) = generate(
            self.gpt, [prompt], text_grammar(self.vocabulary), [limit], [seed], TokenSampling(temperature=0.0)
        )
        return self.tokenizer.decode(self.vocabulary.text_tokens(ids))

    @torch.inference_mode()
    def score(self, clip: Audio | Path | str, text: str, voice: Voice | Path | str | None = None) -> Score:
        """How likely the GPT finds that ``clip`` says ``text``, in both directions, token by token.

        Args:
            clip: one sentence.
            text: as written; it is normalised.
            voice: prompt of the speaking direction; without it the model's default voice.

        Raises:
            TextError: clip and text together are too long for the model.
        """
        samples, _, codes = self._encode(clip)
        codes = codes.cpu()
        chosen = voice if isinstance(voice, Voice) else self.voice(voice)
        normalized = normalize(text)
        spoken, letters = self.tokenizer.encode(normalized), self.tokenizer.encode_letters(normalized)
        length = chosen.codes.numel() + len(spoken) + len(letters) + codes.numel() + 4
        if length > self.gpt.config.max_tokens:
            raise TextError(
                f"recording ({len(samples) / self.audio.sample_rate:.1f} s) and text are {length} tokens, at most "
                f"{self.gpt.config.max_tokens} fit: score it sentence by sentence"
            )
        found = score_tokens(self.gpt, self.vocabulary, chosen.codes, spoken, letters, codes)
        return Score(*found, self.tokenizer.decode(letters))

    def _encode(self, clip: Audio | Path | str) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Levelled samples [n], mel [1, frames, n_mels] and codes [code frames, groups] of a clip."""
        samples = self._samples(clip)
        mel = mel_spectrogram(samples[None].to(self.device), self.audio)
        return samples, mel, self.dvae.encode(mel)[0]

    def _samples(self, clip: Audio | Path | str) -> torch.Tensor:
        audio = clip if isinstance(clip, Audio) else read_audio(clip, self.audio.sample_rate)
        if audio.sample_rate != self.audio.sample_rate:
            raise CheckpointError(f"the clip is at {audio.sample_rate} Hz, the model at {self.audio.sample_rate} Hz")
        return normalize_level(audio.samples, audio.sample_rate)[0]

    def tags(self, seed: int) -> dict[str, str]:
        """What a written file says of itself."""
        software = f"triforce-tts {version('triforce-tts')}"
        return {
            "software": software,
            "comment": f"Synthetic speech, made by {software}, model {self.name} ({self.id}), seed {seed}",
        }


def check_lineage(model: Path, tokenizer: TextTokenizer) -> None:
    """Refuse networks that were not trained together.

    Raises:
        CheckpointError: a mismatch; both sides are named.
    """
    dvae = checkpoint.read_lineage(model / "dvae")["id"]
    gpt, diffusion = checkpoint.read_lineage(model / "gpt"), checkpoint.read_lineage(model / "diffusion")
    checkpoint.require_same("DVAE", f"{model / 'gpt'}", gpt.get("dvae"), f"{model / 'dvae'}", dvae)
    checkpoint.require_same("DVAE", f"{model / 'diffusion'}", diffusion.get("dvae"), f"{model / 'dvae'}", dvae)
    checkpoint.require_same(
        "text tokenizer", f"{model / 'gpt'}", gpt.get("tokenizer"), "this version's tokenizer", tokenizer.fingerprint
    )
