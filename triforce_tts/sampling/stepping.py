"""One step of drawing: the state after the ids of the previous step, its logits, and the other codes of a frame.

``EagerStepper`` asks the modules of the network, on any device. ``GraphStepper`` records what they start on a GPU and
repeats it (CUDA graphs). ``NativeStepper`` computes the same on a CPU with the operators of ``csrc/decode.cpp``. Both are
several times as fast.
"""

import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, cast

import torch
from torch.nn import functional as F

from triforce_tts import native
from triforce_tts.models.frame_gpt import CodeHead, FrameGPT
from triforce_tts.models.gpt import GPT, KVCache, Layer, RMSNorm, SwiGLU, rotary
from triforce_tts.sampling.nucleus import TokenSampling, guided, pick
from triforce_tts.sequences import END, PAD

# The rows of a band of ``csrc/decode.cpp``, and the number of which its columns are a multiple.
_ROWS, _PARTS = 16, 2
_recording = threading.Lock()
_WARM_UPS = 2  # The first calls of a computation choose its kernels and their memory, which cannot be recorded.


class Stepper(Protocol):
    """The functions that the loop calls in each step."""

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """The state [batch, dim] after the step ``ids`` [batch, width], which stands at ``positions`` [batch].

        A row whose step is <end> may have any state: it has ended.
        """

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """Logits [batch, n] of the first ``n`` ids: those that can come first in a step are among them."""

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """The steps [batch, width] that begin with the ids ``first`` [batch]: a frame gets its other codes.

        ``uniforms`` [batch, width - 1] holds a number for each of these codes. With guidance, ``state`` [2 batch, dim]
        also holds the unconditional rows (``guidance.py``).
        """


