"""Low-rank adapters on the GPT (Hu et al., "LoRA", 2022), through peft: fine-tuning that trains a percent of the weights.

Checkpoints hold the merged weights under their usual names, so no other code needs to know of adapters.
"""

import torch

from triforce_tts.errors import ConfigError
from triforce_tts.models.layers import Network

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
ADAPTER = ".lora_A."  # a part of the name of an adapter's first matrix [rank, width]
_SCALE = 2.0  # alpha / rank: how strongly an adapter counts


def add_adapters(network: Network, rank: int) -> None:
    """Freeze ``network`` and give its projections adapters of ``rank``, which alone are trained.

    Raises:
        ConfigError: peft is not installed, or the network has no such projections.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ModuleNotFoundError as error:
        raise ConfigError("run.lora_rank needs 'peft': pip install 'triforce-tts[lora]'") from error
    config = LoraConfig(r=rank, lora_alpha=round(_SCALE * rank), target_modules=list(TARGETS))
    try:
        inject_adapter_in_model(config, network)
    except ValueError as error:
        raise ConfigError(
            f"run.lora_rank is for stage 2: {type(network).__name__} has no {', '.join(TARGETS)}"
        ) from error


def merge(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """The merged weights of a state dict with adapters, under their usual names."""
    merged: dict[str, torch.Tensor] = {}
    for name, value in state.items():
        if ".lora_" in name:
            continue
        if ".base_layer." in name:
            stem = name.partition(".base_layer.")[0]
            down, up = state[f"{stem}.lora_A.default.weight"], state[f"{stem}.lora_B.default.weight"]
            value = value + _SCALE * (up @ down)
        merged[name.replace(".base_layer.", ".")] = value
    return merged
