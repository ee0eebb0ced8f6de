// SPDX-License-Identifier: Apache-2.0
/* The reader of golden tensors and their comparison: what is wrong is refused, and said. */
#include "support/support.h"

#include "support/golden_tensors.h"

#include <math.h>

#define WHOLE "# written by hand\na.x 2 3\n1 -2.5 3e-05\n4 5 6\nb 1 1\n0\n"

static void tensors_are_read(void **state)
{
    (void)state;
    AUTO(buffer) report = {0};
    struct golden_tensors *tensors = golden_tensors_parse(BYTES(WHOLE), &report);
    assert_non_null(tensors);
    const float *x = golden_tensor(tensors, "a.x", 2, 3);
    const float wanted[] = {1, -2.5f, 3e-5f, 4, 5, 6};
    assert_memory_equal(x, wanted, sizeof wanted);
    uint32_t index = 7;
    golden_indices(tensors, "b", 1, &index);
    assert_int_equal(index, 0);
    assert_int_equal(report.size, 0);
    golden_tensors_close(tensors);
}

static void a_missing_tensor_or_another_shape_is_reported(void **state)
{
    (void)state;
    AUTO(buffer) report = {0};
    struct golden_tensors *tensors = golden_tensors_parse(BYTES(WHOLE), &report);
    assert_non_null(tensors);
    assert_null(golden_tensor_find(tensors, "a", 2, 3, &report));
    assert_string_equal(buffer_text(&report), "there is no tensor a");
    buffer_clear(&report);
    assert_null(golden_tensor_find(tensors, "a.x", 3, 2, &report));
    assert_string_equal(buffer_text(&report), "tensor a.x has 2 rows of 3, not 3 rows of 2");
    golden_tensors_close(tensors);
}

static void a_tensor_that_nobody_asked_for_is_named(void **state)
{
    (void)state;
    AUTO(buffer) report = {0};
    struct golden_tensors *tensors = golden_tensors_parse(BYTES(WHOLE), &report);
    assert_non_null(tensors);
    assert_null(golden_tensor_find(tensors, "a.x", 3, 2, &report));
    assert_string_equal(golden_unused(tensors, "a."), "a.x");
    assert_non_null(golden_tensor_find(tensors, "a.x", 2, 3, &report));
    assert_null(golden_unused(tensors, "a."));
    assert_string_equal(golden_unused(tensors, ""), "b");
    golden_tensors_close(tensors);
}

static void what_is_not_a_tensor_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *report;
    } refused[] = {
        {"", "line 0: there are no tensors"},
        {"# nothing\n", "line 1: there are no tensors"},
        {"# no end", "line 2: the line has no end"},
        {"a 1 1", "line 1: the line has no end"},
        {"a 1\n1\n", "line 1: a name, rows and columns"},
        {"a 1 1 1\n1\n", "line 1: a name, rows and columns"},
        {" 1 1\n1\n", "line 1: a name, rows and columns"},
        {"a 0 1\n", "line 1: a name, rows and columns"},
        {"a 1 -1\n1\n", "line 1: a name, rows and columns"},
        {"a 1 1x\n1\n", "line 1: a name, rows and columns"},
        {"a 1 4294967297\n1\n", "line 1: a name, rows and columns"},
        {"a 32768 32768\n1\n", "line 1: more tensors or numbers"},
        {"a 1 1\n1\n# late\n", "line 3: a name, rows and columns"},
        {"a 1 1\n1\n\n", "line 3: a name, rows and columns"},
        {"a 2 1\n1\n", "line 3: a row is missing"},
        {"a 2 1\n1\nb 1 1\n1\n", "line 3: a number is missing or cannot be read"},
        {"a 1 2\n1\n", "line 2: a number is missing or cannot be read"},
        {"a 1 2\n1  2\n", "line 2: a number is missing or cannot be read"},
        {"a 1 1\n1,5\n", "line 2: a number is missing or cannot be read"},
        {"a 1 1\nnan\n", "line 2: a number is missing or cannot be read"},
        {"a 1 1\n1e39\n", "line 2: a number is missing or cannot be read"},
        {"a 1 2\n1 2 3\n", "line 2: more numbers than columns"},
        {"a 1 2\n1 2 \n", "line 2: more numbers than columns"},
        {"a 1 1\n1\na 1 1\n1\n", "line 3: a second tensor of this name"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        AUTO(buffer) report = {0};
        assert_null(golden_tensors_parse(bytes_of_text(refused[i].text), &report));
        if (strncmp(buffer_text(&report), refused[i].report, strlen(refused[i].report)) != 0)
            fail_msg("\"%s\" gave \"%s\", not \"%s\"", refused[i].text, buffer_text(&report), refused[i].report);
    }
}

static void numbers_are_the_same_within_the_bound(void **state)
{
    (void)state;
    static const struct {
        float wanted, got;
        bool same;
    } pairs[] = {
        {0, 0.9e-6f, true},   {0, -0.9e-6f, true},   {0, 1.1e-6f, false},        {0, -1.1e-6f, false},
        {1, 1.000009f, true}, {1, 1.000011f, false}, {-1, -1.000009f, true},     {-1, -1.000011f, false},
        {1, -1, false},       {1e6f, 1000009, true}, {1e6f, 1000011, false},     {1e-3f, 1.0009e-3f, true},
        {1, NAN, false},      {0, INFINITY, false},  {1e-3f, 1.0011e-3f, false},
    };
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        AUTO(buffer) report = {0};
        if (golden_same("x", &pairs[i].wanted, &pairs[i].got, 1, &report) != pairs[i].same)
            fail_msg("%.9g and %.9g", (double)pairs[i].wanted, (double)pairs[i].got);
        assert_int_equal(report.size == 0, pairs[i].same);
    }
}

static void the_number_that_differs_most_is_reported(void **state)
{
    (void)state;
    AUTO(buffer) report = {0};
    const float wanted[] = {1, 2, 100, 4}, got[] = {1, 2.5f, 101, 4};
    assert_false(golden_same("a.x", wanted, got, 4, &report));
    assert_string_equal(buffer_text(&report), "tensor a.x: 2 of 4 numbers differ, most number 1: wanted 2, got 2.5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_read),
        cmocka_unit_test(a_missing_tensor_or_another_shape_is_reported),
        cmocka_unit_test(a_tensor_that_nobody_asked_for_is_named),
        cmocka_unit_test(what_is_not_a_tensor_is_refused_with_its_line),
        cmocka_unit_test(numbers_are_the_same_within_the_bound),
        cmocka_unit_test(the_number_that_differs_most_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
