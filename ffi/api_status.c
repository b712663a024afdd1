/* Status codes and versions. */
#include "ffi_internal.h"

const char *stator_status_name(stator_status status)
{
    return st_status_name(status);
}

const char *stator_status_text(stator_status status)
{
    return st_status_text(status);
}

const char *stator_status_exception(stator_status status)
{
    return st_status_exception(status);
}

uint32_t stator_status_flags(stator_status status)
{
    return st_status_flags(status);
}

const char *stator_version(void)
{
    return "0.1.0";
}

uint32_t stator_abi_version(void)
{
    return STATOR_ABI_VERSION;
}
