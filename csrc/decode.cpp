// One step of decoding on a CPU: the Llama of models/gpt.py for one new token a row, the codes of a frame of
// models/frame_gpt.py, and the rules of sampling/tokens.py. They compute what these modules compute; tests compare them.
//
// A step of a small network takes PyTorch some hundred operators of a few microseconds each, and reads every weight.
// Here a step is four operators, and weights that float16 holds exactly are read as float16: half of the bytes.
//
// The result of a row depends neither on the rows beside it nor on the number of threads: every output is one sum, over
// the same lanes in the same order, whoever computes it.

#include <ATen/core/Tensor.h>
#include <ATen/Parallel.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

namespace {

using Vec = at::vec::Vectorized<float>;
constexpr int64_t kLanes = Vec::size();
constexpr int64_t kGrain = 1 << 14;  // A thread is worth starting for so many multiplications.

Vec load(const float* source) { return Vec::loadu(source); }

Vec load(const c10::Half* source) {
  Vec out;
  at::vec::load_fp32_from_fp16(source, out);
  return out;
}

float lane_sum(const Vec& x) {
  return at::vec::vec_reduce_all<float>([](const Vec& a, const Vec& b) { return a + b; }, x);
}

// Weights come in bands of kRows rows, [n / kRows, k, kRows], filled up with zeros: the memory is then read from its first
// byte to its last, which is what a processor does best, and the lanes of a vector are rows, so that no sum goes across
// lanes. The columns are added in kParts sums, because a sum waits for the one before it.
constexpr int64_t kRows = 16, kParts = 2, kVecs = kRows / kLanes;
static_assert(kRows % kLanes == 0, "a band holds whole vectors");

// y[b][r] = sum over k of w[k][r] * x[b][k] for the `rows` rows of one band and kBatch rows of x.
template <int kBatch, typename W>
void product_band(const W* w, const float* x, float* y, int64_t k, int64_t y_stride, int64_t rows) {
  Vec sums[kParts][kBatch][kVecs];
  for (auto& part : sums)
    for (auto& row : part)
      for (auto& sum : row) sum = Vec(0.f);
  for (int64_t i = 0; i < k; i += kParts, w += kParts * kRows) {
    // 64 cache lines ahead: weights that lie in the memory arrive in time, and those in a cache lose nothing.
    __builtin_prefetch(reinterpret_cast<const char*>(w) + 4096);
    // Only unrolled loops keep the sums in registers: GCC 12 for AVX-512 writes them to the stack otherwise, at a third of
    // the speed.
#pragma GCC unroll 8
    for (int part = 0; part < kParts; ++part) {
      Vec weights[kVecs];
#pragma GCC unroll 8
      for (int v = 0; v < kVecs; ++v) weights[v] = load(w + part * kRows + v * kLanes);
#pragma GCC unroll 8
      for (int b = 0; b < kBatch; ++b) {
        const Vec input(x[b * k + i + part]);
#pragma GCC unroll 8
        for (int v = 0; v < kVecs; ++v) sums[part][b][v] = at::vec::fmadd(weights[v], input, sums[part][b][v]);
      }
    }
  }
  for (int b = 0; b < kBatch; ++b) {
    float band[kRows];
    for (int v = 0; v < kVecs; ++v) {
      Vec sum = sums[0][b][v];
      for (int part = 1; part < kParts; ++part) sum = sum + sums[part][b][v];
      sum.store(band + v * kLanes);
    }
    std::copy_n(band, rows, y + b * y_stride);
  }
}

// Takes kTogether rows of x at once: all sums stay in registers, and the weights of a band stay in the cache for the next
// rows.
constexpr int64_t kTogether = kVecs == 1 ? 4 : 2;

template <typename W>
void product_batch(const W* w, const float* x, float* y, int64_t k, int64_t batch, int64_t y_stride, int64_t rows) {
  int64_t b = 0;
  for (; b + kTogether <= batch; b += kTogether) product_band<kTogether>(w, x + b * k, y + b * y_stride, k, y_stride, rows);
  for (; b + 2 <= batch; b += 2) product_band<2>(w, x + b * k, y + b * y_stride, k, y_stride, rows);
  if (b < batch) product_band<1>(w, x + b * k, y + b * y_stride, k, y_stride, rows);
}

// y [batch, n] = x [batch, k] times the transpose of w; k is a multiple of kParts.
template <typename W>
void product(const W* w, const float* x, float* y, int64_t n, int64_t k, int64_t batch) {
  const int64_t bands = (n + kRows - 1) / kRows;
  at::parallel_for(0, bands, std::max<int64_t>(1, kGrain / (kRows * k * batch)), [&](int64_t begin, int64_t end) {
    for (int64_t band = begin; band < end; ++band)
      product_batch(w + band * k * kRows, x, y + band * kRows, k, batch, n, std::min(kRows, n - band * kRows));
  });
}

// y [batch, n] of x [batch, k] and the bands of w.
void product(const at::Tensor& w, const float* x, float* y, int64_t n, int64_t k, int64_t batch) {
  const int64_t filled = w.size(1);
  TORCH_CHECK(w.dim() == 3 && w.size(0) == (n + kRows - 1) / kRows && filled - k >= 0 && filled - k < kParts, "bands of another matrix");
  std::vector<float> copy;
  if (filled != k) {
    copy.assign(batch * filled, 0.f);
    for (int64_t b = 0; b < batch; ++b) std::copy_n(x + b * k, k, copy.data() + b * filled);
    x = copy.data();
  }
  if (w.scalar_type() == at::kHalf)
    product(w.const_data_ptr<c10::Half>(), x, y, n, filled, batch);
  else
    product(w.const_data_ptr<float>(), x, y, n, filled, batch);
}

std::vector<float> product(const at::Tensor& w, const std::vector<float>& x, int64_t n, int64_t batch) {
  std::vector<float> y(batch * n);
  product(w, x.data(), y.data(), n, static_cast<int64_t>(x.size()) / batch, batch);
  return y;
}

// x / rms(x) * weight of each row of x [batch, weight.numel()].
std::vector<float> normalised(const std::vector<float>& x, const at::Tensor& weight, double eps) {
  const int64_t dim = weight.numel();
  const float* scale = weight.const_data_ptr<float>();
  std::vector<float> y(x.size());
  for (size_t row = 0; row < x.size(); row += dim) {
    float squares = 0;
    for (int64_t i = 0; i < dim; ++i) squares += x[row + i] * x[row + i];
    const float factor = 1.f / std::sqrt(squares / static_cast<float>(dim) + static_cast<float>(eps));
    for (int64_t i = 0; i < dim; ++i) y[row + i] = x[row + i] * factor * scale[i];
  }
  return y;
}

// down(silu(gate(x)) * up(x)); `gate_up` holds the rows of both.
std::vector<float> swiglu(
    const std::vector<float>& x, const at::Tensor& gate_up, const at::Tensor& down, int64_t hidden, int64_t batch) {
  const std::vector<float> both = product(gate_up, x, 2 * hidden, batch);
  std::vector<float> inner(batch * hidden);
  for (int64_t b = 0; b < batch; ++b) {
    const float* gate = both.data() + b * 2 * hidden;
    for (int64_t i = 0; i < hidden; ++i) inner[b * hidden + i] = gate[i] / (1.f + std::exp(-gate[i])) * gate[hidden + i];
  }
  return product(down, inner, static_cast<int64_t>(x.size()) / batch, batch);
}

void add(std::vector<float>& x, const std::vector<float>& y) {
  for (size_t i = 0; i < x.size(); ++i) x[i] += y[i];
}

// Adds the row `id` of a table of embeddings to x [dim].
void add_embedding(const at::Tensor& table, int64_t id, float* x) {
  const int64_t dim = table.size(1);
  if (table.scalar_type() == at::kHalf) {
    const c10::Half* row = table.const_data_ptr<c10::Half>() + id * dim;
    for (int64_t i = 0; i < dim; ++i) x[i] += static_cast<float>(row[i]);
  } else {
    const float* row = table.const_data_ptr<float>() + id * dim;
    for (int64_t i = 0; i < dim; ++i) x[i] += row[i];
  }
}

// Turns x [head dim] by the angles of a position; number i of the first half is paired with number i of the second.
void rotate(float* x, const float* cos, const float* sin, int64_t head_dim) {
  const int64_t half = head_dim / 2;
  for (int64_t i = 0; i < half; ++i) {
    const float first = x[i], second = x[half + i];
    x[i] = first * cos[i] - second * sin[i];
    x[half + i] = second * cos[half + i] + first * sin[half + i];
  }
}

// The attention of one query [head dim] over keys and values [seen, head dim]; a sink is one more logit of 0.
void attend(const float* query, const float* keys, const float* values, float* out, int64_t seen, int64_t head_dim, bool sink) {
  std::vector<float> weights(seen);
  const float scale = 1.f / std::sqrt(static_cast<float>(head_dim));
  for (int64_t i = 0; i < seen; ++i) {
    Vec sum(0.f);
    for (int64_t d = 0; d + kLanes <= head_dim; d += kLanes)
      sum = at::vec::fmadd(Vec::loadu(query + d), Vec::loadu(keys + i * head_dim + d), sum);
    float dot = lane_sum(sum);
    for (int64_t d = head_dim / kLanes * kLanes; d < head_dim; ++d) dot += query[d] * keys[i * head_dim + d];
    weights[i] = dot * scale;
  }
  float most = sink ? 0.f : -std::numeric_limits<float>::infinity();
  for (const float weight : weights) most = std::max(most, weight);
  float total = sink ? std::exp(-most) : 0.f;
  for (float& weight : weights) total += weight = std::exp(weight - most);
  int64_t d = 0;
  for (; d + 4 * kLanes <= head_dim; d += 4 * kLanes) {  // four vectors of sums stay in registers
    Vec sums[4] = {Vec(0.f), Vec(0.f), Vec(0.f), Vec(0.f)};
    for (int64_t i = 0; i < seen; ++i)
      for (int part = 0; part < 4; ++part)
        sums[part] = at::vec::fmadd(Vec(weights[i]), Vec::loadu(values + i * head_dim + d + part * kLanes), sums[part]);
    for (int part = 0; part < 4; ++part) (sums[part] / Vec(total)).store(out + d + part * kLanes);
  }
  for (; d < head_dim; ++d) {
    float sum = 0;
    for (int64_t i = 0; i < seen; ++i) sum += weights[i] * values[i * head_dim + d];
    out[d] = sum / total;
  }
}

constexpr int64_t kLayerWeights = 6;  // the tensors of a layer: norm, q k v, o, norm, gate and up, down

at::Tensor llama_step(
    const at::Tensor& ids, const at::Tensor& positions, at::Tensor keys, at::Tensor values, const at::Tensor& table,
    at::TensorList layers, const at::Tensor& norm, const at::Tensor& cos, const at::Tensor& sin, int64_t hidden,
    int64_t pad, int64_t end, bool sink, double eps) {
  const int64_t batch = ids.size(0), width = ids.size(1), dim = table.size(1);
  const int64_t heads = keys.size(2), room = keys.size(3), head_dim = keys.size(4);
  TORCH_CHECK(keys.is_contiguous() && values.is_contiguous() && ids.is_contiguous(), "tensors must be contiguous");
  TORCH_CHECK(static_cast<int64_t>(layers.size()) == kLayerWeights * keys.size(0), "weights of another number of layers");
  const int64_t* id = ids.const_data_ptr<int64_t>();
  const int64_t* at = positions.const_data_ptr<int64_t>();
  std::vector<int64_t> rows;  // the rows that have not ended; only these are computed
  for (int64_t b = 0; b < batch; ++b)
    if (id[b * width] != end) rows.push_back(b);
  const int64_t count = rows.size();
  at::Tensor out = at::zeros({batch, dim}, at::kFloat);
  if (count == 0) return out;
  std::vector<float> x(count * dim, 0.f), attended(count * dim);
  for (int64_t row = 0; row < count; ++row)
    for (int64_t i = 0; i < width; ++i) {
      const int64_t one = id[rows[row] * width + i];
      if (i == 0 || one != pad) add_embedding(table, one, x.data() + row * dim);
    }
  for (int64_t layer = 0; layer < keys.size(0); ++layer) {
    const at::Tensor* weights = layers.data() + layer * kLayerWeights;
    std::vector<float> qkv = product(weights[1], normalised(x, weights[0], eps), 3 * dim, count);
    float* key_rows = keys.mutable_data_ptr<float>() + layer * batch * heads * room * head_dim;
    float* value_rows = values.mutable_data_ptr<float>() + layer * batch * heads * room * head_dim;
    at::parallel_for(0, count * heads, std::max<int64_t>(1, kGrain / (256 * head_dim)), [&](int64_t from, int64_t to) {
      for (int64_t i = from; i < to; ++i) {
        const int64_t row = i / heads, head = i % heads, place = at[rows[row]];
        // The keys of this head begin here.
        const int64_t past = (rows[row] * heads + head) * room * head_dim;
        float* query = qkv.data() + row * 3 * dim + head * head_dim;
        float* key = key_rows + past + place * head_dim;
        std::copy(query + dim, query + dim + head_dim, key);
        std::copy(query + 2 * dim, query + 2 * dim + head_dim, value_rows + past + place * head_dim);
        const float *c = cos.const_data_ptr<float>() + place * head_dim, *s = sin.const_data_ptr<float>() + place * head_dim;
        rotate(query, c, s, head_dim);
        rotate(key, c, s, head_dim);
        attend(query, key_rows + past, value_rows + past, attended.data() + row * dim + head * head_dim, place + 1, head_dim,
               sink);
      }
    });
    add(x, product(weights[2], attended, dim, count));
    add(x, swiglu(normalised(x, weights[3], eps), weights[4], weights[5], hidden, count));
  }
  const std::vector<float> states = normalised(x, norm, eps);
  for (int64_t row = 0; row < count; ++row)
    std::copy_n(states.data() + row * dim, dim, out.mutable_data_ptr<float>() + rows[row] * dim);
  return out;
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& bands, int64_t n) {
  const at::Tensor input = x.contiguous();
  at::Tensor out = at::empty({x.size(0), n}, at::kFloat);
  product(bands, input.const_data_ptr<float>(), out.mutable_data_ptr<float>(), n, x.size(1), x.size(0));
  return out;
}

// Draws one of the `n` ids that `logits` belong to, by the rule of sampling/tokens.pick.
int64_t pick(const float* logits, int64_t n, double uniform, double temperature, double top_p) {
  const int64_t best = std::max_element(logits, logits + n) - logits;
  if (temperature == 0.0) return best;
  std::vector<std::pair<float, int64_t>> chances(n);
  float total = 0;
  for (int64_t i = 0; i < n; ++i) {
    const float chance = std::exp((logits[i] - logits[best]) / static_cast<float>(temperature));
    chances[i] = {chance, -i};
    total += chance;
  }
  std::make_heap(chances.begin(), chances.end());
  // The ids, likeliest first, each with the sum of probabilities up to and with it.
  std::vector<std::pair<double, int64_t>> nucleus;
  double mass = 0;
  for (auto end = chances.end(); end != chances.begin() && mass < top_p; --end) {
    std::pop_heap(chances.begin(), end);
    mass += (end - 1)->first / total;
    nucleus.emplace_back(mass, -(end - 1)->second);
  }
  for (const auto& [up_to, id] : nucleus)
    if (up_to > uniform * mass) return id;
  return nucleus.back().second;
}

// The logarithm of the sum of exp(x) over `n` numbers.
float log_sum_exp(const float* x, int64_t n) {
  const float most = *std::max_element(x, x + n);
  float sum = 0;
  for (int64_t i = 0; i < n; ++i) sum += std::exp(x[i] - most);
  return most + std::log(sum);
}

// One step of `Reading` in sampling/tokens.py, where every tensor has the same name. All are [batch], except `logits`
// [batch, ids] and the tables [batch, longest text + 1]. The step moves the state of each row and returns its first id.
at::Tensor reading_step(
    const at::Tensor& logits, const at::Tensor& uniforms, at::Tensor place, at::Tensor group, at::Tensor frames,
    at::Tensor counted, at::Tensor least, const at::Tensor& texts, const at::Tensor& due, const at::Tensor& begins,
    const at::Tensor& holds, int64_t longest, double urge, int64_t text_offset, int64_t code_offset, int64_t n_codes,
    int64_t frame_steps, int64_t end, double temperature, double top_p) {
  const int64_t batch = logits.size(0), ids = logits.size(1), columns = due.size(1);
  const at::Tensor rows = logits.contiguous(), draws = uniforms.contiguous();
  at::Tensor out = at::empty({batch}, at::kLong);
  for (int64_t b = 0; b < batch; ++b) {
    const float* row = rows.const_data_ptr<float>() + b * ids;
    const float uniform = draws.const_data_ptr<float>()[b];
    int64_t &at = place.mutable_data_ptr<int64_t>()[b], &code = group.mutable_data_ptr<int64_t>()[b];
    int64_t &since = frames.mutable_data_ptr<int64_t>()[b], &count = counted.mutable_data_ptr<int64_t>()[b];
    int64_t& least_count = least.mutable_data_ptr<int64_t>()[b];
    const int64_t entry = b * columns + at, first = code_offset + code * n_codes;
    TORCH_CHECK(first + n_codes <= ids && at < columns, "logits or tables of another vocabulary");
    const bool unread = at < texts.const_data_ptr<int64_t>()[b];
    float left = uniform;
    bool on = false;
    if (code == 0) {  // The step lies between two frames.
      const float onward = unread ? log_sum_exp(row + text_offset, code_offset - text_offset) : row[end];
      const float odds = onward - log_sum_exp(row + code_offset, n_codes) + static_cast<float>(urge);
      const float share = since >= longest ? 1.f : count < least_count ? 0.f : 1.f / (1.f + std::exp(-odds));
      on = temperature == 0.0 ? share > 0.5f : uniform < share;
      left = share < 1.f ? std::clamp((uniform - share) / (1.f - share), 0.f, 1.f) : 0.f;
    }
    if (on) {
      out.mutable_data_ptr<int64_t>()[b] = due.const_data_ptr<int64_t>()[entry];
      since = 0;
      if (unread) {
        if (begins.const_data_ptr<bool>()[entry]) count = 0;
        least_count = holds.const_data_ptr<int64_t>()[entry];
        ++at;
      }
      continue;
    }
    out.mutable_data_ptr<int64_t>()[b] = first + pick(row + first, n_codes, left, temperature, top_p);
    code = (code + 1) % frame_steps;
    if (code == 0) ++since, ++count;
  }
  return out;
}

// The tensors of the head besides its layers: state, norm of codes, codes before them; norm, table of codes after them.
constexpr int64_t kHeadWeights = 5;

at::Tensor frame_codes(
    const at::Tensor& state, const at::Tensor& first, const at::Tensor& uniforms, const at::Tensor& table,
    at::TensorList head, int64_t hidden, int64_t offset, int64_t n_codes, int64_t pad, double temperature, double top_p,
    double guidance, double eps) {
  const int64_t batch = first.size(0), dim = state.size(1), others = uniforms.size(1);
  const int64_t per_code = static_cast<int64_t>(head.size()) / others, layers = (per_code - kHeadWeights) / 3;
  at::Tensor out = at::full({batch, others + 1}, pad, at::kLong);
  int64_t* ids = out.mutable_data_ptr<int64_t>();
  std::vector<int64_t> rows;  // the rows that drew a frame
  for (int64_t b = 0; b < batch; ++b) {
    ids[b * (others + 1)] = first.const_data_ptr<int64_t>()[b];
    if (ids[b * (others + 1)] >= offset && ids[b * (others + 1)] < offset + n_codes) rows.push_back(b);
  }
  // With guidance each row has an unconditional one (sampling/guidance.py), whose state stands `batch` rows later. Here the two
  // are neighbours.
  const bool is_guided = guidance != 1.0;
  TORCH_CHECK(state.size(0) == (is_guided ? 2 * batch : batch), "states of another number of rows");
  const int64_t each = is_guided ? 2 : 1, count = each * static_cast<int64_t>(rows.size());
  const at::Tensor draws = uniforms.contiguous(), states = state.contiguous();
  std::vector<float> chosen(count * dim), before(count * dim, 0.f), logits(count * n_codes);
  for (int64_t i = 0; i < count; ++i)
    std::copy_n(states.const_data_ptr<float>() + (rows[i / each] + i % each * batch) * dim, dim, chosen.data() + i * dim);
  for (int64_t code = 0; code < others && count; ++code) {
    const at::Tensor* weights = head.data() + code * per_code;
    for (int64_t i = 0; i < count; ++i)
      add_embedding(table, ids[rows[i / each] * (others + 1) + code], before.data() + i * dim);
    std::vector<float> x = product(weights[0], chosen, dim, count);
    add(x, product(weights[2], normalised(before, weights[1], eps), dim, count));
    for (int64_t layer = 0; layer < layers; ++layer) {
      const at::Tensor* parts = weights + 3 + 3 * layer;
      add(x, swiglu(normalised(x, parts[0], eps), parts[1], parts[2], hidden, count));
    }
    const int64_t start = offset + (code + 1) * n_codes;
    const std::vector<float> last = normalised(x, weights[per_code - 2], eps);
    product(weights[per_code - 1], last.data(), logits.data(), n_codes, dim, count);
    for (int64_t i = 0; i < count; i += each) {
      float* own = logits.data() + i * n_codes;
      const float* without = own + n_codes;
      if (is_guided)
        for (int64_t n = 0; n < n_codes; ++n) own[n] = without[n] + static_cast<float>(guidance) * (own[n] - without[n]);
      const int64_t row = rows[i / each];
      const float uniform = draws.const_data_ptr<float>()[row * others + code];
      ids[row * (others + 1) + code + 1] = start + pick(own, n_codes, uniform, temperature, top_p);
    }
  }
  return out;
}

}  // namespace

