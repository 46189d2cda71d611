/// SIMD kernels: plain C with vector extensions. One source is compiled for several instruction sets, one of which
/// is chosen at run time. Matrices are row-major; images are NHWC. No kernel allocates, locks or starts a
/// thread: callers split the work, and no result depends on how they split it.
#ifndef DIFFIT_CKERNELS_H
#define DIFFIT_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#define DK_MAX_TAPS 25
#define DK_MAX_GATHERED_CHANNELS 4096  // widest input of a product of several taps

/// Which pixels a product reads and writes: a grid of positions, each of which reads `taps` input pixels and writes
/// one output pixel. Linear layers have one tap; convolutions, transposed convolutions and the input
/// gradients of both have several. A tap outside the image reads zeros.
typedef struct {
  int64_t images, grid_h, grid_w;
  int64_t in_h, in_w, in_stride;               // input pixel of tap t: grid * in_stride + (dy[t], dx[t])
  int64_t out_h, out_w, out_stride, out_y, out_x;  // output pixel: grid * out_stride + (out_y, out_x)
  int64_t in_channels, out_channels;           // K and N of the product
  int64_t in_pitch, out_pitch;                 // elements from one pixel to the next
  int32_t taps;
  int32_t dy[DK_MAX_TAPS], dx[DK_MAX_TAPS];
  int32_t weight_tap[DK_MAX_TAPS];             // which of the weight's taps this one multiplies by
  int32_t weight_taps;                         // taps the packed weight holds
} dk_geometry;

/// Sets tap `tap` of `g`: it reads (dy, dx) from the position and multiplies by the weight's tap `weight`.
static inline void dk_set_tap(dk_geometry *_Nonnull g, int32_t tap, int32_t dy, int32_t dx, int32_t weight) {
  g->dy[tap] = dy, g->dx[tap] = dx, g->weight_tap[tap] = weight;
}

/// Windows of side `window` over images [height, width]; `heads` heads of `head_dim` channels.
typedef struct {
  int64_t height, width, window, heads, head_dim;
} dk_attention;

/// How many floats of scratch one call of attention or of its gradient needs for all heads, at any level.
static inline int64_t dk_attention_scratch(const dk_attention *_Nonnull g) {
  const int64_t w = g->window, n = w * w, side = 2 * w - 1, row = (w + 15) / 16 * 16;
  const int64_t pairs = g->heads * (w < 16 ? n * ((n + 15) / 16 * 16) : side * w * row);
  const int64_t depth = (g->head_dim + 15) / 16 * 16;
  return (4 * n + 5 * 32 + 3 * g->heads) * depth + 2 * n * 32 + pairs + (side * side + 15) / 16 * 16 + 48 +
         2 * (n + w * row);
}

/// How many floats the expanded bias of one head has, at any level.
static inline int64_t dk_attention_bias(const dk_attention *_Nonnull g) {
  const int64_t w = g->window, n = w * w, side = 2 * w - 1;
  return w < 16 ? n * ((n + 15) / 16 * 16) + 16 : (side * side + 15) / 16 * 16 + 16;
}

/// Element types of activations. bf16 is the upper half of an f32; every kernel computes in f32.
typedef enum { DK_F32 = 0, DK_BF16 = 1 } dk_type;
typedef uint16_t dk_bf16;

/// What a product adds to its sums before it stores them: y = max(sum + bias, least) + addend. NaN stays NaN.
typedef struct {
  const float *_Nullable bias;    // [out_channels]
  const float *_Nullable least;   // [out_channels]: 0 where a ReLU follows, -infinity where none does
  const void *_Nullable addend;   // laid out and typed as y
  void *_Nullable activated;      // receives GELU of y before y is rounded, laid out and typed as y
  dk_type output;                 // type of y; that of the input, or DK_F32
} dk_epilogue;

