// Switched convolution on a GPU (sm_80 and later): the kernels, without any header of torch, so that nvcc is quick.
//
// The positions of the output are sorted by kernel on the device: the host never waits for a number. A block then computes a
// tile of 64 positions that share a kernel and 64 outputs: the taps are read where they lie, and nothing is kept that
// grows with the number of kernels. A sum has one fixed order, so equal inputs give equal bytes.
//
// tests/csrc runs this file on a CPU, with a small stand-in for what CUDA offers: __CUDACC__ is missing there.

#include "switched_conv.h"

#include <cassert>

#ifdef __CUDACC__
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <mma.h>

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, int threads, void* stream, Arguments... arguments) {
  kernel<<<grid, threads, 0, static_cast<cudaStream_t>(stream)>>>(arguments...);
}
#else
#include "cuda_stand_in.h"
#endif

namespace switched_cuda {
namespace {

namespace wmma = nvcuda::wmma;

constexpr int kTile = 64;      // positions and outputs of a block
constexpr int kDepth = 32;     // terms of the sums that are in shared memory at a time
constexpr int kThreads = 128;  // four warps; each has a quarter of the tile
constexpr int kPad = 8;        // numbers after each row in shared memory, so that rows begin in different banks
constexpr int kSorted = 1024;  // positions that a block of the sort handles

// --- sorting ---------------------------------------------------------------------------------------------------------

// Counts how many of a block's positions chose each kernel: counts [blocks, breadth], which must hold zeros before.
__global__ void count_kernels(const int64_t* index, int64_t rows, int breadth, int* counts) {
  const int64_t position = int64_t(blockIdx.x) * kSorted + threadIdx.x;
  if (position >= rows) return;
  assert(index[position] >= 0 && index[position] < breadth);
  atomicAdd(counts + int64_t(blockIdx.x) * breadth + index[position], 1);
}

// Replaces each count by the number of positions of earlier blocks that chose the same kernel, and finds where each
// kernel begins.
__global__ void find_starts(int* counts, int blocks, int breadth, int* starts) {
  for (int kernel = threadIdx.x; kernel < breadth; kernel += blockDim.x) {
    int sum = 0;
    for (int block = 0; block < blocks; ++block) {
      int& place = counts[int64_t(block) * breadth + kernel];
      const int count = place;
      place = sum;
      sum += count;
    }
    starts[kernel + 1] = sum;
  }
  __syncthreads();
  if (threadIdx.x != 0) return;
  starts[0] = 0;
  for (int kernel = 0; kernel < breadth; ++kernel) starts[kernel + 1] += starts[kernel];
}

// Positions of a kernel keep their order, so that sums over them have one order.
__global__ void place_positions(const int64_t* index, int64_t rows, int breadth, const int* counts, const int* starts, int* order) {
  __shared__ int chosen[kSorted];
  const int64_t position = int64_t(blockIdx.x) * kSorted + threadIdx.x;
  const int own = position < rows ? int(index[position]) : -1;
  chosen[threadIdx.x] = own;
  __syncthreads();
  if (own < 0) return;
  int before = 0;
  for (int i = 0; i < int(threadIdx.x); ++i) before += chosen[i] == own;
  order[starts[own] + counts[int64_t(blockIdx.x) * breadth + own] + before] = int(position);
}

// --- products --------------------------------------------------------------------------------------------------------

// `kVector` numbers that are read at once; their address is a multiple of their size.
template <typename T, int kVector>
struct alignas(sizeof(T) * kVector) Chunk {
  T numbers[kVector];
};

// An operand of a product in shared memory, [kOuter][kInner + kPad]; the next part of it waits in registers.
template <typename T, int kVector, int kOuter, int kInner>
struct Operand {
  static constexpr int kRow = kInner + kPad, kInRow = kInner / kVector, kCount = kOuter * kInRow / kThreads;
  Chunk<T, kVector> held[kCount];

  // `at(outer, inner)` gives the address of a chunk; null stands for zeros.
  template <typename At>
  __device__ void load(const At& at) {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const int chunk = threadIdx.x + i * kThreads;
      const T* source = at(chunk / kInRow, chunk % kInRow * kVector);
      held[i] = source == nullptr ? Chunk<T, kVector>{} : *reinterpret_cast<const Chunk<T, kVector>*>(source);
    }
  }

