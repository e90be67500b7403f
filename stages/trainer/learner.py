"""A network that learns: its loss, its devices, its optimiser, and the running average of its weights."""

import contextlib
import copy
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Generic

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState

from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import Network

from .optim import make_optimizer, state_names
from .processes import gathered
from .settings import RunSettings
from .sharding import local, require_shardable, shard, whole
from .state import Parameters
from .task import BatchT, Losses

ONEDNN_KERNELS = 64  # oneDNN keeps so many kernels; a step needs a few dozen


def computes_bfloat16(device: torch.device) -> bool:
    """Whether ``device`` has instructions for bfloat16; a CPU without them is hundreds of times slower than in float32."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type == "cpu":
        return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())
    return False


def make_accelerator(settings: RunSettings) -> Accelerator:
    """accelerate's handle on devices, processes and precision.

    Raises:
        ConfigError: the precision is not possible here, or the batch cannot be divided among the processes.
    """
    if settings.threads:
        torch.set_num_threads(settings.threads)
    # oneDNN by default keeps up to 1024 compiled kernels with their memory, a set for each shape that any batch had.
    os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", str(ONEDNN_KERNELS))
    precision = "no" if settings.precision == "fp32" else settings.precision
    if AcceleratorState._shared_state and AcceleratorState().mixed_precision != precision:
        AcceleratorState._reset_state()  # accelerate would keep the precision of an earlier training of this process
    accelerator = Accelerator(mixed_precision=precision)
    if settings.precision == "fp16" and accelerator.scaler is None:
        raise ConfigError(
            f"run.precision=fp16 needs a GPU, and training is on '{accelerator.device}': set fp32 or bf16"
        )
    if settings.batch_size % accelerator.num_processes:
        raise ConfigError(
            f"run.batch_size ({settings.batch_size}) must be a multiple of the {accelerator.num_processes} processes"
        )
    return accelerator


class Learner(Generic[BatchT]):
    """A network that learns: one update of its weights at a time, in all processes together."""

    def __init__(self, losses: Losses, settings: RunSettings, accelerator: Accelerator) -> None:
        self.settings, self.accelerator = settings, accelerator
        network, processes = losses.network, accelerator.num_processes
        network.recompute = settings.recompute
        if settings.compile:
            # This analysis is not meant for shapes that vary, and on a GPU torch 2.11 stops at its assertion with them.
            network.compile(dynamic=True, options={"triton.coalesce_tiling_analysis": False})
        # If a network is sharded, it runs only in all processes together. So the main process keeps a whole copy to
        # validate with.
        self._copy: Network | None = None
        if settings.shard:
            require_shardable(network, settings, processes)
            self._copy = copy.deepcopy(network) if accelerator.is_main_process else None
            shard(losses.to(accelerator.device), accelerator.device, processes)
        optimizer = make_optimizer(losses, settings)
        # A sharded module already gets accelerate's precision but not its DistributedDataParallel.
        self.module = accelerator.prepare_model(losses, evaluation_mode=settings.shard)
        self.optimizer = accelerator.prepare(optimizer)
        self.losses: Losses = accelerator.unwrap_model(self.module)
        self.network = self.losses.network
        self.average: dict[str, torch.Tensor] = {}  # the averaged weights by name; empty if no average is kept

    def start_average(self) -> None:
        """Start the average with the current weights."""
        self.average = {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def backward(self, parts: Sequence[BatchT], weight: float) -> dict[str, torch.Tensor]:
        """Compute the gradients of the mean loss over a batch in ``parts``; all processes sum ``weight`` terms.

        Returns:
            The sums of this process: the loss, and what the stage logs.
        """
        sums: dict[str, torch.Tensor] = {}
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            # (A sharded network sums up each part at once, because it has no room for whole gradients.)
            with contextlib.nullcontext() if last else self.accelerator.no_sync(self.module):
                loss, logged = self.module(part)
                # DDP takes the mean of gradients over processes. The true loss is the sum over all processes, divided
                # by the sum of all weights.
                self.accelerator.backward(loss * (self.accelerator.num_processes / weight))
            for name, value in {"loss": loss.detach(), **logged}.items():
                sums[name] = sums.get(name, torch.zeros((), device=loss.device)) + value.float()
        return sums

    def clip(self) -> float:
        """Scale the gradient down to ``clip_norm``; returns its norm before that."""
        return float(whole(self.accelerator.clip_grad_norm_(self.module.parameters(), self.settings.clip_norm)))

    def update(self, learning_rate: float) -> None:
        """Move the weights along the gradient."""
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.optimizer.step()

    @property
    def loss_scale(self) -> float:
        """The factor on losses, and so on gradients until they are clipped: 1 unless training is in fp16."""
        scaler = self.accelerator.scaler
        return 1.0 if scaler is None else float(scaler.get_scale())

    def overflowed(self) -> bool:
        """Whether a gradient is not finite only because it was scaled up too far for fp16; lowers the scale anyway.

        A scale of 1 or less enlarges nothing: then the gradient itself is at fault.
        """
        if self.accelerator.scaler is None:
            return False
        before = self.loss_scale
        # Without gradients, the step updates the scale but moves no weight.
        self.optimizer.zero_grad(set_to_none=True)
        self.optimizer.step()
        return before > 1.0 and self.loss_scale < before

    @torch.no_grad()
    def follow(self, decay: float) -> None:
        """Move the average towards the weights and forget the gradient."""
        self.optimizer.zero_grad(set_to_none=True)
        if self.average:
            state = self.network.state_dict()
            averaged = [name for name, value in self.average.items() if value.is_floating_point()]
            averages, values = ([local(tensors[n]) for n in averaged] for tensors in (self.average, state))
            torch._foreach_lerp_(averages, values, 1 - decay)
            for name in self.average.keys() - set(averaged):  # Integers, such as counts, have no average.
                self.average[name].copy_(state[name])

    def show(self, look: Callable[[Network], None]) -> None:
        """Call ``look`` in the main process on the network in eval mode with averaged weights; all processes join."""
        gathered_weights = {}
        if self.settings.shard:
            gathered_weights = gathered(self.accelerator, self.average or self.network.state_dict())
        if self._copy is not None:
            self._copy.load_state_dict(gathered_weights)
            look(self._copy.to(self.accelerator.device).eval())
            self._copy.to("cpu")
        elif self.accelerator.is_main_process:
            with self._averaged():
                self.network.eval()
                look(self.network)
                self.network.train()
        self.accelerator.wait_for_everyone()

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """The network holds its averaged weights inside the block."""
        if not self.average:
            yield
            return
        raw = {name: value.detach().clone() for name, value in self.network.state_dict().items()}
        self.network.load_state_dict(self.average)
        try:
            yield
        finally:
            self.network.load_state_dict(raw)

    def parameters(self) -> Parameters:
        """The name and shape of the optimiser's parameters in its order, and the tensors that it keeps of each."""
        names = {id(parameter): name for name, parameter in self.losses.named_parameters()}
        return [
            (names[id(parameter)], state_names(self.settings.optimizer, group), parameter.shape)
            for group in self.optimizer.param_groups
            for parameter in group["params"]
        ]

    def optimizer_tensors(self) -> dict[str, torch.Tensor]:
        """The optimiser's tensors, by "parameter/name", in the same order in all processes, which gather them."""
        state = self.optimizer.state_dict()["state"]
        return {
            f"{name}/{key}": torch.as_tensor(value)
            for index, (name, _, _) in enumerate(self.parameters())
            for key, value in sorted(state.get(index, {}).items())
        }
