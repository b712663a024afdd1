/* Bytes of a file or of standard input, unpacked when they are gzip. */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

struct cli_source {
    gzFile file;
    uint64_t file_bytes; /* 0: unknown */
    char error[160];
};

cli_source *cli_source_open(const char *path)
{
    bool is_input = strcmp(path, "-") == 0;
    struct stat stat_of;
    if (!is_input && stat(path, &stat_of) == 0 && S_ISDIR(stat_of.st_mode)) {
        cli_complain("%s is a directory", path);
        return NULL;
    }
    errno = 0;
    gzFile file = is_input ? gzdopen(dup(STDIN_FILENO), "rb") : gzopen(path, "rb");
    if (!file) {
        cli_complain("%s: %s", path, errno ? strerror(errno) : "out of memory");
        return NULL;
    }
    (void)gzbuffer(file, 1u << 17);
    cli_source *source = cli_allocate(sizeof *source);
    source->file = file;
    source->file_bytes = !is_input && stat(path, &stat_of) == 0 ? (uint64_t)stat_of.st_size : 0;
    return source;
}

size_t cli_source_read(cli_source *source, void *to, size_t bytes)
{
    int read_bytes = gzread(source->file, to, (unsigned)bytes);
    int number;
    const char *text = gzerror(source->file, &number);
    if (read_bytes < 0 || (number != Z_OK && number != Z_STREAM_END)) {
        snprintf(source->error, sizeof source->error, "%s",
                 number == Z_ERRNO       ? strerror(errno)
                 : number == Z_BUF_ERROR ? "the gzip data ends too early"
                                         : text);
        return read_bytes > 0 ? (size_t)read_bytes : 0;
    }
    return (size_t)read_bytes;
}

const char *cli_source_error(cli_source *source)
{
    return source->error[0] ? source->error : NULL;
}

double cli_source_fraction(cli_source *source)
{
    if (source->file_bytes == 0) {
        return -1;
    }
    double fraction = (double)gzoffset(source->file) / (double)source->file_bytes;
    return fraction > 1 ? 1 : fraction;
}

void cli_source_close(cli_source *source)
{
    if (source) {
        gzclose(source->file);
        free(source);
    }
}
