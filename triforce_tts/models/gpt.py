"""The GPT: a Llama (RMSNorm, rotary positions, SwiGLU) over one vocabulary, with a preallocated cache.

Parameter names and arithmetic are those of ``LlamaForCausalLM`` in ``transformers``, so a checkpoint is a standard
Hugging Face folder; tests compare the two. The network is written out here because decoding needs a cached step of its
own, and because importing ``transformers`` takes longer than speaking a sentence. ``frame_gpt.py`` adds a head to it.
"""

import math
import mmap
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from pydantic import Field, PositiveFloat, model_validator
from torch import nn
from torch.nn import functional as F

from triforce_tts.models.layers import Network, run_block
from triforce_tts.schema import Config, Layers, Width
from triforce_tts.sequences import PAD


class HeadConfig(Config):
    """Sizes of the head that draws the codes of a frame after the first; see ``frame_gpt.FrameHead``."""

    layers: Layers
    hidden: Width  # width inside the SwiGLU


class GPTConfig(Config):
    """Sizes of the GPT; the vocabulary's size comes from the text tokenizer and the DVAE."""

    layers: Layers
    dim: Width
    heads: Layers
    hidden: Width  # width inside the SwiGLU
    max_tokens: Annotated[int, Field(ge=1, le=1 << 20)]  # steps of the longest sequence: tokens, or frames and tokens
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # the dropout of the attention weights, in training only
    # The dropout of the embeddings and of what each half of a layer adds, in training only. It is for few hours of
    # speech.
    residual_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    # With a head, a step holds all codes of a frame; the network is then no plain Llama.
    head: HeadConfig | None = None
    # Whether every softmax of the attention has one more logit of 0 (see Attention); the network is then no plain
    # Llama.
    sink: bool = False
    rope_theta: PositiveFloat = 10000.0
    norm_eps: PositiveFloat = 1e-5

    @model_validator(mode="after")
    def _check(self) -> "GPTConfig":
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim ({self.dim}) must be a multiple of 2 * heads ({2 * self.heads})")
        return self

    def huggingface(self, vocabulary_size: int) -> dict[str, Any]:
        """The ``config.json`` that ``transformers.AutoModelForCausalLM`` reads."""
        # With a sink or a head, the Llama of transformers would load the weights but compute something else. So it must
        # refuse them.
        plain = not self.sink and self.head is None
        return {
            "architectures": ["LlamaForCausalLM" if plain else "TriforceGPT"],
            "model_type": "llama" if plain else "triforce-gpt",
            "vocab_size": vocabulary_size,
            "hidden_size": self.dim,
            "intermediate_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads,
            "max_position_embeddings": self.max_tokens,
            "rope_theta": self.rope_theta,
            "rope_parameters": {"rope_type": "default", "rope_theta": self.rope_theta},
            "rms_norm_eps": self.norm_eps,
            "attention_dropout": self.dropout,
            "hidden_act": "silu",
            "tie_word_embeddings": True,
            "pad_token_id": 0,
            "bos_token_id": None,
            "eos_token_id": 4,
            "torch_dtype": "float32",
        }