class EagerStepper:
    """Makes a step with the modules of the network."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache = model, cache

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        return self.model.hidden(ids[:, None], positions[:, None], self.cache)[:, 0]

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        return self.model.first_logits(state)

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """See ``Stepper``."""
        model = self.model
        if not isinstance(model, FrameGPT):
            return first[:, None]
        start, end = model.vocabulary.group_range(0)
        is_frame = ((first >= start) & (first < end))[:, None]
        ids = first[:, None]
        # The answer is already on a CPU, so asking costs nothing there.
        if first.device.type == "cpu" and not bool(is_frame.any()):
            return F.pad(ids, (0, model.width - 1), value=PAD)
        for group in range(1, model.width):
            logits = model.code_logits(state, ids.repeat(len(state) // len(ids), 1)).float()
            if sampling.guidance != 1.0:
                given, without = logits.chunk(2)
                logits = guided(given, without, sampling.guidance)
            code = pick(logits, uniforms[:, group - 1], sampling)
            ids = torch.cat((ids, code[:, None] + model.vocabulary.group_range(group)[0]), 1)
        return torch.cat((ids[:, :1], torch.where(is_frame, ids[:, 1:], PAD)), 1)


class Recorded:
    """A computation on a GPU that is recorded at its first call, and from then on started whole.

    To start some hundred small kernels takes the host longer than the GPU needs to run them. All calls have inputs of the same
    shapes. The next call overwrites the answer of this one.
    """

    def __init__(self, compute: Callable[..., torch.Tensor]) -> None:
        self.compute = compute
        self.inputs: tuple[torch.Tensor, ...] = ()
        self.answer = torch.zeros(0)
        self.replay: Callable[[], None] | None = None

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        """The answer to ``inputs``."""
        if self.replay is None:
            self.inputs = tuple(given.clone() for given in inputs)
            self.answer, self.replay = record(self.compute, self.inputs)
        for own, given in zip(self.inputs, inputs, strict=True):
            own.copy_(given)
        self.replay()
        return self.answer


def record(
    compute: Callable[..., torch.Tensor], inputs: tuple[torch.Tensor, ...]
) -> tuple[torch.Tensor, Callable[[], None]]:
    """The place of the answer of ``compute(*inputs)``, and a function that computes it anew from what ``inputs`` hold then."""
    device = inputs[0].device
    # A process records one graph at a time. Other threads may use the GPU meanwhile, but must not wait for all of it.
    with _recording, torch.cuda.device(device):
        stream = _stream_of(device)
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UPS):
                compute(*inputs)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
            answer = compute(*inputs)
    return answer, graph.replay


@lru_cache(maxsize=64)
def _stream_of(device: torch.device) -> torch.cuda.Stream:
    """The stream on which steps are recorded: one for each device, because each keeps memory for the products of matrices."""
    return torch.cuda.Stream(device)  # type: ignore[no-untyped-call]


class GraphStepper:
    """Makes a step with the modules of the network, recorded once for all steps of a draw.

    A record needs tensors that keep their shapes and places, so attention runs over the whole cache, and what was not
    written yet is masked. To record takes as long as some ten steps.
    """

    def __init__(self, model: GPT, cache: KVCache) -> None:
        cache.used = cache.max_tokens
        self._eager = EagerStepper(model, cache)
        self._hidden = Recorded(self._eager.hidden)
        self._whole: dict[TokenSampling, Recorded] = {}

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        return self._hidden(ids, positions)

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        return self._eager.first_logits(state)

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """See ``Stepper``."""
        eager = self._eager  # Not self: a stepper that held itself would keep the memory of its cache after the draw.

        def compute(state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor) -> torch.Tensor:
            return eager.whole(state, first, uniforms, sampling)

        if not isinstance(eager.model, FrameGPT):
            return compute(state, first, uniforms)
        return self._whole.setdefault(sampling, Recorded(compute))(state, first, uniforms).clone()


@dataclass(frozen=True, eq=False)
class _Packed:
    """The weights of a network in the form that the native operators take."""

    version: int  # the version of the parameters, see ``_version``
    table: torch.Tensor  # the table of embeddings, [vocabulary, dim]
    # In bands: the rows of the table for the ids that can come first in a step.
    first: torch.Tensor
    layers: list[torch.Tensor]
    norm: torch.Tensor
    head: list[torch.Tensor]
    cos: torch.Tensor  # cos and sin of all positions, [max_tokens, head dim]
    sin: torch.Tensor


_packed: "weakref.WeakKeyDictionary[GPT, _Packed]" = weakref.WeakKeyDictionary()


class NativeStepper:
    """Makes a step with native operators, for a network on the CPU in eval mode and float32."""

    def __init__(self, model: GPT, cache: KVCache) -> None:
        self.model, self.cache, self.weights = model, cache, _pack(model)
        self.eps = model.config.norm_eps

    def hidden(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        cache, weights = self.cache, self.weights
        state: torch.Tensor = torch.ops.triforce_tts.llama_step(
            ids.contiguous(), positions.contiguous(), cache.keys, cache.values, weights.table, weights.layers,
            weights.norm, weights.cos, weights.sin, self.model.config.hidden, PAD, END, self.model.config.sink, self.eps,
        )  # fmt: skip
        return state

    def first_logits(self, state: torch.Tensor) -> torch.Tensor:
        """See ``Stepper``."""
        logits: torch.Tensor = torch.ops.triforce_tts.linear(state, self.weights.first, self.model.first_ids)
        return logits

    def whole(
        self, state: torch.Tensor, first: torch.Tensor, uniforms: torch.Tensor, sampling: TokenSampling
    ) -> torch.Tensor:
        """See ``Stepper``."""
        if not isinstance(self.model, FrameGPT):
            return first[:, None]
        vocabulary, head = self.model.vocabulary, self.model.config.head
        assert head is not None
        ids: torch.Tensor = torch.ops.triforce_tts.frame_codes(
            state, first, uniforms, self.weights.table, self.weights.head, head.hidden,
            vocabulary.code_offset, vocabulary.config.n_codes, PAD, sampling.temperature, sampling.top_p, sampling.guidance,
            self.eps,
        )  # fmt: skip
        return ids


def make_stepper(model: GPT, cache: KVCache) -> Stepper:
    """The fastest stepper for a network; it goes on after the tokens in ``cache``."""
    if is_native(model):
        return NativeStepper(model, cache)
    # Autocast keeps copies of the weights that a record cannot keep.
    is_recorded = model.device.type == "cuda" and not model.training and not torch.is_autocast_enabled("cuda")
    return GraphStepper(model, cache) if is_recorded else EagerStepper(model, cache)


def is_native(model: GPT) -> bool:
    """Whether native operators can run ``model``. The bytes of a row then do not depend on the number of rows."""
    suits = model.device.type == "cpu" and model.dtype == torch.float32 and not model.training
    return suits and native.available()


def _pack(model: GPT) -> _Packed:
    """The weights of ``model``, packed once for as long as they do not change."""
    version = _version(model)
    packed = _packed.get(model)
    if packed is None or packed.version != version:
        packed = _packed[model] = _packed_now(model, version)
    return packed


def _version(model: GPT) -> int:
    """A number that changes if the parameters lie elsewhere in memory, or if something was written to them."""
    parameters = list(model.parameters())
    return hash(tuple((p.data_ptr(), 0 if p.is_inference() else p._version) for p in parameters))


@torch.no_grad()
def _packed_now(model: GPT, version: int) -> _Packed:
    config, table = model.config, model.model.embed_tokens.weight
    cos, sin = rotary(torch.arange(config.max_tokens)[None], config.dim // config.heads, config.rope_theta)
    layers = [
        weight.detach() for layer in cast("list[Layer]", list(model.model.layers)) for weight in _layer_weights(layer)
    ]
    head = [weight.detach() for weight in _head_weights(model)] if isinstance(model, FrameGPT) else []
    return _Packed(
        version, _small(table), _bands(table[: model.first_ids]), layers, model.model.norm.weight.detach(), head,
        cos[0, 0].contiguous(), sin[0, 0].contiguous(),
    )  # fmt: skip


def _layer_weights(layer: Layer) -> list[torch.Tensor]:
    """The weights of a layer, in the order of ``llama_step``."""
    attention, mlp = layer.self_attn, layer.mlp
    qkv = torch.cat((attention.q_proj.weight, attention.k_proj.weight, attention.v_proj.weight))
    return [
        layer.input_layernorm.weight, _bands(qkv), _bands(attention.o_proj.weight),
        layer.post_attention_layernorm.weight, *_swiglu_weights(mlp),
    ]  # fmt: skip


def _head_weights(model: FrameGPT) -> list[torch.Tensor]:
    """The weights of the head, in the order of ``frame_codes``."""
    weights: list[torch.Tensor] = []
    for group, code in enumerate(cast("list[CodeHead]", list(model.head)), 1):
        first, last = model.vocabulary.group_range(group)
        weights += [_bands(code.state_proj.weight), code.code_norm.weight, _bands(code.code_proj.weight)]
        norms, layers = cast("list[RMSNorm]", list(code.norms)), cast("list[SwiGLU]", list(code.layers))
        for norm, layer in zip(norms, layers, strict=True):
            weights += [norm.weight, *_swiglu_weights(layer)]
        weights += [code.norm.weight, _bands(model.model.embed_tokens.weight[first:last])]
    return weights


def _swiglu_weights(mlp: SwiGLU) -> list[torch.Tensor]:
    return [_bands(torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight))), _bands(mlp.down_proj.weight)]


def _bands(weight: torch.Tensor) -> torch.Tensor:
    """A matrix [n, k] in the bands that ``csrc/decode.cpp`` reads, [n / 16, k, 16], filled up with zeros."""
    rows, columns = weight.shape
    filled = F.pad(_small(weight), (0, -columns % _PARTS, 0, -rows % _ROWS))
    return filled.reshape(-1, _ROWS, filled.shape[1]).transpose(1, 2).contiguous()


def _small(weight: torch.Tensor) -> torch.Tensor:
    """``weight`` in float16 if float16 holds all its numbers exactly, else unchanged."""
    half = weight.detach().half()
    return half.contiguous() if torch.equal(half.float(), weight) else weight.detach().contiguous()
