/* The engine of this package: core and ffi as one translation unit. stator_hash.h, made by the
 * build tools and not kept, holds a hash of their sources, so that Go's build cache notices a
 * change. */
#if __has_include("stator_hash.h")
#include "stator_hash.h"
#endif
#include "../ffi/unity.c"
