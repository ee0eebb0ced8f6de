// SPDX-License-Identifier: Apache-2.0
/* Picking endpoints, breakers, holds and retries, on a clock of the test's own. */
#include "support/support.h"

#include <eddy/core/endpoints.h>

#define MS     1000
#define SECOND (1000 * MS)

struct world {
    struct endpoints endpoints;
    struct random random;
    int64_t now_us;
};

static const struct endpoint_rules rules = {.attempts_max = 4,
                                            .backoff_first_ms = 100,
                                            .backoff_max_ms = 1000,
                                            .hold_max_ms = 60000,
                                            .breaker_failures = 3,
                                            .breaker_open_ms = 1000,
                                            .breaker_open_max_ms = 4000};
static const struct attempts fresh = {.deadline_us = INT64_MAX};

static struct world world_of(const struct endpoint_options *options, size_t count)
{
    struct world world = {.now_us = SECOND};
    endpoints_init(&world.endpoints, &rules, options, count, world.now_us);
    random_seed(&world.random, 1);
    return world;
}

static struct world world_of_one(uint32_t concurrency)
{
    return world_of(&(struct endpoint_options){.concurrency = concurrency, .weight = 1}, 1);
}

static int pick(struct world *world)
{
    return endpoints_pick(&world->endpoints, &fresh, world->now_us, &world->random);
}

static int64_t begin(struct world *world, size_t endpoint)
{
    endpoints_begin(&world->endpoints, endpoint, 0, world->now_us);
    return world->now_us;
}

static void end(struct world *world, size_t endpoint, enum call_outcome outcome, int64_t hint_ms, int64_t begun_us)
{
    endpoints_end(&world->endpoints, endpoint, outcome, hint_ms, begun_us, world->now_us);
}

static void ask(struct world *world, size_t endpoint, enum call_outcome outcome)
{
    end(world, endpoint, outcome, -1, begin(world, endpoint));
    world->now_us += 1;
}

static enum breaker breaker(const struct world *world, size_t endpoint)
{
    return endpoint_breaker(&world->endpoints.at[endpoint], world->now_us);
}

static void an_endpoint_takes_no_more_than_its_concurrency(void **state)
{
    (void)state;
    struct world world = world_of_one(2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(pick(&world), 0);
        begin(&world, 0);
    }
    assert_int_equal(pick(&world), -1);
    end(&world, 0, CALL_ANSWERED, -1, SECOND);
    assert_int_equal(pick(&world), 0);
}

static void the_lowest_priority_is_asked_and_the_next_when_it_is_full(void **state)
{
    (void)state;
    const struct endpoint_options options[] = {{.concurrency = 1, .priority = 1, .weight = 1},
                                               {.concurrency = 1, .priority = 0, .weight = 1}};
    struct world world = world_of(options, 2);
    assert_int_equal(pick(&world), 1);
    begin(&world, 1);
    assert_int_equal(pick(&world), 0);
    begin(&world, 0);
    assert_int_equal(pick(&world), -1);
}

static void weights_share_requests_out(void **state)
{
    (void)state;
    const struct endpoint_options options[] = {{.concurrency = 1, .weight = 1}, {.concurrency = 1, .weight = 3}};
    struct world world = world_of(options, 2);
    int counts[2] = {0};
    for (int i = 0; i < 4000; i++)
        counts[pick(&world)]++;
    assert_in_range(counts[0], 900, 1100);
}

static void failures_in_a_row_open_the_breaker_and_an_answer_between_them_does_not(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    ask(&world, 0, CALL_SERVER);
    ask(&world, 0, CALL_CONNECT);
    ask(&world, 0, CALL_ANSWERED);
    ask(&world, 0, CALL_SERVER);
    ask(&world, 0, CALL_CANCELLED);
    ask(&world, 0, CALL_BROKEN);
    assert_int_equal(breaker(&world, 0), BREAKER_CLOSED);
    ask(&world, 0, CALL_SLOW);
    assert_int_equal(breaker(&world, 0), BREAKER_OPEN);
    assert_int_equal(pick(&world), -1);
}

static void open_breaker(struct world *world)
{
    for (uint32_t i = 0; i < rules.breaker_failures; i++)
        ask(world, 0, CALL_SERVER);
    assert_int_equal(breaker(world, 0), BREAKER_OPEN);
}

static void a_half_open_breaker_lets_one_probe_through(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    open_breaker(&world);
    world.now_us += 999 * MS;
    assert_int_equal(pick(&world), -1);
    world.now_us += 1 * MS;
    assert_int_equal(breaker(&world, 0), BREAKER_HALF_OPEN);
    assert_int_equal(pick(&world), 0);
    int64_t begun = begin(&world, 0);
    assert_int_equal(pick(&world), -1);
    world.now_us += 5 * MS;
    end(&world, 0, CALL_ANSWERED, -1, begun);
    assert_int_equal(breaker(&world, 0), BREAKER_CLOSED);
    assert_int_equal(pick(&world), 0);
}

