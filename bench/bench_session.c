// SPDX-License-Identifier: Apache-2.0
/* Open sessions: time per click, memory, and what storing them costs.
 *
 *     bench_session [FOLDER]       FOLDER (/tmp unless told) takes the stored state, some 300 MB, while this runs
 *
 * Ids have 16 bytes, sessions get 5 clicks on 100,000 items. First, 20,000 sessions take turns while others expire;
 * hashing the key alone is the yardstick. Then 1 million sessions are open at once: as in a shop, where those of the
 * last minutes get the clicks (20,000 take turns, as many clicks a commit), and at worst, where every click may be of
 * any of them (10,000 clicks a commit). CPU time of one thread; times per click are the best of 8 batches, because the
 * machine may have other work. */
#include "bench/trial.h"

#include <eddy/base/random.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/session.h>
#include <eddy/io/session_store.h>
#include <eddy/io/system.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define KEY_SIZE         16
#define ITEMS            100000u
#define CLICKS_EACH      5u
#define SESSIONS         1000000u
#define RESTORE_SESSIONS 256 /* a batch, as a shard makes them */
#define START_MS         ((int64_t)1600000000000)

static void must(struct status status)
{
    char text[256];
    if (failed(status)) {
        fprintf(stderr, "%s\n", status_text(status, text, sizeof text));
        exit(1);
    }
}

static void must_write(int size)
{
    if (size < 0)
        exit(1);
}

static uint64_t mixed(uint64_t number)
{
    struct random random;
    random_seed(&random, number);
    return random_u64(&random);
}

static void make_key(uint64_t number, char key[KEY_SIZE + 1])
{
    must_write(snprintf(key, KEY_SIZE + 1, "%016llx", (unsigned long long)mixed(number)));
}

static struct session_table *open_table(int64_t gap_ms)
{
    struct session_options options = {.gap_ms = gap_ms,
                                      .grace_ms = 1000,
                                      .max_duration_ms = SESSION_DURATION_MAX_MS,
                                      .clicks_max = 200,
                                      .open_max = 4 * SESSIONS};
    struct session_table *table;
    must(session_table_open(&options, &table));
    return table;
}

static double microseconds_since(int64_t start_ns)
{
    return (double)(system_thread_cpu_ns() - start_ns) / 1000;
}

static void keep_best(double *best_us, int64_t start_ns)
{
    double us = microseconds_since(start_ns);
    *best_us = us < *best_us ? us : *best_us;
}

/* ---- time per click */

#define TURNS       20000u
#define BATCH       500000u
#define BATCHES     8
#define BATCH_CLICK 1 /* ms between clicks: five rounds of all sessions make the gap */

struct made_click {
    char key[KEY_SIZE + 1];
    uint32_t item;
    int64_t time_ms;
};

static void make_batch(struct random *random, uint64_t *turns, uint64_t *opened, int64_t *now_ms,
                       struct made_click *clicks)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        uint64_t *turn = &turns[random_below(random, TURNS)];
        if (random_below(random, CLICKS_EACH) == 0)
            *turn = (*opened)++;
        make_key(*turn, clicks[i].key);
        clicks[i].item = random_below(random, ITEMS);
        clicks[i].time_ms = *now_ms += BATCH_CLICK;
    }
}

static uint64_t hash_batch(const struct made_click *clicks)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < BATCH; i++)
        sum += bytes_hash(bytes_of(clicks[i].key, KEY_SIZE));
    return sum;
}

static uint64_t apply_batch(struct session_table *table, const struct made_click *clicks, bool read,
                            struct arena *arena)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < BATCH; i++) {
        struct click click = {.session_id = bytes_of(clicks[i].key, KEY_SIZE), .time_ms = clicks[i].time_ms};
        struct closed_list closed = {0};
        struct session_outcome outcome;
        struct session_view view;
        must(session_expire(table, &(int64_t){click.time_ms}, 0, arena, &closed));
        count += closed.count;
        must(session_apply(table, &click, clicks[i].item, click.time_ms, arena, &closed, &outcome));
        if (read)
            must(session_read(table, outcome.session, arena, &view));
        if (i % 1000 == 999) {
            arena_reset(arena);
            session_changes_done(table);
        }
    }
    return count;
}