/// Kernels for activations of one element type. Activations are `void *` and have that type, unless a comment says
/// otherwise; weights, statistics, gradients of parameters and the residual stream are f32.
typedef struct {
  // ---- products and pools (template/product.h, template/pool.h, template/weight_gradient.h)

  /// How many rows of a product, and of a weight gradient, are computed together. Ranges that begin at multiples of
  /// it repeat no work; any range gives the same bits.
  int64_t product_grain;
  int64_t (*_Nonnull gradient_grain)(const dk_geometry *_Nonnull g);
  /// How many bytes the packed form of weights [taps, k, n] has.
  int64_t (*_Nonnull packed_bytes)(int64_t taps, int64_t k, int64_t n);
  /// Packs w [taps, k, n] (or, transposed, w [taps, n, k]) into column panels for `product`. It makes the panels of
  /// columns [begin, end), the first of them at `packed`; begin is a multiple of `panel_columns`.
  void (*_Nonnull pack)(const float *_Nonnull w, int64_t taps, int64_t k, int64_t n,
                        int transposed, int64_t begin, int64_t end, void *_Nonnull packed);
  /// y[p, n] = bias[n] + sum over t, k of x[p + t, k] w[t, k, n], for the grid positions [begin, end) counted over
  /// images, rows and columns; then the epilogue. Each element is summed in the order (t, k), on tiles by 32
  /// channels at a time, so its bits depend only on its own inputs. y may be null if only `activated` is wanted.
  void (*_Nonnull product)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end,
                           const void *_Nonnull x, const void *_Nonnull packed,
                           const dk_epilogue *_Nonnull epilogue, void *_Nullable y);
  /// y[p, c] = the largest of x[p + t, c], or their mean, over the taps t inside the image in their order, for the
  /// grid positions [begin, end); then max(y, least[c]). NaN stays NaN; the result is 0 if no tap is inside.
  void (*_Nonnull pool)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end, const void *_Nonnull x,
                        int mean, const float *_Nullable least, void *_Nonnull y);
  /// The gradient of max pooling, for windows that share no pixel: dx[p + t, c] = dy[p, c] for the first tap t whose
  /// x equals y, the result of `pool`, and 0 for the others. Pixels outside of all windows are not written.
  void (*_Nonnull pool_gradient)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end,
                                 const void *_Nonnull x, const void *_Nonnull y, const void *_Nonnull dy,
                                 void *_Nonnull dx);
  /// How many bytes of scratch one call of `weight_gradient` needs for a range of at most `rows` rows.
  int64_t (*_Nonnull weight_gradient_scratch)(const dk_geometry *_Nonnull g, int64_t rows);
  /// dw[t, k, n] (+)= sum over all grid positions p of x[p + t, k] dy[p, n], for the rows
  /// [begin, end) of dw seen as [weight_taps * k, n].
  void (*_Nonnull weight_gradient)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end,
                                   const void *_Nonnull x, const void *_Nonnull dy,
                                   int accumulate, void *_Nonnull scratch, float *_Nonnull dw);
  /// out[n] (+)= sum over rows of x[row, n], for columns [begin, end).
  void (*_Nonnull column_sums)(const void *_Nonnull x, int64_t rows, int64_t n, int64_t begin,
                               int64_t end, int accumulate, float *_Nonnull out);

  // ---- flat ranges [begin, end) (template/elementwise.h)

  void (*_Nonnull add)(const void *_Nonnull a, const void *_Nonnull b, int64_t begin, int64_t end,
                       void *_Nonnull y);
  /// y = x, to f32 and from f32.
  void (*_Nonnull to_f32)(const void *_Nonnull x, int64_t begin, int64_t end, float *_Nonnull y);
  void (*_Nonnull from_f32)(const float *_Nonnull x, int64_t begin, int64_t end, void *_Nonnull y);
  void (*_Nonnull silu)(const void *_Nonnull x, int64_t begin, int64_t end, void *_Nonnull y);
  void (*_Nonnull silu_gradient)(const void *_Nonnull x, const void *_Nonnull dy, int64_t begin,
                                 int64_t end, void *_Nonnull dx);
  /// GELU, tanh form.
  void (*_Nonnull gelu)(const void *_Nonnull x, int64_t begin, int64_t end, void *_Nonnull y);
  /// dx = dy GELU'(x), and y = GELU(x) again where y is given. dx may be dy.
  void (*_Nonnull gelu_gradient)(const void *_Nonnull x, const void *_Nonnull dy, int64_t begin,
                                 int64_t end, void *_Nonnull dx, void *_Nullable y);
  /// y = x, or slope x where x is not above 0; slope 0 is ReLU. NaN stays NaN.
  void (*_Nonnull leaky_relu)(const void *_Nonnull x, float slope, int64_t begin, int64_t end,
                              void *_Nonnull y);
  /// dx = dy, or slope dy where y, the result, is not above 0. dx may be dy.
  void (*_Nonnull leaky_relu_gradient)(const void *_Nonnull y, const void *_Nonnull dy, float slope,
                                       int64_t begin, int64_t end, void *_Nonnull dx);
  /// y = scale x where 16 bits of Philox(counter = (block of the element, counter[0..2]), key) are at least
  /// `threshold`, else 0; plus the addend if there is one. x and the addend are f32, and `begin` is a
  /// multiple of 128. Without an addend the kernel is its own gradient.
  void (*_Nonnull dropout)(const float *_Nonnull x, const float *_Nullable addend, int64_t begin,
                           int64_t end, const uint32_t *_Nonnull counter,
                           const uint32_t *_Nonnull key, uint32_t threshold, float scale,
                           void *_Nonnull y);

  // ---- norms (template/norm.h): from the f32 residual stream to activations, and back

  /// One image: y = act(gamma (x - mean) rstd + beta), where act is Swish or nothing. `statistics` [2, channels]
  /// receives mean and rstd (1 / standard deviation) for backward; `scratch` has [channels].
  void (*_Nonnull group_norm)(const float *_Nonnull x, int64_t rows, int64_t channels,
                              int64_t groups, const float *_Nonnull gamma,
                              const float *_Nonnull beta, float epsilon, int swish,
                              float *_Nonnull statistics, float *_Nonnull scratch,
                              void *_Nonnull y);
  /// One image: dx, plus the addend if there is one. `sums` [2, channels] receives its part of the gradients of beta
  /// and gamma; `scratch` has [2, channels].
  void (*_Nonnull group_norm_gradient)(const float *_Nonnull x, const void *_Nonnull dy,
                                       const float *_Nullable addend, int64_t rows,
                                       int64_t channels, int64_t groups,
                                       const float *_Nonnull gamma, const float *_Nonnull beta,
                                       int swish, const float *_Nonnull statistics,
                                       float *_Nonnull scratch, float *_Nonnull sums,
                                       float *_Nonnull dx);
  /// Rows [begin, end), without gain or bias; `rstd` receives one value per row.
  void (*_Nonnull layer_norm)(const float *_Nonnull x, int64_t channels, int64_t begin, int64_t end,
                              float epsilon, float *_Nonnull rstd, void *_Nonnull y);
  /// dx, plus the addend if there is one.
  void (*_Nonnull layer_norm_gradient)(const void *_Nonnull y, const float *_Nonnull rstd,
                                       const void *_Nonnull dy, const float *_Nullable addend,
                                       int64_t channels, int64_t begin, int64_t end,
                                       float *_Nonnull dx);

  // ---- softmax over rows of any length (template/softmax.h)

  /// Rows [begin, end): scores become softmax(scale scores), f32; y, if given, receives them as activations.
  void (*_Nonnull softmax)(float *_Nonnull scores, int64_t columns, int64_t begin, int64_t end,
                           float scale, void *_Nullable y);
  /// Rows [begin, end): ds = scale p (dp - sum of p dp), from the softmax p and its gradient, both f32.
  void (*_Nonnull softmax_gradient)(const float *_Nonnull p, const float *_Nonnull dp, int64_t columns,
                                    int64_t begin, int64_t end, float scale, void *_Nonnull ds);

  // ---- attention (template/attention.h)

  /// The bias of one head, from table [(2 window - 1)^2, heads], in the layout that `attention` reads; called once
  /// per call of the operator. `bias` has dk_attention_bias floats.
  void (*_Nonnull attention_bias)(const dk_attention *_Nonnull g, int64_t head,
                                  const float *_Nonnull table, float *_Nonnull bias);
  /// Heads [begin, end) of one image: out [B, H, W, C] from qkv [B, H, W, 3 C], shift [B, 3 C] (f32)
  /// and the bias of all heads, one after the other. `scratch` has dk_attention_scratch floats.
  void (*_Nonnull attention)(const dk_attention *_Nonnull g, int64_t image, int64_t begin, int64_t end,
                             const void *_Nonnull qkv, const float *_Nonnull shift,
                             const float *_Nonnull bias, float *_Nonnull scratch,
                             void *_Nonnull out);
  /// The columns of these heads in dqkv, and in dshift [B, 3 C], which is dqkv summed over the tokens of the image
  /// before it is rounded. shares [B, heads, (2 window - 1)^2] receives what this image and each of these
  /// heads add to the gradient of the table.
  void (*_Nonnull attention_gradient)(const dk_attention *_Nonnull g, int64_t image, int64_t begin,
                                      int64_t end, const void *_Nonnull qkv, const float *_Nonnull shift,
                                      const float *_Nonnull bias, const void *_Nonnull dout,
                                      float *_Nonnull scratch, void *_Nonnull dqkv,
                                      float *_Nonnull dshift, float *_Nonnull shares);
} dk_kernels;

