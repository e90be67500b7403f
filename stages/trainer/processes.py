"""Communication between the processes of one training."""

from collections.abc import Mapping
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast_object_list

from .sharding import whole
from .state import random_state


def from_main(accelerator: Accelerator, value: Any) -> Any:
    """The main process's ``value``, in all processes."""
    if accelerator.num_processes == 1:
        return value
    box = [value]
    broadcast_object_list(box)
    return box[0]


def total(accelerator: Accelerator, value: float) -> float:
    """The sum of ``value`` over all processes, in all processes."""
    if accelerator.num_processes == 1:
        return value
    own = torch.tensor(value, device=accelerator.device, dtype=torch.float64)
    return float(accelerator.reduce(own, "sum").item())


def gathered(accelerator: Accelerator, tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The whole ``tensors``, whose parts lie in the processes, on the CPU of the main process; nothing in the others.

    Every process walks through all tensors, because gathering one takes all processes.
    """
    parts = ((name, whole(tensor.detach())) for name, tensor in tensors.items())
    return {name: tensor.cpu().contiguous() for name, tensor in parts if accelerator.is_main_process}


def random_states(accelerator: Accelerator) -> list[dict[str, torch.Tensor]]:
    """The state of the random generators of every process, in all processes."""
    own = random_state()
    if accelerator.num_processes == 1:
        return [own]
    states = {name: accelerator.gather(value.to(accelerator.device)[None]).cpu() for name, value in own.items()}
    return [{name: value[rank].clone() for name, value in states.items()} for rank in range(accelerator.num_processes)]
