// Kernels for any CPU: 128-bit vectors, no fused multiply-add. The reference of the tests.
#define DK_WIDTH 4
#define DK_FMA 0
#define DK_DOT 0
#define DK_PANEL 2
#define DK_NAME(x) x##portable
#define DK_LABEL "portable"
#include "template/all.h"
