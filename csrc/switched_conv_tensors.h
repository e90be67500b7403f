// The checks of tensors that the operators of switched convolutions share on all devices.
#pragma once

#include "switched_conv.h"

#include <ATen/core/Tensor.h>

#include <vector>

using Ints = at::IntArrayRef;

inline ConvShape shape_of(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& index, Ints stride, Ints padding, Ints dilation) {
  const int64_t dims = x.dim() - 2;
  TORCH_CHECK(dims == 1 || dims == 2, "switched_conv: expected [batch, *positions, channels] with one or two dimensions of positions");
  TORCH_CHECK(weight.dim() == dims + 3 && index.dim() == dims + 1, "switched_conv: kernels or index of another number of dimensions");
  TORCH_CHECK(index.scalar_type() == at::kLong, "switched_conv: the index must be int64");
  TORCH_CHECK(x.scalar_type() == weight.scalar_type(), "switched_conv: input and kernels of different types");
  TORCH_CHECK(weight.size(-1) == x.size(-1) && index.size(0) == x.size(0), "switched_conv: other channels, or another batch");
  ConvShape s{x.size(0), x.size(-1), weight.size(1), weight.size(0), {1, 1}, {1, 1}, {1, 1}, {1, 1}, {0, 0}, {1, 1}};
  TORCH_CHECK(s.breadth >= 1 && s.outputs >= 1 && s.channels >= 1, "switched_conv: nothing to compute");
  for (int64_t i = 0; i < dims; ++i) {
    const int64_t at = 2 - dims + i;
    s.size[at] = x.size(1 + i), s.kernel[at] = weight.size(2 + i), s.places[at] = index.size(1 + i);
    s.stride[at] = stride[i], s.padding[at] = padding[i], s.dilation[at] = dilation[i];
    const int64_t room = s.size[at] + 2 * s.padding[at] - s.dilation[at] * (s.kernel[at] - 1) - 1;
    TORCH_CHECK(room >= 0 && s.places[at] == room / s.stride[at] + 1, "switched_conv: an index of ", s.places[at],
                " places for an output of ", room < 0 ? 0 : room / s.stride[at] + 1);
  }
  return s;
}

inline std::vector<int64_t> sizes_of(const at::Tensor& index, int64_t outputs) {
  std::vector<int64_t> sizes = index.sizes().vec();
  sizes.push_back(outputs);
  return sizes;
}
