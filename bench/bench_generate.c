// SPDX-License-Identifier: Apache-2.0
/* How many clicks a second the generator makes, alone and with its lines of text, in one thread.
 *     bench_generate [CLICKS]      5,000,000 unless told; the file it writes in this folder is removed again */
#include <eddy/core/generate.h>
#include <eddy/io/log_writer.h>
#include <eddy/io/system.h>

#include <stdio.h>

struct shop {
    const char *name;
    uint32_t items, sessions;
};

/* Makes clicks and, with a writer, writes them. */
static struct status make(struct generator *generator, int64_t clicks, struct log_writer *writer)
{
    for (int64_t i = 0; i < clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        if (writer)
            TRY(log_writer_click(writer, &click, NULL));
    }
    return OK;
}

/* Microseconds that `clicks` take, -1 on failure. */
static int64_t run(const struct shop *shop, int64_t clicks, const char *path)
{
    struct generate_options options = generate_defaults();
    options.items = shop->items;
    options.sessions = shop->sessions;
    struct generator *generator;
    struct log_writer *writer = NULL;
    struct time_source time = system_time();
    if (failed(generator_open(&options, NULL, &generator)))
        return -1;
    int64_t start_us = time.ops->monotonic_us(time.self);
    struct status status = path ? log_writer_open(path, RECORD_CLICK, LOG_FILE_TSV, &writer, NULL) : OK;
    if (!failed(status))
        status = make(generator, clicks, writer);
    int64_t took_us = time.ops->monotonic_us(time.self) - start_us;
    log_writer_abandon(writer);
    generator_close(generator);
    return failed(status) ? -1 : took_us;
}

int main(int argc, char **argv)
{
    static const struct shop shops[] = {{"10 thousand items,     1,000 sessions", 10000, 1000},
                                        {"100 thousand items,   20,000 sessions", 100000, 20000},
                                        {"1 million items,   1 million sessions", 1000000, 1000000}};
    int64_t clicks = 5000000;
    if (argc > 1 && (!bytes_to_int64(bytes_of_text(argv[1]), &clicks) || clicks < 1)) {
        fputs("usage: bench_generate [CLICKS]\n", stderr);
        return 2;
    }
    puts("million clicks a second, one thread     made   made and written as TSV");
    for (size_t i = 0; i < sizeof shops / sizeof *shops; i++) {
        int64_t made_us = run(&shops[i], clicks, NULL), text_us = run(&shops[i], clicks, "bench_generate.tsv");
        if (made_us <= 0 || text_us <= 0)
            return 1;
        printf("%s  %6.2f   %6.2f\n", shops[i].name, (double)clicks / (double)made_us,
               (double)clicks / (double)text_us);
    }
    return 0;
}
