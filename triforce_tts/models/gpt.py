"""The GPT: a Llama (RMSNorm, rotary positions, SwiGLU) over one vocabulary, with a preallocated cache.

Parameter names and arithmetic are those of ``transformers``' ``LlamaForCausalLM``, so a checkpoint is a standard
Hugging Face folder; the tests hold the two equal. Written out here because decoding needs its own cached step and
because importing ``transformers`` takes longer than speaking a sentence.
"""

from typing import Annotated, Any

import torch
from pydantic import Field, PositiveFloat, model_validator
from torch import nn
from torch.nn import functional as F

from triforce_tts.models.layers import Network, run_block
from triforce_tts.schema import Config, Layers, Width


class GPTConfig(Config):
    """Sizes of the GPT; the vocabulary's size comes from the text tokenizer and the DVAE."""

    layers: Layers
    dim: Width
    heads: Layers
    hidden: Width  # width of the SwiGLU
    max_tokens: Annotated[int, Field(ge=1, le=1 << 20)]  # longest sequence
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0  # of attention weights, in training
    sink: bool = False  # attention may go nowhere: softmax with one more logit of 0; no longer a plain Llama
    rope_theta: PositiveFloat = 10000.0
    norm_eps: PositiveFloat = 1e-5

    @model_validator(mode="after")
    def _check(self) -> "GPTConfig":
        if self.dim % (2 * self.heads):
            raise ValueError(f"dim ({self.dim}) must be a multiple of 2 * heads ({2 * self.heads})")
        return self

    def huggingface(self, vocabulary_size: int) -> dict[str, Any]:
        """The ``config.json`` that ``transformers.AutoModelForCausalLM`` reads."""
        return {
            # With a sink transformers' Llama would load the weights and compute something else: it shall refuse.
            "architectures": ["TriforceGPT" if self.sink else "LlamaForCausalLM"],
            "model_type": "triforce-gpt" if self.sink else "llama",
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

    A row of the batch may be shorter than another: each row writes at its own positions, and a position is seen
    only from positions at or after it, so what lies beyond a row's end is never read before it is overwritten.
    """

    def __init__(self, config: GPTConfig, batch: int, max_tokens: int, like: torch.Tensor) -> None:
        shape = (config.layers, batch, config.heads, max_tokens, config.dim // config.heads)
        self.keys, self.values = like.new_zeros(shape), like.new_zeros(shape)
        self.used = 0  # tokens written to every row, padding included: no position beyond them is filled

    @property
    def max_tokens(self) -> int:
        """Positions of a row."""
        return self.keys.shape[3]

    def advance(self, tokens: int) -> None:
        """Make room for ``tokens`` more. The count stays on the host, so that nobody waits for the device."""
        self.used = min(self.used + tokens, self.max_tokens)

    def update(
        self, layer: int, keys: torch.Tensor, values: torch.Tensor, positions: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """All keys and values [batch, heads, used, head dim] with the new ones written at ``positions`` [batch, new]."""
        rows = torch.arange(keys.shape[0], device=keys.device)[:, None]
        self.keys[layer][rows, :, positions] = keys.transpose(1, 2)
        self.values[layer][rows, :, positions] = values.transpose(1, 2)
        return self.keys[layer][:, :, : self.used], self.values[layer][:, :, : self.used]


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
    """Causal attention [batch, heads, tokens, head dim] in three batched products.

    For training on a CPU, where the fused kernel's backward pass takes two and a half times as long (docs/decisions.md).
    """
    batch, heads, tokens, dim = query.shape
    query, key, value = (x.reshape(batch * heads, tokens, dim) for x in (query, key, value))
    later = query.new_full((tokens, tokens), float("-inf")).triu(1)
    scores = torch.baddbmm(later, query, key.transpose(1, 2), alpha=dim**-0.5)
    return torch.bmm(scores.softmax(dim=-1), value).reshape(batch, heads, tokens, dim)


class Attention(nn.Module):
    """Causal multi-head attention with rotary positions.

    With a sink the weights of a position are exp(s) / (1 + sum exp(s)): a head that has nothing to say can look
    nowhere, where a plain softmax makes it park its weight on some token and grow outliers for that (Miller,
    "Attention is off by one", 2023; Xiao et al., 2023). It is a key of zeros with a value of zeros.
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
                seen = torch.ones(key.shape[2], key.shape[2], dtype=torch.bool, device=x.device).tril()
            else:
                key, value = cache.update(layer, key, value, positions)
                seen = torch.arange(cache.used, device=x.device) <= positions[:, None, :, None]
            if self.sink:
                key, value, seen = (
                    F.pad(key, (0, 0, 1, 0)),
                    F.pad(value, (0, 0, 1, 0)),
                    F.pad(seen, (1, 0), value=True),
                )
            out = F.scaled_dot_product_attention(query, key, value, attn_mask=seen, dropout_p=dropout)
        result: torch.Tensor = self.o_proj(out.transpose(1, 2).flatten(-2))
        return result


class SwiGLU(nn.Module):
    """down(silu(gate(x)) * up(x)) (Shazeer, 2020)."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.gate_proj = nn.Linear(config.dim, config.hidden, bias=False)
        self.up_proj = nn.Linear(config.dim, config.hidden, bias=False)
        self.down_proj = nn.Linear(config.hidden, config.dim, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Same shape as ``x`` [..., dim]."""
        out: torch.Tensor = self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))
        return out


