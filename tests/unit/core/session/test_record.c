// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "support/restore.h"

#include <eddy/core/catalogue.h>
#include <eddy/core/session.h>

static struct session_options options_of(bool by_user)
{
    return (struct session_options){.gap_ms = 1800000,
                                    .grace_ms = 60000,
                                    .max_duration_ms = SESSION_DURATION_MAX_MS,
                                    .clicks_max = 4,
                                    .open_max = 100,
                                    .by_user = by_user};
}

struct fixture {
    struct session_table *table;
    struct catalogue *catalogue;
    struct arena arena;
    struct buffer record;
};

static struct fixture fixture_open(bool by_user)
{
    struct fixture fixture = {0};
    struct session_options options = options_of(by_user);
    assert_ok(session_table_open(&options, &fixture.table));
    assert_ok(catalogue_open(&(struct catalogue_options){100, 1 << 20, 10}, &fixture.catalogue));
    return fixture;
}

static void fixture_close(struct fixture *fixture)
{
    session_table_close(fixture->table);
    catalogue_close(fixture->catalogue);
    arena_release(&fixture->arena);
    buffer_release(&fixture->record);
}

static uint32_t apply(struct fixture *fixture, struct click click)
{
    struct closed_list evicted = {0};
    struct session_outcome outcome;
    uint32_t item;
    assert_ok(catalogue_intern(fixture->catalogue, click.item_id, &item));
    assert_ok(session_apply(fixture->table, &click, item, INT64_MIN, &fixture->arena, &evicted, &outcome));
    assert_int_equal(outcome.result, SESSION_APPLIED);
    return outcome.session;
}

/* A session with every field in use: more clicks than are kept, one out of order, event ids on some, a user. */
static uint32_t apply_rich_session(struct fixture *fixture)
{
    struct click clicks[] = {
        {BYTES("s-1"), BYTES(""), BYTES("shoe"), BYTES("e1"), 1600000000000, CLICK_TYPE_VIEW, {0}},
        {BYTES("s-1"), BYTES("anna"), BYTES("boot"), BYTES(""), 1600000060000, CLICK_TYPE_CLICK, {0}},
        {BYTES("s-1"), BYTES(""), BYTES("lace"), BYTES("e3"), 1600000060000, CLICK_TYPE_PURCHASE, {0}},
        {BYTES("s-1"), BYTES(""), BYTES("sock"), BYTES("e4"), 1599999990000, CLICK_TYPE_VIEW, {0}},
        {BYTES("s-1"), BYTES(""), BYTES("boot"), BYTES("e5"), 1600000090000, CLICK_TYPE_ADD_TO_CART, {0}},
        {BYTES("s-1"), BYTES(""), BYTES("shoe"), BYTES("e6"), 1600000090001, CLICK_TYPE_VIEW, {0}},
    };
    uint32_t session = SESSION_NONE;
    for (size_t i = 0; i < sizeof clicks / sizeof *clicks; i++)
        session = apply(fixture, clicks[i]);
    return session;
}

static struct bytes encode(struct fixture *fixture, uint32_t session)
{
    buffer_clear(&fixture->record);
    session_encode(fixture->table, session, fixture->catalogue, &fixture->record);
    assert_ok(buffer_check(&fixture->record));
    return buffer_bytes(&fixture->record);
}

