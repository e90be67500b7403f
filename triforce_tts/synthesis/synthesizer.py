"""The main class of the synthesis, which makes speech of a text and a voice. The other modules do its steps.

text -> lines -> text tokens -> [GPT] -> codes -> [DVAE] -> mel -> [diffusion] -> spectrogram or wave -> wave
        script                  speaking         vocoding
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch

from triforce_tts import bounds
from triforce_tts.audio.io import Audio
from triforce_tts.files import as_path
from triforce_tts.sampling.score import Score
from triforce_tts.speech import Speech, Spoken, join_lines
from triforce_tts.synthesis.cloning import open_voice
from triforce_tts.synthesis.hearing import listen, score
from triforce_tts.synthesis.model import Model, bundled_model, choose_device, load_model
from triforce_tts.synthesis.script import Line, Room, make_script, single_line, without_reading
from triforce_tts.synthesis.speaking import Choice, Job, draw, make_jobs, speak_jobs
from triforce_tts.synthesis.stopwatch import Stopwatch
from triforce_tts.synthesis.streaming import SpeechStream
from triforce_tts.synthesis.vocoding import Utterance, resynthesize, vocode
from triforce_tts.text.phonemes import Lexicon
from triforce_tts.voices import Voice


class Synthesizer:
    """A model, the settings for speaking with it, and the time of each stage so far."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.settings = model.settings
        self.choice: Choice | None = None  # the rule that finds the best of several takes, if there are to be several
        self.stopwatch = Stopwatch()
        # These names give callers access to the parts of the model.
        self.folder, self.device, self.name, self.id = model.folder, model.device, model.name, model.id
        self.dvae, self.gpt, self.diffusion = model.dvae, model.gpt, model.diffusion
        self.audio, self.tokenizer, self.vocabulary = model.audio, model.tokenizer, model.vocabulary
        self.limits = model.limits

    @classmethod
    def load(
        cls,
        model: Path | str | None = None,
        device: str = "auto",
        lexicon: Path | str | Sequence[Path | str] | None = None,
    ) -> "Synthesizer":
        """The model in a folder (without one: the bundled model) on ``cpu``, ``cuda`` or whichever there is.

        Pronunciations in the files ``lexicon`` (lines ``word  P H OW0 N``, or a PLS lexicon) go before the dictionary's.

        Raises:
            TextError: the lexicon cannot be read.
            ConfigError: an argument is no path.
            CheckpointError: the folder is no model, is damaged, or mixes networks that were not trained together.
        """
        folder = bundled_model() if model is None else as_path(model, "the model")
        one_or_none = [] if lexicon is None else [lexicon]
        files = lexicon if isinstance(lexicon, Sequence) and not isinstance(lexicon, str) else one_or_none
        words = Lexicon.load([as_path(path, "the lexicon") for path in files])
        return cls(load_model(folder, choose_device(device), words))

    def voice(self, path: Path | str | None = None) -> Voice:
        """The voice of a reference clip; without one the model's default voice."""
        with self.stopwatch.time("voice"):
            return open_voice(self.model, path)

    def _voice(self, voice: Voice | Path | str | None) -> Voice:
        return voice if isinstance(voice, Voice) else self.voice(voice)

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
        samples = join_lines(spoken, self.audio.sample_rate)
        left_out = tuple(without_reading(text))
        return Speech(samples, self.audio.sample_rate, self.tags(seed), spoken, left_out)

    def stream(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> SpeechStream:
        """The speech of ``text`` in chunks of samples [n] float32, each as soon as it is ready.

        Its codes are those of the first try of ``speak``; what was played is not tried again, and ``faults`` says what
        is missing. ``close()`` stops it.

        Raises:
            TextError: empty, a part cannot be spoken, or over 20 000 characters.
            AudioError: the voice cannot be used.
            ConfigError: the seed is out of bounds, or the settings ask for more than one candidate.
        """
        bounds.SEED.check("seed", seed)
        jobs = make_jobs(self.prepare(text), self._voice(voice), seed, self.settings.speed)
        return SpeechStream(self.model, jobs, self.settings, self.stopwatch, tuple(without_reading(text)))

    def sentences(self, text: str, voice: Voice | Path | str | None = None, seed: int = 0) -> Iterator[Spoken]:
        """The lines of ``text`` one by one, as they are ready."""
        bounds.SEED.check("seed", seed)
        lines = self.prepare(text)
        for job in make_jobs(lines, self._voice(voice), seed, self.settings.speed):
            yield from speak_jobs(self.model, [job], self.settings, self.stopwatch, self.choice)

    def prepare(self, text: str) -> list[Line]:
        """The lines in which ``text`` is spoken.

        Raises:
            TextError: empty, a part cannot be spoken, or over 20 000 characters.
        """
        with self.stopwatch.time("text"):
            return make_script(text, self.tokenizer, self.room)

    @property
    def room(self) -> Room:
        """The room that the model has for a line."""
        return self.model.room

    def generate_codes(self, normalized: str, voice: Voice, seed: int) -> tuple[torch.Tensor, bool, float]:
        """The codes [frames, groups] of a normalised line in one try, whether it ended by itself, the predicted length.

        Raises:
            TextError: it is too long to be one line.
        """
        line = single_line(normalized, self.tokenizer, self.room)
        (take,) = draw(self.model, [Job(line, voice, seed)], self.settings, self.stopwatch)
        return take.codes, take.ended, line.predicted_s

    # --- sound to sound, and to text --------------------------------------------------------------------------

    def decode(self, codes: torch.Tensor, speaker: torch.Tensor, seed: int) -> torch.Tensor:
        """Samples [n] of ``codes`` [frames, groups] in the voice of ``speaker`` [1, reference channels]."""
        utterance = Utterance(codes, speaker, seed)
        (samples,) = vocode(self.model, [utterance], self.settings, self.stopwatch)
        return samples

    def resynthesize(self, clip: Audio | Path | str, seed: int = 0) -> Audio:
        """A recording of at most ten minutes, sent through stages 1 and 3 alone: it shows what the codes can carry."""
        bounds.SEED.check("seed", seed)
        samples = resynthesize(self.model, clip, seed, self.settings, self.stopwatch)
        return Audio(samples, self.audio.sample_rate, self.tags(seed))

    def listen(self, clip: Audio | Path | str, seed: int = 0) -> str:
        """What the GPT hears in a recording, lower-case letters (the flip); the likeliest letter at each step."""
        bounds.SEED.check("seed", seed)
        return listen(self.model, clip, seed)

    def score(self, clip: Audio | Path | str, text: str, voice: Voice | Path | str | None = None) -> Score:
        """How likely the GPT finds that ``clip`` says ``text``, in both directions, token by token.

        Args:
            clip: a recording of one sentence.
            text: the text as written; it is normalised here.
            voice: the voice prompt for the speaking direction; without it, the model's default voice.

        Raises:
            TextError: clip and text together are too long for the model.
        """
        return score(self.model, clip, text, self._voice(voice))

    @property
    def heard_s(self) -> float:
        """The seconds of speech that fill the GPT's longest sequence: no longer recording can be heard or scored."""
        return self.model.heard_s

    def tags(self, seed: int) -> dict[str, str]:
        """The tags of a written file."""
        return self.model.tags(seed)