TORCH_LIBRARY(triforce_tts, library) {
  library.def(
      "llama_step(Tensor ids, Tensor positions, Tensor(a!) keys, Tensor(b!) values, Tensor table, Tensor[] layers, "
      "Tensor norm, Tensor cos, Tensor sin, int hidden, int pad, int end, bool sink, float eps) -> Tensor");
  library.def("linear(Tensor x, Tensor bands, int n) -> Tensor");
  library.def(
      "frame_codes(Tensor state, Tensor first, Tensor uniforms, Tensor table, Tensor[] head, int hidden, int offset, "
      "int n_codes, int pad, float temperature, float top_p, float guidance, float eps) -> Tensor");
  library.def(
      "reading_step(Tensor logits, Tensor uniforms, Tensor(a!) place, Tensor(b!) group, Tensor(c!) frames, "
      "Tensor(d!) counted, Tensor(e!) least, Tensor texts, Tensor due, Tensor begins, Tensor holds, int longest, "
      "float urge, int text_offset, int code_offset, int n_codes, int frame_steps, int end, float temperature, "
      "float top_p) -> Tensor");
}

TORCH_LIBRARY_IMPL(triforce_tts, CPU, library) {
  library.impl("llama_step", llama_step);
  library.impl("linear", linear);
  library.impl("frame_codes", frame_codes);
  library.impl("reading_step", reading_step);
}
