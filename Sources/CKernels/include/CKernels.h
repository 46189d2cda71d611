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
} dk_table;

/// The best level this CPU and operating system run (CPUID and XGETBV).
dk_level dk_best_level(void);
/// The table of a level; the caller has checked that the CPU runs it.
const dk_table *_Nonnull dk_table_for(dk_level level);

/// Cores the affinity mask of this process allows (sched_getaffinity, which Swift does not see).
int dk_available_cores(void);

#endif
