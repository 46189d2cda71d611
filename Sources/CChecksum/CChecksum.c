#include "include/CChecksum.h"