class KVCache:
    """Keys and values of every layer for up to ``max_tokens`` positions, allocated once.

    The rows of a batch may differ in length: each row writes at its own positions. A position is seen only from itself
    and from later ones, so what padding left beyond the end of a row is overwritten before it is read.
    """

    def __init__(self, config: GPTConfig, batch: int, max_tokens: int, like: torch.Tensor) -> None:
        shape = (config.layers, batch, config.heads, max_tokens, config.dim // config.heads)
        self.keys, self.values = _zeros(shape, like), _zeros(shape, like)
        # The tokens that were written to each row, with padding; later positions are empty.
        self.used = 0

    @property
    def max_tokens(self) -> int:
        """The number of positions in a row."""
        return self.keys.shape[3]

    def advance(self, tokens: int) -> None:
        """Count ``tokens`` more as used. The count is on the host, so no code must wait for the device."""
        self.used = min(self.used + tokens, self.max_tokens)

    def update(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values [batch, heads, used, head dim] after writing the new ones at ``positions`` [batch, new]."""
        rows = torch.arange(keys.shape[0], device=keys.device)[:, None]
        self.keys[layer][rows, :, positions] = keys.transpose(1, 2)
        self.values[layer][rows, :, positions] = values.transpose(1, 2)
        return self.keys[layer][:, :, : self.used], self.values[layer][:, :, : self.used]


def _zeros(shape: tuple[int, ...], like: torch.Tensor) -> torch.Tensor:
    """Zeros of ``like``'s dtype on its device; on a CPU the system gives a page of memory when it is first written.

    Few rows of a cache reach its end, so most of its pages are never written. PyTorch's zeros write all of them.
    """
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    memory = mmap.mmap(-1, math.prod(shape) * like.element_size(), access=mmap.ACCESS_COPY)
    return torch.frombuffer(memory, dtype=like.dtype).view(shape)


class RMSNorm(nn.Module):
    """x / rms(x) * weight over channels, computed in float32 (Zhang and Sennrich, 2019)."""

    def __init__(self, dim: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape and dtype as ``x`` [..., dim]."""
        return F.rms_norm(x.float(), self.weight.shape, None, self.eps).to(x.dtype) * self.weight


def rotary(positions: torch.Tensor, head_dim: int, theta: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines [batch, 1, tokens, head_dim] of ``positions`` [batch, tokens] (Su et al., 2021)."""
    inverse = theta ** (-torch.arange(0, head_dim, 2, device=positions.device).float() / head_dim)
    angles = positions[:, None, :, None].float() * inverse
    angles = torch.cat((angles, angles), dim=-1)
    return angles.cos(), angles.sin()


def _rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    first, second = x.chunk(2, dim=-1)
    return x * cos + torch.cat((-second, first), dim=-1) * sin


def _causal_attention(query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Causal attention [batch, heads, tokens, head dim] in two batched products.

    This is for training on a CPU: the backward pass of the fused kernel takes 2.5 times as long (docs/decisions.md).
    """
    batch, heads, tokens, dim = query.shape
    query, key, value = (x.reshape(batch * heads, tokens, dim) for x in (query, key, value))
    later = query.new_full((tokens, tokens), float("-inf")).triu(1)
    scores = torch.baddbmm(later, query, key.transpose(1, 2), alpha=dim**-0.5)
    return torch.bmm(scores.softmax(dim=-1), value).reshape(batch, heads, tokens, dim)


class Attention(nn.Module):
    """Causal multi-head attention with rotary positions.

    With a sink the weights of a position are exp(s) / (1 + sum exp(s)), so that a head can attend to nothing. A plain
    softmax forces it to attend to some token, and the network grows outliers for that (Miller, "Attention is off by
    one", 2023; Xiao et al., 2023). The sink is made as one more key of zeros with a value of zeros.
    """

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads, self.dropout, self.sink = config.heads, config.dropout, config.sink
        self.q_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.k_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.v_proj = nn.Linear(config.dim, config.dim, bias=False)
        self.o_proj = nn.Linear(config.dim, config.dim, bias=False)

    def forward(
        self,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        positions: torch.Tensor,
        layer: int,
        cache: KVCache | None,
        probe: dict[int, torch.Tensor] | None,
    ) -> torch.Tensor:
        """[batch, tokens, dim] of ``x`` [batch, tokens, dim]."""
        query, key, value = (
            project(x).unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for project in (self.q_proj, self.k_proj, self.v_proj)
        )
        query, key = _rotate(query, cos, sin).to(value.dtype), _rotate(key, cos, sin).to(value.dtype)
        if probe is not None and layer in probe:
            first = query[:, 0].float() @ key[:, 0].float().transpose(1, 2)
            probe[layer] = first / query.shape[-1] ** 0.5
        dropout = self.dropout if self.training else 0.0
        if cache is None and not self.sink:
            if query.requires_grad and not dropout and query.device.type == "cpu":
                out = _causal_attention(query, key, value)
            else:
                out = F.scaled_dot_product_attention(query, key, value, dropout_p=dropout, is_causal=True)
        else:
            if cache is None:
                mask = torch.ones(key.shape[2], key.shape[2], dtype=torch.bool, device=x.device).tril()
            else:
                key, value = cache.update(layer, key, value, positions)
                mask = torch.arange(cache.used, device=x.device) <= positions[:, None, :, None]
            if self.sink:
                key, value, mask = (
                    F.pad(key, (0, 0, 1, 0)),
                    F.pad(value, (0, 0, 1, 0)),
                    F.pad(mask, (1, 0), value=True),
                )
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, dropout_p=dropout)
        result: torch.Tensor = self.o_proj(out.transpose(1, 2).flatten(-2))
        return result


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)) (Shazeer, 2020)."""

    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(dim, hidden, bias=False)
        self.up_proj = nn.Linear(dim, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, dim, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape as ``x`` [..., dim]."""
        out: torch.Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention, then SwiGLU; the input of each is normalised, and its output is added to that input."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.dim, config.norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.dim, config.norm_eps)
        self.mlp = SwiGLU(config.dim, config.hidden)
        self.dropout = config.residual_dropout

    def forward(
        self,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        positions: torch.Tensor,
        index: int,
        cache: KVCache | None,
        probe: dict[int, torch.Tensor] | None,
    ) -> torch.Tensor:
        """Same shape as ``x`` [batch, tokens, dim]; ``index`` is the number of this layer in cache and probe."""
        attended = self.self_attn(self.input_layernorm(x), cos, sin, positions, index, cache, probe)
        x = x + F.dropout(attended, self.dropout, self.training)
        return x + F.dropout(self.mlp(self.post_attention_layernorm(x)), self.dropout, self.training)