static void openings_double_up_to_their_bound(void **state)
{
    (void)state;
    static const int64_t wanted_ms[] = {1000, 2000, 4000, 4000};
    struct world world = world_of_one(8);
    open_breaker(&world);
    for (size_t i = 0; i < 4; i++) {
        world.now_us = world.endpoints.at[0].open_until_us - 1;
        assert_int_equal(pick(&world), -1);
        world.now_us += 1;
        if (i + 1 < 4) {
            int64_t begun = begin(&world, 0);
            end(&world, 0, CALL_SERVER, -1, begun);
            assert_int_equal(world.endpoints.at[0].open_until_us - world.now_us, wanted_ms[i + 1] * MS);
        }
    }
}

static void a_probe_that_says_nothing_is_followed_by_another(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    open_breaker(&world);
    world.now_us += SECOND;
    int64_t begun = begin(&world, 0);
    end(&world, 0, CALL_CANCELLED, -1, begun);
    assert_int_equal(breaker(&world, 0), BREAKER_HALF_OPEN);
    assert_int_equal(pick(&world), 0);
}

static void what_began_before_the_breaker_opened_is_no_news(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    int64_t early = begin(&world, 0);
    world.now_us += 1;
    int64_t early_too = begin(&world, 0);
    world.now_us += 1;
    open_breaker(&world);
    int64_t until = world.endpoints.at[0].open_until_us;
    end(&world, 0, CALL_SERVER, -1, early);
    assert_int_equal(world.endpoints.at[0].open_until_us, until);
    world.now_us = until;
    begin(&world, 0);
    end(&world, 0, CALL_ANSWERED, -1, early_too);
    assert_int_equal(breaker(&world, 0), BREAKER_HALF_OPEN);
    assert_int_equal(pick(&world), -1); /* the probe is still out */
}

static void a_429_holds_the_whole_endpoint_back_for_as_long_as_it_says(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    end(&world, 0, CALL_BUSY, 3000, begin(&world, 0));
    world.now_us += 2999 * MS;
    assert_int_equal(pick(&world), -1);
    world.now_us += 1 * MS;
    assert_int_equal(pick(&world), 0);
    assert_int_equal(breaker(&world, 0), BREAKER_CLOSED);
    end(&world, 0, CALL_BUSY, 1000LL * 3600 * 1000, begin(&world, 0)); /* not for ever */
    world.now_us += rules.hold_max_ms * MS;
    assert_int_equal(pick(&world), 0);
}

static void the_429s_of_one_burst_count_once_and_halve_the_window(void **state)
{
    (void)state;
    struct world world = world_of_one(8);
    int64_t begun[8];
    for (int i = 0; i < 8; i++)
        begun[i] = begin(&world, 0);
    world.now_us += 10 * MS;
    for (int i = 0; i < 8; i++)
        end(&world, 0, CALL_BUSY, -1, begun[i]);
    assert_int_equal(world.endpoints.at[0].held_until_us, world.now_us + 100 * MS);
    assert_true(world.endpoints.at[0].window == 4);
    world.now_us += 100 * MS;
    end(&world, 0, CALL_BUSY, -1, begin(&world, 0)); /* the next burst: twice as long */
    assert_int_equal(world.endpoints.at[0].held_until_us, world.now_us + 200 * MS);
    assert_true(world.endpoints.at[0].window == 2);
    for (int i = 0; i < 100; i++)
        ask(&world, 0, CALL_ANSWERED);
    assert_true(world.endpoints.at[0].window == 8);
}

static void an_allowance_of_tokens_may_be_overdrawn_once(void **state)
{
    (void)state;
    const struct endpoint_options options = {.concurrency = 99, .weight = 1, .tokens_per_minute = 6000};
    struct world world = world_of(&options, 1); /* 100 a second, 500 at once */
    enum call_outcome reason;
    endpoints_begin(&world.endpoints, 0, 700, world.now_us);
    assert_int_equal(pick(&world), -1);
    int64_t ready_us = endpoints_ready_us(&world.endpoints, 0, world.now_us, &reason);
    assert_in_range(ready_us - world.now_us, 2010 * MS, 2011 * MS);
    assert_int_equal(reason, CALL_BUSY);
    world.now_us = ready_us;
    assert_int_equal(pick(&world), 0);
}

