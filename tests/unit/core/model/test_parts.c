// SPDX-License-Identifier: Apache-2.0
/* Who computes the parts of a step changes no bit of what is learned. */
#include "support/support.h"

#include "core/model/parts.h"
#include "core/model/trainer.h"

#include <eddy/core/ranking.h>
#include <eddy/io/system.h>
#include <eddy/io/team.h>

#define ITEMS    4200 /* enough for several parts, as candidates and when they are ranked */
#define SESSIONS 200
#define LENGTH   7
#define STEPS    4

struct shop {
    uint32_t starts[SESSIONS + 1], items[SESSIONS * LENGTH];
    struct training_sessions sessions;
};

static void shop_make(struct shop *shop, uint64_t seed)
{
    struct random random;
    random_seed(&random, seed);
    shop->starts[0] = 0;
    for (uint32_t i = 0; i < SESSIONS; i++) {
        uint32_t length = 2 + random_below(&random, LENGTH - 1);
        for (uint32_t j = 0; j < length; j++)
            shop->items[shop->starts[i] + j] = random_below(&random, random_below(&random, ITEMS) + 1);
        shop->starts[i + 1] = shop->starts[i] + length;
    }
    shop->sessions = (struct training_sessions){SESSIONS, shop->starts, shop->items};
}

/* ---- other ways to run parts */

static uint32_t cut_runs; /* those of several parts */

static void run_backwards(void *self, parallel_part *part, void *context, uint32_t count)
{
    (void)self;
    cut_runs += count > 1;
    while (count > 0)
        part(context, --count);
}

/* The first of several parts twice, which is wrong. */
static void run_one_again(void *self, parallel_part *part, void *context, uint32_t count)
{
    (void)self;
    for (uint32_t i = 0; i < count; i++)
        part(context, i);
    if (count > 1)
        part(context, 0);
}

static struct parallel backwards(void)
{
    static const struct parallel_ops ops = {run_backwards};
    return (struct parallel){&ops, NULL};
}

static struct parallel one_again(void)
{
    static const struct parallel_ops ops = {run_one_again};
    return (struct parallel){&ops, NULL};
}

/* ---- training */

struct way {
    const struct backbone *backbone;
    bool directed, drawn;
    enum optimiser optimiser;
};

static struct model_options model_options_of(struct way way)
{
    return (struct model_options){.backbone = way.backbone,
                                  .width = 10,
                                  .length_max = 5,
                                  .normalise = way.drawn,
                                  .temperature = 0.2f,
                                  .directed = way.directed};
}

static struct trainer_options trainer_options_of(struct way way)
{
    return (struct trainer_options){.epochs = 10,
                                    .batch = 300, /* an epoch ends with a smaller one */
                                    .negatives = way.drawn ? 1200 : 0,
                                    .negative_power = 0.5f,
                                    .optimiser = way.optimiser,
                                    .rate = 0.01f,
                                    .dropout = 0.25f,
                                    .seed = 5};
}

/* What is learned and kept: STEPS steps one way, then as many another way, by a trainer that the state of the first was
 * given to. */
static void train(const struct shop *shop, struct way way, struct parallel first, struct parallel then,
                  struct buffer *out)
{
    const struct model_options model_options = model_options_of(way);
    const struct trainer_options options = trainer_options_of(way);
    struct model *model;
    struct trainer *trainer;
    struct trained_step step;
    assert_ok(model_open(&model_options, ITEMS, 7, &model));
    for (int i = 0; i < 2; i++) {
        assert_ok(trainer_open(&options, &shop->sessions, model, &trainer));
        if (i > 0)
            assert_ok(trainer_restore(trainer, buffer_bytes(out)));
        buffer_clear(out);
        trainer_run_on(trainer, i > 0 ? then : first);
        for (int j = 0; j < STEPS; j++)
            assert_ok(trainer_step(trainer, &step));
        assert_ok(trainer_encode(trainer, buffer_sink(out)));
        trainer_close(trainer);
    }
    assert_ok(model_encode(model, buffer_sink(out)));
    model_close(model);
}

static bool learns_the_same(const struct shop *shop, struct way way, struct parallel first, struct parallel then)
{
    AUTO(buffer) wanted = {0};
    AUTO(buffer) got = {0};
    train(shop, way, parallel_in_order(), parallel_in_order(), &wanted);
    train(shop, way, first, then, &got);
    return bytes_equal(buffer_bytes(&wanted), buffer_bytes(&got));
}

