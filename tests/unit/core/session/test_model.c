// SPDX-License-Identifier: Apache-2.0
/* Random clicks against a naive model of session.h: arrays, everything searched from one end to the other. The table
 * is now and then stored, dropped and restored on the way. A case is one seed; EDDY_SEED runs from another one. */
#include "support/support.h"

#include "support/restore.h"
#include "support/session_model.h"

#include <eddy/base/random.h>
#include <eddy/core/catalogue.h>
#include <eddy/core/session.h>

#define CASES      1000
#define CASE_STEPS 300
#define KEYS       4
#define ITEMS      6

/* ---- the table beside the model */

#define STORE_MAX 512

struct stored {
    uint64_t number;
    struct buffer record;
};

struct run {
    struct random random;
    struct model model;
    struct session_table *table;
    struct catalogue *catalogue;
    struct arena arena;
    char keys[KEYS][256], users[KEYS][256];
    int64_t clock_ms, watermark_ms;
    struct stored store[STORE_MAX];
    uint32_t stored;
    uint32_t restores, evictions, lates, duplicates;
    char difference[256]; /* "" as long as there is none */
};

static bool differ(struct run *run, const char *what)
{
    if (!run->difference[0])
        snprintf(run->difference, sizeof run->difference, "%s", what);
    return false;
}

static bool same_session(struct run *run, const struct model_session *want, const struct session_view *got)
{
    char id[300];
    bool by_user = run->model.options.by_user;
    snprintf(id, sizeof id, "%s/%lld", run->keys[want->key], (long long)want->opened_ms);
    if (!bytes_equal_text(got->key, run->keys[want->key]))
        return differ(run, "key");
    if (!bytes_equal_text(got->session_id, by_user ? id : run->keys[want->key]))
        return differ(run, "session_id");
    if (!bytes_equal_text(got->user_id, by_user ? run->keys[want->key] : want->user ? run->users[want->user] : ""))
        return differ(run, "user_id");
    if (got->length != want->length || got->total != want->total)
        return differ(run, "length or total");
    for (uint32_t i = 0; i < want->length; i++)
        if (got->items[i] != want->clicks[i].item || got->times_ms[i] != want->clicks[i].time_ms ||
            got->types[i] != want->clicks[i].type)
            return differ(run, "clicks");
    return true;
}

static bool same_closed(struct run *run, const struct model_session *want, const struct closed_session *got)
{
    if (got->close_ms != want->close_ms || got->evicted != want->evicted)
        return differ(run, "close_ms or evicted");
    return same_session(run, want, &got->view);
}

static bool step_click(struct run *run)
{
    uint32_t key = random_below(&run->random, KEYS), user = random_below(&run->random, KEYS);
    int64_t gap_ms = run->model.options.gap_ms;
    int64_t noise = random_below(&run->random, 3) ? 0 : random_below(&run->random, (uint32_t)(3 * gap_ms));
    struct model_click made = {.time_ms = run->clock_ms - noise,
                               .item = random_below(&run->random, ITEMS),
                               .type = (uint8_t)random_below(&run->random, 4),
                               .event_id = random_below(&run->random, 2) ? random_below(&run->random, 20) : 0};
    char event_id[16];
    snprintf(event_id, sizeof event_id, "e%u", made.event_id);
    struct bytes key_bytes = bytes_of_text(run->keys[key]), user_bytes = bytes_of_text(user ? run->users[user] : "");
    bool by_user = run->model.options.by_user;
    struct click click = {.session_id = by_user ? (struct bytes){0} : key_bytes,
                          .user_id = by_user ? key_bytes : user_bytes,
                          .event_id = made.event_id ? bytes_of_text(event_id) : (struct bytes){0},
                          .time_ms = made.time_ms,
                          .type = (enum click_type)made.type};
    struct closed_list closed = {0};
    struct session_outcome got;
    assert_ok(session_apply(run->table, &click, made.item, run->watermark_ms, &run->arena, &closed, &got));
    struct model_outcome want = model_apply(&run->model, key, user, &made, run->watermark_ms);
    run->lates += want.result == SESSION_LATE;
    run->duplicates += want.result == SESSION_DUPLICATE;
    run->evictions += want.evicted;
    if (got.result != want.result || got.position != want.position || got.opened != want.opened ||
        got.out_of_order != want.out_of_order || closed.count != want.evicted)
        return differ(run, "outcome");
    if (want.evicted && !same_closed(run, &want.evicted_session, &closed.sessions[0]))
        return false;
    if ((got.session == SESSION_NONE) != (want.result == SESSION_LATE))
        return differ(run, "handle");
    if (got.session == SESSION_NONE)
        return true;
    struct session_view view;
    assert_ok(session_read(run->table, got.session, &run->arena, &view));
    return same_session(run, &run->model.sessions[want.session], &view);
}

