/* The engine of this package: core and ffi as one translation unit. */
#include "unity.c"
