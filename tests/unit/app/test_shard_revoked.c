// SPDX-License-Identifier: Apache-2.0
/* A batch is in flight when its partition is revoked: polled and answered, but not committed. Whoever has the partition
 * next begins where the group stands. Either the release has committed the batch, and he must not answer it again; or
 * it has not, and he must. With both deliveries nothing is lost; and nothing is seen twice, except at least once what
 * was in flight where no commit was possible. */
#include "support/support.h"

#include "app/log.h"
#include "support/shard_rig.h"

#include <eddy/core/codec.h>

#include <unistd.h>

#define CLICKS 400
#define BATCH  7
#define BEFORE 6 /* commits before the revocation */

enum going { COMMITTED, REFUSED, LOST, GOINGS }; /* how the partition goes */

struct flight {
    struct shard_rig rig;
    enum going going;
    int64_t from, to; /* offsets of the clicks in flight */
};

/* Answers to each click, by its offset. */
static void count_answers(const struct shard_rig *rig, unsigned counts[CLICKS])
{
    struct decoder *decoder;
    struct arena arena = {0};
    assert_ok(decoder_open(RECORD_RECOMMENDATION, RECORD_AVRO, &decoder));
    for (size_t i = 0; i < shard_rig_count(rig, OUTPUT_RECOMMENDATIONS); i++) {
        struct recommendation_record answer;
        struct complaint complaint = {0};
        struct bytes value = shard_rig_output(rig, OUTPUT_RECOMMENDATIONS, i)->value;
        assert_ok(decode_recommendation(decoder, value, &arena, &answer, &complaint));
        assert_in_range(answer.offset, 0, CLICKS - 1);
        counts[answer.offset]++;
    }
    arena_release(&arena);
    decoder_close(decoder);
}

/* ---- the revocation */

static void begin(struct flight *flight, bool exactly_once, enum going going)
{
    *flight = (struct flight){.going = going};
    shard_rig_open(&flight->rig, 1);
    flight->rig.exactly_once = exactly_once;
    flight->rig.options.batch_clicks = BATCH;
    shard_rig_traffic(&flight->rig, CLICKS, 4);
    assert_ok(shard_rig_start(&flight->rig, NULL));
}

/* Goes on until some commits are done, and then as far as a batch further, which is not due to be committed. */
static void fly(struct flight *flight)
{
    struct shard_rig *rig = &flight->rig;
    size_t count;
    while (memory_world_committed(rig->world, 0, NULL) < BEFORE * BATCH) {
        assert_ok(shard_step(rig->shard, 0, &count));
        rig->wall_ms += 10;
        rig->monotonic_us += 10000;
    }
    flight->from = memory_world_committed(rig->world, 0, NULL);
    assert_ok(shard_step(rig->shard, 0, &count));
    assert_true(count > 0);
    flight->to = metric_get(&rig->metrics, METRIC_CLICKS_ANSWERED) + metric_get(&rig->metrics, METRIC_CLICKS_LATE);
    assert_int_equal(memory_world_committed(rig->world, 0, NULL), flight->from);
    assert_true(flight->to > flight->from);
}

static struct status refuse_commits(void *context, enum memory_effect effect)
{
    (void)context;
    return effect == MEMORY_COMMIT_OFFSETS ? FAIL(FENCED, 0, "another owner") : OK;
}

static void give_up(struct flight *flight)
{
    struct shard_rig *rig = &flight->rig;
    const int32_t partition = 0;
    if (flight->going == REFUSED)
        memory_world_set_faults(rig->world, (struct memory_faults){.before = refuse_commits});
    struct status status = shard_release(rig->shard, &partition, 1, flight->going == LOST, 100);
    memory_world_set_faults(rig->world, (struct memory_faults){0});
    if (flight->going == REFUSED)
        assert_fails(FENCED, status);
    else
        assert_ok(status);
    assert_int_equal(memory_world_committed(rig->world, 0, NULL),
                     flight->going == COMMITTED ? flight->to : flight->from);
}

/* ---- who has it next */

/* A process that has nothing of it but the log. */
static void another_goes_on(struct flight *flight)
{
    struct session_store store = memory_world_store(flight->rig.world, 0);
    shard_rig_crash(&flight->rig);
    assert_ok(store.ops->clear(store.self));
    assert_ok(shard_rig_start(&flight->rig, NULL));
    assert_ok(shard_rig_run(&flight->rig));
}

/* The same shard, which still has its producer and what was published there. */
static void the_same_goes_on(struct flight *flight)
{
    struct shard_rig *rig = &flight->rig;
    struct assignment assignment = {.partition = 0, .high = CLICKS};
    const char *metadata;
    assignment.committed = memory_world_committed(rig->world, 0, &metadata);
    assignment.metadata = bytes_of_text(metadata);
    assert_ok(shard_accept(rig->shard, &assignment, NULL));
    memory_world_assign(rig->world, 0, assignment.start);
    assert_ok(shard_rig_run(rig));
}

static void check(const struct flight *flight)
{
    unsigned counts[CLICKS] = {0};
    count_answers(&flight->rig, counts);
    for (int64_t offset = 0; offset < CLICKS; offset++) {
        bool flew = offset >= flight->from && offset < flight->to;
        bool may_repeat = !flight->rig.exactly_once && flight->going != COMMITTED && flew;
        if (counts[offset] < 1 || counts[offset] > (may_repeat ? 2 : 1))
            fail_msg("click %d is answered %u times; %d to %d were in flight, going %d", (int)offset, counts[offset],
                     (int)flight->from, (int)flight->to - 1, flight->going);
    }
}

static void revoke_in_flight(bool exactly_once, void (*go_on)(struct flight *flight))
{
    for (enum going going = 0; going < GOINGS; going++) {
        struct flight flight;
        begin(&flight, exactly_once, going);
        fly(&flight);
        give_up(&flight);
        go_on(&flight);
        check(&flight);
        shard_rig_close(&flight.rig);
    }
}

static void a_new_owner_answers_exactly_once_what_was_in_flight(void **state)
{
    (void)state;
    revoke_in_flight(true, another_goes_on);
}

static void a_new_owner_answers_at_least_once_what_was_in_flight(void **state)
{
    (void)state;
    revoke_in_flight(false, another_goes_on);
}

static void the_old_owner_that_gets_it_back_answers_exactly_once_what_was_in_flight(void **state)
{
    (void)state;
    revoke_in_flight(true, the_same_goes_on);
}

static void the_old_owner_that_gets_it_back_answers_at_least_once_what_was_in_flight(void **state)
{
    (void)state;
    revoke_in_flight(false, the_same_goes_on);
}

int main(void)
{
    log_configure(LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_owner_answers_exactly_once_what_was_in_flight),
        cmocka_unit_test(a_new_owner_answers_at_least_once_what_was_in_flight),
        cmocka_unit_test(the_old_owner_that_gets_it_back_answers_exactly_once_what_was_in_flight),
        cmocka_unit_test(the_old_owner_that_gets_it_back_answers_at_least_once_what_was_in_flight),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
