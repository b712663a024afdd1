/* Names of the files in a database directory. */
#include "lsm/lsm_internal.h"

#include <stdio.h>
#include <string.h>

void st_lsm__name(st_name_kind kind, uint64_t id, char to[ST_NAME_ROOM])
{
    unsigned long long number = (unsigned long long)id;
    switch (kind) {
    case ST_NAME_LOCK:
        snprintf(to, ST_NAME_ROOM, "LOCK");
        break;
    case ST_NAME_CURRENT:
        snprintf(to, ST_NAME_ROOM, "CURRENT");
        break;
    case ST_NAME_MANIFEST:
        snprintf(to, ST_NAME_ROOM, "MANIFEST-%012llu", number);
        break;
    case ST_NAME_LOG:
        snprintf(to, ST_NAME_ROOM, "%012llu.log", number);
        break;
    case ST_NAME_SORTED:
        snprintf(to, ST_NAME_ROOM, "%012llu.sst", number);
        break;
    default:
        snprintf(to, ST_NAME_ROOM, "CURRENT.tmp");
        break;
    }
}

const char *st_lsm__path(st_op *op, const st_lsm *lsm, st_name_kind kind, uint64_t id)
{
    char name[ST_NAME_ROOM];
    st_lsm__name(kind, id, name);
    size_t name_bytes = strlen(name);
    char *path = st_arena_alloc(&op->arena, lsm->path.size + name_bytes + 2);
    if (path) {
        memcpy(path, lsm->path.data, lsm->path.size);
        path[lsm->path.size] = '/';
        memcpy(path + lsm->path.size + 1, name, name_bytes + 1);
    }
    return path;
}

/* Digits up to `behind`, which ends the name. */
static bool names_number(const char *digits, const char *behind, uint64_t *out_id)
{
    size_t count = strspn(digits, "0123456789");
    *out_id = 0;
    if (count < 12 || count > 18 || strcmp(digits + count, behind) != 0) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        *out_id = *out_id * 10 + (uint64_t)(digits[i] - '0');
    }
    return true;
}

st_name_kind st_lsm__name_parse(const char *name, uint64_t *out_id)
{
    *out_id = 0;
    if (strcmp(name, "LOCK") == 0) {
        return ST_NAME_LOCK;
    }
    if (strcmp(name, "CURRENT") == 0) {
        return ST_NAME_CURRENT;
    }
    if (strcmp(name, "CURRENT.tmp") == 0) {
        return ST_NAME_TEMPORARY;
    }
    if (strncmp(name, "MANIFEST-", 9) == 0 && names_number(name + 9, "", out_id)) {
        return ST_NAME_MANIFEST;
    }
    if (names_number(name, ".log", out_id)) {
        return ST_NAME_LOG;
    }
    return names_number(name, ".sst", out_id) ? ST_NAME_SORTED : ST_NAME_FOREIGN;
}
