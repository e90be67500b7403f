"""The settings of speech: the choices of a caller, apart from model, text, voice and seed."""

from dataclasses import dataclass, field

from triforce_tts import bounds
from triforce_tts.presets import ITERATIONS
from triforce_tts.sampling.diffusion import SAMPLERS
from triforce_tts.sampling.nucleus import TokenSampling


@dataclass(frozen=True)
class Settings:
    """The settings of speech. ``diffusion_steps`` 0 leaves stage 3 out: only the DVAE's decode is heard."""

    # The number of readings that are drawn of each line. The one in which the GPT hears the text best is taken.
    candidates: int = 1
    # By default codes are not guided; a model's own settings, ``Model.settings``, guide them as its configuration says.
    sampling: TokenSampling = field(default_factory=TokenSampling)
    diffusion_steps: int = 1
    sampler: str = "euler"
    # The guidance of stage 3. A number other than 1 needs a network that was trained with dropped conditions.
    guidance: float = 1.0
    phase_iterations: int = ITERATIONS  # iterations of Griffin-Lim, if stage 3 leaves the phase open
    # The speed of reading as a multiple of the usual one; only for a model that reads its text in place.
    speed: float = 1.0
    # The number of lines that are drawn at once. No line of a batch changes a bit of another. 0 draws all given lines
    # in one batch of their own size.
    batch: int = 0
    # The most tries of a line that is not complete; each try has the next seeds.
    tries: int = 3

    def __post_init__(self) -> None:
        """Refuse numbers out of bounds."""
        bounds.CANDIDATES.check("candidates", self.candidates)
        bounds.DIFFUSION_STEPS.check("diffusion_steps", self.diffusion_steps)
        bounds.one_of("sampler", self.sampler, tuple(SAMPLERS))
        bounds.GUIDANCE.check("guidance", self.guidance)
        bounds.PHASE_ITERATIONS.check("phase_iterations", self.phase_iterations)
        bounds.SPEED.check("speed", self.speed)
        bounds.BATCH.check("batch", self.batch)
        bounds.TRIES.check("tries", self.tries)
