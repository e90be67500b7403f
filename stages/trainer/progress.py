"""The progress of a run, and what follows from it: the learning rate, the end of the budget, the average's decay."""

import time
from dataclasses import dataclass

from .optim import learning_rate_factor
from .settings import RunSettings

LIGHT_WARMUP = 100  # steps of the new warm-up after a start without the optimiser's state


@dataclass
class Progress:
    """The progress of a run, which is saved with each checkpoint."""

    step: int = 0
    seconds: float = 0.0  # seconds of training, summed over all resumes
    audio_seconds: float = 0.0
    skipped: int = 0  # steps whose gradient was not finite
    # Steps that were skipped because the gradient, scaled up for fp16, was too large for it.
    overflows: int = 0
    light_start: int = -1  # the step of the last start without optimiser state
    best: float | None = None  # the lowest held-out figure of run.keep_best so far
    worse: int = 0  # the number of validations since that figure

    def budget_spent(self, settings: RunSettings) -> float:
        """The share of the run's budget of steps, minutes and time of the clock that is used up, 0 to 1 and above."""
        by_steps = self.step / settings.steps if settings.steps else 0.0
        by_minutes = self.seconds / (60 * settings.minutes) if settings.minutes else 0.0
        return max(by_steps, by_minutes, self._spent_by_clock(settings.ends_at))

    def _spent_by_clock(self, ends_at: float) -> float:
        """The trained seconds as a share of them plus the seconds left until ``ends_at``; 0 without an end."""
        if not ends_at:
            return 0.0
        left = ends_at - time.time()
        return self.seconds / (self.seconds + left) if left > 0 else 1.0

    def must_stop(self, settings: RunSettings) -> bool:
        """Whether the budget or the patience is used up, or the step ``run.stop_at`` is reached."""
        is_there = bool(settings.stop_at and self.step >= settings.stop_at)
        return self.budget_spent(settings) >= 1.0 or self.is_out_of_patience(settings) or is_there

    def is_out_of_patience(self, settings: RunSettings) -> bool:
        """Whether ``run.patience`` validations in a row brought no better figure, so that the run ends."""
        return bool(settings.patience) and self.worse >= settings.patience

    def learning_rate(self, settings: RunSettings) -> float:
        """The learning rate of the next step."""
        spent = self.budget_spent(settings)
        factor = learning_rate_factor(self.step, settings.warmup_steps, spent, settings.final_learning_rate)
        if self.light_start >= 0:
            factor *= min(1.0, (self.step - self.light_start + 1) / LIGHT_WARMUP)
        return settings.learning_rate * factor

    def average_decay(self, settings: RunSettings) -> float:
        """The decay of the averaged weights in this step.

        A young average forgets faster, because it would otherwise hold the random start for hundreds of steps.
        """
        return min(settings.ema, (1 + self.step) / (10 + self.step))

    def is_due(self, every: int) -> bool:
        """Whether something that happens every so many steps happens after this one; 0 means never."""
        return bool(every) and self.step % every == 0
