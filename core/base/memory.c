/* The process allocator and the call arena. This is the only file in core that may call malloc's
 * family. */
#include "base/base.h"

#include <stdlib.h>
#include <string.h>

#define BASE_ARENA_FIRST_BYTES 1024u
#define BASE_ARENA_BLOCK_MAX ((size_t)1 << 20)

struct st_arena_block {
    st_arena_block *older;
    size_t bytes; /* of the whole allocation */
};

static void *base_process_resize(void *ctx, void *ptr, size_t old_bytes, size_t new_bytes)
{
    (void)ctx;
    (void)old_bytes;
    if (new_bytes == 0) {
        free(ptr);
        return NULL;
    }
    return realloc(ptr, new_bytes);
}

static const st_alloc base_process_alloc = {base_process_resize, NULL};

const st_alloc *st_alloc_process(void)
{
    return &base_process_alloc;
}

void *st_alloc_resize(const st_alloc *alloc, void *ptr, size_t old_bytes, size_t new_bytes)
{
    return alloc->resize(alloc->ctx, ptr, old_bytes, new_bytes);
}

void *st_alloc_new(const st_alloc *alloc, size_t bytes)
{
    void *ptr = alloc->resize(alloc->ctx, NULL, 0, bytes);
    if (ptr != NULL) {
        memset(ptr, 0, bytes);
    }
    return ptr;
}

void st_alloc_free(const st_alloc *alloc, void *ptr, size_t bytes)
{
    if (ptr != NULL) {
        alloc->resize(alloc->ctx, ptr, bytes, 0);
    }
}

void st_arena_init(st_arena *arena, const st_alloc *alloc)
{
    memset(arena, 0, sizeof *arena);
    arena->alloc = alloc;
}

static bool base_arena_grow(st_arena *arena, size_t bytes)
{
    size_t block_bytes = BASE_ARENA_FIRST_BYTES;
    if (arena->blocks != NULL) {
        block_bytes = arena->blocks->bytes * 2;
        if (block_bytes > BASE_ARENA_BLOCK_MAX) {
            block_bytes = BASE_ARENA_BLOCK_MAX;
        }
    }
    if (bytes > SIZE_MAX - sizeof(st_arena_block)) {
        return false;
    }
    if (block_bytes < bytes + sizeof(st_arena_block)) {
        block_bytes = bytes + sizeof(st_arena_block);
    }
    st_arena_block *block = st_alloc_resize(arena->alloc, NULL, 0, block_bytes);
    if (block == NULL) {
        return false;
    }
    block->older = arena->blocks;
    block->bytes = block_bytes;
    arena->blocks = block;
    arena->next = (uint8_t *)(block + 1);
    arena->end = (uint8_t *)block + block_bytes;
    return true;
}

void *st_arena_alloc(st_arena *arena, size_t bytes)
{
    if (bytes > SIZE_MAX - 7) {
        return NULL;
    }
    bytes = (bytes + 7) & ~(size_t)7;
    if ((size_t)(arena->end - arena->next) < bytes && !base_arena_grow(arena, bytes)) {
        return NULL;
    }
    void *ptr = arena->next;
    arena->next += bytes;
    return ptr;
}

void st_arena_reset(st_arena *arena)
{
    st_arena_block *block = arena->blocks;
    while (block != NULL) {
        st_arena_block *older = block->older;
        st_alloc_free(arena->alloc, block, block->bytes);
        block = older;
    }
    arena->blocks = NULL;
    arena->next = NULL;
    arena->end = NULL;
}