static bool step_expire(struct run *run)
{
    struct closed_list closed = {0};
    int64_t watermark_ms = run->clock_ms - random_below(&run->random, 40);
    run->watermark_ms = watermark_ms > run->watermark_ms ? watermark_ms : run->watermark_ms;
    assert_ok(session_expire(run->table, &run->watermark_ms, 0, &run->arena, &closed));
    for (size_t i = 0;; i++) {
        uint32_t due = model_first_due(&run->model);
        struct model_session *session = due == UINT32_MAX ? NULL : &run->model.sessions[due];
        if (session)
            session->close_ms = model_deadline(&run->model, session->first_ms, session->last_ms);
        if (!session || session->close_ms > run->watermark_ms)
            return closed.count == i || differ(run, "too many closed");
        if (i == closed.count)
            return differ(run, "too few closed");
        if (!same_closed(run, session, &closed.sessions[i]))
            return false;
        model_remove(&run->model, due);
    }
}

/* Applies the table's changes to the store; a removal must be of a stored session. */
static bool step_commit(struct run *run)
{
    size_t cursor = 0;
    struct session_change change;
    uint64_t number_min = 0;
    while (session_next_change(run->table, &cursor, &change)) {
        if (change.number < number_min)
            return differ(run, "changes are not in order");
        number_min = change.number + 1;
        uint32_t place = 0;
        while (place < run->stored && run->store[place].number < change.number)
            place++;
        bool found = place < run->stored && run->store[place].number == change.number;
        if (change.session == SESSION_NONE) {
            if (!found)
                return differ(run, "a session that was never stored is removed");
            buffer_release(&run->store[place].record);
            memmove(&run->store[place], &run->store[place + 1], (--run->stored - place) * sizeof run->store[0]);
            continue;
        }
        if (!found) {
            assert_true(run->stored < STORE_MAX);
            memmove(&run->store[place + 1], &run->store[place], (run->stored++ - place) * sizeof run->store[0]);
            run->store[place] = (struct stored){.number = change.number};
        }
        buffer_clear(&run->store[place].record);
        session_encode(run->table, change.session, run->catalogue, &run->store[place].record);
    }
    session_changes_done(run->table);
    cursor = 0;
    if (session_next_change(run->table, &cursor, &change))
        return differ(run, "changes after they were done");
    return run->stored == run->model.count || differ(run, "number of stored sessions");
}

static bool step_restore(struct run *run)
{
    if (!step_commit(run))
        return false;
    session_table_close(run->table);
    assert_ok(session_table_open(&run->model.options, &run->table));
    for (uint32_t i = 0; i < run->stored; i++)
        assert_ok(
            restore_session(run->table, run->store[i].number, buffer_bytes(&run->store[i].record), run->catalogue));
    size_t cursor = 0;
    struct session_change change;
    if (session_next_change(run->table, &cursor, &change))
        return differ(run, "a restored session counts as changed");
    run->restores++;
    return true;
}

static struct session_options random_options(struct random *random)
{
    return (struct session_options){.gap_ms = 1 + random_below(random, 50),
                                    .grace_ms = random_below(random, 2) ? random_below(random, 100) : 0,
                                    .max_duration_ms = 1 + random_below(random, 200),
                                    .clicks_max = 2 + random_below(random, random_below(random, 2) ? 4 : 58),
                                    .open_max = 1 + random_below(random, random_below(random, 4) ? 100 : 6),
                                    .by_user = random_below(random, 4) == 0,
                                    .infer_duplicates = random_below(random, 2)};
}

static void random_text(struct random *random, char mark, uint32_t number, char text[256])
{
    uint32_t size = random_below(random, 2) ? 3 : 3 + random_below(random, 253);
    memset(text, mark, size);
    text[0] = (char)('0' + number);
    text[size] = 0;
}

