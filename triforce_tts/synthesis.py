"""The orchestrator: text and a voice in, speech out. It names the steps; each stage does its own work.

text -> sentences -> text tokens -> [GPT] -> codes -> [DVAE] -> mel -> [diffusion] -> spectrogram or wave -> wave
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import torch

from triforce_tts import bounds, checkpoint
from triforce_tts.audio.edit import join, normalize_level, trim_silence
from triforce_tts.audio.io import Audio, read_audio
from triforce_tts.audio.mel import griffin_lim, mel_spectrogram
from triforce_tts.errors import AudioError, CheckpointError, ConfigError, TextError
from triforce_tts.lines import Line, Room, Training, closed, make_line, make_lines, without_reading
from triforce_tts.manifest import DEFAULT_VOICE, MANIFEST, read_manifest
from triforce_tts.models.load import load_diffusion, load_dvae, load_gpt, read_stage
from triforce_tts.models.targets import noise_shape
from triforce_tts.sampling.diffusion import SAMPLERS, upsample
from triforce_tts.sampling.score import Score, heard, score_tokens
from triforce_tts.sampling.takes import Take, make_take, unsaid
from triforce_tts.sampling.tokens import Reading, TokenSampling, generate, speech_grammar, text_grammar
from triforce_tts.speech import Speech, Spoken
from triforce_tts.text.normalize import normalize
from triforce_tts.text.pace import holds
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.text.tokenizer import TextTokenizer
from triforce_tts.voices import Voice, make_voice

RESYNTHESIZED_S = 600.0  # longest recording that goes through stages 1 and 3 at once: memory grows with its length
# Seeds lie far apart, so that no line of one seed shares its noise with one of the next, and no take of one line is the
# first of another.
_LINE_STRIDE = 1_000_003
_TAKE_STRIDE = 1_000_000_007


@dataclass(frozen=True)
class Settings:
    """How speech is made. ``diffusion_steps`` 0 leaves stage 3 out: the bare DVAE decode."""

    candidates: int = 1  # drawn of each sentence; the one is taken in which the GPT hears the text best (the flip)
    sampling: TokenSampling = field(default_factory=TokenSampling)
    diffusion_steps: int = 1
    sampler: str = "euler"
    guidance: float = 1.0  # of stage 3; other than 1 needs a network trained with dropped conditions
    phase_iterations: int = 32  # of Griffin-Lim, where stage 3 leaves the phase open
    tries: int = 3  # of a sentence that does not come out complete, each with the next seeds

    def __post_init__(self) -> None:
        """Refuse numbers out of bounds."""
        bounds.CANDIDATES.check("candidates", self.candidates)
        bounds.DIFFUSION_STEPS.check("diffusion_steps", self.diffusion_steps)
        bounds.one_of("sampler", self.sampler, tuple(SAMPLERS))
        bounds.GUIDANCE.check("guidance", self.guidance)
        bounds.PHASE_ITERATIONS.check("phase_iterations", self.phase_iterations)
        bounds.TRIES.check("tries", self.tries)


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
        trained = read_stage(model / "gpt", "gpt", Training)
        self.prompt_seconds, self.characters_per_second = trained.voice_seconds[1], trained.characters_per_second
        self.limits = trained.speaking
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

    def speak(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> Speech:
        """Speech of ``text``; equal input, model, seed and threads give equal samples.

        Its ``complete`` says whether all of the text was said, its ``faults`` what was not.

        Raises:
            TextError: empty, a part cannot be spoken, or over 20 000 characters.
            AudioError: the voice cannot be used.
            ConfigError: the seed is out of bounds.
        """
        spoken = tuple(self.sentences(text, voice, seed))
        samples = join([s.samples for s in spoken], [s.pause_s for s in spoken[:-1]], self.audio.sample_rate)
        left_out = tuple(without_reading(text))
        return Speech(samples, self.audio.sample_rate, self.tags(seed), spoken, left_out)

    def sentences(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> Iterator[Spoken]:
        """The lines of ``text`` one by one, as they are ready."""
        bounds.SEED.check("seed", seed)
        lines = self.prepare(text)
        chosen = voice if isinstance(voice, Voice) else self.voice(voice)
        for number, line in enumerate(lines):
            yield self._spoken(line, chosen, seed * _LINE_STRIDE + number)

    def prepare(self, text: str) -> list[Line]:
        """The lines in which ``text`` is spoken.

        Raises:
            TextError: empty, a part cannot be spoken, or over 20 000 characters.
        """
        with self.stopwatch.time("text"):
            return make_lines(text, self.tokenizer, self.room)

    @property
    def room(self) -> Room:
        """What a line may need of this model."""
        groups, reads = self.vocabulary.config.groups, self.vocabulary.config.reads
        voice_frames = -(-self.audio.frames_of_seconds(self.prompt_seconds) // self.dvae.config.downsampling)
        empty = self.vocabulary.speak_prompt(torch.zeros(voice_frames, groups), [])
        tokens = self.gpt.config.max_tokens - len(empty)
        return Room(self.limits, self.characters_per_second, tokens, self._code_rate * groups, reads)

    @property
    def _code_rate(self) -> float:
        """Frames of codes a second."""
        return self.audio.frame_rate / self.dvae.config.downsampling

    def _spoken(self, line: Line, voice: Voice, seed: int) -> Spoken:
        """``line`` by the first complete of several tries; without one, by the one that lacks least.

        Each has the next seeds; from the second on, a line without a mark at its end has a full stop.
        """
        found: list[Spoken] = []
        for number in range(self.settings.tries):
            tried = closed(line, self.tokenizer, self.room) if number else line
            first = seed + number * self.settings.candidates * _TAKE_STRIDE
            found.append(self._try(tried, voice, first, seed, number + 1))
            if found[-1].complete:
                return replace(found[-1], text=line.text)
        best = min(found, key=lambda spoken: (len(spoken.unsaid), not spoken.ended))
        return replace(best, text=line.text, tries=len(found))

    def _try(self, line: Line, voice: Voice, seed: int, noise_seed: int, number: int) -> Spoken:
        take = self._best(self._takes(line, voice, seed), line)
        samples = torch.zeros(0)
        if len(take.codes):
            samples = self.decode(take.codes, voice.speaker, noise_seed)
        frame_length = self.audio.hop_length * self.dvae.config.downsampling
        missing = tuple(unsaid(take, line.words, samples, frame_length, self.audio.sample_rate))
        cut = trim_silence(samples, self.audio.sample_rate)
        return Spoken(
            line.text, cut if len(cut) else samples, take.codes, take.ended, line.predicted_s, line.pause_s, line.source,
            missing, number,
        )  # fmt: skip

    def generate_codes(self, normalized: str, voice: Voice, seed: int) -> tuple[torch.Tensor, bool, float]:
        """Codes [frames, groups] of one normalised line in one try, whether it ended by itself, its predicted seconds.

        Raises:
            TextError: it is too long to be one line.
        """
        line = make_line(normalized, normalized, 0.0, self.tokenizer, self.room)
        if self.room.budget(line) < self.room.tokens_per_second:
            raise TextError(f"'{normalized[:60]}' is too long for one line of the model; give it to 'speak' as a text")
        take = self._best(self._takes(line, voice, seed), line)
        return take.codes, take.ended, line.predicted_s

    def _takes(self, line: Line, voice: Voice, seed: int) -> list[Take]:
        """As many takes of ``line`` as there shall be candidates."""
        reads, count = self.vocabulary.config.reads, self.settings.candidates
        open_sequence = self.vocabulary.read_prompt if reads else self.vocabulary.speak_prompt
        prompt = open_sequence(voice.codes, line.tokens)
        limit = min(self.room.budget(line), self.gpt.config.max_tokens - len(prompt))
        seeds = [bounds.derived_seed(seed + number * _TAKE_STRIDE) for number in range(count)]
        with self.stopwatch.time("gpt"):
            grammar = self._reading(line, count) if reads else speech_grammar(self.vocabulary)
            drawn = generate(self.gpt, [prompt] * count, grammar, [limit] * count, seeds, self.settings.sampling)
        return [make_take(self.vocabulary, line.pieces, ids, limit) for ids in drawn]

    def _reading(self, line: Line, count: int) -> Reading:
        longest = round(self.limits.longest_symbol_s * self._code_rate)
        held = holds(line.pieces, self.limits.least_seconds, self._code_rate)
        return Reading(self.vocabulary, [line.tokens] * count, longest, [held] * count)

    def _best(self, takes: list[Take], line: Line) -> Take:
        """The take in which the GPT hears the line best, one that ended by itself if any did."""
        if len(takes) == 1:
            return takes[0]
        with self.stopwatch.time("rank"):
            letters = self.tokenizer.encode_letters(line.text)
            scores = heard(self.gpt, self.vocabulary, letters, [take.codes for take in takes])
        best = max(range(len(takes)), key=lambda i: (takes[i].ended, scores[i]))
        return takes[best]

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
        seeds = [bounds.derived_seed(seed)]
        return upsample(self.diffusion, mel, speaker, lengths, seeds, steps, sampler, guidance)

    @torch.inference_mode()
    def resynthesize(self, clip: Audio | Path | str, seed: int = 0) -> Audio:
        """A recording of at most ten minutes through stages 1 and 3 alone: what the codes can carry."""
        bounds.SEED.check("seed", seed)
        samples, mel, codes = self._encode(clip, RESYNTHESIZED_S)
        speaker = self.diffusion.reference(mel, torch.tensor([mel.shape[1]], device=self.device))
        made = self.decode(codes, speaker, seed)[: len(samples)]
        return Audio(made, self.audio.sample_rate, self.tags(seed))

    @torch.inference_mode()
    def listen(self, clip: Audio | Path | str, seed: int = 0) -> str:
        """What the GPT hears in a recording, lower-case letters (the flip); the likeliest letter at each step."""
        bounds.SEED.check("seed", seed)
        samples, _, codes = self._encode(clip, self.heard_s)
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
        samples, _, codes = self._encode(clip, self.heard_s)
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

    @property
    def heard_s(self) -> float:
        """Seconds of speech that fill the GPT's longest sequence: no longer recording can be listened to or scored."""
        return self.gpt.config.max_tokens / self.room.tokens_per_second

    def _encode(self, clip: Audio | Path | str, longest_s: float) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Levelled samples [n], mel [1, frames, n_mels] and codes [code frames, groups] of a clip."""
        samples = self._samples(clip, longest_s)
        mel = mel_spectrogram(samples[None].to(self.device), self.audio)
        return samples, mel, self.dvae.encode(mel)[0]

    def _samples(self, clip: Audio | Path | str, longest_s: float) -> torch.Tensor:
        if isinstance(clip, Audio):
            name, audio = "the clip", clip
        else:
            name, audio = str(clip), read_audio(clip, self.audio.sample_rate, max_seconds=longest_s)
        if audio.sample_rate != self.audio.sample_rate:
            raise CheckpointError(f"{name} is at {audio.sample_rate} Hz, the model at {self.audio.sample_rate} Hz")
        if audio.duration_s > longest_s:
            raise AudioError(f"{name} lasts longer than the {longest_s:.1f} s that can be used at once; cut it")
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
