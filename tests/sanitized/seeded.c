/* A library with a mistake in it, made when it is loaded: SEEDED=leak loses memory, SEEDED=overflow
 * writes behind it. Shows that what the sanitizers would say of a package's binary is heard. */
#include <stdlib.h>
#include <string.h>

static void *volatile seeded_block;

__attribute__((constructor)) static void seeded_run(void)
{
    const char *what = getenv("SEEDED");
    if (!what) {
        return;
    }
    for (int i = 0; i < 10; i++) {
        seeded_block = malloc(77);
    }
    volatile size_t bytes = strcmp(what, "overflow") == 0 ? 78 : 77;
    if (seeded_block) {
        memset(seeded_block, 0, bytes);
    }
    seeded_block = NULL;
}
