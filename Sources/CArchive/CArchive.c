#include "include/CArchive.h"
