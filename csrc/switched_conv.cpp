// Switched convolution on a CPU, forward and backward: the function and its reference are in triforce_tts/switched_op.py.
//
// The positions of the output are sorted by kernel (counting sort, stable). Then a run of positions that share a kernel
// is one matrix product: the taps of each position are copied into the row of a matrix that stays in the cache.
//
// Threads take pieces of work one after another. Which thread takes a piece changes nothing: pieces write to different
// places, and the order of the sums within a piece is fixed.

#include "switched_conv_tensors.h"

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/cpu/vec/functional.h>
#include <ATen/cpu/vec/vec.h>
#include <ATen/ops/addmm_cpu_dispatch.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/mm_cpu_dispatch.h>
#include <ATen/ops/zeros.h>
#include <torch/library.h>

#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>
#include <vector>

namespace {

// bfloat16 is computed in float32.
template <typename T>
using Sum = std::conditional_t<std::is_same_v<T, at::BFloat16>, float, T>;

template <typename T>
void convert(const T* source, Sum<T>* target, int64_t count) {
  if constexpr (std::is_same_v<T, Sum<T>>)
    std::copy_n(source, count, target);
  else
    at::vec::convert(source, target, count);
}

template <typename T>
void add(const T* source, T* target, int64_t count) {
  using Vec = at::vec::Vectorized<T>;
  int64_t i = 0;
  for (; i + Vec::size() <= count; i += Vec::size()) (Vec::loadu(target + i) + Vec::loadu(source + i)).store(target + i);
  for (; i < count; ++i) target[i] += source[i];
}

// Computes c [m, n] = a [m, k] * b [k, n], or adds the product to c; the strides are those of rows and columns.
template <typename T>
struct Matrix {
  T* data;
  int64_t rows, columns, row_stride, column_stride;

