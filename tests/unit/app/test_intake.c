// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/train/intake.h"

#define LENGTH 4 /* clicks of a session */

struct rig {
    struct config config;
    struct intake *intake;
    struct updater *updater;
};

static void rig_open(struct rig *rig, const char *const *sets, size_t count, const struct interner *known)
{
    struct complaint complaint = {{0}};
    *rig = (struct rig){0};
    assert_ok(config_make(&rig->config, NULL, sets, count, &complaint));
    assert_ok(intake_open(&rig->config, known, 3, &rig->intake));
    assert_ok(updater_open(&rig->config.update.options, NULL, &rig->updater));
}

static void rig_close(struct rig *rig)
{
    intake_close(rig->intake);
    updater_close(rig->updater);
    config_release(&rig->config);
}

/* A session that closes at close_ms, on items "i<first>", "i<first + 1>", ... */
static struct status take_length(struct rig *rig, int32_t partition, int64_t offset, int64_t close_ms, int first,
                                 uint32_t length)
{
    char texts[LENGTH][16];
    struct bytes ids[LENGTH];
    int64_t times_ms[LENGTH];
    for (uint32_t i = 0; i < length; i++) {
        snprintf(texts[i], sizeof texts[i], "i%d", first + (int)i);
        ids[i] = bytes_of_text(texts[i]);
        times_ms[i] = close_ms - 100 + i;
    }
    const struct closed_record record = {.close_ms = close_ms, .length = length, .item_ids = ids, .times_ms = times_ms};
    const struct message message = {.partition = partition, .offset = offset};
    return intake_take(rig->intake, &record, &message);
}

static void take(struct rig *rig, int32_t partition, int64_t offset, int64_t close_ms, int first)
{
    assert_ok(take_length(rig, partition, offset, close_ms, first, LENGTH));
}

static const char *const small[] = {"model.width=4", "train.epochs=1", "train.negatives=0", "update.held_share=0"};

static struct updater_result update(struct rig *rig)
{
    struct updater_result result = {0};
    bool begun, done = false;
    assert_ok(updater_begin(rig->updater, &begun));
    assert_true(begun);
    while (!done)
        assert_ok(updater_step(rig->updater, &done, &result));
    return result;
}

static void partitions_are_passed_in_the_order_of_closing(void **state)
{
    (void)state;
    struct rig first, second;
    rig_open(&first, small, 4, NULL);
    rig_open(&second, small, 4, NULL);
    /* the items in the same order, or rows would differ */
    for (int i = 0; i < 10; i++) {
        take(&first, 0, i, 1000 + 10 * i, i);
        take(&first, 1, i, 1005 + 10 * i, i);
    }
    for (int i = 0; i < 10; i++)
        take(&second, 0, i, 1000 + 10 * i, i);
    for (int i = 0; i < 10; i++)
        take(&second, 1, i, 1005 + 10 * i, i);
    assert_int_equal(intake_waiting(first.intake), 20 * LENGTH);
    assert_int_equal(intake_newest_ms(first.intake), 1095);
    assert_ok(intake_pass(first.intake, NULL, first.updater));
    assert_ok(intake_pass(second.intake, NULL, second.updater));
    assert_int_equal(intake_waiting(first.intake), 0);
    assert_int_equal(updater_waiting(first.updater), 20 * LENGTH);
    update(&first);
    update(&second);
    const struct model *one = updater_model(first.updater), *other = updater_model(second.updater);
    AUTO(buffer) bytes = {0};
    AUTO(buffer) others = {0};
    assert_ok(model_encode(one, buffer_sink(&bytes)));
    assert_ok(model_encode(other, buffer_sink(&others)));
    assert_true(bytes_equal(buffer_bytes(&bytes), buffer_bytes(&others)));
    assert_int_equal(model_trained_to(one), 1095 - 100 + LENGTH - 1);
    rig_close(&first);
    rig_close(&second);
}

/* The offsets of a version: what a partition has had, but for what was held back and all behind that. */
static void a_version_has_learned_up_to_what_was_held_back(void **state)
{
    (void)state;
    struct rig rig;
    uint32_t count;
    rig_open(&rig, small, 4, NULL);
    for (int i = 0; i < 6; i++)
        take(&rig, 0, 10 + i, 1000 + 10 * i, 0);
    for (int i = 0; i < 3; i++)
        take(&rig, 2, 5 + i, 1001 + 10 * i, 0);
    assert_ok(take_length(&rig, 2, 8, 2000, 0, 1)); /* teaches nothing, and is done with */
    assert_ok(intake_pass(rig.intake, NULL, rig.updater));
    const struct sessions_read *read =
        intake_learned(rig.intake, 3, &count); /* the newest: 13, 14, 15 of partition 0 */
    assert_int_equal(count, 2);
    assert_int_equal(read[0].partition, 0);
    assert_int_equal(read[0].offset, 13);
    assert_int_equal(read[1].partition, 2);
    assert_int_equal(read[1].offset, 9);
    take(&rig, 0, 16, 3000, 0);
    intake_skip(rig.intake, &(struct message){.partition = 1, .offset = 99});
    assert_ok(intake_pass(rig.intake, NULL, rig.updater));
    read = intake_learned(rig.intake, 0, &count); /* nothing is held back: all of it */
    assert_int_equal(count, 3);
    assert_int_equal(read[0].offset, 17);
    assert_int_equal(read[1].offset, 100);
    assert_int_equal(read[2].offset, 9);
    rig_close(&rig);
}

