// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/engine.h>

#define T0 INT64_C(1700000000000)

/* A task with its learned state, driven as a shard drives it. What it emitted is folded into one hash. */
struct world {
    struct catalogue *catalogue;
    struct learned *learned;
    struct learner *learner;
    struct engine *engine;
    struct scoring scoring;
    struct model *model;
    struct neural *neural;
    struct arena batch;
    uint64_t hash;
    size_t recommendations, closed, late, steps, portions;
    uint32_t duplicates;
};

static struct engine_options options_small(void)
{
    struct engine_options options = {
        .session = {.gap_ms = 60000, .grace_ms = 5000, .max_duration_ms = 600000, .clicks_max = 20, .open_max = 1000},
        .fusion = fusion_options_default(),
        .learn_interval_ms = 1000,
        .neural = {20, UINT32_MAX},
        .partition = 3,
        .scoring = true,
    };
    options.fusion.list_size = 5;
    return options;
}

static struct world world_open(const struct engine_options *options)
{
    struct world world = {.hash = 1};
    struct catalogue_options catalogue_options = {1000, 1 << 22, 100};
    struct learned_options learned_options = learned_options_default();
    struct learner_options learner_options = {.pending_max = 1000};
    assert_ok(catalogue_open(&catalogue_options, &world.catalogue));
    assert_ok(learned_open(&learned_options, &world.learned));
    assert_ok(learner_open(&learner_options, world.learned, &world.learner));
    assert_ok(scoring_scratch_open(&world.scoring.scratch));
    assert_ok(engine_open(options, world.catalogue, world.learned, &world.engine));
    for (int i = 0; i < 100; i++) {
        char id[8];
        uint32_t number;
        snprintf(id, sizeof id, "i%d", i);
        assert_ok(catalogue_intern(world.catalogue, bytes_of_text(id), &number));
    }
    return world;
}

/* Clicks are scored by a session model, too; it was not trained. */
static void world_take_model(struct world *world)
{
    const struct model_options options = {
        .backbone = backbone_named("pw_core"), .width = 10, .length_max = 5, .normalise = true, .temperature = 0.1f};
    uint32_t numbers[100];
    for (uint32_t i = 0; i < 100; i++)
        numbers[i] = i;
    assert_ok(model_open(&options, 100, 1, &world->model));
    assert_ok(neural_open(world->model, numbers, 100, &world->neural));
    world->scoring.neural = world->neural;
    world->scoring.model_version = BYTES("v1");
}

static void world_close(struct world *world)
{
    neural_close(world->neural);
    model_close(world->model);
    engine_close(world->engine);
    scoring_scratch_close(world->scoring.scratch);
    learner_close(world->learner);
    learned_close(world->learned);
    catalogue_close(world->catalogue);
    arena_release(&world->batch);
}

static void fold(struct world *world, const void *data, size_t size)
{
    world->hash = world->hash * 0x9e3779b97f4a7c15u + bytes_hash(bytes_of(data, size));
}

static void world_take(struct world *world, const struct effects *effects)
{
    for (size_t i = 0; i < effects->recommendation_count; i++) {
        const struct recommendation *r = &effects->recommendations[i];
        fold(world, r->session_id.data, r->session_id.size);
        fold(world, &r->offset, sizeof r->offset);
        fold(world, &r->learned_version, sizeof r->learned_version);
        fold(world, r->model_version.data, r->model_version.size);
        for (uint32_t j = 0; j < r->count; j++) {
            fold(world, &r->items[j].item, sizeof r->items[j].item);
            fold(world, &r->items[j].score, sizeof r->items[j].score);
        }
    }
    for (size_t i = 0; i < effects->closed_count; i++) {
        fold(world, &effects->closed[i].session.close_ms, sizeof(int64_t));
        fold(world, &effects->closed[i].origin.partition, sizeof effects->closed[i].origin.partition);
        fold(world, &effects->closed[i].origin.offset, sizeof effects->closed[i].origin.offset);
        fold(world, &effects->closed[i].origin.sequence, sizeof effects->closed[i].origin.sequence);
        assert_ok(learner_offer(world->learner, &effects->closed[i].session, effects->closed[i].origin, NULL));
    }
    if (effects->learn)
        assert_ok(learner_advance(world->learner, effects->learn_to_ms));
    world->recommendations += effects->recommendation_count;
    world->closed += effects->closed_count;
    world->late += effects->late_count;
    world->duplicates += effects->counts.duplicates;
    world->steps++;
}

static void world_run(struct world *world, const struct engine_click *clicks, size_t count)
{
    while (count > 0) {
        struct effects effects;
        assert_ok(engine_step(world->engine, clicks, count, &world->scoring, &world->batch, &effects));
        assert_true(effects.consumed > 0 || effects.learn || effects.closing);
        assert_true(effects.learn || effects.closing || effects.consumed == count);
        world->portions += effects.closing;
        world_take(world, &effects);
        arena_reset(&world->batch);
        clicks += effects.consumed;
        count -= effects.consumed;
    }
}

