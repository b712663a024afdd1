/* zstd, block by block. Linked, or, with STATOR_ZSTD_DLOPEN, opened at first use: then a machine
 * without the library still reads and writes databases, it only cannot read blocks that another one
 * compressed.
 */
#include "lsm/block_internal.h"

#include "env/env.h"

#ifdef STATOR_ZSTD_DLOPEN
#include <dlfcn.h>
#include <stdatomic.h>
#else
#include <zstd.h>
#endif

#ifndef STATOR_ZSTD_NAME
#ifdef __APPLE__
#define STATOR_ZSTD_NAME "libzstd.1.dylib"
#else
#define STATOR_ZSTD_NAME "libzstd.so.1"
#endif
#endif

#define CODEC_LEVEL 1
#define CODEC_BYTES_MIN 64u

typedef struct codec_calls {
    void *(*create_context)(void);
    size_t (*free_context)(void *context);
    size_t (*compress)(void *context, void *to, size_t capacity, const void *from, size_t bytes,
                       int level);
    size_t (*decompress)(void *to, size_t capacity, const void *from, size_t bytes);
    unsigned long long (*content_bytes)(const void *from, size_t bytes);
} codec_calls;

#ifdef STATOR_ZSTD_DLOPEN
enum { CODEC_UNTRIED, CODEC_LOADING, CODEC_FOUND, CODEC_MISSING };

static _Atomic int codec_state;
static codec_calls codec_loaded; /* written while LOADING, by the thread that set it */

static bool codec_symbol(void *library, const char *name, void *out_function)
{
    void *symbol = dlsym(library, name);
    *(void **)out_function = symbol;
    return symbol != NULL;
}

static int codec_load(void)
{
    void *library = dlopen(STATOR_ZSTD_NAME, RTLD_NOW | RTLD_LOCAL);
    bool is_whole = library &&
                    codec_symbol(library, "ZSTD_createCCtx", &codec_loaded.create_context) &&
                    codec_symbol(library, "ZSTD_freeCCtx", &codec_loaded.free_context) &&
                    codec_symbol(library, "ZSTD_compressCCtx", &codec_loaded.compress) &&
                    codec_symbol(library, "ZSTD_decompress", &codec_loaded.decompress) &&
                    codec_symbol(library, "ZSTD_getFrameContentSize", &codec_loaded.content_bytes);
    return is_whole ? CODEC_FOUND : CODEC_MISSING;
}

/* NULL when there is no library. */
static const codec_calls *codec_find(void)
{
    int state = atomic_load_explicit(&codec_state, memory_order_acquire);
    for (uint32_t round = 0; state < CODEC_FOUND; round++) {
        int untried = CODEC_UNTRIED;
        if (atomic_compare_exchange_strong(&codec_state, &untried, CODEC_LOADING)) {
            atomic_store_explicit(&codec_state, codec_load(), memory_order_release);
        } else {
            st_env_pause(round);
        }
        state = atomic_load_explicit(&codec_state, memory_order_acquire);
    }
    return state == CODEC_FOUND ? &codec_loaded : NULL;
}
#else
static void *codec_create_context(void)
{
    return ZSTD_createCCtx();
}

static size_t codec_free_context(void *context)
{
    return ZSTD_freeCCtx(context);
}

static size_t codec_call_compress(void *context, void *to, size_t capacity, const void *from,
                                  size_t bytes, int level)
{
    return ZSTD_compressCCtx(context, to, capacity, from, bytes, level);
}

static const codec_calls codec_linked = {codec_create_context, codec_free_context,
                                         codec_call_compress, ZSTD_decompress,
                                         ZSTD_getFrameContentSize};

static const codec_calls *codec_find(void)
{
    return &codec_linked;
}
#endif

bool st_lsm__codec_has_zstd(void)
{
    return codec_find() != NULL;
}

st_codec *st_lsm__codec_create(void)
{
    const codec_calls *calls = codec_find();
    return calls ? calls->create_context() : NULL;
}

void st_lsm__codec_destroy(st_codec *codec)
{
    if (codec) {
        codec_find()->free_context(codec);
    }
}

/* Room for an eighth less than the raw bytes: a compression that saves less does not pay for
 * unpacking it, and fails. */
bool st_lsm__codec_compress(st_codec *codec, st_slice raw, st_buf *out)
{
    st_buf_clear(out);
    size_t room = raw.size - raw.size / 8;
    if (!codec || raw.size < CODEC_BYTES_MIN || !st_buf_extend(out, room)) {
        return false;
    }
    size_t bytes = codec_find()->compress(codec, out->data, room, raw.data, raw.size, CODEC_LEVEL);
    if (bytes > room) {
        return false; /* an error code of zstd is a huge number */
    }
    out->size = bytes;
    return true;
}

bool st_lsm__codec_check(st_slice stored, size_t raw_bytes)
{
    const codec_calls *calls = codec_find();
    return calls && calls->content_bytes(stored.data, stored.size) == raw_bytes;
}

bool st_lsm__codec_decompress(st_slice stored, uint8_t *to, size_t raw_bytes)
{
    const codec_calls *calls = codec_find();
    return calls && calls->decompress(to, raw_bytes, stored.data, stored.size) == raw_bytes;
}