static void what_a_version_has_learned_waits_for_no_update(void **state)
{
    (void)state;
    struct rig rig;
    const struct sessions_read learned[] = {{0, 4}, {1, 0}};
    const struct model_manifest manifest = {.sessions = learned, .session_count = 2};
    rig_open(&rig, small, 4, NULL);
    for (int i = 0; i < 6; i++)
        take(&rig, 0, i, 1000 + 10 * i, 0);
    take(&rig, 1, 0, 500, 0); /* older than these, and not learned */
    assert_int_equal(intake_learned_ms(rig.intake), INT64_MIN);
    assert_ok(intake_pass(rig.intake, &manifest, rig.updater));
    assert_int_equal(intake_learned_ms(rig.intake), 1030);
    assert_int_equal(intake_newest_ms(rig.intake), 1050);
    assert_int_equal(updater_waiting(rig.updater), 3 * LENGTH);
    rig_close(&rig);
}

/* Retention took all of partition 1; partition 2 was made anew, and has less than was learned. */
static void what_is_gone_from_the_topic_stays_learned(void **state)
{
    (void)state;
    struct rig rig;
    uint32_t count;
    const struct sessions_read learned[] = {{0, 2}, {1, 70}, {2, 90}, {7, 5}};
    const struct model_manifest manifest = {.sessions = learned, .session_count = 4};
    rig_open(&rig, small, 4, NULL);
    for (int i = 0; i < 4; i++)
        take(&rig, 0, i, 1000 + 10 * i, 0);
    take(&rig, 2, 0, 1000, 0);
    assert_ok(intake_pass(rig.intake, &manifest, rig.updater));
    const struct sessions_read *read = intake_learned(rig.intake, 0, &count);
    assert_int_equal(count, 3);
    assert_int_equal(read[0].offset, 4);
    assert_int_equal(read[1].partition, 1);
    assert_int_equal(read[1].offset, 70);
    assert_int_equal(read[2].offset, 1);
    rig_close(&rig);
}

static void what_waits_is_bounded(void **state)
{
    (void)state;
    struct rig rig;
    const char *const sets[] = {"update.clicks_max=40"};
    rig_open(&rig, sets, 1, NULL);
    for (int i = 0; i < 1000; i++) {
        take(&rig, 0, i, 100000 - 10 * i, i % 50); /* the newest first */
        assert_in_range(intake_waiting(rig.intake), LENGTH, 80);
    }
    assert_int_equal(intake_newest_ms(rig.intake), 100000);
    assert_ok(intake_pass(rig.intake, NULL, rig.updater));
    assert_in_range(updater_waiting(rig.updater), LENGTH, 40);
    rig_close(&rig);
}

static void rows_begin_with_those_of_the_model_and_end_with_the_catalogue(void **state)
{
    (void)state;
    struct rig rig;
    struct interner *known;
    const char *const sets[] = {"items.max=5"};
    uint32_t row;
    assert_ok(interner_open(10, 1000, &known));
    assert_ok(interner_add(known, BYTES("shoe"), &row));
    rig_open(&rig, sets, 1, known);
    take(&rig, 0, 0, 1000, 0);
    struct model_items items = intake_items(rig.intake);
    assert_bytes(items.id(items.context, 0), "shoe");
    assert_bytes(items.id(items.context, 1), "i0");
    assert_fails(LIMIT, take_length(&rig, 0, 1, 1010, 1, LENGTH)); /* i4 has no room */
    assert_int_equal(intake_waiting(rig.intake), LENGTH);
    interner_close(known);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partitions_are_passed_in_the_order_of_closing),
        cmocka_unit_test(a_version_has_learned_up_to_what_was_held_back),
        cmocka_unit_test(what_a_version_has_learned_waits_for_no_update),
        cmocka_unit_test(what_is_gone_from_the_topic_stays_learned),
        cmocka_unit_test(what_waits_is_bounded),
        cmocka_unit_test(rows_begin_with_those_of_the_model_and_end_with_the_catalogue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
