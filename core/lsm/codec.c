/* zstd, block by block. Linked, or, with STATOR_ZSTD_DLOPEN, opened at first use: then a machine
 * without the library still reads and writes databases, it only cannot read blocks that another one
 * compressed.
 */
#include "lsm/sst_internal.h"

#ifdef STATOR_ZSTD_DLOPEN
#include <dlfcn.h>
#include <stdatomic.h>

typedef size_t (*codec_compress_function)(void *to, size_t capacity, const void *from, size_t bytes,
                                          int level);
typedef size_t (*codec_decompress_function)(void *to, size_t capacity, const void *from,
                                            size_t bytes);

static _Atomic(codec_compress_function) codec_zstd_compress;
static _Atomic(codec_decompress_function) codec_zstd_decompress;
static _Atomic int
    codec_state; /* 0 not tried, 1 found, -1 missing; two threads that try at once find the same */

static bool codec_load(void)
{
    int state = atomic_load_explicit(&codec_state, memory_order_acquire);
    if (state != 0) {
        return state > 0;
    }
#ifdef __APPLE__
    void *library = dlopen("libzstd.1.dylib", RTLD_NOW | RTLD_LOCAL);
#else
    void *library = dlopen("libzstd.so.1", RTLD_NOW | RTLD_LOCAL);
#endif
    codec_compress_function compress = NULL;
    codec_decompress_function decompress = NULL;
    if (library) {
        *(void **)&compress = dlsym(library, "ZSTD_compress");
        *(void **)&decompress = dlsym(library, "ZSTD_decompress");
    }
    atomic_store_explicit(&codec_zstd_compress, compress, memory_order_relaxed);
    atomic_store_explicit(&codec_zstd_decompress, decompress, memory_order_relaxed);
    state = compress && decompress ? 1 : -1;
    atomic_store_explicit(&codec_state, state, memory_order_release);
    return state > 0;
}

static size_t codec_call_compress(void *to, size_t capacity, const void *from, size_t bytes,
                                  int level)
{
    return atomic_load_explicit(&codec_zstd_compress, memory_order_relaxed)(to, capacity, from,
                                                                            bytes, level);
}

static size_t codec_call_decompress(void *to, size_t capacity, const void *from, size_t bytes)
{
    return atomic_load_explicit(&codec_zstd_decompress, memory_order_relaxed)(to, capacity, from,
                                                                              bytes);
}
#else
#include <zstd.h>

static bool codec_load(void)
{
    return true;
}

static size_t codec_call_compress(void *to, size_t capacity, const void *from, size_t bytes,
                                  int level)
{
    return ZSTD_compress(to, capacity, from, bytes, level);
}

static size_t codec_call_decompress(void *to, size_t capacity, const void *from, size_t bytes)
{
    return ZSTD_decompress(to, capacity, from, bytes);
}
#endif

#define CODEC_LEVEL 1

bool st_lsm__codec_has_zstd(void)
{
    return codec_load();
}

/* Room for an eighth less than the raw bytes: a compression that saves less does not pay for
 * unpacking it, and fails. */
bool st_lsm__codec_compress(st_slice raw, st_buf *out)
{
    st_buf_clear(out);
    size_t room = raw.size - raw.size / 8;
    if (raw.size < 64 || !codec_load() || !st_buf_extend(out, room)) {
        return false;
    }
    size_t bytes = codec_call_compress(out->data, room, raw.data, raw.size, CODEC_LEVEL);
    if (bytes > room) {
        return false; /* an error code of zstd is a huge number */
    }
    out->size = bytes;
    return true;
}

bool st_lsm__codec_decompress(st_slice stored, uint8_t *to, size_t raw_bytes)
{
    return codec_load() &&
           codec_call_decompress(to, raw_bytes, stored.data, stored.size) == raw_bytes;
}
