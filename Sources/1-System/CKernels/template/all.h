#include "vector.h"

#include "random.h"

#include "gather.h"
#include "lanes.h"
#include "attention_parts.h"
#include "norm_parts.h"
#include "operands.h"

#define element float
#define T(name) name##_f32
#include "typed.h"
#undef element
#undef T

#define element dk_bf16
#define T(name) name##_bf16
#define DK_PAIRS 1
#define DK_ON_TILES DK_TILES
#include "typed.h"
#undef DK_ON_TILES
#undef DK_PAIRS
#undef element
#undef T

#include "update.h"

#include "table.h"