static void an_allowance_of_requests_is_kept(void **state)
{
    (void)state;
    const struct endpoint_options options = {.concurrency = 99, .weight = 1, .requests_per_minute = 120};
    struct world world = world_of(&options, 1);
    int count = 0;
    for (int64_t stop = world.now_us + 60LL * SECOND; world.now_us < stop; world.now_us += 10 * MS)
        if (pick(&world) >= 0) {
            ask(&world, 0, CALL_ANSWERED);
            count++;
        }
    assert_in_range(count, 120, 130); /* a minute's, and what was saved up at the beginning */
}

static void a_call_goes_to_another_endpoint_at_once_and_waits_after_a_round(void **state)
{
    (void)state;
    const struct endpoint_options options[] = {{.concurrency = 9, .weight = 1}, {.concurrency = 9, .weight = 1}};
    struct world world = world_of(options, 2);
    struct attempts attempts = fresh;
    assert_true(attempts_go_on(&attempts, &world.endpoints, 0, CALL_SERVER, world.now_us, &world.random));
    assert_int_equal(attempts.not_before_us, world.now_us);
    for (int i = 0; i < 20; i++)
        assert_int_equal(endpoints_pick(&world.endpoints, &attempts, world.now_us, &world.random), 1);
    assert_true(attempts_go_on(&attempts, &world.endpoints, 1, CALL_BROKEN, world.now_us, &world.random));
    assert_in_range(attempts.not_before_us, world.now_us, world.now_us + 100 * MS);
    assert_int_equal(attempts.tried, 0);
    assert_true(attempts_go_on(&attempts, &world.endpoints, 1, CALL_CONNECT, world.now_us, &world.random));
    assert_false(
        attempts_go_on(&attempts, &world.endpoints, 0, CALL_SERVER, world.now_us, &world.random)); /* the 4th */
}

static void backoff_is_jittered_over_its_whole_width(void **state)
{
    (void)state;
    struct world world = world_of_one(1);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 1000; i++) {
        struct attempts attempts = fresh;
        attempts.rounds = 9;
        assert_true(attempts_go_on(&attempts, &world.endpoints, 0, CALL_SERVER, 0, &world.random));
        least = attempts.not_before_us < least ? attempts.not_before_us : least;
        most = attempts.not_before_us > most ? attempts.not_before_us : most;
    }
    assert_in_range(least, 0, 20 * MS);
    assert_in_range(most, 980 * MS, 1000 * MS);
}

static void what_an_endpoint_denies_is_tried_elsewhere_only(void **state)
{
    (void)state;
    const struct endpoint_options options[] = {{.concurrency = 9, .weight = 1}, {.concurrency = 9, .weight = 1}};
    struct world world = world_of(options, 2);
    struct attempts attempts = fresh;
    assert_true(attempts_go_on(&attempts, &world.endpoints, 1, CALL_DENIED, world.now_us, &world.random));
    assert_true(attempts_go_on(&attempts, &world.endpoints, 0, CALL_SERVER, world.now_us, &world.random));
    for (int i = 0; i < 20; i++)
        assert_int_equal(endpoints_pick(&world.endpoints, &attempts, world.now_us, &world.random), 0);
    assert_false(attempts_go_on(&attempts, &world.endpoints, 0, CALL_TLS, world.now_us, &world.random));
    enum call_outcome reason;
    assert_int_equal(endpoints_ready_us(&world.endpoints, attempts.excluded, world.now_us, &reason), INT64_MAX);
}

static void what_is_final_or_too_late_is_not_tried_again(void **state)
{
    (void)state;
    static const enum call_outcome final[] = {CALL_ANSWERED,  CALL_REFUSED,     CALL_LARGE,    CALL_DEADLINE,
                                              CALL_CANCELLED, CALL_NO_ENDPOINT, CALL_NO_MEMORY};
    struct world world = world_of_one(1);
    struct attempts attempts = fresh;
    for (size_t i = 0; i < sizeof final / sizeof *final; i++)
        assert_false(attempts_go_on(&attempts, &world.endpoints, 0, final[i], world.now_us, &world.random));
    attempts.deadline_us = world.now_us;
    assert_false(attempts_go_on(&attempts, &world.endpoints, 0, CALL_SERVER, world.now_us, &world.random));
    assert_false(attempts_go_on(&attempts, &world.endpoints, 0, CALL_BUSY, world.now_us, &world.random));
}

static void a_busy_server_does_not_use_attempts_up(void **state)
{
    (void)state;
    struct world world = world_of_one(1);
    struct attempts attempts = fresh;
    for (int i = 0; i < 100; i++)
        assert_true(attempts_go_on(&attempts, &world.endpoints, 0, CALL_BUSY, world.now_us, &world.random));
    assert_int_equal(attempts.failed, 0);
}