  Matrix transposed() const { return {data, columns, rows, column_stride, row_stride}; }
  at::Tensor tensor() const {
    using Plain = std::remove_const_t<T>;
    return at::from_blob(const_cast<Plain*>(data), {rows, columns}, {row_stride, column_stride}, at::CppTypeToScalarType<Plain>::value);
  }
};

template <typename T>
void multiply(const Matrix<const T>& a, const Matrix<const T>& b, const Matrix<T>& c, bool accumulate) {
  at::Tensor out = c.tensor();
  if (accumulate)
    at::cpu::addmm_out(out, out, a.tensor(), b.tensor(), 1, 1);
  else
    at::cpu::mm_out(out, a.tensor(), b.tensor());
}

// Calls work(task) for each task, in all threads.
template <typename Work>
void share(int64_t tasks, const Work& work) {
  std::atomic<int64_t> next{0};
  const int64_t threads = std::min<int64_t>(tasks, at::get_num_threads());
  at::parallel_for(0, threads, 1, [&](int64_t begin, int64_t end) {
    for (int64_t task = next++; task < tasks; task = next++) work(task);
  });
}

// Positions of the output that share a kernel: `order[begin:end]`.
struct Run {
  int64_t kernel, begin, end;
};

// Sorts the positions `first` to `last` by kernel into order[first:last]; returns runs of at most `most` positions.
std::vector<Run> sort(const int64_t* index, int64_t first, int64_t last, int64_t breadth, int64_t most, std::vector<int64_t>& order) {
  std::vector<int64_t> ends(breadth + 1, 0);
  for (int64_t i = first; i < last; ++i) {
    TORCH_CHECK_INDEX(index[i] >= 0 && index[i] < breadth, "switched_conv: index ", index[i], " of a kernel, expected 0 to ", breadth - 1);
    ++ends[index[i] + 1];
  }
  for (int64_t kernel = 0; kernel < breadth; ++kernel) ends[kernel + 1] += ends[kernel];
  std::vector<Run> runs;
  for (int64_t kernel = 0; kernel < breadth; ++kernel) {
    // All runs have nearly one length: a short last run would read a whole kernel for the product of a few rows.
    const int64_t count = ends[kernel + 1] - ends[kernel], pieces = (count + most - 1) / most;
    for (int64_t piece = 0; piece < pieces; ++piece)
      runs.push_back({kernel, first + ends[kernel] + count * piece / pieces, first + ends[kernel] + count * (piece + 1) / pieces});
  }
  for (int64_t i = first; i < last; ++i) order[first + ends[index[i]]++] = i;
  return runs;
}

// The place in the input where the taps of a position of the output begin.
struct Place {
  int64_t item, y, x;  // the first tap, which may lie outside of the input
};

Place place_of(const ConvShape& s, int64_t position) {
  const int64_t column = position % s.places[1], row = position / s.places[1] % s.places[0];
  return {position / (s.places[0] * s.places[1]), row * s.stride[0] - s.padding[0], column * s.stride[1] - s.padding[1]};
}

// Copies channels `from` to `to` of all taps of a position to `row`, which has room for just these.
template <typename T>
void gather(const ConvShape& s, const T* x, int64_t position, int64_t from, int64_t to, Sum<T>* row) {
  const Place place = place_of(s, position);
  const int64_t width = to - from;
  const bool whole = width == s.channels && s.dilation[1] == 1 && place.x >= 0 && place.x + s.kernel[1] <= s.size[1];
  for (int64_t i = 0; i < s.kernel[0]; ++i) {
    const int64_t y = place.y + i * s.dilation[0];
    const bool inside = y >= 0 && y < s.size[0];
    const T* line = x + ((place.item * s.size[0] + y) * s.size[1] + place.x) * s.channels;
    if (inside && whole) {  // The taps of a line are neighbours in memory.
      convert(line, row, s.kernel[1] * width);
      row += s.kernel[1] * width;
      continue;
    }
    for (int64_t j = 0; j < s.kernel[1]; ++j, row += width) {
      const int64_t column = place.x + j * s.dilation[1];
      if (inside && column >= 0 && column < s.size[1])
        convert(line + j * s.dilation[1] * s.channels + from, row, width);
      else
        std::fill_n(row, width, Sum<T>(0));
    }
  }
}

// Adds channels `from` to `to` of one tap's gradient to the input's.
template <typename T>
void scatter(const ConvShape& s, const T* row, int64_t position, int64_t tap, int64_t from, int64_t to, T* dx) {
  const Place place = place_of(s, position);
  const int64_t y = place.y + tap / s.kernel[1] * s.dilation[0], column = place.x + tap % s.kernel[1] * s.dilation[1];
  if (y >= 0 && y < s.size[0] && column >= 0 && column < s.size[1])
    add(row, dx + ((place.item * s.size[0] + y) * s.size[1] + column) * s.channels + from, to - from);
}

constexpr int64_t kCache = 1 << 17;  // A matrix of taps with so many numbers stays in the second-level cache.
constexpr int64_t kMostRows = 256, kFewestRows = 32;

int64_t rows_of(int64_t columns) { return std::clamp<int64_t>(kCache / columns, kFewestRows, kMostRows); }

template <typename T>
void forward(const ConvShape& s, const T* x, const Sum<T>* weight, const Sum<T>* bias, const int64_t* index, T* out) {
  const int64_t columns = s.columns();
  std::vector<int64_t> order(s.rows());
  const std::vector<Run> runs = sort(index, 0, s.rows(), s.breadth, rows_of(columns), order);
  share(runs.size(), [&](int64_t task) {
    const Run run = runs[task];
    const int64_t count = run.end - run.begin;
    std::vector<Sum<T>> taps(count * columns), sums(count * s.outputs);
    for (int64_t i = 0; i < count; ++i) gather(s, x, order[run.begin + i], 0, s.channels, taps.data() + i * columns);
    const Matrix<const Sum<T>> kernel{weight + run.kernel * s.outputs * columns, s.outputs, columns, columns, 1};
    multiply<Sum<T>>({taps.data(), count, columns, columns, 1}, kernel.transposed(), {sums.data(), count, s.outputs, s.outputs, 1}, false);
    for (int64_t i = 0; i < count; ++i) {
      Sum<T>* row = sums.data() + i * s.outputs;
      if (bias != nullptr) add(bias, row, s.outputs);
      if constexpr (std::is_same_v<T, Sum<T>>)
        std::copy_n(row, s.outputs, out + order[run.begin + i] * s.outputs);
      else
        at::vec::convert(row, out + order[run.begin + i] * s.outputs, s.outputs);
    }
  });
}

// Copies the rows of `grad` that belong to a run, one below the other.
template <typename T>
std::vector<Sum<T>> gradients_of(const ConvShape& s, const T* grad, const std::vector<int64_t>& order, const Run& run) {
  std::vector<Sum<T>> rows((run.end - run.begin) * s.outputs);
  for (int64_t i = run.begin; i < run.end; ++i)
    convert(grad + order[i] * s.outputs, rows.data() + (i - run.begin) * s.outputs, s.outputs);
  return rows;
}

// Computes a piece of the input's gradient: some items of the batch, and some channels. No other piece writes there.
template <typename T>
void input_gradient(
    const ConvShape& s, const T* grad, const Sum<T>* weight, const std::vector<int64_t>& order, const std::vector<Run>& runs,
    int64_t from, int64_t to, Sum<T>* dx) {
  const int64_t columns = s.columns(), width = to - from;
  const bool whole = width == s.channels;  // if the piece has all channels, all taps are one product
  const int64_t together = whole ? s.taps() : 1;
  std::vector<Sum<T>> taps;
  for (const Run& run : runs) {
    const int64_t count = run.end - run.begin;
    const std::vector<Sum<T>> rows = gradients_of(s, grad, order, run);
    taps.resize(count * together * width);
    for (int64_t tap = 0; tap < s.taps(); tap += together) {
      const Sum<T>* kernel = weight + run.kernel * s.outputs * columns + tap * s.channels + from;
      multiply<Sum<T>>({rows.data(), count, s.outputs, s.outputs, 1}, {kernel, s.outputs, together * width, columns, 1},
                       {taps.data(), count, together * width, together * width, 1}, false);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t j = 0; j < together; ++j)
          scatter(s, taps.data() + (i * together + j) * width, order[run.begin + i], tap + j, from, to, dx);
    }
  }
}

