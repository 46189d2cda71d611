// The kernels of one element type: `element` is the type, T(name) the name of a kernel for it.

#include "product.h"

#include "attention.h"
#include "elementwise.h"
#include "norm.h"
#include "weight_gradient.h"

static const dk_kernels T(kernels) = {
    .packed_bytes = T(packed_bytes),
    .pack = T(pack),
    .product = T(product),
    .weight_gradient_scratch = T(weight_gradient_scratch),
    .weight_gradient = T(weight_gradient),
    .column_sums = T(column_sums),
    .add = T(add),
    .to_f32 = T(to_f32),
    .from_f32 = T(from_f32),
    .silu = T(silu),
    .silu_gradient = T(silu_gradient),
    .gelu = T(gelu),
    .gelu_gradient = T(gelu_gradient),
    .dropout = T(dropout),
    .group_norm = T(group_norm),
    .group_norm_gradient = T(group_norm_gradient),
    .layer_norm = T(layer_norm),
    .layer_norm_gradient = T(layer_norm_gradient),
    .attention = T(attention),
    .attention_gradient = T(attention_gradient),
};
