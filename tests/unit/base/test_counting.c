// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/histogram.h>
#include <eddy/base/metrics.h>

static void histogram_quantiles_are_at_most_one_bucket_too_high(void **state)
{
    (void)state;
    static struct histogram histogram;
    for (uint64_t value = 1; value <= 100000; value++)
        histogram_record(&histogram, value);
    static const double quantiles[] = {0.001, 0.01, 0.5, 0.9, 0.99, 0.999, 1};
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++) {
        double exact = quantiles[i] * 100000, got = (double)histogram_quantile(&histogram, quantiles[i]);
        assert_true(got >= exact && got <= exact * 1.0625 + 1);
    }
    assert_int_equal(histogram_quantile(&histogram, 1), 100000);
    assert_int_equal(histogram.sum, 100000ull * 100001 / 2);
}

static void histogram_takes_any_value_and_adds_up(void **state)
{
    (void)state;
    static struct histogram a, b;
    assert_int_equal(histogram_quantile(&a, 0.5), 0);
    histogram_record(&a, 0);
    histogram_record(&b, UINT64_MAX);
    histogram_record(&b, 15);
    histogram_add(&a, &b);
    assert_int_equal(a.total, 3);
    assert_true(a.max == UINT64_MAX);
    assert_int_equal(histogram_quantile(&a, 0.6), 15);
}

static void metrics_are_exposed_in_the_prometheus_format(void **state)
{
    (void)state;
    static struct metrics metrics;
    AUTO(buffer) out = {0};
    metric_add(&metrics, METRIC_CLICKS_LATE, 3);
    metric_add(&metrics, METRIC_CLICKS_LATE, 4);
    metric_set(&metrics, METRIC_SESSIONS_OPEN, 12);
    metrics_expose(&metrics, &out);
    const char *text = buffer_text(&out);
    assert_non_null(strstr(text, "\neddy_clicks_total{result=\"late\"} 7\n"));
    assert_non_null(strstr(text, "\n# TYPE eddy_sessions_open gauge\neddy_sessions_open 12\n"));
    const char *type = strstr(text, "# TYPE eddy_clicks_total counter\n");
    assert_non_null(type);
    assert_null(strstr(type + 1, "# TYPE eddy_clicks_total")); /* once a name */
}

static void metrics_counters_alone_end_in_total(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
    } rows[] = {
#define X(identifier, type, name, labels, help) {#type, name},
        METRICS(X)
#undef X
    };
    for (size_t i = 0; i < METRIC_COUNT; i++) {
        size_t size = strlen(rows[i].name);
        bool total = size > 6 && !strcmp(rows[i].name + size - 6, "_total");
        assert_int_equal(total, !strcmp(rows[i].type, "counter"));
        assert_memory_equal(rows[i].name, "eddy_", 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histogram_quantiles_are_at_most_one_bucket_too_high),
        cmocka_unit_test(histogram_takes_any_value_and_adds_up),
        cmocka_unit_test(metrics_are_exposed_in_the_prometheus_format),
        cmocka_unit_test(metrics_counters_alone_end_in_total),
    };
    return cmocka_run_group_tests_name("counting", tests, NULL, NULL);
}