static void every_field_comes_back(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    uint32_t number; /* so that items have other numbers in the second process */
    assert_ok(catalogue_intern(second.catalogue, BYTES("hat"), &number));
    assert_ok(restore_session(second.table, 7, encode(&first, apply_rich_session(&first)), second.catalogue));
    assert_int_equal(session_table_count(second.table), 1);
    struct closed_list closed = {0};
    int64_t close_ms = 1600000090001 + 1800000 + 60000;
    assert_ok(session_expire(second.table, &(int64_t){close_ms - 1}, 0, &second.arena, &closed));
    assert_int_equal(closed.count, 0);
    assert_ok(session_expire(second.table, &(int64_t){close_ms}, 0, &second.arena, &closed));
    assert_int_equal(closed.count, 1);
    const struct session_view *view = &closed.sessions[0].view;
    assert_bytes(view->key, "s-1");
    assert_bytes(view->user_id, "anna");
    assert_int_equal(view->total, 6);
    assert_int_equal(view->length, 4);
    const char *items[] = {"boot", "lace", "boot", "shoe"};
    const int64_t times_ms[] = {1600000060000, 1600000060000, 1600000090000, 1600000090001};
    const uint8_t types[] = {CLICK_TYPE_CLICK, CLICK_TYPE_PURCHASE, CLICK_TYPE_ADD_TO_CART, CLICK_TYPE_VIEW};
    for (uint32_t i = 0; i < 4; i++) {
        assert_bytes(catalogue_id(second.catalogue, view->items[i]), items[i]);
        assert_int_equal(view->times_ms[i], times_ms[i]);
        assert_int_equal(view->types[i], types[i]);
    }
    fixture_close(&first);
    fixture_close(&second);
}

static void what_is_not_shown_comes_back_too(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    assert_ok(restore_session(second.table, 7, record, second.catalogue));
    /* the event ids */
    struct click again = {BYTES("s-1"),           BYTES(""), BYTES("boot"), BYTES("e5"), 1600000090000,
                          CLICK_TYPE_ADD_TO_CART, {0}};
    struct closed_list evicted = {0};
    struct session_outcome outcome;
    assert_ok(session_apply(second.table, &again, 0, INT64_MIN, &second.arena, &evicted, &outcome));
    assert_int_equal(outcome.result, SESSION_DUPLICATE);
    /* the first click's time, though it is not kept: just short of the longest duration, and at it */
    again.event_id = BYTES("e7");
    again.time_ms = 1599999990000 - 1800000 + 1;
    assert_ok(session_apply(second.table, &again, 0, INT64_MIN, &second.arena, &evicted, &outcome));
    assert_false(outcome.opened);
    again.event_id = BYTES("e8");
    again.time_ms -= 1800000;
    assert_ok(session_apply(second.table, &again, 0, INT64_MIN, &second.arena, &evicted, &outcome));
    assert_true(outcome.opened);
    /* and the same bytes again */
    struct fixture third = fixture_open(false);
    uint32_t session = 0;
    assert_ok(restore_session(third.table, 7, record, third.catalogue));
    buffer_clear(&second.record);
    session_encode(third.table, session, third.catalogue, &second.record);
    assert_true(bytes_equal(record, buffer_bytes(&second.record)));
    fixture_close(&first);
    fixture_close(&second);
    fixture_close(&third);
}

static void sessions_by_user_come_back(void **state)
{
    (void)state;
    struct fixture first = fixture_open(true), second = fixture_open(true), other = fixture_open(false);
    uint32_t session =
        apply(&first, (struct click){.user_id = BYTES("anna"), .item_id = BYTES("hat"), .time_ms = 5000});
    session = apply(&first, (struct click){.user_id = BYTES("anna"), .item_id = BYTES("cap"), .time_ms = 4000});
    struct bytes record = encode(&first, session);
    assert_ok(restore_session(second.table, 0, record, second.catalogue));
    struct session_view view;
    assert_ok(session_read(second.table, 0, &second.arena, &view));
    assert_bytes(view.session_id, "anna/5000");
    assert_bytes(view.user_id, "anna");
    assert_fails(CONFIG, restore_session(other.table, 0, record, other.catalogue));
    fixture_close(&first);
    fixture_close(&second);
    fixture_close(&other);
}

/* The table says no, and is as it was. */
static void expect_corrupt(struct fixture *fixture, struct bytes record)
{
    uint8_t *exact = malloc(record.size + !record.size); /* exact size, so that ASan sees a read past the end */
    assert_non_null(exact);
    if (record.size)
        memcpy(exact, record.data, record.size);
    assert_fails(CORRUPT, restore_session(fixture->table, 1, bytes_of(exact, record.size), fixture->catalogue));
    assert_int_equal(session_table_count(fixture->table), 0);
    free(exact);
}

