// The kernels for one element type: `element` is the type, T(name) the name of a kernel for it.

#include "product.h"

#include "attention.h"
#include "elementwise.h"
#include "norm.h"
#include "pool.h"
#include "softmax.h"
#include "weight_gradient.h"

// Tiles multiply only bf16. What they do not do comes from the level below.
#if DK_ON_TILES
#include "amx_product.h"
#include "amx_weight_gradient.h"

static void T(extend)(dk_kernels *kernels) {
  kernels->product_grain = 2 * TILE_ROWS;
  kernels->gradient_grain = T(amx_gradient_grain);
  kernels->product = T(amx_product);
  kernels->weight_gradient_scratch = T(amx_weight_gradient_scratch);
  kernels->weight_gradient = T(amx_weight_gradient);
}
#else
static const dk_kernels T(kernels) = {
    .product_grain = DK_ROWS,
    .gradient_grain = T(gradient_grain),
    .packed_bytes = T(packed_bytes),
    .pack = T(pack),
    .product = T(product),
    .pool = T(pool),
    .pool_gradient = T(pool_gradient),
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
    .leaky_relu = T(leaky_relu),
    .leaky_relu_gradient = T(leaky_relu_gradient),
    .dropout = T(dropout),
    .group_norm = T(group_norm),
    .group_norm_gradient = T(group_norm_gradient),
    .layer_norm = T(layer_norm),
    .layer_norm_gradient = T(layer_norm_gradient),
    .softmax = T(softmax),
    .softmax_gradient = T(softmax_gradient),
    .attention_bias = attention_bias,
    .attention = T(attention),
    .attention_gradient = T(attention_gradient),
};

#ifdef DK_EXTENDS
static void T(extend)(dk_kernels *kernels) { *kernels = T(kernels); }
#endif
#endif
