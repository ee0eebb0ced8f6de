// SPDX-License-Identifier: Apache-2.0
/* How many clicks a second the generator makes, alone and with its lines of text, in one thread.
 *     bench_generate [CLICKS]      5,000,000 unless told */
#include <eddy/core/generate.h>
#include <eddy/io/system.h>

#include <stdio.h>

struct shop {
    const char *name;
    uint32_t items, sessions;
};

static int64_t run(const struct shop *shop, int64_t clicks, bool as_text)
{
    struct generate_options options = generate_defaults();
    options.items = shop->items;
    options.sessions = shop->sessions;
    struct generator *generator;
    if (failed(generator_open(&options, NULL, &generator)))
        return -1;
    AUTO(buffer) text = {0};
    struct time_source time = system_time();
    int64_t start_us = time.ops->monotonic_us(time.self);
    for (int64_t i = 0; i < clicks; i++) {
        struct click click;
        generator_next(generator, &click);
        if (!as_text)
            continue;
        generate_tsv_click(&click, &text);
        if (text.size > 1 << 16)
            buffer_clear(&text);
    }
    int64_t took_us = time.ops->monotonic_us(time.self) - start_us;
    generator_close(generator);
    return took_us;
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
        int64_t made_us = run(&shops[i], clicks, false), text_us = run(&shops[i], clicks, true);
        if (made_us <= 0 || text_us <= 0)
            return 1;
        printf("%s  %6.2f   %6.2f\n", shops[i].name, (double)clicks / (double)made_us,
               (double)clicks / (double)text_us);
    }
    return 0;
}