static struct engine_click click_of(const char *session, uint32_t item, int64_t time_ms, int64_t offset)
{
    return (struct engine_click){
        .click = {.session_id = bytes_of_text(session), .item_id = BYTES("?"), .time_ms = time_ms},
        .item = item,
        .offset = offset,
        .record_time_ms = time_ms};
}

#define CLICKS 4000

static void make_clicks(uint64_t seed, struct engine_click *clicks, char (*names)[16])
{
    struct random random;
    random_seed(&random, seed);
    int64_t now_ms = T0;
    for (int i = 0; i < CLICKS; i++) {
        now_ms += random_below(&random, 500) + (random_below(&random, 300) == 0 ? 90000 : 0);
        snprintf(names[i], sizeof names[i], "s%u", random_below(&random, 40));
        int64_t time_ms = now_ms - (random_below(&random, 20) == 0 ? random_below(&random, 120000) : 0);
        clicks[i] = click_of(names[i], random_below(&random, 100), time_ms, i + 100);
        clicks[i].record_time_ms = now_ms;
    }
}

static uint64_t assert_batches_change_nothing(bool model, uint32_t full_items)
{
    static struct engine_click clicks[CLICKS];
    static char names[CLICKS][16];
    uint64_t seed = test_seed(11);
    make_clicks(seed, clicks, names);
    struct engine_options options = options_small();
    options.neural.full_items = full_items;
    struct world whole = world_open(&options), pieces = world_open(&options);
    if (model) {
        world_take_model(&whole);
        world_take_model(&pieces);
    }
    world_run(&whole, clicks, CLICKS);
    struct random random;
    random_seed(&random, seed + 1);
    for (size_t i = 0; i < CLICKS;) {
        size_t count = 1 + random_below(&random, 50);
        count = count < CLICKS - i ? count : CLICKS - i;
        world_run(&pieces, clicks + i, count);
        i += count;
    }
    if (whole.hash != pieces.hash)
        fail_msg("seed %llu: batches change the output", (unsigned long long)seed);
    assert_true(whole.closed > 50 && whole.late > 5);
    assert_int_equal(whole.recommendations + whole.late + whole.duplicates, CLICKS);
    assert_int_equal(engine_position(whole.engine).offset, 100 + CLICKS);
    assert_memory_equal(&(int64_t){engine_position(whole.engine).watermark_ms},
                        &(int64_t){engine_position(pieces.engine).watermark_ms}, sizeof(int64_t));
    uint64_t hash = whole.hash;
    world_close(&whole);
    world_close(&pieces);
    return hash;
}

static void engine_gives_the_same_effects_however_clicks_are_batched(void **state)
{
    (void)state;
    uint64_t without = assert_batches_change_nothing(false, 0), with = assert_batches_change_nothing(true, 100);
    uint64_t among = assert_batches_change_nothing(true, 99);          /* what the others propose */
    assert_true(without != with && without != among && with != among); /* the model has a say */
}

static void engine_gives_the_same_effects_however_closings_are_portioned(void **state)
{
    (void)state;
    static struct engine_click clicks[CLICKS];
    static char names[CLICKS][16];
    make_clicks(test_seed(11), clicks, names);
    struct engine_options options = options_small();
    struct world whole = world_open(&options);
    options.closed_max = 2;
    struct world portions = world_open(&options);
    world_run(&whole, clicks, CLICKS);
    world_run(&portions, clicks, CLICKS);
    assert_int_equal(whole.portions, 0);
    assert_true(portions.portions > 10);
    assert_true(whole.hash == portions.hash);
    world_close(&whole);
    world_close(&portions);
}

static void engine_output_changes_when_one_click_changes(void **state)
{
    (void)state;
    static struct engine_click clicks[CLICKS];
    static char names[CLICKS][16];
    make_clicks(11, clicks, names);
    struct engine_options options = options_small();
    struct world a = world_open(&options), b = world_open(&options);
    world_run(&a, clicks, CLICKS);
    clicks[1000].item = (clicks[1000].item + 1) % 100;
    world_run(&b, clicks, CLICKS);
    assert_true(a.hash != b.hash);
    world_close(&a);
    world_close(&b);
}

static void engine_emits_nothing_for_silent_clicks_but_keeps_their_state(void **state)
{
    (void)state;
    struct engine_options options = options_small();
    struct world w = world_open(&options);
    struct engine_click clicks[2] = {click_of("a", 1, T0, 0), click_of("a", 2, T0 + 1000, 1)};
    clicks[0].silent = true;
    world_run(&w, clicks, 2);
    assert_int_equal(w.recommendations, 1);
    struct session_view view;
    struct session_change change;
    size_t cursor = 0;
    assert_true(session_next_change(engine_sessions(w.engine), &cursor, &change));
    assert_ok(session_read(engine_sessions(w.engine), change.session, &w.batch, &view));
    assert_int_equal(view.length, 2);
    world_close(&w);
}