  __device__ void store(T* shared) const {
#pragma unroll
    for (int i = 0; i < kCount; ++i) {
      const int chunk = threadIdx.x + i * kThreads;
      *reinterpret_cast<Chunk<T, kVector>*>(shared + chunk / kInRow * kRow + chunk % kInRow * kVector) = held[i];
    }
  }
};

// The sums of a tile. An operand is "deep" if the numbers of a sum lie side by side in shared memory.
template <typename T, Kind kKind>
struct Sums {  // computed on tensor cores
  static constexpr int kStep = kKind == Kind::kTf32 ? 8 : 16;
  using Number = std::conditional_t<kKind == Kind::kTf32, wmma::precision::tf32, T>;
  wmma::fragment<wmma::accumulator, 16, 16, kStep, float> parts[2][2];

  __device__ Sums() {
    for (auto& row : parts)
      for (auto& part : row) wmma::fill_fragment(part, 0.f);
  }

  template <bool kDeepA, bool kDeepB>
  __device__ void add(const T* a, const T* b) {
    using LayoutA = std::conditional_t<kDeepA, wmma::row_major, wmma::col_major>;
    using LayoutB = std::conditional_t<kDeepB, wmma::col_major, wmma::row_major>;
    const int first_row = int(threadIdx.x) / 64 * 32, first_column = int(threadIdx.x) / 32 % 2 * 32;
#pragma unroll
    for (int k = 0; k < kDepth; k += kStep) {
      wmma::fragment<wmma::matrix_a, 16, 16, kStep, Number, LayoutA> rows[2];
      wmma::fragment<wmma::matrix_b, 16, 16, kStep, Number, LayoutB> columns[2];
      for (int i = 0; i < 2; ++i) {
        read<kDeepA>(rows[i], a, first_row + i * 16, k);
        read<kDeepB>(columns[i], b, first_column + i * 16, k);
      }
      for (int i = 0; i < 2; ++i)
        for (int j = 0; j < 2; ++j) wmma::mma_sync(parts[i][j], rows[i], columns[j], parts[i][j]);
    }
  }

  template <bool kDeep, typename Fragment>
  __device__ static void read(Fragment& fragment, const T* shared, int first, int k) {
    constexpr int kRow = (kDeep ? kDepth : kTile) + kPad;
    wmma::load_matrix_sync(fragment, shared + (kDeep ? first * kRow + k : k * kRow + first), kRow);
    if constexpr (kKind == Kind::kTf32)
      for (int i = 0; i < fragment.num_elements; ++i) fragment.x[i] = wmma::__float_to_tf32(fragment.x[i]);
  }

  __device__ void write(float* tile) const {
    const int first_row = int(threadIdx.x) / 64 * 32, first_column = int(threadIdx.x) / 32 % 2 * 32;
    for (int i = 0; i < 2; ++i)
      for (int j = 0; j < 2; ++j)
        wmma::store_matrix_sync(tile + (first_row + i * 16) * (kTile + kPad) + first_column + j * 16, parts[i][j], kTile + kPad,
                                wmma::mem_row_major);
  }
};

template <typename T>
struct Sums<T, Kind::kExact> {  // computed without tensor cores; each thread has 4 rows and 8 columns
  float parts[4][8] = {};

  template <bool kDeepA, bool kDeepB>
  __device__ void add(const T* a, const T* b) {
    const int first_row = int(threadIdx.x) / 8 * 4, first_column = int(threadIdx.x) % 8 * 8;
    constexpr int kRowA = (kDeepA ? kDepth : kTile) + kPad, kRowB = (kDeepB ? kDepth : kTile) + kPad;
#pragma unroll 4
    for (int k = 0; k < kDepth; ++k)
      for (int i = 0; i < 4; ++i)
        for (int j = 0; j < 8; ++j)
          parts[i][j] += a[kDeepA ? (first_row + i) * kRowA + k : k * kRowA + first_row + i] *
                         b[kDeepB ? (first_column + j) * kRowB + k : k * kRowB + first_column + j];
  }

