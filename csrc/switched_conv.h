// The shapes of a switched convolution. Tensors are [batch, height, width, channels]; with one dimension of positions the
// height is 1. The kernels are [breadth, outputs, height, width, channels], so that a kernel is a matrix whose rows have
// the order of the input's memory.
#pragma once

#include <stdint.h>

struct ConvShape {
  int64_t batch, channels, outputs, breadth;
  int64_t size[2], kernel[2], places[2];  // height and width: of the input, of a kernel, of the output
  int64_t stride[2], padding[2], dilation[2];

  int64_t taps() const { return kernel[0] * kernel[1]; }
  int64_t columns() const { return taps() * channels; }                    // of a kernel as a matrix
  int64_t rows() const { return batch * places[0] * places[1]; }           // positions of the output
};
