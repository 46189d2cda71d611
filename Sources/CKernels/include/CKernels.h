/// SIMD kernels of the trainer: plain C with vector extensions, one source compiled for several
/// instruction sets, picked at run time. All pointers are to f32 unless said otherwise; matrices are
/// row-major; images are NHWC. No kernel allocates, locks, or starts a thread: callers split the work,
/// and no result depends on how they split it.
#ifndef DIFFIT_CKERNELS_H
#define DIFFIT_CKERNELS_H

#include <stddef.h>
#include <stdint.h>

#define DK_MAX_TAPS 9
#define DK_MAX_GATHERED_CHANNELS 4096  // widest input of a product of several taps

/// How the rows of a product are found: a grid of positions, each reading `taps` input pixels and
/// writing one output pixel. Linear layers are one tap; convolutions, transposed convolutions and
/// the data gradients of both are tap lists. A tap that falls outside the image reads zeros.
typedef struct {
  int64_t images, grid_h, grid_w;
  int64_t in_h, in_w, in_stride;               // input pixel of tap t: grid * in_stride + (dy[t], dx[t])
  int64_t out_h, out_w, out_stride, out_y, out_x;  // output pixel: grid * out_stride + (out_y, out_x)
  int64_t in_channels, out_channels;           // K and N of the product
  int64_t in_pitch, out_pitch;                 // floats from one pixel to the next
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

/// Floats of scratch that attention and its gradient need for one window, for every level.
static inline int64_t dk_attention_scratch(int64_t tokens, int64_t head_dim) {
  const int64_t np = (tokens + 15) / 16 * 16, dp = (head_dim + 15) / 16 * 16;
  return 6 * tokens * dp + 2 * head_dim * np + 2 * 64 * np + 64 * dp;
}

typedef enum { DK_PORTABLE = 0, DK_AVX2 = 1, DK_AVX512 = 2 } dk_level;

/// One table an instruction set.
typedef struct {
  const char *_Nonnull name;
  int64_t vector_width;  // floats

  // ---- products (template/product.h)

  /// Packs w [taps, k, n] (or, transposed, w [taps, n, k]) into column panels for `product`;
  /// `packed` holds taps * k * (n rounded up to vector_width) floats.
  void (*_Nonnull pack)(const float *_Nonnull w, int64_t taps, int64_t k, int64_t n,
                        int transposed, float *_Nonnull packed);
  /// y[p, n] (+)= bias[n] + sum over t, k of x[p + t, k] w[t, k, n] for grid positions
  /// [begin, end) counted over images, rows, columns. Each element is one FMA chain in (t, k)
  /// order, so its bits depend on nothing but its own inputs.
  void (*_Nonnull product)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end,
                           const float *_Nonnull x, const float *_Nonnull packed,
                           const float *_Nullable bias, int accumulate, float *_Nonnull y);
  /// dw[t, k, n] (+)= sum over all grid positions p of x[p + t, k] dy[p, n], for the rows
  /// [begin, end) of dw seen as [weight_taps * k, n].
  void (*_Nonnull weight_gradient)(const dk_geometry *_Nonnull g, int64_t begin, int64_t end,
                                   const float *_Nonnull x, const float *_Nonnull dy,
                                   int accumulate, float *_Nonnull dw);
  /// out[n] (+)= sum over rows of x[row, n], for columns [begin, end).
  void (*_Nonnull column_sums)(const float *_Nonnull x, int64_t rows, int64_t n, int64_t begin,
                               int64_t end, int accumulate, float *_Nonnull out);

  // ---- flat ranges [begin, end) (template/elementwise.h)

  void (*_Nonnull add)(const float *_Nonnull a, const float *_Nonnull b, int64_t begin, int64_t end,
                       float *_Nonnull y);
  /// y = a x + b, b optional.
  void (*_Nonnull scale_add)(float a, const float *_Nonnull x, const float *_Nullable b,
                             int64_t begin, int64_t end, float *_Nonnull y);
  void (*_Nonnull silu)(const float *_Nonnull x, int64_t begin, int64_t end, float *_Nonnull y);
  void (*_Nonnull silu_gradient)(const float *_Nonnull x, const float *_Nonnull dy, int64_t begin,
                                 int64_t end, float *_Nonnull dx);
  /// GELU, tanh form.
  void (*_Nonnull gelu)(const float *_Nonnull x, int64_t begin, int64_t end, float *_Nonnull y);
  void (*_Nonnull gelu_gradient)(const float *_Nonnull x, const float *_Nonnull dy, int64_t begin,
                                 int64_t end, float *_Nonnull dx);
  /// y = scale x where 16 bits of Philox(counter = (element's block, counter[0..2]), key) reach
  /// `threshold`, else 0; `begin` is a multiple of 128. Its own gradient.
  void (*_Nonnull dropout)(const float *_Nonnull x, int64_t begin, int64_t end,
                           const uint32_t *_Nonnull counter, const uint32_t *_Nonnull key,
                           uint32_t threshold, float scale, float *_Nonnull y);
  /// Returns the sum of (a - b)^2; d = slope (a - b) where d is given.
  double (*_Nonnull squared_error)(const float *_Nonnull a, const float *_Nonnull b, float slope,
                                   int64_t begin, int64_t end, float *_Nullable d);
  /// Returns the sum of squares, accumulated in f64.
  double (*_Nonnull squares)(const float *_Nonnull x, int64_t begin, int64_t end);

  // ---- norms (template/norm.h)

  /// One image: y = act(gamma (x - mean) rstd + beta), act Swish or none. `statistics` [2, channels]
  /// receives mean and rstd for backward; `scratch` [channels].
  void (*_Nonnull group_norm)(const float *_Nonnull x, int64_t rows, int64_t channels,
                              int64_t groups, const float *_Nonnull gamma,
                              const float *_Nonnull beta, float epsilon, int swish,
                              float *_Nonnull statistics, float *_Nonnull scratch,
                              float *_Nonnull y);
  /// One image; `sums` [2, channels] receives its share of d beta and d gamma.
  void (*_Nonnull group_norm_gradient)(const float *_Nonnull x, const float *_Nonnull dy,
                                       int64_t rows, int64_t channels, int64_t groups,
                                       const float *_Nonnull gamma, const float *_Nonnull beta,
                                       int swish, const float *_Nonnull statistics,
                                       float *_Nonnull scratch, float *_Nonnull sums,
                                       float *_Nonnull dx);
  /// Rows [begin, end), without gain or bias; `rstd` receives one value a row.
  void (*_Nonnull layer_norm)(const float *_Nonnull x, int64_t channels, int64_t begin, int64_t end,
                              float epsilon, float *_Nonnull rstd, float *_Nonnull y);
  void (*_Nonnull layer_norm_gradient)(const float *_Nonnull y, const float *_Nonnull rstd,
                                       const float *_Nonnull dy, int64_t channels, int64_t begin,
                                       int64_t end, float *_Nonnull dx);

  // ---- attention (template/attention.h)

  /// One head of one image: out [B, H, W, C] from qkv [B, H, W, 3 C], shift [B, 3 C] and the expanded
  /// bias [heads, N, N rounded up to vector_width].
  void (*_Nonnull attention)(const dk_attention *_Nonnull g, int64_t image, int64_t head,
                             const float *_Nonnull qkv, const float *_Nonnull shift,
                             const float *_Nonnull bias, float *_Nonnull scratch,
                             float *_Nonnull out);
  /// `dbias` [N, N rounded up] receives this image's and head's share.
  void (*_Nonnull attention_gradient)(const dk_attention *_Nonnull g, int64_t image, int64_t head,
                                      const float *_Nonnull qkv, const float *_Nonnull shift,
                                      const float *_Nonnull bias, const float *_Nonnull dout,
                                      float *_Nonnull scratch, float *_Nonnull dqkv,
                                      float *_Nonnull dbias);

  // ---- the update (template/optimizer.h)

  /// Adam with decoupled decay; the gradient is multiplied by `factor` first (clipping). gain1 and gain2
  /// are 1 - beta1 and 1 - beta2, rounded once.
  void (*_Nonnull adam)(const float *_Nonnull g, float factor, float gain1, float beta2,
                        float gain2, float step, float root2, float epsilon, float decay, int64_t begin, int64_t end,
                        float *_Nonnull m, float *_Nonnull v, float *_Nonnull w);
  /// average = w + beta (average - w)
  void (*_Nonnull average)(const float *_Nonnull w, float beta, int64_t begin, int64_t end,
                           float *_Nonnull average);
} dk_table;

/// The best level this CPU and operating system run (CPUID and XGETBV).
dk_level dk_best_level(void);
/// The table of a level; the caller has checked that the CPU runs it.
const dk_table *_Nonnull dk_table_for(dk_level level);

/// Cores the affinity mask of this process allows (sched_getaffinity, which Swift does not see).
int dk_available_cores(void);

#endif
