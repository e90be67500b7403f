"""Weights, gradients and optimiser split over the processes (FSDP2), for networks that do not fit into one device.

Each block of a network is gathered when it is needed and let go after (Zhao et al., "PyTorch FSDP", 2023). torch's
``fully_shard`` is called here and not through accelerate, whose plug-in leaves processes on CPUs unsharded without a
word: so what the tests hold on CPUs is what runs on GPUs.
"""

import torch
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor

from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import Network

from .settings import RunSettings


def require_shardable(network: Network, settings: RunSettings, processes: int) -> None:
    """Refuse networks and settings that ``run.shard`` cannot split.

    Raises:
        ConfigError: there is only one process, or a setting or the network does not allow sharding.
    """
    if processes == 1:
        raise ConfigError("run.shard splits the weights over processes, and there is one: set run.shard=false")
    for name, value in (("compile", settings.compile), ("lora_rank", settings.lora_rank)):
        if value:
            raise ConfigError(f"run.shard does not go with run.{name}: set one of them to its default")
    if settings.precision == "fp16":
        raise ConfigError("run.shard does not go with run.precision=fp16: use bf16 or fp32")
    learnt = sorted(network.state_dict().keys() - {name for name, _ in network.named_parameters()})
    if learnt:
        raise ConfigError(
            f"run.shard splits parameters, but {type(network).__name__} learns '{learnt[0]}' outside of gradients, which "
            "would differ from process to process: set run.shard=false"
        )


def shard(module: nn.Module, device: torch.device, processes: int) -> None:
    """Split the parameters of ``module``, which lies on ``device``, in place.

    Each element of a list is a unit, with the lists inside it: the head of a GPT by frames has such.
    """
    mesh = init_device_mesh(device.type, (processes,))
    blocks = [block for part in module.modules() if isinstance(part, nn.ModuleList) for block in part]
    inner = {id(part) for block in blocks for part in block.modules() if part is not block}
    units = [block for block in blocks if id(block) not in inner]
    for unit in units:
        fully_shard(unit, mesh=mesh)
    fully_shard(module, mesh=mesh)
    for unit in (*units, module):
        if device.type == "cpu" and isinstance(unit, FSDPModule):
            unit.set_force_sum_reduction_for_comms(True)  # gloo cannot compute a mean, so it sums


def local(tensor: torch.Tensor) -> torch.Tensor:
    """This process's part of ``tensor``, in the same memory; the whole tensor if it is not split."""
    return tensor.to_local() if isinstance(tensor, DTensor) else tensor


def whole(tensor: torch.Tensor) -> torch.Tensor:
    """The whole of ``tensor``; if it is split, all processes must call this together."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def split_like(tensor: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    """``tensor``, equal in all processes, on the device of ``like``, and split like it if their shapes agree."""
    tensor = tensor.to(like.device)
    if not isinstance(like, DTensor) or like.shape != tensor.shape:
        return tensor
    return distribute_tensor(tensor, like.device_mesh, like.placements, src_data_rank=None)