template <typename T>
void input_gradients(const ConvShape& s, const T* grad, const Sum<T>* weight, const int64_t* index, Sum<T>* dx) {
  const int64_t threads = at::get_num_threads(), items = std::min(s.batch, threads);
  const int64_t parts = std::min(s.channels, (threads + items - 1) / items);
  const int64_t places = s.places[0] * s.places[1];
  std::vector<int64_t> order(s.rows());
  std::vector<std::vector<Run>> runs;
  for (int64_t i = 0; i < items; ++i)
    runs.push_back(sort(index, s.batch * i / items * places, s.batch * (i + 1) / items * places, s.breadth, rows_of(s.columns()), order));
  share(items * parts, [&](int64_t task) {
    const int64_t part = task % parts;
    input_gradient(s, grad, weight, order, runs[task / parts], s.channels * part / parts, s.channels * (part + 1) / parts, dx);
  });
}

// Computes the gradient of all kernels; a piece is some channels of one kernel.
template <typename T>
void kernel_gradients(const ConvShape& s, const T* grad, const T* x, const int64_t* index, Sum<T>* dw) {
  const int64_t columns = s.columns(), threads = at::get_num_threads();
  std::vector<int64_t> order(s.rows());
  const std::vector<Run> runs = sort(index, 0, s.rows(), s.breadth, rows_of(columns), order);
  std::vector<std::vector<Run>> of_kernel(s.breadth);
  for (const Run& run : runs) of_kernel[run.kernel].push_back(run);
  const int64_t parts = threads == 1 ? 1 : std::clamp<int64_t>(s.channels / 32, 1, threads);
  share(s.breadth * parts, [&](int64_t task) {
    const int64_t kernel = task / parts, from = s.channels * (task % parts) / parts, to = s.channels * (task % parts + 1) / parts;
    const int64_t width = to - from, own = s.taps() * width;
    Sum<T>* target = dw + kernel * s.outputs * columns + from;
    if (of_kernel[kernel].empty())
      for (int64_t row = 0; row < s.outputs * s.taps(); ++row) std::fill_n(target + row * s.channels, width, Sum<T>(0));
    std::vector<Sum<T>> taps;
    bool begun = false;  // The first run writes the sum, and later runs add to it.
    for (const Run& run : of_kernel[kernel]) {
      const int64_t count = run.end - run.begin;
      const std::vector<Sum<T>> rows = gradients_of(s, grad, order, run);
      taps.resize(count * own);
      for (int64_t i = 0; i < count; ++i) gather(s, x, order[run.begin + i], from, to, taps.data() + i * own);
      const Matrix<const Sum<T>> gradients{rows.data(), count, s.outputs, s.outputs, 1};
      const int64_t together = width == s.channels ? s.taps() : 1;  // with all channels, all taps are one product
      for (int64_t tap = 0; tap < s.taps(); tap += together)
        multiply<Sum<T>>(gradients.transposed(), {taps.data() + tap * width, count, together * width, own, 1},
                         {target + tap * s.channels, s.outputs, together * width, columns, 1}, begun);
      begun = true;
    }
  });
}

