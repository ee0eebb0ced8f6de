// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/catalogue.h>

static struct catalogue *open_catalogue(uint32_t items_max, size_t memory_max_bytes)
{
    struct catalogue_options options = {items_max, memory_max_bytes, 12};
    struct catalogue *catalogue;
    assert_ok(catalogue_open(&options, &catalogue));
    return catalogue;
}

static struct item item_of(const char *id, const char *title)
{
    return (struct item){.item_id = bytes_of_text(id),
                         .title = bytes_of_text(title),
                         .categories = {BYTES("shop"), BYTES("shoes")},
                         .category_count = 2,
                         .available = true};
}

static void catalogue_knows_items_from_clicks_and_from_records(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue(10, 1 << 20);
    uint32_t clicked, put;
    assert_ok(catalogue_intern(catalogue, BYTES("a"), &clicked));
    assert_false(catalogue_has_record(catalogue, clicked));
    assert_true(catalogue_available(catalogue, clicked));
    assert_int_equal(catalogue_category(catalogue, clicked), INTERNER_NONE);
    struct item item = item_of("a", "red boots");
    assert_ok(catalogue_put(catalogue, &item, &put));
    assert_int_equal(put, clicked);
    assert_true(catalogue_has_record(catalogue, put));
    assert_bytes(catalogue_title(catalogue, put), "red boots");
    assert_bytes(catalogue_id(catalogue, put), "a");
    assert_int_equal(catalogue_find(catalogue, BYTES("b")), ITEM_NONE);
    catalogue_close(catalogue);
}

static void catalogue_replaces_and_removes_records(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue(10, 1 << 20);
    struct item item = item_of("a", "red boots");
    uint32_t number;
    assert_ok(catalogue_put(catalogue, &item, &number));
    item = item_of("a", "blue boots with a long name");
    item.available = false;
    assert_ok(catalogue_put(catalogue, &item, NULL));
    assert_bytes(catalogue_title(catalogue, number), "blue boots w");
    assert_false(catalogue_available(catalogue, number));
    catalogue_remove(catalogue, BYTES("a"));
    catalogue_remove(catalogue, BYTES("never seen"));
    assert_bytes(catalogue_title(catalogue, number), "");
    assert_false(catalogue_available(catalogue, number));
    assert_int_equal(catalogue_count(catalogue), 1);
    catalogue_close(catalogue);
}

static void catalogue_finds_any_level_of_a_category_path(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue(10, 1 << 20);
    struct item a = item_of("a", ""), b = item_of("b", ""), c = item_of("c", "");
    c.category_count = 1;
    uint32_t an, bn, cn;
    assert_ok(catalogue_put(catalogue, &a, &an));
    assert_ok(catalogue_put(catalogue, &b, &bn));
    assert_ok(catalogue_put(catalogue, &c, &cn));
    assert_int_equal(catalogue_category(catalogue, an), catalogue_category(catalogue, bn));
    assert_int_not_equal(catalogue_category(catalogue, an), catalogue_category(catalogue, cn));
    assert_true(catalogue_in_category(catalogue, an, BYTES("shop")));
    assert_true(catalogue_in_category(catalogue, an, BYTES("shoes")));
    assert_false(catalogue_in_category(catalogue, an, BYTES("sho")));
    assert_false(catalogue_in_category(catalogue, cn, BYTES("shoes")));
    catalogue_close(catalogue);
}

static void catalogue_refuses_items_beyond_its_bounds(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue(2, 1 << 20);
    uint32_t number = 77;
    assert_ok(catalogue_intern(catalogue, BYTES("a"), &number));
    assert_ok(catalogue_intern(catalogue, BYTES("b"), &number));
    assert_fails(LIMIT, catalogue_intern(catalogue, BYTES("c"), &number));
    assert_ok(catalogue_intern(catalogue, BYTES("a"), &number));
    assert_int_equal(number, 0);
    catalogue_close(catalogue);
}

static void catalogue_drops_titles_before_items_when_memory_is_short(void **state)
{
    (void)state;
    struct catalogue *catalogue = open_catalogue(1000000, 700000);
    uint32_t with_title = 0, count = 0;
    for (;; count++) {
        char id[32];
        uint32_t number;
        snprintf(id, sizeof id, "item-%u", count);
        struct item item = item_of(id, "twelve bytes");
        struct status status = catalogue_put(catalogue, &item, &number);
        if (failed(status)) {
            assert_true(failed_as(status, FAULT_LIMIT));
            break;
        }
        with_title += catalogue_title(catalogue, number).size > 0;
    }
    assert_true(with_title > 0 && with_title <= count);
    assert_int_equal(catalogue_titles_left_out(catalogue), count - with_title);
    assert_true(catalogue_memory(catalogue) < 2 * 700000); /* growth is by doubling */
    catalogue_close(catalogue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(catalogue_knows_items_from_clicks_and_from_records),
        cmocka_unit_test(catalogue_replaces_and_removes_records),
        cmocka_unit_test(catalogue_finds_any_level_of_a_category_path),
        cmocka_unit_test(catalogue_refuses_items_beyond_its_bounds),
        cmocka_unit_test(catalogue_drops_titles_before_items_when_memory_is_short),
    };
    return cmocka_run_group_tests_name("catalogue", tests, NULL, NULL);
}