  __device__ void write(float* tile) const {
    for (int i = 0; i < 4; ++i)
      for (int j = 0; j < 8; ++j)
        tile[(int(threadIdx.x) / 8 * 4 + i) * (kTile + kPad) + int(threadIdx.x) % 8 * 8 + j] = parts[i][j];
  }
};

template <typename T>
struct Memory {
  // Both layouts of an operand fit: [kTile][kDepth + kPad] and [kDepth][kTile + kPad].
  alignas(128) T a[kTile * (kDepth + kPad)], b[kTile * (kDepth + kPad)];
  alignas(128) float tile[kTile * (kTile + kPad)];
};

// Sets the tile to the product of two operands whose sums have `depth` terms. `at_a(outer, inner, k)` gives the
// address of a chunk in the part of operand a that begins with term k; `at_b` does so for operand b.
template <typename T, Kind kKind, int kVector, bool kDeepA, bool kDeepB, typename AtA, typename AtB>
__device__ void multiply(Memory<T>& memory, int64_t depth, const AtA& at_a, const AtB& at_b) {
  Operand<T, kVector, kDeepA ? kTile : kDepth, kDeepA ? kDepth : kTile> a;
  Operand<T, kVector, kDeepB ? kTile : kDepth, kDeepB ? kDepth : kTile> b;
  Sums<T, kKind> sums;
  a.load([&](int outer, int inner) { return at_a(outer, inner, int64_t(0)); });
  b.load([&](int outer, int inner) { return at_b(outer, inner, int64_t(0)); });
  for (int64_t k = 0; k < depth; k += kDepth) {
    __syncthreads();
    a.store(memory.a);
    b.store(memory.b);
    __syncthreads();
    if (k + kDepth < depth) {
      a.load([&](int outer, int inner) { return at_a(outer, inner, k + kDepth); });
      b.load([&](int outer, int inner) { return at_b(outer, inner, k + kDepth); });
    }
    sums.template add<kDeepA, kDeepB>(memory.a, memory.b);
  }
  __syncthreads();
  sums.write(memory.tile);
  __syncthreads();
}

// The place in the input where the taps of a position of the output begin.
struct Place {
  int item, y, x;  // the first tap, which may lie outside of the input
};

__device__ Place place_of(const ConvShape& s, int position) {
  const int height = int(s.places[0]), width = int(s.places[1]);
  const int column = position % width, row = position / width % height;
  return {position / (width * height), int(row * s.stride[0] - s.padding[0]), int(column * s.stride[1] - s.padding[1])};
}

// The index of a tap's first channel; negative if the tap lies outside of the input.
__device__ int64_t tap_at(const ConvShape& s, const Place& place, int tap) {
  const int width = int(s.kernel[1]);
  const int y = place.y + tap / width * int(s.dilation[0]), x = place.x + tap % width * int(s.dilation[1]);
  if (y < 0 || y >= s.size[0] || x < 0 || x >= s.size[1]) return -1;
  return ((int64_t(place.item) * s.size[0] + y) * s.size[1] + x) * s.channels;
}

// The positions of a tile; all share a kernel.
struct Rows {
  int kernel, position[kTile];  // a negative number marks a missing position
  Place place[kTile];
};

// Finds the rows of tile number `tile`; returns whether there is such a tile.
__device__ bool find_rows(const ConvShape& s, const int* starts, const int* order, int tile, Rows& rows) {
  int kernel = 0, tiles = 0;
  for (; kernel < s.breadth; ++kernel, tile -= tiles) {
    tiles = (starts[kernel + 1] - starts[kernel] + kTile - 1) / kTile;
    if (tile < tiles) break;
  }
  if (kernel == s.breadth) return false;
  if (threadIdx.x < kTile) {
    const int place = starts[kernel] + tile * kTile + int(threadIdx.x);
    const int position = place < starts[kernel + 1] ? order[place] : -1;
    rows.position[threadIdx.x] = position;
    rows.place[threadIdx.x] = place_of(s, position < 0 ? 0 : position);
    rows.kernel = kernel;
  }
  __syncthreads();
  return true;
}

// Grid: tiles of positions, tiles of outputs.
template <typename T, Kind kKind, int kVector>
__global__ void forward_tile(ConvShape s, const T* x, const T* weight, const float* bias, const int* starts, const int* order, T* y) {
  __shared__ Memory<T> memory;
  __shared__ Rows rows;
  if (!find_rows(s, starts, order, int(blockIdx.x), rows)) return;
  const int first = int(blockIdx.y) * kTile, outputs = int(s.outputs), channels = int(s.channels), columns = int(s.columns());
  const T* kernel = weight + int64_t(rows.kernel) * outputs * columns;
  multiply<T, kKind, kVector, true, true>(
      memory, columns,
      [&](int row, int inner, int64_t k) -> const T* {
        const int column = int(k) + inner;
        if (column >= columns || rows.position[row] < 0) return nullptr;
        const int64_t at = tap_at(s, rows.place[row], column / channels);
        return at < 0 ? nullptr : x + at + column % channels;
      },
      [&](int output, int inner, int64_t k) -> const T* {
        const int column = int(k) + inner;
        return column >= columns || first + output >= outputs ? nullptr : kernel + int64_t(first + output) * columns + column;
      });
  for (int i = threadIdx.x; i < kTile * kTile; i += kThreads) {
    const int row = i / kTile, output = first + i % kTile;
    if (rows.position[row] < 0 || output >= outputs) continue;
    const float sum = memory.tile[row * (kTile + kPad) + i % kTile] + (bias == nullptr ? 0.f : bias[output]);
    y[int64_t(rows.position[row]) * outputs + output] = T(sum);
  }
}

// Grid: tiles of positions, tiles of channels. Computes the input's gradient through one tap. Each position of the
// input is this tap of at most one position of the output, so no other thread adds to it at the same time.
template <typename T, Kind kKind, int kVector>
__global__ void input_gradient_tile(ConvShape s, const T* grad, const T* weight, const int* starts, const int* order, int tap, float* dx) {
  __shared__ Memory<T> memory;
  __shared__ Rows rows;
  if (!find_rows(s, starts, order, int(blockIdx.x), rows)) return;
  const int first = int(blockIdx.y) * kTile, outputs = int(s.outputs), channels = int(s.channels), columns = int(s.columns());
  const T* kernel = weight + int64_t(rows.kernel) * outputs * columns + int64_t(tap) * channels;
  multiply<T, kKind, kVector, true, false>(
      memory, outputs,
      [&](int row, int inner, int64_t k) -> const T* {
        const int output = int(k) + inner;
        return output >= outputs || rows.position[row] < 0 ? nullptr : grad + int64_t(rows.position[row]) * outputs + output;
      },
      [&](int outer, int inner, int64_t k) -> const T* {
        const int output = int(k) + outer;
        return output >= outputs || first + inner >= channels ? nullptr : kernel + int64_t(output) * columns + first + inner;
      });
  for (int i = threadIdx.x; i < kTile * kTile; i += kThreads) {
    const int row = i / kTile, channel = first + i % kTile;
    if (rows.position[row] < 0 || channel >= channels) continue;
    const int64_t at = tap_at(s, rows.place[row], tap);
    if (at >= 0) dx[at + channel] += memory.tile[row * (kTile + kPad) + i % kTile];
  }
}

// Grid: tiles of a kernel's columns, tiles of outputs, kernels.
template <typename T, Kind kKind, int kVector>
__global__ void kernel_gradient_tile(ConvShape s, const T* grad, const T* x, const int* starts, const int* order, T* dw) {
  __shared__ Memory<T> memory;
  const int first_column = int(blockIdx.x) * kTile, first = int(blockIdx.y) * kTile, number = int(blockIdx.z);
  const int outputs = int(s.outputs), channels = int(s.channels), columns = int(s.columns());
  const int* own = order + starts[number];
  const int count = starts[number + 1] - starts[number];
  multiply<T, kKind, kVector, false, false>(
      memory, count,
      [&](int outer, int inner, int64_t k) -> const T* {
        const int row = int(k) + outer;
        return row >= count || first + inner >= outputs ? nullptr : grad + int64_t(own[row]) * outputs + first + inner;
      },
      [&](int outer, int inner, int64_t k) -> const T* {
        const int row = int(k) + outer, column = first_column + inner;
        if (row >= count || column >= columns) return nullptr;
        const int64_t at = tap_at(s, place_of(s, own[row]), column / channels);
        return at < 0 ? nullptr : x + at + column % channels;
      });
  for (int i = threadIdx.x; i < kTile * kTile; i += kThreads) {
    const int output = first + i / kTile, column = first_column + i % kTile;
    if (output < outputs && column < columns)
      dw[(int64_t(number) * outputs + output) * columns + column] = T(memory.tile[i / kTile * (kTile + kPad) + i % kTile]);
  }
}

unsigned tiles(int64_t count) { return unsigned((count + kTile - 1) / kTile); }

// The most tiles of positions: every kernel may have one tile that is not full.
unsigned position_tiles(const ConvShape& s) { return unsigned(s.rows() / kTile + s.breadth); }

bool aligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 16 == 0; }

