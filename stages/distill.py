"""After stage 3: teach its network to reach in one or two steps what now takes it many.

Progressive distillation (Salimans and Ho, 2022) for straight paths. Flow time is cut into as many segments as the
student may take steps. From the start of a segment the teacher walks to its end in many steps, and the student
learns the one prediction whose single step ends at the same place.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field, model_validator
from torch import nn

from triforce_tts import checkpoint
from triforce_tts.errors import CheckpointError
from triforce_tts.models.diffusion import Diffusion
from triforce_tts.models.dvae import DVAE
from triforce_tts.models.load import load_diffusion, load_dvae
from triforce_tts.shards import ShardSet

from .diffusion import DiffusionTask, make_conditions
from .trainer.task import Losses, mean
from .upsampling import UpsamplerSettings, Upsampling, lengths_of

NAME = "distill"


FlowSteps = Annotated[int, Field(ge=1, le=1000)]


class DistillSettings(UpsamplerSettings):
    """The whole of ``configs/distill/*.yaml``; sizes are the teacher's."""

    teacher_steps: FlowSteps = 16  # the teacher's steps for the whole flow; each segment gets its share of them
    student_steps: FlowSteps = 2

    @model_validator(mode="after")
    def _check(self) -> "DistillSettings":
        if self.teacher_steps % self.student_steps:
            raise ValueError(
                f"teacher_steps ({self.teacher_steps}) must be a multiple of student_steps ({self.student_steps})"
            )
        return self


class DistillLosses(Losses):
    """The student with its loss; teacher and DVAE are frozen."""

    network: Diffusion

    def __init__(self, student: Diffusion, teacher: Diffusion, dvae: DVAE, settings: DistillSettings) -> None:
        super().__init__()
        self.network, self.settings = student, settings
        self._teacher, self._dvae = [teacher.requires_grad_(False).eval()], [dvae.requires_grad_(False).eval()]

    def forward(self, batch: Upsampling) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Squared error at the end of the segment, mean over bins, summed over real frames."""
        conditions = make_conditions(batch, self.network, self._dvae[0])
        teacher = self._teacher[0].to(conditions.clean.device)
        segments = self.settings.student_steps
        start = (batch.times * segments).floor().clamp_max(segments - 1) / segments  # [batch]
        t = start[:, None, None]
        x = (1 - t) * conditions.noise + t * conditions.clean
        with torch.no_grad():
            voice = teacher.reference(conditions.reference, conditions.reference_lengths)

            def predict(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
                clean: torch.Tensor = teacher(x, t, conditions.decode, voice, conditions.lengths)
                return clean

            end = walk(predict, x, start, 1 / segments, self.settings.teacher_steps // segments)
        speaker = self.network.reference(conditions.reference, conditions.reference_lengths)
        predicted = self.network(x, start, conditions.decode, speaker, conditions.lengths)
        share = (1 / segments) / (1 - t)  # the share of the way from x to the prediction that one step goes
        arrived = x + (predicted.float() - x) * share
        return self.network.target.error(arrived, end, conditions.decode, conditions.lengths).sum(), {}


def walk(predict: Any, x: torch.Tensor, start: torch.Tensor, width: float, steps: int) -> torch.Tensor:
    """Euler steps from time ``start`` [batch] to ``start + width``, each row from its own time."""
    dt = width / steps
    for number in range(steps):
        now = start + number * dt
        # At the end of the flow the share is one except for rounding, and the result is the prediction itself.
        share = (dt / (1 - now)).clamp_max(1.0)[:, None, None]
        x = x + (predict(x, now) - x) * share
    return x


class DistillTask(DiffusionTask):
    """Distillation for the loop; its checkpoints are stage 3's."""

    errors = ("error_1_step", "error_4_step", "distance_to_teacher")

    def __init__(
        self,
        settings: DistillSettings,
        teacher: Diffusion,
        teacher_id: str,
        train: ShardSet,
        heldout: ShardSet,
        dvae: DVAE,
        dvae_id: str,
    ) -> None:
        student = Diffusion(teacher.config, teacher.audio)
        student.load_state_dict(teacher.state_dict())
        losses = DistillLosses(student, teacher, dvae, settings)
        super().__init__(student, losses, settings, train, heldout, dvae, dvae_id)
        self.distill, self.teacher, self.teacher_id = settings, teacher, teacher_id

    @torch.no_grad()
    def validate(self, network: nn.Module, device: torch.device, samples: int) -> dict[str, float]:
        """Stage 3's figures, and the squared distance between student and teacher from the same noise."""
        figures = super().validate(network, device, samples)
        total, frames = 0.0, 0
        teacher = self.teacher.to(device)
        for index in range(min(samples, len(self.heldout))):
            clip = self._heldout_clip(index, device)
            arrived = self._sampled(network, clip, self.distill.student_steps, index)
            end = self._sampled(teacher, clip, self.distill.teacher_steps, index)
            apart = teacher.target.error(arrived, end, clip.decoded, lengths_of(clip)).sum()
            total, frames = total + float(apart), frames + clip.magnitude.shape[1]
        return {**figures, "distance_to_teacher": mean(total, frames)}

    def lineage(self) -> dict[str, Any]:
        """What this network was trained with."""
        return {**super().lineage(), "teacher": self.teacher_id}


def build(settings: DistillSettings, data: Sequence[Path], dvae: Path, teacher: Path) -> DistillTask:
    """The task on the shards in ``data``, for the stage 3 checkpoint ``teacher`` and its DVAE.

    Raises:
        CheckpointError: the teacher was trained with another DVAE, or is no flow.
    """
    codec, audio = load_dvae(dvae)
    dvae_id = checkpoint.read_lineage(dvae)["id"]
    lineage = checkpoint.read_lineage(teacher)
    checkpoint.require_same("DVAE", str(teacher), lineage.get("dvae"), str(dvae), dvae_id)
    train, heldout = settings.data.open(data, "audio")
    trained = load_diffusion(teacher, audio)
    if not isinstance(trained, Diffusion):
        raise CheckpointError(
            f"{teacher}: its target '{trained.config.target}' predicts in one step already; only a flow ('magnitude' or 'complex') "
            "can be distilled"
        )
    return DistillTask(settings, trained, lineage["id"], train, heldout, codec, dvae_id)