/* Steps until the first difference; the model's options may be spoiled by `spoil`. */
static void run_case(struct run *run, uint64_t seed, void (*spoil)(struct model *model))
{
    random_seed(&run->random, seed);
    struct session_options options = random_options(&run->random);
    run->model.options = options;
    if (spoil)
        spoil(&run->model);
    for (uint32_t i = 0; i < KEYS; i++) {
        random_text(&run->random, 'k', i, run->keys[i]);
        random_text(&run->random, 'u', i, run->users[i]);
    }
    assert_ok(session_table_open(&options, &run->table));
    run->clock_ms = 1000000;
    run->watermark_ms = run->clock_ms;
    for (uint32_t step = 0; step < CASE_STEPS && !run->difference[0]; step++) {
        uint32_t chance = random_below(&run->random, 100);
        run->clock_ms += random_below(&run->random, 8);
        bool fine = chance < 75   ? step_click(run)
                    : chance < 90 ? step_expire(run)
                    : chance < 98 ? step_commit(run)
                                  : step_restore(run);
        if (fine && session_table_count(run->table) != run->model.count)
            differ(run, "number of open sessions");
        arena_reset(&run->arena);
    }
    session_table_close(run->table);
    for (uint32_t i = 0; i < run->stored; i++)
        buffer_release(&run->store[i].record);
}

static struct run *run_open(void)
{
    struct run *run = calloc(1, sizeof *run);
    assert_non_null(run);
    assert_ok(catalogue_open(&(struct catalogue_options){ITEMS, 1 << 20, 10}, &run->catalogue));
    for (uint32_t i = 0; i < ITEMS; i++) {
        char id[8];
        uint32_t number;
        snprintf(id, sizeof id, "i%u", i);
        assert_ok(catalogue_intern(run->catalogue, bytes_of_text(id), &number));
    }
    return run;
}

static void run_close(struct run *run)
{
    catalogue_close(run->catalogue);
    arena_release(&run->arena);
    free(run);
}

static void the_table_does_what_the_model_does(void **state)
{
    (void)state;
    uint64_t seed = test_seed(1);
    uint32_t merges = 0, restores = 0, evictions = 0, lates = 0, duplicates = 0;
    for (uint64_t i = 0; i < CASES; i++) {
        struct run *run = run_open();
        run_case(run, seed + i, NULL);
        if (run->difference[0])
            fail_msg("EDDY_SEED=%llu: %s", (unsigned long long)(seed + i), run->difference);
        merges += run->model.merges;
        restores += run->restores;
        evictions += run->evictions;
        lates += run->lates;
        duplicates += run->duplicates;
        run_close(run);
    }
    print_message("%u merges, %u restores, %u evictions, %u late, %u duplicates\n", merges, restores, evictions, lates,
                  duplicates);
    assert_true(merges > CASES && restores > CASES && evictions > CASES && lates > CASES && duplicates > CASES);
}

static void spoil_gap(struct model *model)
{
    model->options.gap_ms++;
}

static void spoil_grace(struct model *model)
{
    model->options.grace_ms++;
}

static void spoil_duration(struct model *model)
{
    model->options.max_duration_ms++;
}

static void spoil_clicks(struct model *model)
{
    model->options.clicks_max++;
}

static void spoil_merge(struct model *model)
{
    model->never_merges = true;
}

static void spoil_open_max(struct model *model)
{
    model->options.open_max++;
}

static void a_model_of_other_rules_is_told_apart(void **state)
{
    (void)state;
    void (*const spoils[])(struct model *) = {spoil_gap,    spoil_grace, spoil_duration,
                                              spoil_clicks, spoil_merge, spoil_open_max};
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        uint32_t told_apart = 0;
        for (uint64_t seed = 0; seed < 100; seed++) {
            struct run *run = run_open();
            run_case(run, seed, spoils[i]);
            told_apart += run->difference[0] != 0;
            run_close(run);
        }
        if (told_apart < 3)
            fail_msg("fault %zu was noticed in %u of 100 cases only", i, told_apart);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_does_what_the_model_does),
        cmocka_unit_test(a_model_of_other_rules_is_told_apart),
    };
    return cmocka_run_group_tests_name("session model", tests, NULL, NULL);
}
