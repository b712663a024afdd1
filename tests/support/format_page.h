/* Reads the worked examples of docs/formats: the ```hex blocks of a page, as bytes. */
#ifndef STATOR_TESTS_FORMAT_PAGE_H
#define STATOR_TESTS_FORMAT_PAGE_H

#include "base/base.h"

char *format_page_read(const char *path); /* free it; NULL when there is no such page */
/* The next block behind *at; false when there is none. */
bool format_page_hex(const char *page, size_t *at, st_buf *out);

#endif