// Calls `work` with the type, the kind and the length of a vector as types. A vector has 16 bytes if all rows begin at
// multiples of 16 bytes, else one number.
template <typename T, Kind kKind, typename Work>
void with_vectors(const ConvShape& s, const void* one, const void* other, const Work& work) {
  constexpr int kVector = 16 / sizeof(T);
  if (s.channels % kVector == 0 && s.outputs % kVector == 0 && aligned(one) && aligned(other))
    work(T{}, std::integral_constant<Kind, kKind>{}, std::integral_constant<int, kVector>{});
  else
    work(T{}, std::integral_constant<Kind, kKind>{}, std::integral_constant<int, 1>{});
}

template <typename Work>
void with_kind(Kind kind, const ConvShape& s, const void* one, const void* other, const Work& work) {
  switch (kind) {
    case Kind::kExact: return with_vectors<float, Kind::kExact>(s, one, other, work);
    case Kind::kTf32: return with_vectors<float, Kind::kTf32>(s, one, other, work);
    case Kind::kHalf: return with_vectors<__half, Kind::kHalf>(s, one, other, work);
    case Kind::kBFloat16: return with_vectors<__nv_bfloat16, Kind::kBFloat16>(s, one, other, work);
  }
}

int64_t sort_blocks(const ConvShape& s) { return (s.rows() + kSorted - 1) / kSorted; }

}  // namespace