/// Adam with decoupled weight decay: gain = 1 - beta, rounded once; step = lr / (1 - beta1^t);
/// root2 = sqrt(1 - beta2^t); decay = 1 - lr weight_decay. The gradient is first multiplied by `factor`, for
/// clipping.
typedef struct {
  float factor, gain1, beta2, gain2, step, root2, epsilon, decay;
} dk_adam;

/// An exponential average of the weights: values = w + beta (values - w).
typedef struct {
  float *_Nonnull values;
  float beta;
} dk_average;

/// Instruction sets in rising order; a CPU that runs one of them runs all before it.
typedef enum {
  DK_PORTABLE = 0,
  DK_AVX2 = 1,
  DK_AVX512 = 2,
  DK_AVX512_BF16 = 3,
  DK_AMX_EMULATED = 4,  // the kernels of DK_AMX on tiles in plain C: same bits, slow; runs on DK_AVX512_BF16
  DK_AMX = 5,
} dk_level;

/// All kernels of one instruction set.
typedef struct {
  int64_t size;           // sizeof(dk_table) where the kernels were compiled; first, so that it never moves
  const char *_Nonnull name;
  int64_t vector_width;   // f32 lanes
  int64_t panel_columns;  // columns of a panel of packed weights
  dk_kernels f32, bf16;

  // ---- only f32 (template/update.h)

  /// y = a x + b, b optional.
  void (*_Nonnull scale_add)(float a, const float *_Nonnull x, const float *_Nullable b,
                             int64_t begin, int64_t end, float *_Nonnull y);
  /// Returns the sum of (a - b)^2; d = slope (a - b) where d is given.
  double (*_Nonnull squared_error)(const float *_Nonnull a, const float *_Nonnull b, float slope,
                                   int64_t begin, int64_t end, float *_Nullable d);
  /// Returns the sum of |a - b|; d = slope sign(a - b) where d is given.
  double (*_Nonnull absolute_error)(const float *_Nonnull a, const float *_Nonnull b, float slope,
                                    int64_t begin, int64_t end, float *_Nullable d);
  /// Returns the sum over rows [begin, end) of w (x / (|x| + epsilon) - y / (|y| + epsilon))^2, where |.| is the
  /// Euclidean norm of a row. If dx is given, it is set to slope times the gradient (0 for a row of zeros).
  double (*_Nonnull unit_distance)(const float *_Nonnull x, const float *_Nonnull y,
                                   const float *_Nonnull w, float epsilon, int64_t channels,
                                   int64_t begin, int64_t end, float slope, float *_Nullable dx);
  /// Returns the sum of squares, accumulated in f64.
  double (*_Nonnull squares)(const float *_Nonnull x, int64_t begin, int64_t end);
  /// Adam on g, m, v, w, then the averages of the new weights, in one pass.
  void (*_Nonnull update)(const dk_adam *_Nonnull adam, const dk_average *_Nullable averages,
                          int64_t average_count, int64_t begin, int64_t end,
                          const float *_Nonnull g, float *_Nonnull m, float *_Nonnull v,
                          float *_Nonnull w);
} dk_table;