class Layer(nn.Module):
    """Attention and SwiGLU, each normalised before and added after."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.input_layernorm = RMSNorm(config.dim, config.norm_eps)
        self.self_attn = Attention(config)
        self.post_attention_layernorm = RMSNorm(config.dim, config.norm_eps)
        self.mlp = SwiGLU(config)

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
        """Same shape as ``x`` [batch, tokens, dim]; ``index`` is the layer's place in cache and probe."""
        x = x + self.self_attn(self.input_layernorm(x), cos, sin, positions, index, cache, probe)
        out: torch.Tensor = x + self.mlp(self.post_attention_layernorm(x))
        return out


class _Model(nn.Module):
    """The part that Hugging Face calls ``model``: it gives the parameters their standard names."""

    def __init__(self, config: GPTConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary_size, config.dim)
        self.layers = nn.ModuleList(Layer(config) for _ in range(config.layers))
        self.norm = RMSNorm(config.dim, config.norm_eps)


class GPT(Network):
    """Next-token logits; the output table is the input table."""

    def __init__(self, config: GPTConfig, vocabulary_size: int) -> None:
        super().__init__()
        self.config, self.vocabulary_size = config, vocabulary_size
        self.model = _Model(config, vocabulary_size)
        self.apply(_initialise)
        # Residual branches start small, so that the sum over the depth keeps unit variance (GPT-2).
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
        """Normalised last hidden states [batch, tokens, dim] of ``ids`` [batch, tokens] int64.

        With a ``cache``, ``positions`` [batch, tokens] say where in its row each token stands. Without one the
        whole sequences are given, padded at their ends: causality alone keeps padding out of real positions.
        ``probe`` receives, for each layer that it names, the attention scores [batch, tokens, tokens] of the first
        head, before masking and softmax.
        """
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device).expand_as(ids)
        if cache is not None:
            cache.advance(ids.shape[1])
        cos, sin = rotary(positions, self.config.dim // self.config.heads, self.config.rope_theta)
        x = self.model.embed_tokens(ids)
        for index, layer in enumerate(self.model.layers):
            x = run_block(layer, self.recompute, x, cos, sin, positions, index, cache, probe)
        out: torch.Tensor = self.model.norm(x)
        return out

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """Logits [..., vocabulary] of hidden states [..., dim]."""
        return F.linear(hidden, self.model.embed_tokens.weight)

    def forward(
        self,
        ids: torch.Tensor,
        chosen: torch.Tensor | None = None,
        probe: dict[int, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Logits [batch, tokens, vocabulary], or [chosen, vocabulary] at the positions where ``chosen`` is true.

        Most positions of a training batch are context; the output table is the widest product, so it is taken only
        where a loss needs it.
        """
        hidden = self.hidden(ids, probe=probe)
        return self.logits(hidden if chosen is None else hidden[chosen])


def _initialise(module: nn.Module) -> None:
    if isinstance(module, (nn.Linear, nn.Embedding)):
        nn.init.normal_(module.weight, std=0.02)