// Calls `work` with a null pointer whose type is that of the tensor's numbers.
template <typename Work>
void with_type(const at::Tensor& x, const Work& work) {
  switch (x.scalar_type()) {
    case at::kFloat: return work(static_cast<float*>(nullptr));
    case at::kDouble: return work(static_cast<double*>(nullptr));
    case at::kBFloat16: return work(static_cast<at::BFloat16*>(nullptr));
    default: TORCH_CHECK(false, "switched_conv: no operator for ", x.scalar_type());
  }
}

at::ScalarType sum_type(const at::Tensor& x) { return x.scalar_type() == at::kDouble ? at::kDouble : at::kFloat; }

at::Tensor switched_conv(
    const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias, const at::Tensor& index, Ints stride,
    Ints padding, Ints dilation) {
  const ConvShape shape = shape_of(x, weight, index, stride, padding, dilation);
  const at::Tensor input = x.contiguous(), chosen = index.contiguous();
  const at::Tensor kernels = weight.contiguous().to(sum_type(x));
  const at::Tensor added = bias ? bias->contiguous().to(sum_type(x)) : at::Tensor();
  TORCH_CHECK(!bias || added.numel() == shape.outputs, "switched_conv: a bias of ", added.numel(), " numbers for ", shape.outputs, " outputs");
  at::Tensor out = at::empty(sizes_of(index, shape.outputs), x.options());
  with_type(x, [&](auto* kind) {
    using T = std::remove_pointer_t<decltype(kind)>;
    forward<T>(shape, input.const_data_ptr<T>(), kernels.const_data_ptr<Sum<T>>(), bias ? added.const_data_ptr<Sum<T>>() : nullptr,
               chosen.const_data_ptr<int64_t>(), out.mutable_data_ptr<T>());
  });
  return out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> switched_conv_backward(
    const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& index, Ints stride, Ints padding,
    Ints dilation, std::array<bool, 3> wanted) {
  const ConvShape shape = shape_of(x, weight, index, stride, padding, dilation);
  const at::Tensor gradient = grad.contiguous(), input = x.contiguous(), chosen = index.contiguous();
  const auto type = sum_type(x);
  at::Tensor dx = wanted[0] ? at::zeros(x.sizes(), x.options().dtype(type)) : at::empty({0}, x.options());
  at::Tensor dw = wanted[1] ? at::empty(weight.sizes(), x.options().dtype(type)) : at::empty({0}, x.options());
  const at::Tensor db = wanted[2] ? gradient.reshape({-1, shape.outputs}).to(type).sum(0) : at::empty({0}, x.options());
  const at::Tensor kernels = wanted[0] ? weight.contiguous().to(type) : at::Tensor();
  with_type(x, [&](auto* kind) {
    using T = std::remove_pointer_t<decltype(kind)>;
    const T* rows = gradient.const_data_ptr<T>();
    const int64_t* numbers = chosen.const_data_ptr<int64_t>();
    if (wanted[0]) input_gradients<T>(shape, rows, kernels.const_data_ptr<Sum<T>>(), numbers, dx.mutable_data_ptr<Sum<T>>());
    if (wanted[1]) kernel_gradients<T>(shape, rows, input.const_data_ptr<T>(), numbers, dw.mutable_data_ptr<Sum<T>>());
  });
  return {dx.to(x.scalar_type()), dw.to(x.scalar_type()), db.to(x.scalar_type())};
}

}  // namespace

TORCH_LIBRARY_FRAGMENT(triforce_tts, library) {
  library.def(
      "switched_conv(Tensor x, Tensor weight, Tensor? bias, Tensor index, int[] stride, int[] padding, int[] dilation) -> Tensor");
  library.def(
      "switched_conv_backward(Tensor grad, Tensor x, Tensor weight, Tensor index, int[] stride, int[] padding, int[] dilation, "
      "bool[3] wanted) -> (Tensor, Tensor, Tensor)");
}

TORCH_LIBRARY_IMPL(triforce_tts, CPU, library) {
  library.impl("switched_conv", switched_conv);
  library.impl("switched_conv_backward", switched_conv_backward);
}
