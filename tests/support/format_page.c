#include "support/format_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *format_page_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    size_t room = 1 << 16;
    char *page = calloc(1, room);
    size_t size = page ? fread(page, 1, room - 1, file) : 0;
    fclose(file);
    if (size == 0 || size == room - 1) {
        free(page);
        return NULL;
    }
    return page;
}

bool format_page_hex(const char *page, size_t *at, st_buf *out)
{
    static const char fence[] = "```hex\n";
    const char *from = strstr(page + *at, fence);
    const char *end = from ? strstr(from + strlen(fence), "```") : NULL;
    st_buf_clear(out);
    if (!end) {
        return false;
    }
    *at = (size_t)(end - page) + 3;
    unsigned byte;
    int used = 0;
    for (const char *c = from + strlen(fence); c < end && sscanf(c, "%2x%n", &byte, &used) == 1;
         c += used) {
        st_buf_byte(out, (uint8_t)byte);
    }
    return true;
}
