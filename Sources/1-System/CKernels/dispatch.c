// Which instruction sets this CPU and operating system run, and which cores this process may use.
#define _GNU_SOURCE
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "include/CKernels.h"

int dk_available_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

const dk_table *dk_table_portable(void);

#if defined(__x86_64__)
#include <cpuid.h>

const dk_table *dk_table_avx2(void), *dk_table_avx512(void), *dk_table_avx512bf16(void);
const dk_table *dk_table_amx_emulated(void), *dk_table_amx(void);

// XCR0: which register states the operating system saves.
__attribute__((target("xsave"))) static uint64_t saved_states(void) { return __builtin_ia32_xgetbv(0); }

// Linux gives tile registers to processes that ask (Documentation/arch/x86/xstate.rst). The permission is for all
// threads of the process, later ones included. Asking again is harmless. Leaf 0x1D, the size of the tiles, is
// not read.
static int tiles_permitted(uint64_t states, unsigned features) {
  const uint64_t tile_states = 3u << 17;        // XTILECFG, XTILEDATA
  const unsigned wanted = 1u << 24 | 1u << 22;  // AMX-TILE, AMX-BF16
  if ((states & tile_states) != tile_states || (features & wanted) != wanted) return 0;
  const long ask = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return syscall(SYS_arch_prctl, ask, tile_data) == 0;
}

dk_level dk_best_level(void) {
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d)) return DK_PORTABLE;
  const int osxsave = c >> 27 & 1, fma = c >> 12 & 1;
  if (!osxsave || !fma || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return DK_PORTABLE;
  const uint64_t states = saved_states();
  if ((states & 0x6) != 0x6 || !(b >> 5 & 1)) return DK_PORTABLE;  // XMM, YMM; AVX2
  const unsigned wanted = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;  // AVX512 F, DQ, BW, VL
  if ((states & 0xe6) != 0xe6 || (b & wanted) != wanted) return DK_AVX2;
  const unsigned features = d;
  if (!__get_cpuid_count(7, 1, &a, &b, &c, &d) || !(a >> 5 & 1)) return DK_AVX512;
  return tiles_permitted(states, features) ? DK_AMX : DK_AVX512_BF16;
}

const dk_table *dk_table_for(dk_level level) {
  switch (level) {
    case DK_AVX2: return dk_table_avx2();
    case DK_AVX512: return dk_table_avx512();
    case DK_AVX512_BF16: return dk_table_avx512bf16();
    case DK_AMX_EMULATED: return dk_table_amx_emulated();
    case DK_AMX: return dk_table_amx();
    default: return dk_table_portable();
  }
}
#else
dk_level dk_best_level(void) { return DK_PORTABLE; }
const dk_table *dk_table_for(dk_level level) {
  (void)level;
  return dk_table_portable();
}
#endif
