#!/bin/sh
# Builds gemm.c four times into build/: WebAssembly, and Node addons for SSE2, AVX2 and AVX-512. Needs clang and lld.
# Tiles are those that were fastest on one Zen 4 core and with V8's sixteen registers; they change no bit.
set -eu
cd "$(dirname "$0")"
mkdir -p build
headers=$(dirname "$(find "$(dirname "$(node -p process.execPath)")/.." /usr/include/node -name node_api.h 2>/dev/null | head -n 1)")
flags='-O3 -ffp-contract=off -fno-math-errno -Wall -Wextra -Werror'

clang $flags --target=wasm32 -msimd128 -matomics -mbulk-memory -mmutable-globals -nostdlib -ffreestanding -DLANES=4 -DROWS=4 -DVECTORS=2 \
  -Wl,--no-entry,--import-memory,--shared-memory,--max-memory=2147483648 \
  -Wl,--export=gemm_rows,--export=gemm_scratch_floats,--export=__stack_pointer gemm.c -o build/gemm.wasm

addon() {
  name=$1
  shift
  clang $flags -fPIC -shared -pthread -I"$headers" "$@" gemm.c addon.c -o "build/gemm-$name.node"
}
addon sse2 -DLANES=4 -DROWS=4 -DVECTORS=2
addon avx2 -mavx2 -DLANES=8 -DROWS=6 -DVECTORS=2
addon avx512 -mavx512f -mavx512vl -mprefer-vector-width=512 -DLANES=16 -DROWS=14 -DVECTORS=1