int64_t sort_room(const ConvShape& s) { return sort_blocks(s) * s.breadth; }

void sort(const ConvShape& s, const int64_t* index, int* room, int* starts, int* order, void* stream) {
  const unsigned blocks = unsigned(sort_blocks(s));
  launch(count_kernels, dim3(blocks), kSorted, stream, index, s.rows(), int(s.breadth), room);
  launch(find_starts, dim3(1), 256, stream, room, int(blocks), int(s.breadth), starts);
  launch(place_positions, dim3(blocks), kSorted, stream, index, s.rows(), int(s.breadth), room, starts, order);
}

void forward(Kind kind, const ConvShape& s, const void* x, const void* weight, const float* bias, const int* starts,
             const int* order, void* y, void* stream) {
  with_kind(kind, s, x, weight, [&](auto type, auto chosen, auto vector) {
    using T = decltype(type);
    launch(forward_tile<T, chosen.value, vector.value>, dim3(position_tiles(s), tiles(s.outputs)), kThreads, stream, s,
           static_cast<const T*>(x), static_cast<const T*>(weight), bias, starts, order, static_cast<T*>(y));
  });
}

void input_gradient(Kind kind, const ConvShape& s, const void* grad, const void* weight, const int* starts, const int* order,
                    float* dx, void* stream) {
  with_kind(kind, s, grad, weight, [&](auto type, auto chosen, auto vector) {
    using T = decltype(type);
    for (int tap = 0; tap < s.taps(); ++tap)
      launch(input_gradient_tile<T, chosen.value, vector.value>, dim3(position_tiles(s), tiles(s.channels)), kThreads, stream, s,
             static_cast<const T*>(grad), static_cast<const T*>(weight), starts, order, tap, dx);
  });
}

void kernel_gradient(Kind kind, const ConvShape& s, const void* grad, const void* x, const int* starts, const int* order,
                     void* dw, void* stream) {
  with_kind(kind, s, grad, x, [&](auto type, auto chosen, auto vector) {
    using T = decltype(type);
    launch(kernel_gradient_tile<T, chosen.value, vector.value>,
           dim3(tiles(s.columns()), tiles(s.outputs), unsigned(s.breadth)), kThreads, stream, s, static_cast<const T*>(grad),
           static_cast<const T*>(x), starts, order, static_cast<T*>(dw));
  });
}

}  // namespace switched_cuda