static void engine_moves_the_watermark_by_the_smaller_of_event_and_record_time(void **state)
{
    (void)state;
    struct engine_options options = options_small();
    struct world w = world_open(&options);
    struct engine_click clicks[2] = {click_of("a", 1, T0, 0), click_of("b", 2, T0 + 500000, 1)};
    clicks[1].record_time_ms = T0 + 1000; /* a clock that runs ahead must not close anything */
    world_run(&w, clicks, 2);
    assert_true(engine_position(w.engine).watermark_ms == T0 + 1000);
    assert_int_equal(w.closed, 0);
    world_close(&w);
}

static void engine_closes_by_the_watermark_of_an_idle_partition(void **state)
{
    (void)state;
    struct engine_options options = options_small();
    struct world w = world_open(&options);
    struct engine_click clicks[2] = {click_of("a", 1, T0, 7), click_of("b", 2, T0, 8)};
    world_run(&w, clicks, 2);
    struct effects effects;
    assert_ok(engine_advance(w.engine, T0 + 64999, &w.batch, &effects));
    assert_int_equal(effects.closed_count, 0);
    assert_ok(engine_advance(w.engine, T0 + 65000, &w.batch, &effects));
    assert_int_equal(effects.closed_count, 2);
    assert_true(effects.learn && effects.learn_to_ms == T0 + 65000);
    assert_int_equal(effects.closed[1].origin.partition, 3);
    assert_int_equal(effects.closed[1].origin.offset, 8);
    assert_int_equal(effects.closed[1].origin.sequence, 1);
    assert_ok(engine_advance(w.engine, T0, &w.batch, &effects)); /* never backwards */
    assert_true(engine_position(w.engine).watermark_ms == T0 + 65000);
    world_close(&w);
}

static void engine_without_scoring_answers_with_empty_lists(void **state)
{
    (void)state;
    struct engine_options options = options_small();
    options.scoring = false;
    struct world w = world_open(&options);
    struct engine_click click = click_of("a", 1, T0, 0);
    struct effects effects;
    assert_ok(engine_step(w.engine, &click, 1, &w.scoring, &w.batch, &effects)); /* the first boundary */
    assert_ok(engine_step(w.engine, &click, 1, &w.scoring, &w.batch, &effects));
    assert_int_equal(effects.recommendation_count, 1);
    assert_int_equal(effects.recommendations[0].count, 0);
    assert_bytes(effects.recommendations[0].session_id, "a");
    world_close(&w);
}

/* Whatever the arena has no room for: the step fails, or its effects are whole. */
static void engine_never_emits_half_of_what_did_not_fit(void **state)
{
    (void)state;
    struct engine_options options = options_small();
    options.scoring = false; /* no larger thing that does not fit either */
    size_t limit = 0;
    for (bool fitted = false; !fitted; limit += 16) {
        struct world world = world_open(&options);
        struct engine_click click = click_of("a session", 1, T0, 7);
        click.click.user_id = BYTES("a user");
        struct effects effects;
        world.batch.limit = limit + 1;
        struct status status = engine_step(world.engine, &click, 1, &world.scoring, &world.batch, &effects);
        if (!failed(status) && effects.learn && !effects.consumed)
            status = engine_step(world.engine, &click, 1, &world.scoring, &world.batch, &effects);
        fitted = !failed(status);
        if (failed(status)) {
            assert_fails(MEMORY, status);
        } else {
            assert_int_equal(effects.recommendation_count, 1);
            assert_bytes(effects.recommendations->session_id, "a session");
            assert_bytes(effects.recommendations->user_id, "a user");
        }
        world_close(&world);
    }
    assert_true(limit > 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(engine_gives_the_same_effects_however_clicks_are_batched),
        cmocka_unit_test(engine_gives_the_same_effects_however_closings_are_portioned),
        cmocka_unit_test(engine_output_changes_when_one_click_changes),
        cmocka_unit_test(engine_emits_nothing_for_silent_clicks_but_keeps_their_state),
        cmocka_unit_test(engine_moves_the_watermark_by_the_smaller_of_event_and_record_time),
        cmocka_unit_test(engine_closes_by_the_watermark_of_an_idle_partition),
        cmocka_unit_test(engine_without_scoring_answers_with_empty_lists),
        cmocka_unit_test(engine_never_emits_half_of_what_did_not_fit),
    };
    return cmocka_run_group_tests_name("engine", tests, NULL, NULL);
}
