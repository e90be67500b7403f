// The shapes of a switched convolution. Tensors are [batch, height, width, channels]; with one dimension of positions the
// height is 1. The kernels are [breadth, outputs, height, width, channels], so that a kernel is a matrix whose rows have
// the order of the input's memory.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define TRIFORCE_BOTH __host__ __device__
#else
#define TRIFORCE_BOTH
#endif

struct ConvShape {
  int64_t batch, channels, outputs, breadth;
  int64_t size[2], kernel[2], places[2];  // height and width of the input, of a kernel and of the output
  int64_t stride[2], padding[2], dilation[2];

  TRIFORCE_BOTH int64_t taps() const { return kernel[0] * kernel[1]; }
  TRIFORCE_BOTH int64_t columns() const { return taps() * channels; }            // the columns of a kernel as a matrix
  TRIFORCE_BOTH int64_t rows() const { return batch * places[0] * places[1]; }  // the positions of the output
};

// The functions of csrc/switched_conv.cu for csrc/switched_conv_cuda.cpp. Pointers are the device's; streams are
// cudaStream_t.
namespace switched_cuda {

enum class Kind { kExact, kTf32, kHalf, kBFloat16 };  // kExact: float32 without tensor cores

// The number of int32 that `sort` needs as working memory.
int64_t sort_room(const ConvShape& shape);

// Sorts the positions of the output by kernel: in order [rows], those of kernel s are order[starts[s]:starts[s + 1]].
void sort(const ConvShape& shape, const int64_t* index, int* room, int* starts, int* order, void* stream);

void forward(Kind kind, const ConvShape& shape, const void* x, const void* weight, const float* bias, const int* starts,
             const int* order, void* y, void* stream);

// Adds the input's gradient to dx, which is float32 for every kind.
void input_gradient(Kind kind, const ConvShape& shape, const void* grad, const void* weight, const int* starts, const int* order,
                    float* dx, void* stream);

void kernel_gradient(Kind kind, const ConvShape& shape, const void* grad, const void* x, const int* starts, const int* order,
                     void* dw, void* stream);

}  // namespace switched_cuda
