// The kernels of one level. A level whose instructions concern only bf16 takes everything else from the level below,
// whose table DK_EXTENDS gives; so it takes less time to build.
#ifdef DK_EXTENDS
#pragma clang diagnostic ignored "-Wunused-function"
#endif

#include "vector.h"

#include "random.h"

#include "gather.h"
#include "lanes.h"
#include "attention_parts.h"
#include "norm_parts.h"
#include "operands.h"

#ifndef DK_EXTENDS
#define element float
#define T(name) name##_f32
#include "typed.h"
#undef element
#undef T
#endif

#define element dk_bf16
#define T(name) name##_bf16
#define DK_PAIRS 1
#define DK_ON_TILES DK_TILES
#include "typed.h"
#undef DK_ON_TILES
#undef DK_PAIRS
#undef element
#undef T

#ifdef DK_EXTENDS
#include "extended.h"
#else
#include "update.h"

#include "table.h"
#endif
