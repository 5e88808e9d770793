/*
 * The matrix product of gemm.h: one source for WebAssembly (4 lanes), AVX2 (8) and AVX-512 (16).
 *
 * Blocked as in Goto and van de Geijn 2008: B in panels of K_BLOCK x N_BLOCK, A in panels of M_BLOCK x K_BLOCK, both
 * copied so that the innermost loop reads straight ahead; a tile of ROWS x COLUMNS outputs lives in registers.
 *
 * Compile with -ffp-contract=off, or multiply and add become one rounding where the processor has such an instruction.
 */
#include "gemm.h"

#ifndef LANES
#define LANES 4
#endif
#ifndef ROWS
#define ROWS 4
#endif
#ifndef VECTORS
#define VECTORS 2
#endif
#define COLUMNS (VECTORS * LANES)
/* Part of the definition in gemm.h. Without blocks the error at k = 2048 is 2.8 times as large, at 16384 seven times. */
#define K_BLOCK 256
#ifndef M_BLOCK
#define M_BLOCK (16 * ROWS)
#endif
#ifndef N_BLOCK
#define N_BLOCK (1536 / COLUMNS * COLUMNS)
#endif

typedef float lanes __attribute__((vector_size(4 * LANES), aligned(4)));

static long least(long a, long b) { return a < b ? a : b; }

long gemm_scratch_floats(void) { return K_BLOCK * (M_BLOCK + N_BLOCK) + ROWS * COLUMNS; }

/* ROWS rows of op(A) side by side: k runs slowest. Rows beyond the end are zeros, whose results nobody reads. */
static void pack_a(const gemm_task *t, long row, long rows, long k, long depth, float *to) {
  for (long i = 0; i < rows; i += ROWS, to += ROWS * depth) {
    long full = least(ROWS, rows - i);
    for (long r = 0; r < ROWS; r++) {
      if (r >= full) {
        for (long p = 0; p < depth; p++) to[p * ROWS + r] = 0;
      } else if (t->trans_a) {
        const float *from = t->a + k * t->m + row + i + r;
        for (long p = 0; p < depth; p++) to[p * ROWS + r] = from[p * t->m];
      } else {
        const float *from = t->a + (row + i + r) * t->k + k;
        for (long p = 0; p < depth; p++) to[p * ROWS + r] = from[p];
      }
    }
  }
}

/* COLUMNS columns of op(B) side by side: k runs slowest. */
static void pack_b(const gemm_task *t, long k, long depth, long column, long columns, float *to) {
  for (long j = 0; j < columns; j += COLUMNS, to += COLUMNS * depth) {
    long full = least(COLUMNS, columns - j);
    if (!t->trans_b) {
      for (long p = 0; p < depth; p++) {
        const float *from = t->b + (k + p) * t->n + column + j;
        long c = 0;
        if (full == COLUMNS)
          for (; c < COLUMNS; c += LANES) *(lanes *)(to + p * COLUMNS + c) = *(const lanes *)(from + c);
        for (; c < full; c++) to[p * COLUMNS + c] = from[c];
        for (; c < COLUMNS; c++) to[p * COLUMNS + c] = 0;
      }
    } else {
      for (long c = 0; c < COLUMNS; c++) {
        const float *from = t->b + (column + j + c) * t->k + k;
        if (c < full)
          for (long p = 0; p < depth; p++) to[p * COLUMNS + c] = from[p];
        else
          for (long p = 0; p < depth; p++) to[p * COLUMNS + c] = 0;
      }
    }
  }
}

/* One tile: the sums of `depth` products, written to C or added to it. */
static inline __attribute__((always_inline)) void tile(long depth, const float *restrict a, const float *restrict b,
                                                       float *restrict c, long stride, int first) {
  lanes sum[ROWS][VECTORS];
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) sum[r][v] = (lanes){0};
#pragma clang loop unroll(disable) /* Unrolled, V8 spills: 27 GFLOP/s instead of 39. */
  for (long p = 0; p < depth; p++) {
    lanes column[VECTORS];
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) column[v] = *(const lanes *)(b + v * LANES);
#pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
      for (int v = 0; v < VECTORS; v++) sum[r][v] = sum[r][v] + a[r] * column[v];
    a += ROWS;
    b += COLUMNS;
  }
#pragma clang loop unroll(full)
  for (int r = 0; r < ROWS; r++)
#pragma clang loop unroll(full)
    for (int v = 0; v < VECTORS; v++) {
      lanes *at = (lanes *)(c + r * stride + v * LANES);
      *at = first ? sum[r][v] : *at + sum[r][v];
    }
}

/* A tile that sticks out of C goes through `edge`, a whole tile of memory. */
static void tile_at_edge(const gemm_task *t, long row, long rows, long column, long columns, long depth, const float *a,
                         const float *b, float *edge, int first) {
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) edge[i * COLUMNS + j] = t->c[(row + i) * t->n + column + j];
  tile(depth, a, b, edge, COLUMNS, first);
  for (long i = 0; i < rows; i++)
    for (long j = 0; j < columns; j++) t->c[(row + i) * t->n + column + j] = edge[i * COLUMNS + j];
}

void gemm_rows(const gemm_task *t, long from, long to, float *scratch) {
  float *packed_a = scratch, *packed_b = packed_a + K_BLOCK * M_BLOCK, *edge = packed_b + K_BLOCK * N_BLOCK;
  for (long column = 0; column < t->n; column += N_BLOCK) {
    long columns = least(N_BLOCK, t->n - column);
    for (long k = 0; k < t->k; k += K_BLOCK) {
      long depth = least(K_BLOCK, t->k - k);
      pack_b(t, k, depth, column, columns, packed_b);
      for (long row = from; row < to; row += M_BLOCK) {
        long rows = least(M_BLOCK, to - row);
        pack_a(t, row, rows, k, depth, packed_a);
        for (long j = 0; j < columns; j += COLUMNS) {
          const float *b = packed_b + j * depth;
          for (long i = 0; i < rows; i += ROWS) {
            const float *a = packed_a + i * depth;
            if (rows - i < ROWS || columns - j < COLUMNS)
              tile_at_edge(t, row + i, least(ROWS, rows - i), column + j, least(COLUMNS, columns - j), depth, a, b,
                           edge, k == 0);
            else
              tile(depth, a, b, t->c + (row + i) * t->n + column + j, t->n, k == 0);
          }
        }
      }
    }
  }
}