/// The best level that this CPU and operating system run (CPUID and XGETBV); never DK_AMX_EMULATED. If the CPU has
/// AMX, it asks Linux for permission to use it, on behalf of all threads of this process.
dk_level dk_best_level(void);
/// The table of a level; the caller has checked that the CPU runs it.
const dk_table *_Nonnull dk_table_for(dk_level level);

/// Measures the peak of DK_AMX. Each iteration has four independent TDPBF16PS and the four tile loads from L1 that a
/// product needs for them; these are 4 * 16 * 16 * 32 * 2 operations.
void dk_amx_tile_loop(int64_t iterations);

/// How many CPUs the affinity mask of this process allows (sched_getaffinity, which Swift does not see).
int dk_available_cores(void);

/// A short wait in a loop that polls memory; it leaves the core to its other hardware thread (the pause instruction).
static inline void dk_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#endif
}

/// Tells the address sanitizer, if the program is built with it, that only the first `usable` bytes of a block of
/// `size` bytes may be touched. A memory pool marks its free blocks this way.
void dk_mark_usable(void *_Nonnull block, int64_t size, int64_t usable);

// ---- what the machine can do (probe.c)

/// Multiply-adds of f32 on registers only, as the kernels of `level` do them. Returns how many floating-point
/// operations were done; the caller measures the time.
int64_t dk_probe_f32(dk_level level, int64_t rounds);
/// The same for the products of bf16; f32 where the level widens bf16 first.
int64_t dk_probe_bf16(dk_level level, int64_t rounds);
/// y = a + factor b over [begin, end): two reads and one write per element.
void dk_probe_triad(const float *_Nonnull a, const float *_Nonnull b, float factor, int64_t begin,
                    int64_t end, float *_Nonnull y);

#endif
