// Products and eigenvalues for the metrics, least squares for the scaling model.
#include <cblas.h>
#include <stdlib.h>

#include "include/COpenBLAS.h"

void copenblas_single_thread(void) { openblas_set_num_threads(1); }

void copenblas_dgemm(int transposed_a, int transposed_b, int64_t m, int64_t n, int64_t k,
                     const double *a, int64_t a_stride, const double *b, int64_t b_stride, double beta,
                     double *c, int64_t c_stride) {
  cblas_dgemm(CblasRowMajor, transposed_a ? CblasTrans : CblasNoTrans,
              transposed_b ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k, 1.0, a,
              (blasint)a_stride, b, (blasint)b_stride, beta, c, (blasint)c_stride);
}

void copenblas_row_products(int64_t m, int64_t n, int64_t k, const float *a, const float *b, float *c) {
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)m, (blasint)n, (blasint)k, 1.0f, a,
              (blasint)k, b, (blasint)k, 0.0f, c, (blasint)n);
}

// The Fortran symbol. The last two arguments are the lengths of the texts, which gfortran appends.
extern void dsyevd_(const char *job, const char *triangle, const blasint *n, double *a,
                    const blasint *stride, double *w, double *work, const blasint *work_size,
                    blasint *integers, const blasint *integers_size, blasint *info, size_t, size_t);

int copenblas_eigen(int64_t n, int vectors, double *a, double *values) {
  const char *const job = vectors ? "V" : "N";
  const blasint size = (blasint)n, ask = -1;
  blasint integers_size = 0, info = 0;
  double work_size = 0;
  dsyevd_(job, "L", &size, a, &size, values, &work_size, &ask, &integers_size, &ask, &info, 1, 1);
  if (info) return (int)info;
  const blasint room = (blasint)work_size;
  double *work = malloc((size_t)room * sizeof *work);
  blasint *integers = malloc((size_t)integers_size * sizeof *integers);
  if (work && integers)
    dsyevd_(job, "L", &size, a, &size, values, work, &room, integers, &integers_size, &info, 1, 1);
  else
    info = COPENBLAS_NO_MEMORY;
  free(work);
  free(integers);
  return (int)info;
}

// Fortran's symbol; the last is the length of the text.
extern void dgels_(const char *transposed, const blasint *m, const blasint *n, const blasint *sides,
                   double *a, const blasint *a_stride, double *b, const blasint *b_stride, double *work,
                   const blasint *work_size, blasint *info, size_t);

int copenblas_least_squares(int64_t m, int64_t n, double *a, double *b) {
  const blasint rows = (blasint)m, columns = (blasint)n, sides = 1, ask = -1;
  blasint info = 0;
  double work_size = 0;
  dgels_("N", &rows, &columns, &sides, a, &rows, b, &rows, &work_size, &ask, &info, 1);
  if (info) return (int)info;
  const blasint room = (blasint)work_size;
  double *work = malloc((size_t)room * sizeof *work);
  if (work)
    dgels_("N", &rows, &columns, &sides, a, &rows, b, &rows, work, &room, &info, 1);
  else
    info = COPENBLAS_NO_MEMORY;
  free(work);
  return (int)info;
}