class _Model(nn.Module):
    """The part that Hugging Face calls ``model``. It gives the parameters their standard names."""

    def __init__(self, config: GPTConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary_size, config.dim)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)


class GPT(Network):
    """The GPT: logits of the next token. Input and output share one table of embeddings."""

    width = 1  # ids in a step

    def __init__(self, config: GPTConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config, self.vocabulary_size = config, vocabulary_size
        self.model = _Model(config, vocabulary_size)
        self.apply(initialise)
        # The residual branches start small, so that their sum over all layers keeps unit variance (as in GPT-2).
        for name, parameter in self.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                nn.init.normal_(parameter, std=0.02 / (2 * config.layers) ** 0.5)

    def hidden(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor | None = None,
        cache: KVCache | None = None,
        probe: dict[int, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Normalised last hidden states [batch, steps, dim] of ``ids``, [batch, steps] or [batch, steps, width] int64.

        The input of a step is the sum of the embeddings of its ids; PAD beside other ids adds nothing.
        With a ``cache``, ``positions`` [batch, tokens] say where in its row each token stands. Without one ``ids`` are
        whole sequences, padded at their ends: the network is causal, so padding changes no real position. ``probe``
        receives, for each layer that is a key of it, the attention scores [batch, tokens, tokens] of the first head,
        before mask and softmax.
        """
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape[:2])
        if cache is not None:
            cache.advance(ids.shape[1])
        cos, sin = rotary(positions, self.config.dim // self.config.heads, self.config.rope_theta)
        x = F.dropout(self._embed(ids), self.config.residual_dropout, self.training)
        for index, layer in enumerate(self.model.layers):
            x = run_block(layer, self.recompute, x, cos, sin, positions, index, cache, probe)
        out: torch.Tensor = self.model.norm(x)
        return out

    def _embed(self, ids: torch.Tensor) -> torch.Tensor:
        """The input [batch, steps, dim] of each step."""
        x: torch.Tensor
        if ids.ndim == 2 or ids.shape[2] == 1:
            x = self.model.embed_tokens(ids if ids.ndim == 2 else ids[..., 0])
            return x
        x = self.model.embed_tokens(ids)
        beside = ids[..., 1:] != PAD
        return x[..., 0, :] + (x[..., 1:, :] * beside[..., None]).sum(2)

    def pack(self, ids: Sequence[int]) -> torch.Tensor:
        """The steps of a sequence of ids, [steps, 1] int64: each id is a step."""
        return torch.tensor(ids, dtype=torch.long)[:, None]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits [..., vocabulary] of hidden states [..., dim]: of the next id, the first one of the next step."""
        return F.linear(hidden, self.model.embed_tokens.weight)

    @property
    def recomputed_blocks(self) -> list[nn.Module]:
        """The layers of the Llama; those of a head are small and keep what they computed."""
        return list(self.model.layers)

    @property
    def first_ids(self) -> int:
        """The number of ids, from 0, that hold all that can come first in a step."""
        return self.vocabulary_size

    def first_logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits [..., first_ids] of hidden states [..., dim]: of the first id of the next step."""
        return F.linear(hidden, self.model.embed_tokens.weight[: self.first_ids])

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, probe: dict[int, torch.Tensor] | None = None
    ) -> torch.Tensor:
        """-log P of the ids [batch, steps, width] where ``mask`` of that shape is true, nats, [true places] float32.

        The ids of the first step have no probability, so the mask is false there. Most steps of a training batch are
        only context. The product with the output table is the largest of all, so it is computed only where it is
        needed.
        """
        hidden = self.hidden(ids, probe=probe)
        after = mask[:, 1:]
        chosen = after.any(-1)
        nats = self._nats(hidden[:, :-1][chosen], ids[:, 1:][chosen])
        return nats[after[chosen]]

    def _nats(self, hidden: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        """-log P [n, width] of the steps ``targets`` [n, width] after hidden states [n, dim]."""
        return F.cross_entropy(self.logits(hidden).float(), targets[:, 0], reduction="none")[:, None]


def initialise(module: nn.Module) -> None:
    """Draw the weights of a linear layer or a table of embeddings as GPT-2 does."""
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
