"""How speech is made: the choices of a caller, apart from model, text, voice and seed."""

from dataclasses import dataclass, field

from triforce_tts import bounds
from triforce_tts.sampling.diffusion import SAMPLERS
from triforce_tts.sampling.nucleus import TokenSampling


@dataclass(frozen=True)
class Settings:
    """How speech is made. ``diffusion_steps`` 0 leaves stage 3 out: what is heard is the DVAE's decode alone."""

    candidates: int = 1  # readings drawn of each line; the one in which the GPT hears the text best is taken
    sampling: TokenSampling = field(default_factory=TokenSampling)
    diffusion_steps: int = 1
    sampler: str = "euler"
    guidance: float = 1.0  # of stage 3; another number needs a network that was trained with dropped conditions
    phase_iterations: int = 32  # of Griffin-Lim, where stage 3 leaves the phase open
    speed: float = 1.0  # of reading, times the usual; only of a model that reads its text in place
    batch: int = 0  # lines drawn at once, none of which changes a bit of another; 0: all that are given, in one shape of their own
    tries: int = 3  # of a line that does not come out complete, each with the next seeds

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