static void damaged_records_are_corrupt(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    for (size_t size = 0; size < record.size; size++)
        expect_corrupt(&second, bytes_of(record.data, size));
    for (size_t bit = 0; bit < record.size * 8; bit++) {
        first.record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        expect_corrupt(&second, record);
        first.record.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_append_byte(&first.record, 0);
    expect_corrupt(&second, buffer_bytes(&first.record));
    assert_ok(restore_session(second.table, 1, bytes_of(first.record.data, first.record.size - 1), second.catalogue));
    fixture_close(&first);
    fixture_close(&second);
}

/* Puts a right checksum behind bytes, as only somebody who knows the format could. */
static struct bytes sealed(struct buffer *buffer, struct bytes body)
{
    buffer_clear(buffer);
    buffer_append_bytes(buffer, body);
    uint32_t sum = (uint32_t)bytes_hash(body);
    for (int i = 0; i < 4; i++)
        buffer_append_byte(buffer, (uint8_t)(sum >> 8 * i));
    return buffer_bytes(buffer);
}

static void records_that_make_no_sense_are_corrupt(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(false);
    /* version, flags, key, user, opened, first, total, length, kept from, (time and type, item)... */
    const struct {
        const char *why;
        struct bytes body;
    } cases[] = {
        {"no version 0", BYTES("\x00\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x01i")},
        {"unknown flag", BYTES("\x01\x04\x01k\x00\x02\x00\x01\x01\x00\x00\x01i")},
        {"empty key", BYTES("\x01\x00\x00\x00\x02\x00\x01\x01\x00\x00\x01i")},
        {"by user with a user beside", BYTES("\x01\x01\x01k\x01u\x02\x00\x01\x01\x00\x00\x01i")},
        {"fewer clicks than kept", BYTES("\x01\x00\x01k\x00\x02\x00\x01\x02\x00\x00\x01i\x00\x01i")},
        {"no clicks", BYTES("\x01\x00\x01k\x00\x02\x00\x01\x00\x00")},
        {"more clicks said than there", BYTES("\x01\x00\x01k\x00\x02\x00\x02\x02\x00\x00\x01i")},
        {"bytes behind the clicks", BYTES("\x01\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x01i\x00")},
        {"empty item", BYTES("\x01\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x00")},
        {"item longer than the record", BYTES("\x01\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x7fi")},
        {"first click after the opening one", BYTES("\x01\x00\x01k\x00\x02\x02\x01\x01\x02\x00\x01i")},
        {"last click before the opening one", BYTES("\x01\x00\x01k\x00\x02\x01\x01\x01\x01\x00\x01i")},
        {"kept click before the first", BYTES("\x01\x00\x01k\x00\x02\x00\x02\x02\x01\x00\x01i\x08\x01i")},
        {"two days are not enough for it",
         BYTES("\x01\x00\x01k\x00\x02\x00\x02\x02\x00\x00\x01i\x80\xa0\xf5\xc9\x05\x01i")},
        {"a number without end", BYTES("\x01\x00\x01k\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff")},
        {"time out of all bounds", BYTES("\x01\x00\x01k\x00\xfe\xff\xff\xff\xff\xff\xff\x7f\x00\x01\x01\x00\x00\x01i")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct status status =
            restore_session(fixture.table, 1, sealed(&fixture.record, cases[i].body), fixture.catalogue);
        if (!failed_as(status, FAULT_CORRUPT))
            fail_msg("not found corrupt: %s", cases[i].why);
    }
    struct bytes good = BYTES("\x01\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x01i");
    assert_ok(restore_session(fixture.table, 1, sealed(&fixture.record, good), fixture.catalogue));
    fixture_close(&fixture);
}

static void a_later_version_is_said_to_be_newer(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(false);
    assert_fails(NEWER,
                 restore_session(fixture.table, 1, sealed(&fixture.record, BYTES("\x02whatever")), fixture.catalogue));
    assert_fails(NEWER,
                 restore_session(fixture.table, 1, sealed(&fixture.record, BYTES("\xff\x00")), fixture.catalogue));
    fixture_close(&fixture);
}

static void sessions_must_come_in_order_and_not_overlap(void **state)
{
    (void)state;
    struct fixture fixture = fixture_open(false);
    struct buffer other = {0};
    struct bytes at_1 = sealed(&fixture.record, BYTES("\x01\x00\x01k\x00\x02\x00\x01\x01\x00\x00\x01i"));
    struct bytes l = sealed(&other, BYTES("\x01\x00\x01l\x00\x02\x00\x01\x01\x00\x00\x01i"));
    assert_ok(restore_session(fixture.table, 5, at_1, fixture.catalogue));
    assert_fails(CORRUPT, restore_session(fixture.table, 5, l, fixture.catalogue));
    assert_fails(CORRUPT, restore_session(fixture.table, 4, l, fixture.catalogue));
    assert_fails(CORRUPT, restore_session(fixture.table, UINT64_MAX, l, fixture.catalogue));
    assert_fails(CORRUPT, restore_session(fixture.table, 6, at_1, fixture.catalogue));
    assert_int_equal(session_table_count(fixture.table), 1);
    assert_ok(restore_session(fixture.table, 6, l, fixture.catalogue));
    buffer_release(&other);
    fixture_close(&fixture);
}

static void other_limits_than_when_stored_are_no_obstacle(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    session_table_close(second.table);
    struct session_options options = options_of(false);
    options.clicks_max = 2;
    options.open_max = 1;
    assert_ok(session_table_open(&options, &second.table));
    assert_ok(restore_session(second.table, 1, record, second.catalogue));
    struct session_view view;
    assert_ok(session_read(second.table, 0, &second.arena, &view));
    assert_int_equal(view.length, 2);
    assert_int_equal(view.total, 6);
    assert_bytes(catalogue_id(second.catalogue, view.items[0]), "boot");
    assert_bytes(catalogue_id(second.catalogue, view.items[1]), "shoe");
    struct buffer other = {0};
    struct bytes l = sealed(&other, BYTES("\x01\x00\x01l\x00\x02\x00\x01\x01\x00\x00\x01i"));
    assert_ok(restore_session(second.table, 2, l, second.catalogue));
    assert_int_equal(session_table_count(second.table), 2);
    buffer_release(&other);
    fixture_close(&first);
    fixture_close(&second);
}

static void a_batch_says_whether_its_items_are_known(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    AUTO(session_batch) batch = {0};
    uint32_t number;
    assert_ok(catalogue_intern(second.catalogue, BYTES("boot"), &number)); /* others are not */
    assert_ok(session_batch_add(&batch, second.table, 1, record));
    assert_false(session_batch_find_items(&batch, second.catalogue));
    assert_ok(session_batch_intern_items(&batch, second.catalogue));
    assert_true(session_batch_find_items(&batch, second.catalogue));
    assert_ok(session_batch_restore(&batch, second.table));
    assert_true(bytes_equal(encode(&second, 0), record));
    fixture_close(&first);
    fixture_close(&second);
}

#define MANY 700u

static struct bytes encode_many(struct fixture *fixture, uint32_t i)
{
    struct closed_list closed = {0};
    struct session_outcome outcome;
    char key[16];
    snprintf(key, sizeof key, "key-%u", i);
    for (uint32_t j = 0; j <= i % 6; j++) { /* up to two more than are kept */
        char id[16];
        uint32_t item;
        snprintf(id, sizeof id, "item-%u", (i * 7 + j * j) % 90);
        assert_ok(catalogue_intern(fixture->catalogue, bytes_of_text(id), &item));
        struct click click = {.session_id = bytes_of_text(key), .time_ms = 1000000 + 10 * i + j};
        assert_ok(session_apply(fixture->table, &click, item, INT64_MIN, &fixture->arena, &closed, &outcome));
    }
    return encode(fixture, outcome.session);
}

/* One batch, used again for the second half of them, whose catalogue numbers items in another order. */
static void batches_restore_what_single_records_do(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct session_options options = options_of(false);
    options.open_max = MANY;
    session_table_close(first.table);
    assert_ok(session_table_open(&options, &first.table));
    AUTO(session_batch) batch = {0};
    AUTO(buffer) all = {0};
    size_t ends[MANY];
    for (uint32_t i = 0; i < MANY; i++) {
        struct bytes record = encode_many(&first, i);
        buffer_append_bytes(&all, record);
        ends[i] = all.size;
        assert_ok(session_batch_add(&batch, second.table, i, record));
        if (i % 350 != 349)
            continue;
        assert_ok(session_batch_intern_items(&batch, second.catalogue));
        assert_ok(session_batch_restore(&batch, second.table));
        assert_int_equal(session_table_count(second.table), i + 1);
    }
    for (uint32_t i = 0; i < MANY; i++) {
        size_t begin = i ? ends[i - 1] : 0;
        assert_true(bytes_equal(encode(&second, i), bytes_of(all.data + begin, ends[i] - begin)));
    }
    fixture_close(&first);
    fixture_close(&second);
}

static void a_bad_record_leaves_the_batch_as_it_was(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    AUTO(session_batch) batch = {0};
    assert_ok(session_batch_add(&batch, second.table, 1, record));
    assert_fails(CORRUPT, session_batch_add(&batch, second.table, 2, BYTES("no record")));
    assert_int_equal(batch.session_count, 1);
    assert_ok(session_batch_intern_items(&batch, second.catalogue));
    assert_ok(session_batch_restore(&batch, second.table));
    assert_int_equal(session_table_count(second.table), 1);
    fixture_close(&first);
    fixture_close(&second);
}

static void a_full_catalogue_leaves_the_table_unchanged(void **state)
{
    (void)state;
    struct fixture first = fixture_open(false), second = fixture_open(false);
    struct bytes record = encode(&first, apply_rich_session(&first));
    catalogue_close(second.catalogue);
    assert_ok(catalogue_open(&(struct catalogue_options){2, 1 << 20, 10}, &second.catalogue));
    size_t memory = session_table_memory(second.table);
    assert_fails(LIMIT, restore_session(second.table, 1, record, second.catalogue));
    assert_int_equal(session_table_count(second.table), 0);
    catalogue_close(second.catalogue);
    assert_ok(catalogue_open(&(struct catalogue_options){100, 1 << 20, 10}, &second.catalogue));
    assert_ok(restore_session(second.table, 1, record, second.catalogue));
    assert_true(session_table_memory(second.table) >= memory);
    fixture_close(&first);
    fixture_close(&second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(what_is_not_shown_comes_back_too),
        cmocka_unit_test(sessions_by_user_come_back),
        cmocka_unit_test(damaged_records_are_corrupt),
        cmocka_unit_test(records_that_make_no_sense_are_corrupt),
        cmocka_unit_test(a_later_version_is_said_to_be_newer),
        cmocka_unit_test(sessions_must_come_in_order_and_not_overlap),
        cmocka_unit_test(other_limits_than_when_stored_are_no_obstacle),
        cmocka_unit_test(a_batch_says_whether_its_items_are_known),
        cmocka_unit_test(batches_restore_what_single_records_do),
        cmocka_unit_test(a_bad_record_leaves_the_batch_as_it_was),
        cmocka_unit_test(a_full_catalogue_leaves_the_table_unchanged),
    };
    return cmocka_run_group_tests_name("session record", tests, NULL, NULL);
}
