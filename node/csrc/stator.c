/* The engine, all sources as one. */
#include "../../ffi/unity.c"