static void threads_change_no_bit_of_what_is_learned(void **state)
{
    (void)state;
    struct shop shop;
    struct team *teams[3];
    shop_make(&shop, test_seed(5));
    for (uint32_t i = 0; i < 3; i++)
        assert_ok(team_open(i + 1, &teams[i]));
    for (uint32_t i = 0; i < BACKBONE_COUNT * 2; i++) {
        struct way way = {.backbone = backbones[i / 2], .directed = i % 3 > 0, .drawn = i % 2};
        for (uint32_t j = 0; j < 3; j++)
            if (!learns_the_same(&shop, way, team_parallel(teams[j]), team_parallel(teams[(j + 1) % 3])))
                fail_msg("%s learns something else on %u threads", backbone_name(way.backbone), j + 1);
    }
    struct way way = {.backbone = backbones[0], .directed = true, .optimiser = OPTIMISER_ADAGRAD};
    assert_true(learns_the_same(&shop, way, team_parallel(teams[2]), parallel_in_order()));
    for (uint32_t i = 0; i < 3; i++)
        team_close(teams[i]);
}

static void nor_does_the_order_of_parts(void **state)
{
    (void)state;
    struct shop shop;
    shop_make(&shop, test_seed(6));
    for (uint32_t i = 0; i < BACKBONE_COUNT * 2; i++) {
        struct way way = {.backbone = backbones[i / 2], .directed = i % 3 > 0, .drawn = i % 2};
        cut_runs = 0;
        assert_true(learns_the_same(&shop, way, backwards(), parallel_in_order()));
        assert_in_range(cut_runs, 6 * STEPS, 7 * STEPS); /* all that a step does is cut, but of a small last batch */
    }
}

static void a_part_that_is_run_twice_is_seen(void **state)
{
    (void)state;
    struct shop shop;
    shop_make(&shop, test_seed(7));
    for (uint32_t i = 0; i < BACKBONE_COUNT; i++) {
        struct way way = {.backbone = backbones[i], .drawn = true};
        assert_false(learns_the_same(&shop, way, one_again(), parallel_in_order()));
    }
}

/* ---- ranking */

static void rank_all(const struct model *model, const struct shop *shop, struct parallel parallel, uint32_t *ranks)
{
    struct ranking *ranking;
    assert_ok(ranking_open(model, &ranking));
    ranking_run_on(ranking, parallel);
    memset(ranks, 0, SESSIONS * LENGTH * sizeof *ranks);
    for (uint32_t i = 0; i < SESSIONS; i++)
        for (uint32_t click = shop->starts[i] + 1; click < shop->starts[i + 1]; click++)
            assert_ok(ranking_ask(ranking, shop->items + shop->starts[i], click - shop->starts[i], shop->items[click],
                                  &ranks[click]));
    assert_ok(ranking_flush(ranking));
    ranking_close(ranking);
}

static void threads_change_no_rank(void **state)
{
    (void)state;
    struct shop shop;
    struct team *team;
    static uint32_t wanted[SESSIONS * LENGTH], got[SESSIONS * LENGTH];
    shop_make(&shop, test_seed(8));
    assert_ok(team_open(3, &team));
    for (uint32_t i = 0; i < BACKBONE_COUNT; i++) {
        const struct model_options options =
            model_options_of((struct way){.backbone = backbones[i], .directed = i % 2});
        struct model *model;
        assert_ok(model_open(&options, ITEMS, 7, &model));
        rank_all(model, &shop, parallel_in_order(), wanted);
        rank_all(model, &shop, team_parallel(team), got);
        assert_memory_equal(wanted, got, sizeof wanted);
        cut_runs = 0;
        rank_all(model, &shop, backwards(), got);
        assert_memory_equal(wanted, got, sizeof wanted);
        assert_true(cut_runs >= 3);
        model_close(model);
    }
    team_close(team);
}

/* ---- where work is cut */

static void parts_are_whole_tiles_and_leave_nothing_out(void **state)
{
    (void)state;
    for (uint32_t count = 1; count < 3000; count += 7)
        for (uint32_t least = PART_UNIT; least < 600; least += 37) {
            uint32_t parts = parts_of(count, least), end = 0;
            assert_in_range(parts, 1, PARTS_MAX);
            for (uint32_t i = 0; i < parts; i++) {
                struct span span = part_of(count, parts, i);
                assert_int_equal(span.from, end);
                assert_int_equal(span.from % PART_UNIT, 0);
                assert_true(span.to > span.from);
                end = span.to;
            }
            assert_int_equal(end, count);
        }
    assert_int_equal(parts_of(2559, 512), 4);
    assert_int_equal(parts_of(1023, 512), 1);
    assert_int_equal(parts_of(UINT32_MAX, 512), PARTS_MAX);
}

int main(void)
{
    assert_ok(system_begin_products());
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_bit_of_what_is_learned),
        cmocka_unit_test(nor_does_the_order_of_parts),
        cmocka_unit_test(a_part_that_is_run_twice_is_seen),
        cmocka_unit_test(threads_change_no_rank),
        cmocka_unit_test(parts_are_whole_tiles_and_leave_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
