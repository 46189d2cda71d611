#include "vector.h"

#include "product.h"

#include "table.h"
