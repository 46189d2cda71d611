#include "vector.h"

#include "product.h"

#include "attention.h"
#include "elementwise.h"
#include "norm.h"
#include "optimizer.h"

#include "table.h"
