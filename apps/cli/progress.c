/* The bar of import: redrawn ten times a second on a terminal, a plain line every five seconds
 * elsewhere. */
#include "cli.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRESS_TERMINAL_US 100000u
#define PROGRESS_LINE_US 5000000u
#define PROGRESS_BAR_WIDTH 24

uint64_t cli_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void cli_progress_begin(cli_progress *progress)
{
    progress->is_terminal = isatty(STDERR_FILENO);
    progress->started_us = progress->shown_us = cli_now_us();
}

static void progress_bar(double fraction)
{
    if (fraction < 0) {
        return;
    }
    int full = (int)(fraction * PROGRESS_BAR_WIDTH);
    fputc('[', stderr);
    for (int i = 0; i < PROGRESS_BAR_WIDTH; i++) {
        fputc(i < full ? '=' : i == full ? '>' : ' ', stderr);
    }
    fprintf(stderr, "] %3d %%  ", (int)(fraction * 100));
}

void cli_progress_show(cli_progress *progress, uint64_t items, uint64_t bytes, uint64_t bad,
                       double fraction, bool is_last)
{
    uint64_t now = cli_now_us();
    uint64_t pause = progress->is_terminal ? PROGRESS_TERMINAL_US : PROGRESS_LINE_US;
    if (!is_last && now - progress->shown_us < pause) {
        return;
    }
    progress->shown_us = now;
    double seconds = (double)(now - progress->started_us) / 1e6;
    double rate = seconds > 0 ? (double)items / seconds : 0;
    if (progress->is_terminal) {
        fputs("\r\033[K", stderr);
        progress_bar(is_last ? 1 : fraction);
    }
    fprintf(stderr, "%llu items  %.1f MB  %.0f items/s", (unsigned long long)items,
            (double)bytes / 1e6, rate);
    if (bad > 0) {
        fprintf(stderr, "  %llu refused", (unsigned long long)bad);
    }
    if (is_last) {
        fprintf(stderr, "  in %.2f s", seconds);
    } else if (fraction > 0.01) {
        fprintf(stderr, "  ETA %.0f s", seconds / fraction - seconds);
    }
    if (is_last || !progress->is_terminal) {
        fputc('\n', stderr);
    }
    fflush(stderr);
}
