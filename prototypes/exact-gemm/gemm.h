/*
 * C[i][j] = the sum over k of A[i][k] * B[k][j] in float32, each product and each sum rounded on its own: every 256 products
 * are added to +0 in the order of k, and these partial sums are added in order, beginning with the first. That is the whole
 * definition of the bits: no tile, no vector width, no number of threads is in it.
 *
 * op(A) is M x K, op(B) is K x N, C is M x N, all row-major and dense: A lies as K x M where trans_a, B as N x K where
 * trans_b. Computes the rows from..to of C. `scratch` holds gemm_scratch_floats() floats, aligned to 64 bytes; each
 * thread brings its own.
 */
#ifndef GEMM_H
#define GEMM_H

typedef struct {
  const float *a, *b;
  float *c;
  long m, n, k;
  int trans_a, trans_b;
} gemm_task;

long gemm_scratch_floats(void);
void gemm_rows(const gemm_task *task, long from, long to, float *scratch);

#endif