static void show_time_per_click(void)
{
    static struct made_click clicks[BATCH];
    static uint64_t turns[TURNS];
    AUTO(arena) arena = {0};
    struct random random;
    random_seed(&random, 1);
    uint64_t opened = 0, closed = 0, sum = 0;
    int64_t now_ms = START_MS;
    for (uint32_t i = 0; i < TURNS; i++)
        turns[i] = opened++;
    struct session_table *table = open_table(5 * TURNS * BATCH_CLICK);
    double best_us[3] = {1e9, 1e9, 1e9}; /* hash, apply, apply and read */
    size_t memory = 0;
    for (int batch = 0; batch < 2 * BATCHES; batch++) {
        bool read = batch % 2;
        make_batch(&random, turns, &opened, &now_ms, clicks);
        int64_t start_ns = system_thread_cpu_ns();
        sum += hash_batch(clicks);
        keep_best(&best_us[0], start_ns);
        start_ns = system_thread_cpu_ns();
        closed += apply_batch(table, clicks, read, &arena);
        keep_best(&best_us[1 + read], start_ns);
        memory = batch == 1 ? session_table_memory(table) : memory; /* warm */
    }
    printf("20,000 sessions taking turns, %u open, %llu closed (%llx)\n", session_table_count(table),
           (unsigned long long)closed, (unsigned long long)sum & 15);
    static const char *const names[] = {"hash of the key alone", "expire and apply", "expire, apply and read"};
    for (int i = 0; i < 3; i++)
        printf("  %-28s  %6.1f ns a click = %.1f hashes\n", names[i], best_us[i] * 1000 / BATCH,
               best_us[i] / best_us[0]);
    printf("  table's growth after warm-up  %6zu bytes\n\n", session_table_memory(table) - memory);
    session_table_close(table);
}

/* ---- memory and store */

struct stored_run {
    struct session_table *table;
    struct catalogue *catalogue;
    struct store *store;
    struct buffer record;
    struct arena arena;
    struct session_batch batch;
    double commit_us;
    uint64_t clicks, commits, changes;
    uint32_t commit_clicks;
};

/* Anonymous memory of this process, in bytes. */
static size_t anonymous_memory(void)
{
    char line[256];
    size_t kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "RssAnon: %zu kB", &kilobytes) == 1)
            break;
    if (file)
        fclose(file);
    return kilobytes * 1024;
}

static void commit(struct stored_run *run)
{
    int64_t start_ns = system_thread_cpu_ns();
    struct session_store port = store_port(run->store);
    struct session_change change;
    size_t cursor = 0;
    must(port.ops->begin(port.self));
    while (session_next_change(run->table, &cursor, &change)) {
        run->changes++;
        if (change.session == SESSION_NONE) {
            must(port.ops->remove(port.self, change.number));
            continue;
        }
        buffer_clear(&run->record);
        session_encode(run->table, change.session, run->catalogue, &run->record);
        must(port.ops->put(port.self, change.number, buffer_bytes(&run->record)));
    }
    must(port.ops->commit(port.self, &(struct store_position){.offset = (int64_t)run->clicks}));
    session_changes_done(run->table);
    run->commits++;
    run->commit_us += microseconds_since(start_ns);
}

/* Clicks of `turns` sessions from `first` on, in five rounds, each in another mixed order. */
static void click_block(struct stored_run *run, uint32_t first, uint32_t turns)
{
    static const uint64_t strides[CLICKS_EACH] = {7919, 104729, 1299709, 15485863, 6700417}; /* primes */
    for (uint32_t i = 0; i < turns * CLICKS_EACH; i++) {
        char key[KEY_SIZE + 1];
        uint64_t session = first + i % turns * strides[i / turns] % turns;
        make_key(session, key);
        struct click click = {.session_id = bytes_of(key, KEY_SIZE),
                              .time_ms = START_MS + (int64_t)(run->clicks / (SESSIONS * CLICKS_EACH / 1000000))};
        struct closed_list closed = {0};
        struct session_outcome outcome;
        uint32_t item = (uint32_t)(mixed(run->clicks) % ITEMS);
        must(session_apply(run->table, &click, item, click.time_ms, &run->arena, &closed, &outcome));
        if (++run->clicks % run->commit_clicks == 0)
            commit(run);
    }
}

