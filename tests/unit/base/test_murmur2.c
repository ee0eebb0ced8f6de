// SPDX-License-Identifier: Apache-2.0
/* The values are those of Kafka's own test of it, and of a topic's partitions that follow from them. */
#include "support/support.h"

#include <eddy/base/murmur2.h>

static void it_is_that_of_kafka(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t hash;
    } cases[] = {{"21", -973932308},
                 {"foobar", -790332482},
                 {"a-little-bit-long-string", -985981536},
                 {"a-little-bit-longer-string", -1486304829},
                 {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
                 {"abc", 479470107}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal((int32_t)murmur2(bytes_of_text(cases[i].text)), cases[i].hash);
}

static void a_key_has_one_partition(void **state)
{
    (void)state;
    assert_int_equal(murmur2_partition(BYTES("abc"), 4), 479470107 % 4);
    assert_int_equal(murmur2_partition(BYTES("21"), 10), (-973932308 & 0x7fffffff) % 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_that_of_kafka),
        cmocka_unit_test(a_key_has_one_partition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
