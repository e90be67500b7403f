// The kernels of csrc/switched_conv.cu on a CPU, for tests/csrc/test_switched_conv_cuda.py: one function, which ctypes calls.
#include "../../csrc/switched_conv.cu"

// `sizes` are those of ConvShape in its order, and `kind` a number of switched_cuda::Kind. What is null is not computed.
extern "C" void switched_conv(
    const int64_t* sizes, int kind, const void* x, const void* weight, const float* bias, const int64_t* index, const void* grad,
    int* starts, int* order, void* y, float* dx, void* dw) {
  ConvShape shape;
  static_assert(sizeof(shape) == 16 * sizeof(int64_t), "sixteen sizes");
  std::memcpy(&shape, sizes, sizeof(shape));
  const auto chosen = static_cast<switched_cuda::Kind>(kind);
  std::vector<int> room(switched_cuda::sort_room(shape), 0);
  switched_cuda::sort(shape, index, room.data(), starts, order, nullptr);
  if (y != nullptr) switched_cuda::forward(chosen, shape, x, weight, bias, starts, order, y, nullptr);
  if (dx != nullptr) switched_cuda::input_gradient(chosen, shape, grad, weight, starts, order, dx, nullptr);
  if (dw != nullptr) switched_cuda::kernel_gradient(chosen, shape, grad, x, starts, order, dw, nullptr);
}
