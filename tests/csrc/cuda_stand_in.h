// As much of CUDA as csrc/switched_conv.cu uses, on a CPU. The threads of a block are contexts that take turns: each runs to
// its next __syncthreads or to its end. A product of a warp is computed by the warp's first thread alone.
#pragma once

#include <ucontext.h>

#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <type_traits>
#include <vector>

#define __global__
#define __device__
#define __shared__ static

struct dim3 {
  unsigned x, y, z;
  dim3(unsigned x_ = 1, unsigned y_ = 1, unsigned z_ = 1) : x(x_), y(y_), z(z_) {}
};

inline dim3 blockIdx, blockDim, threadIdx;

struct Block {
  static constexpr size_t kStack = 64 << 10;
  std::function<void()> work;
  std::vector<char> stacks;
  std::vector<ucontext_t> threads;
  ucontext_t scheduler;
  std::vector<bool> ended;
};

inline Block* current_block;

inline void __syncthreads() { swapcontext(&current_block->threads[threadIdx.x], &current_block->scheduler); }

inline void run_thread() {
  current_block->work();
  current_block->ended[threadIdx.x] = true;
}

inline void run_block(Block& block, int threads) {
  current_block = &block;
  block.ended.assign(threads, false);
  for (int i = 0; i < threads; ++i) {
    getcontext(&block.threads[i]);
    block.threads[i].uc_stack.ss_sp = block.stacks.data() + i * Block::kStack;
    block.threads[i].uc_stack.ss_size = Block::kStack;
    block.threads[i].uc_link = &block.scheduler;
    makecontext(&block.threads[i], run_thread, 0);
  }
  for (int ends = 0; ends < threads;) {
    ends = 0;
    for (int i = 0; i < threads; ++i) {
      threadIdx.x = i;
      swapcontext(&block.scheduler, &block.threads[i]);
      ends += block.ended[i];
    }
    assert(ends == 0 || ends == threads);  // else some threads wait at a barrier that others never reach
  }
}

template <typename... Parameters, typename... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, int threads, void*, Arguments... arguments) {
  Block block{[=] { kernel(arguments...); }, std::vector<char>(threads * Block::kStack), std::vector<ucontext_t>(threads), {}, {}};
  blockDim = dim3(threads);
  for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z)
    for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y)
      for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) run_block(block, threads);
}

inline int atomicAdd(int* target, int value) {
  const int before = *target;
  *target += value;
  return before;
}

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, 4);
  return bits;
}

inline float float_of(uint32_t bits) {
  float x;
  std::memcpy(&x, &bits, 4);
  return x;
}

struct __nv_bfloat16 {
  uint16_t bits = 0;
  __nv_bfloat16() = default;
  explicit __nv_bfloat16(float x) : bits((bits_of(x) + 0x7fff + (bits_of(x) >> 16 & 1)) >> 16) {}
  operator float() const { return float_of(uint32_t(bits) << 16); }
};

struct __half : __nv_bfloat16 {  // compiled here and not run
  using __nv_bfloat16::__nv_bfloat16;
};

namespace nvcuda::wmma {

struct row_major {};
struct col_major {};
struct matrix_a {};
struct matrix_b {};
struct accumulator {};
enum layout_t { mem_row_major };
namespace precision {
struct tf32 {};
}  // namespace precision

inline bool computes() { return threadIdx.x % 32 == 0; }

template <typename Use, int M, int N, int K, typename T, typename Layout = void>
struct fragment {
  static constexpr int kRows = std::is_same_v<Use, matrix_b> ? K : M, kColumns = std::is_same_v<Use, matrix_a> ? K : N;
  static constexpr int num_elements = kRows * kColumns;
  float x[num_elements];
};

template <typename Fragment>
void fill_fragment(Fragment& fragment, float value) {
  for (float& x : fragment.x) x = value;
}

template <typename Use, int M, int N, int K, typename T, typename Layout, typename Number>
void load_matrix_sync(fragment<Use, M, N, K, T, Layout>& fragment, const Number* source, int row) {
  assert(reinterpret_cast<uintptr_t>(source) % 32 == 0 && row * sizeof(Number) % 16 == 0);  // as CUDA asks
  if (!computes()) return;
  for (int i = 0; i < fragment.kRows; ++i)
    for (int j = 0; j < fragment.kColumns; ++j)
      fragment.x[i * fragment.kColumns + j] = float(std::is_same_v<Layout, row_major> ? source[i * row + j] : source[j * row + i]);
}

inline float __float_to_tf32(float x) { return computes() ? float_of((bits_of(x) + 0x1000) & ~0x1fffu) : x; }

template <int M, int N, int K, typename A, typename B, typename Sum>
void mma_sync(Sum& sum, const A& a, const B& b, const Sum&) {
  if (!computes()) return;
  for (int i = 0; i < M; ++i)
    for (int k = 0; k < K; ++k)
      for (int j = 0; j < N; ++j) sum.x[i * N + j] += a.x[i * K + k] * b.x[k * N + j];
}

template <typename T, typename LayoutA, typename LayoutB, int M, int N, int K>
void mma_sync(fragment<accumulator, M, N, K, float>& sum, const fragment<matrix_a, M, N, K, T, LayoutA>& a,
              const fragment<matrix_b, M, N, K, T, LayoutB>& b, const fragment<accumulator, M, N, K, float>& before) {
  mma_sync<M, N, K>(sum, a, b, before);
}

template <int M, int N, int K>
void store_matrix_sync(float* target, const fragment<accumulator, M, N, K, float>& fragment, int row, layout_t) {
  assert(reinterpret_cast<uintptr_t>(target) % 32 == 0 && row % 4 == 0);
  if (!computes()) return;
  for (int i = 0; i < M; ++i)
    for (int j = 0; j < N; ++j) target[i * row + j] = fragment.x[i * N + j];
}

}  // namespace nvcuda::wmma
