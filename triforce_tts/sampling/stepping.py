"""One step of drawing: the state after the ids of the step before, its logits, and the other codes of a frame.

``EagerStep`` asks the modules of the network, on any device. ``NativeStep`` computes the same on a CPU with the
operators of ``csrc/decode.cpp``, several times as fast.
"""

import weakref
from dataclasses import dataclass
from typing import Protocol

import torch
from torch.nn import functional as F

from triforce_tts import native
from triforce_tts.models.frame_gpt import FrameGPT
from triforce_tts.models.gpt import GPT, KVCache, rotary
from triforce_tts.sampling.nucleus import TokenSampling, pick
from triforce_tts.sequences import PAD


class Step(Protocol):
    """What the loop asks in each step."""

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """The state [batch, dim] after the step ``ids`` [batch, width], which stands at ``positions`` [batch]."""

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n] of the first ``n`` ids: those that can come first in a step are among them."""

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """The steps [batch, width] that begin with the ids ``first`` [batch]: a frame gets its other codes.

        ``uniforms`` [batch, width - 1] are a number for each of them.
        """


class EagerStep:
    """A step by the modules of the network."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache = model, cache

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """See ``Step``."""
        return self.model.hidden(ids[:, None], positions[:, None], self.cache)[:, 0]

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """See ``Step``."""
        return self.model.first_logits(state)

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """See ``Step``."""
        model = self.model
        if not isinstance(model, FrameGPT):
            return first[:, None]
        start, end = model.vocabulary.group_range(0)
        is_frame = ((first >= start) & (first < end))[:, None]
        ids = first[:, None]
        if first.device.type == "cpu" and not bool(is_frame.any()):  # a CPU has it already: asking costs nothing
            return F.pad(ids, (0, model.width - 1), value=PAD)
        for group in range(1, model.width):
            code = pick(model.code_logits(state, ids), uniforms[:, group - 1], sampling)
            ids = torch.cat((ids, code[:, None] + model.vocabulary.group_range(group)[0]), 1)
        return torch.cat((ids[:, :1], torch.where(is_frame, ids[:, 1:], PAD)), 1)


@dataclass(frozen=True, eq=False)
class _Packed:
    """The weights of a network as the native operators take them."""

    version: int  # of the parameters
    table: torch.Tensor
    layers: list[torch.Tensor]
    norm: torch.Tensor
    head: list[torch.Tensor]
    cos: torch.Tensor  # cos and sin of all positions, [max_tokens, head dim]
    sin: torch.Tensor


_packed: "weakref.WeakKeyDictionary[GPT, _Packed]" = weakref.WeakKeyDictionary()


class NativeStep:
    """A step by native operators, for a network on the CPU in eval mode and float32."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache, self.weights = model, cache, _pack(model)
        self.eps = model.config.norm_eps

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """See ``Step``."""
        cache, weights = self.cache, self.weights
        state: torch.Tensor = torch.ops.triforce_tts.llama_step(
            ids.contiguous(), positions.contiguous(), cache.keys, cache.values, weights.table, weights.layers,
            weights.norm, weights.cos, weights.sin, PAD, self.model.config.sink, self.eps,
        )  # fmt: skip
        return state

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """See ``Step``."""
        rows = self.weights.table[: self.model.first_ids]
        logits: torch.Tensor = torch.ops.triforce_tts.table_logits(state, rows)
        return logits

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """See ``Step``."""
        if not isinstance(self.model, FrameGPT):
            return first[:, None]
        vocabulary = self.model.vocabulary
        ids: torch.Tensor = torch.ops.triforce_tts.frame_codes(
            state, first, uniforms, self.weights.table, self.weights.head, vocabulary.code_offset,
            vocabulary.config.n_codes, PAD, sampling.temperature, sampling.top_p, self.eps,
        )  # fmt: skip
        return ids


def make_step(model: GPT, cache: KVCache) -> Step:
    """The fastest step there is for a network, which goes on after what ``cache`` holds."""
    suits = model.device.type == "cpu" and model.dtype == torch.float32 and not model.training
    return NativeStep(model, cache) if suits and native.available() else EagerStep(model, cache)


def _pack(model: GPT) -> _Packed:
    """The weights of ``model``, packed once for as long as they do not change."""
    version = sum(parameter._version for parameter in model.parameters())
    packed = _packed.get(model)
    if packed is None or packed.version != version:
        packed = _packed[model] = _packed_now(model, version)
    return packed


@torch.no_grad()
def _packed_now(model: GPT, version: int) -> _Packed:
    layers: list[torch.Tensor] = []
    for layer in model.model.layers:
        attention, mlp = layer.self_attn, layer.mlp
        qkv = torch.cat((attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight))
        layers += [layer.input_layernorm.weight, _small(qkv), _small(attention.o_proj.weight)]
        layers += [layer.post_attention_layernorm.weight, *_swiglu(mlp)]
    head: list[torch.Tensor] = []
    for code in model.head if isinstance(model, FrameGPT) else ():
        head += [_small(code.state_proj.weight), code.code_norm.weight, _small(code.code_proj.weight)]
        for norm, mlp in zip(code.norms, code.layers, strict=True):
            head += [norm.weight, *_swiglu(mlp)]
        head.append(code.norm.weight)
    config = model.config
    cos, sin = rotary(torch.arange(config.max_tokens)[None], config.dim // config.heads, config.rope_theta)
    return _Packed(
        version, _small(model.model.embed_tokens.weight), [weight.detach() for weight in layers],
        model.model.norm.weight.detach(), [weight.detach() for weight in head], cos[0, 0].contiguous(),
        sin[0, 0].contiguous(),
    )  # fmt: skip


def _swiglu(mlp: torch.nn.Module) -> list[torch.Tensor]:
    both = torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight))
    return [_small(both), _small(mlp.down_proj.weight)]


def _small(weight: torch.Tensor) -> torch.Tensor:
    """``weight`` in float16 where that holds every number of it exactly, else as it is."""
    half = weight.detach().half()
    return half.contiguous() if torch.equal(half.float(), weight) else weight.detach().contiguous()
