/*
 * gemm.c for Node: gemm(task: Int32Array [m, n, k, transA, transB], a, b, c: Float32Array, threads).
 * Each thread computes rows of its own, so the number of threads is in no sum.
 */
#include <node_api.h>
#include <pthread.h>
#include <stdlib.h>

#include "gemm.h"

#define MOST_THREADS 64

typedef struct {
  gemm_task task;
  long from, to;
} part;

static void *run(void *argument) {
  part *p = argument;
  float *scratch = aligned_alloc(64, (gemm_scratch_floats() * sizeof(float) + 63) & ~63L);
  gemm_rows(&p->task, p->from, p->to, scratch);
  free(scratch);
  return 0;
}

static void *array_of(napi_env env, napi_value value) {
  void *data = 0;
  napi_get_typedarray_info(env, value, 0, 0, &data, 0, 0);
  return data;
}

static napi_value gemm(napi_env env, napi_callback_info info) {
  napi_value arguments[5];
  size_t count = 5;
  int threads = 1;
  napi_get_cb_info(env, info, &count, arguments, 0, 0);
  const int *shape = array_of(env, arguments[0]);
  napi_get_value_int32(env, arguments[4], &threads);
  if (!shape || threads < 1 || threads > MOST_THREADS) return napi_throw_range_error(env, 0, "bad arguments"), NULL;
  gemm_task task = {array_of(env, arguments[1]), array_of(env, arguments[2]), array_of(env, arguments[3]),
                    shape[0], shape[1], shape[2], shape[3], shape[4]};
  part parts[MOST_THREADS];
  pthread_t ids[MOST_THREADS];
  for (int t = 0; t < threads; t++) {
    parts[t] = (part){task, task.m * t / threads, task.m * (t + 1) / threads};
    if (t > 0) pthread_create(&ids[t], 0, run, &parts[t]);
  }
  run(&parts[0]);
  for (int t = 1; t < threads; t++) pthread_join(ids[t], 0);
  return 0;
}

NAPI_MODULE_INIT() {
  napi_value function;
  napi_create_function(env, "gemm", NAPI_AUTO_LENGTH, gemm, 0, &function);
  napi_set_named_property(env, exports, "gemm", function);
  return exports;
}
