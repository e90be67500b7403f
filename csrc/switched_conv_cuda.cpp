// Switched convolution on a GPU: from tensors to the kernels of switched_conv.cu.

#include "switched_conv_tensors.h"

#include <ATen/Context.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/cuda/CUDAException.h>
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <limits>

namespace {

using switched_cuda::Kind;

Kind kind_of(const at::Tensor& x) {
  switch (x.scalar_type()) {
    case at::kFloat: return at::globalContext().allowTF32CuDNN() ? Kind::kTf32 : Kind::kExact;  // the same choice as for plain convolutions
    case at::kHalf: return Kind::kHalf;
    case at::kBFloat16: return Kind::kBFloat16;
    default: TORCH_CHECK(false, "switched_conv: no operator for ", x.scalar_type(), " on a GPU");
  }
}

// Sorts the positions of the output by kernel.
struct Sorted {
  at::Tensor starts, order;

  Sorted(const ConvShape& shape, const at::Tensor& index, void* stream) {
    TORCH_CHECK(shape.rows() < std::numeric_limits<int>::max(), "switched_conv: more than 2^31 positions");
    const auto options = index.options().dtype(at::kInt);
    const at::Tensor chosen = index.contiguous(), room = at::zeros({switched_cuda::sort_room(shape)}, options);
    starts = at::empty({shape.breadth + 1}, options);
    order = at::empty({shape.rows()}, options);
    switched_cuda::sort(shape, chosen.const_data_ptr<int64_t>(), room.mutable_data_ptr<int>(), starts.mutable_data_ptr<int>(),
                        order.mutable_data_ptr<int>(), stream);
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
};

at::Tensor switched_conv(
    const at::Tensor& x, const at::Tensor& weight, const std::optional<at::Tensor>& bias, const at::Tensor& index, Ints stride,
    Ints padding, Ints dilation) {
  const c10::cuda::CUDAGuard guard(x.device());
  const ConvShape shape = shape_of(x, weight, index, stride, padding, dilation);
  at::Tensor out = at::empty(sizes_of(index, shape.outputs), x.options());
  if (shape.rows() == 0) return out;
  void* stream = c10::cuda::getCurrentCUDAStream().stream();
  const at::Tensor input = x.contiguous(), kernels = weight.contiguous();
  const at::Tensor added = bias ? bias->contiguous().to(at::kFloat) : at::Tensor();
  TORCH_CHECK(!bias || added.numel() == shape.outputs, "switched_conv: a bias of ", added.numel(), " numbers for ", shape.outputs, " outputs");
  const Sorted sorted(shape, index, stream);
  switched_cuda::forward(kind_of(x), shape, input.const_data_ptr(), kernels.const_data_ptr(), bias ? added.const_data_ptr<float>() : nullptr,
                         sorted.starts.const_data_ptr<int>(), sorted.order.const_data_ptr<int>(), out.mutable_data_ptr(), stream);
  C10_CUDA_KERNEL_LAUNCH_CHECK();
  return out;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> switched_conv_backward(
    const at::Tensor& grad, const at::Tensor& x, const at::Tensor& weight, const at::Tensor& index, Ints stride, Ints padding,
    Ints dilation, std::array<bool, 3> wanted) {
  const c10::cuda::CUDAGuard guard(x.device());
  const ConvShape shape = shape_of(x, weight, index, stride, padding, dilation);
  const at::Tensor gradient = grad.contiguous();
  const bool any = shape.rows() > 0;
  at::Tensor dx = wanted[0] ? at::zeros(x.sizes(), x.options().dtype(at::kFloat)) : at::empty({0}, x.options());
  at::Tensor dw = !wanted[1] ? at::empty({0}, x.options()) : any ? at::empty(weight.sizes(), x.options()) : at::zeros(weight.sizes(), x.options());
  const at::Tensor db = wanted[2] ? gradient.reshape({-1, shape.outputs}).sum(0, false, at::kFloat) : at::empty({0}, x.options());
  if (any && (wanted[0] || wanted[1])) {
    void* stream = c10::cuda::getCurrentCUDAStream().stream();
    const Sorted sorted(shape, index, stream);
    const int *starts = sorted.starts.const_data_ptr<int>(), *order = sorted.order.const_data_ptr<int>();
    if (wanted[0]) {
      const at::Tensor kernels = weight.contiguous();
      switched_cuda::input_gradient(kind_of(x), shape, gradient.const_data_ptr(), kernels.const_data_ptr(), starts, order,
                                    dx.mutable_data_ptr<float>(), stream);
    }
    if (wanted[1]) {
      const at::Tensor input = x.contiguous();
      switched_cuda::kernel_gradient(kind_of(x), shape, gradient.const_data_ptr(), input.const_data_ptr(), starts, order,
                                     dw.mutable_data_ptr(), stream);
    }
    C10_CUDA_KERNEL_LAUNCH_CHECK();
  }
  return {dx.to(x.scalar_type()), dw, db.to(x.scalar_type())};
}

}  // namespace

TORCH_LIBRARY_IMPL(triforce_tts, CUDA, library) {
  library.impl("switched_conv", switched_conv);
  library.impl("switched_conv_backward", switched_conv_backward);
}