static struct catalogue *open_catalogue(void)
{
    struct catalogue *catalogue;
    must(catalogue_open(&(struct catalogue_options){ITEMS, (size_t)1 << 30, 64}, &catalogue));
    for (uint32_t i = 0; i < ITEMS; i++) {
        char id[16];
        uint32_t number;
        must_write(snprintf(id, sizeof id, "item-%u", i));
        must(catalogue_intern(catalogue, bytes_of_text(id), &number));
    }
    return catalogue;
}

static void restore_batch(struct stored_run *run)
{
    if (!session_batch_find_items(&run->batch, run->catalogue))
        exit(1);
    must(session_batch_restore(&run->batch, run->table));
}

static struct status take_session(void *context, uint64_t number, struct bytes record)
{
    struct stored_run *run = context;
    TRY(session_batch_add(&run->batch, run->table, number, record));
    if (run->batch.session_count == RESTORE_SESSIONS)
        restore_batch(run);
    return OK;
}

static double restore_all(struct stored_run *run)
{
    struct session_store port = store_port(run->store);
    struct store_position position;
    bool found;
    session_table_close(run->table);
    run->table = open_table(1800000);
    int64_t start_ns = system_thread_cpu_ns();
    must(port.ops->load(port.self, take_session, run, &position, &found));
    restore_batch(run);
    if (!found || session_table_count(run->table) != SESSIONS)
        exit(1);
    return microseconds_since(start_ns) / 1e6;
}

static void show_stored(const char *folder, uint32_t turns, uint32_t commit_clicks)
{
    char path[512], file[600];
    struct complaint complaint = {0};
    struct state_directory *directory;
    struct stat info = {0};
    struct stored_run run = {.catalogue = open_catalogue(), .commit_clicks = commit_clicks};
    must_write(snprintf(path, sizeof path, "%s/eddy-bench-XXXXXX", folder));
    if (!mkdtemp(path) || failed(state_directory_open(path, &directory, &complaint))) {
        fprintf(stderr, "cannot use %s: %s\n", path, complaint.text);
        exit(1);
    }
    struct store_options options = {.topic = "clicks", .identity = "", .map_size_bytes = (size_t)16 << 30};
    size_t before = anonymous_memory();
    run.table = open_table(1800000);
    must(store_open(directory, &options, &run.store, &complaint));
    for (uint32_t first = 0; first < SESSIONS; first += turns)
        click_block(&run, first, turns);
    size_t memory = anonymous_memory() - before;
    must_write(snprintf(file, sizeof file, "%s/data.mdb", store_path(run.store)));
    if (stat(file, &info))
        exit(1);
    printf("1 million sessions of 5 clicks, %u taking turns\n", turns);
    printf("  anonymous memory, store open  %6.1f MiB = %.0f bytes a session (the table says %.0f)\n",
           (double)memory / (1 << 20), (double)memory / SESSIONS, (double)session_table_memory(run.table) / SESSIONS);
    printf("  commit of %6.0f sessions      %6.1f ms, %.2f us a session (encoded and written)\n",
           (double)run.changes / (double)run.commits, run.commit_us / 1000 / (double)run.commits,
           run.commit_us / (double)run.changes);
    printf("  file                          %6.1f bytes a session\n", (double)info.st_size / SESSIONS);
    store_close(run.store);
    int64_t start_ns = system_thread_cpu_ns();
    must(store_open(directory, &options, &run.store, &complaint));
    double open_s = microseconds_since(start_ns) / 1e6;
    printf("  opened (all pages checked)    %6.2f s, restored %.2f s\n\n", open_s, restore_all(&run));
    store_close(run.store);
    state_directory_close(directory);
    trial_remove(path);
    session_table_close(run.table);
    catalogue_close(run.catalogue);
    buffer_release(&run.record);
    session_batch_release(&run.batch);
    arena_release(&run.arena);
}

int main(int argc, char **argv)
{
    if (argc > 2 || (argc > 1 && argv[1][0] == '-')) {
        fputs("usage: bench_session [FOLDER]\n", stderr);
        return 2;
    }
    const char *folder = argc > 1 ? argv[1] : "/tmp";
    show_time_per_click();
    show_stored(folder, 20000, 20000);
    show_stored(folder, SESSIONS, 10000);
    return 0;
}
