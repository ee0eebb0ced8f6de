// SPDX-License-Identifier: Apache-2.0
/* Texts a second of an embedder, on titles of items.
 *
 *     bench_embed encoder FOLDER ITEMS [ROUNDS]     a sentence encoder
 *     bench_embed hash - ITEMS [ROUNDS]             and how long learning takes
 *
 * In CPU time of one thread, each round on all titles; the median of the rounds, and the fastest. bench/peers/embed.py
 * runs it beside sentence-transformers on the same titles. */
#include "bench/trial.h"

#include "app/embedding.h"

#include <eddy/base/arena.h>
#include <eddy/io/encoder_folder.h>
#include <eddy/io/log_file.h>
#include <eddy/io/system.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TITLES_MAX 1000000u
#define ROUNDS_MAX 1000

static double now_s(void)
{
    return (double)system_thread_cpu_ns() / 1e9;
}

static void must(struct status status, const struct complaint *complaint)
{
    trial_must(status, *complaint->text ? complaint->text : "embedding");
}

static size_t read_titles(const char *path, struct bytes *titles, struct arena *arena)
{
    struct complaint complaint = {{0}};
    struct log_file *log;
    struct item item;
    size_t count = 0;
    must(log_file_open(path, LOG_FILE_ITEMS, &log, &complaint), &complaint);
    for (bool found = true; found && count < TITLES_MAX;) {
        must(log_file_next_item(log, &item, &found, &complaint), &complaint);
        if (found && item.title.size > 0)
            titles[count++] = arena_copy(arena, item.title);
    }
    log_file_close(log);
    return count;
}

static struct embedder open_embedder(const char *provider, const char *folder, const char *items)
{
    struct complaint complaint = {{0}};
    struct embedder embedder;
    if (!strcmp(provider, "encoder")) {
        struct encoder *encoder;
        must(encoder_folder_open(folder, &encoder, &complaint), &complaint);
        return encoder_embedder(encoder);
    }
    struct hashing_options options = HASHING_OPTIONS_STANDARD;
    double before = now_s();
    must(embedding_learn_file(&options, items, &embedder, &complaint), &complaint);
    printf("learned in %.2f s\n", now_s() - before);
    return embedder;
}

static int compare(const void *left, const void *right)
{
    const double *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

static void measure(const struct embedder *embedder, const struct bytes *titles, size_t count, int rounds)
{
    struct complaint complaint = {{0}};
    double seconds[ROUNDS_MAX];
    float *vectors = malloc((count + 1) * embedder->width * sizeof *vectors);
    if (!vectors || count == 0)
        trial_die("no titles, or no memory for their vectors");
    for (int i = 0; i < rounds; i++) {
        double before = now_s();
        must(embedder_embed(embedder, titles, count, vectors, &complaint), &complaint);
        seconds[i] = now_s() - before;
    }
    qsort(seconds, (size_t)rounds, sizeof *seconds, compare);
    printf("%s: %zu titles, %.1f a second (fastest %.1f)\n", embedder->name, count, (double)count / seconds[rounds / 2],
           (double)count / seconds[0]);
    free(vectors);
}

int main(int argc, char **argv)
{
    int64_t rounds = 5;
    if (argc < 4) {
        fputs("usage: bench_embed encoder|hash FOLDER|- ITEMS [ROUNDS]\n", stderr);
        return argc == 1 ? 0 : 2;
    }
    if (argc > 4 && (!bytes_to_int64(bytes_of_text(argv[4]), &rounds) || rounds < 1 || rounds > ROUNDS_MAX))
        trial_die("rounds are 1 to 1000");
    trial_must(system_begin_products(), "OpenBLAS");
    struct arena arena = {0};
    struct bytes *titles = malloc(TITLES_MAX * sizeof *titles);
    if (!titles)
        trial_die("no memory for titles");
    size_t count = read_titles(argv[3], titles, &arena);
    struct embedder embedder = open_embedder(argv[1], argv[2], argv[3]);
    measure(&embedder, titles, count, (int)rounds);
    embedder_close(&embedder);
    arena_release(&arena);
    free(titles);
    return 0;
}