static void what_time_alone_decides_is_known_ahead(void **state)
{
    (void)state;
    const struct endpoint_options options[] = {{.concurrency = 9, .weight = 1}, {.concurrency = 9, .weight = 1}};
    struct world world = world_of(options, 2);
    enum call_outcome reason;
    assert_int_equal(endpoints_ready_us(&world.endpoints, 0, world.now_us, &reason), world.now_us);
    open_breaker(&world);
    assert_int_equal(endpoints_ready_us(&world.endpoints, 0, world.now_us, &reason), world.now_us);
    assert_int_equal(endpoints_ready_us(&world.endpoints, 2, world.now_us, &reason),
                     world.endpoints.at[0].open_until_us);
    assert_int_equal(reason, CALL_NO_ENDPOINT);
    end(&world, 1, CALL_BUSY, 500, begin(&world, 1));
    assert_int_equal(endpoints_ready_us(&world.endpoints, 0, world.now_us, &reason), world.now_us + 500 * MS);
    assert_int_equal(reason, CALL_BUSY);
}

/* Anything may happen in any order: what is in flight adds up, and no endpoint stays shut for ever. */
static void endpoints_come_back_whatever_happened(void **state)
{
    (void)state;
    uint64_t seed = test_seed(7);
    const struct endpoint_options options[] = {{.concurrency = 3, .weight = 1},
                                               {.concurrency = 2, .priority = 1, .weight = 2}};
    struct world world = world_of(options, 2);
    struct {
        size_t endpoint;
        int64_t begun_us;
    } flying[5];
    size_t count = 0;
    random_seed(&world.random, seed);
    for (int i = 0; i < 20000; i++) {
        int endpoint = random_below(&world.random, 2) ? pick(&world) : -1;
        world.now_us += random_below(&world.random, 50 * MS);
        if (endpoint >= 0) {
            assert_true(count < 5);
            flying[count].begun_us = begin(&world, (size_t)endpoint);
            flying[count++].endpoint = (size_t)endpoint;
        } else if (count > 0) {
            size_t which = random_below(&world.random, (uint32_t)count);
            enum call_outcome outcome = (enum call_outcome)random_below(&world.random, CALL_OUTCOME_COUNT);
            end(&world, flying[which].endpoint, outcome, (int64_t)random_below(&world.random, 900) - 1,
                flying[which].begun_us);
            flying[which] = flying[--count];
        }
        assert_int_equal(world.endpoints.at[0].in_flight + world.endpoints.at[1].in_flight, count);
    }
    while (count > 0) {
        count--;
        end(&world, flying[count].endpoint, CALL_ANSWERED, -1, flying[count].begun_us);
    }
    world.now_us += rules.hold_max_ms * MS;
    for (size_t i = 0; i < 2; i++) {
        struct attempts attempts = fresh;
        attempts.excluded = i ? 1 : 2;
        if (endpoints_pick(&world.endpoints, &attempts, world.now_us, &world.random) != (int)i)
            fail_msg("seed %llu: endpoint %zu is shut for ever", (unsigned long long)seed, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_endpoint_takes_no_more_than_its_concurrency),
        cmocka_unit_test(the_lowest_priority_is_asked_and_the_next_when_it_is_full),
        cmocka_unit_test(weights_share_requests_out),
        cmocka_unit_test(failures_in_a_row_open_the_breaker_and_an_answer_between_them_does_not),
        cmocka_unit_test(a_half_open_breaker_lets_one_probe_through),
        cmocka_unit_test(openings_double_up_to_their_bound),
        cmocka_unit_test(a_probe_that_says_nothing_is_followed_by_another),
        cmocka_unit_test(what_began_before_the_breaker_opened_is_no_news),
        cmocka_unit_test(a_429_holds_the_whole_endpoint_back_for_as_long_as_it_says),
        cmocka_unit_test(the_429s_of_one_burst_count_once_and_halve_the_window),
        cmocka_unit_test(an_allowance_of_tokens_may_be_overdrawn_once),
        cmocka_unit_test(an_allowance_of_requests_is_kept),
        cmocka_unit_test(a_call_goes_to_another_endpoint_at_once_and_waits_after_a_round),
        cmocka_unit_test(backoff_is_jittered_over_its_whole_width),
        cmocka_unit_test(what_an_endpoint_denies_is_tried_elsewhere_only),
        cmocka_unit_test(what_is_final_or_too_late_is_not_tried_again),
        cmocka_unit_test(a_busy_server_does_not_use_attempts_up),
        cmocka_unit_test(what_time_alone_decides_is_known_ahead),
        cmocka_unit_test(endpoints_come_back_whatever_happened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
