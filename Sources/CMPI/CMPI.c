#include "include/CMPI.h"
