// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/codec.h>
#include <eddy/core/generate.h>

#include <math.h>

#define CLICKS 200000

static struct generator *open_generator(const struct generate_options *options)
{
    struct generator *generator;
    struct complaint complaint = {0};
    assert_ok(generator_open(options, &complaint, &generator));
    return generator;
}

static uint64_t hash_of_clicks(const struct generate_options *options, int count)
{
    struct generator *generator = open_generator(options);
    AUTO(buffer) bytes = {0};
    for (int i = 0; i < count; i++) {
        struct click click;
        generator_next(generator, &click);
        encode_click((struct encoding){.format = RECORD_AVRO}, &click, &bytes);
    }
    assert_ok(buffer_check(&bytes));
    generator_close(generator);
    return bytes_hash(buffer_bytes(&bytes));
}

static void same_options_give_the_same_bytes_and_another_seed_others(void **state)
{
    (void)state;
    struct generate_options options = generate_defaults();
    uint64_t first = hash_of_clicks(&options, 20000);
    assert_true(first == hash_of_clicks(&options, 20000));
    options.seed++;
    assert_true(first != hash_of_clicks(&options, 20000));
}

static void every_click_passes_the_check_of_clicks_and_time_does_not_run_backwards(void **state)
{
    (void)state;
    struct generate_options options = generate_defaults();
    struct generator *generator = open_generator(&options);
    struct click_limits limits = {0};
    int64_t before_ms = options.start_ms;
    for (int i = 0; i < 20000; i++) {
        struct click click;
        struct complaint complaint = {0};
        generator_next(generator, &click);
        assert_ok(click_check(&click, click.time_ms, &limits, &complaint));
        assert_true(click.time_ms >= before_ms);
        before_ms = click.time_ms;
    }
    /* 1,000 sessions, one click each 20 s, are 50 clicks a second */
    assert_in_range((uint64_t)(before_ms - options.start_ms), 399000, 401000);
    generator_close(generator);
}

static void the_span_of_a_stream_is_known_before_it_is_made(void **state)
{
    (void)state;
    struct generate_options options = generate_defaults();
    const double rates[] = {0, 3, 700, 1e6};
    for (size_t i = 0; i < sizeof rates / sizeof *rates; i++) {
        options.clicks_per_second = rates[i];
        struct generator *generator = open_generator(&options);
        struct click click;
        for (int clicks = 1; clicks <= 1000; clicks++) {
            generator_next(generator, &click);
            assert_int_equal(click.time_ms - options.start_ms, generate_span_ms(&options, clicks));
        }
        generator_close(generator);
    }
    assert_int_equal(generate_span_ms(&options, 0), 0);
    options.sessions = 1;
    options.clicks_per_second = 0;
    assert_true(generate_span_ms(&options, INT64_MAX) == INT64_MAX);
    options.sessions = 0;
    assert_int_equal(generate_span_ms(&options, 1000), 0);
}

static uint32_t number_of(struct bytes id)
{
    int64_t number;
    assert_true(bytes_to_int64(bytes_of(id.data + 1, id.size - 1), &number));
    return (uint32_t)number;
}

/* ---- what a stream looks like, counted */

struct shape {
    uint32_t *item_clicks;    /* (items), by item number, then sorted: most clicks first */
    uint32_t *session_clicks; /* (clicks) by session number */
    uint32_t *last_item;      /* (clicks) by session number; items = none */
    uint32_t *pairs;          /* (items, items) transitions */
    uint32_t sessions, items, repeats_of_last, top_item;
};

static struct shape shape_of(const struct generate_options *options)
{
    struct shape shape = {.items = options->items};
    shape.item_clicks = test_calloc(options->items, sizeof(uint32_t));
    shape.session_clicks = test_calloc(2 * CLICKS, sizeof(uint32_t));
    shape.last_item = test_calloc(2 * CLICKS, sizeof(uint32_t));
    shape.pairs = test_calloc((size_t)options->items * options->items, sizeof(uint32_t));
    struct generator *generator = open_generator(options);
    for (int i = 0; i < CLICKS; i++) {
        struct click click;
        generator_next(generator, &click);
        uint32_t item = number_of(click.item_id), session = number_of(click.session_id);
        assert_true(item < options->items && session < 2 * CLICKS);
        shape.item_clicks[item]++;
        if (shape.session_clicks[session]++) {
            shape.pairs[(size_t)shape.last_item[session] * options->items + item]++;
            shape.repeats_of_last += shape.last_item[session] == item;
        }
        shape.last_item[session] = item;
        if (session > shape.sessions)
            shape.sessions = session;
    }
    for (uint32_t i = 0; i < options->items; i++)
        if (shape.item_clicks[i] > shape.item_clicks[shape.top_item])
            shape.top_item = i;
    generator_close(generator);
    return shape;
}

static void shape_release(struct shape *shape)
{
    test_free(shape->item_clicks);
    test_free(shape->session_clicks);
    test_free(shape->last_item);
    test_free(shape->pairs);
}

static struct generate_options small_shop(void)
{
    struct generate_options options = generate_defaults();
    options.items = 500;
    options.interests = 10;
    options.drift_ms = 0;
    return options;
}

static int more_first(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x < y) - (x > y);
}

static double share_of_top_items(struct shape *shape, uint32_t count)
{
    qsort(shape->item_clicks, shape->items, sizeof(uint32_t), more_first);
    uint32_t clicks = 0;
    for (uint32_t i = 0; i < count; i++)
        clicks += shape->item_clicks[i];
    return (double)clicks / CLICKS;
}

static void few_items_take_many_clicks_and_an_exponent_of_zero_takes_that_away(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    AUTO(shape) skewed = shape_of(&options);
    assert_true(share_of_top_items(&skewed, 25) > 0.3);
    assert_true(skewed.item_clicks[250] > 0); /* and the tail is not empty */
    options.item_exponent = 0;
    AUTO(shape) flat = shape_of(&options);
    assert_true(share_of_top_items(&flat, 25) < 0.15);
}

/* The exponent of session lengths by maximum likelihood over those of 2..20 clicks (the sum by bisection). */
static double length_exponent_of(const struct shape *shape)
{
    double log_sum = 0, count = 0;
    for (uint32_t i = 1; i + 2000 < shape->sessions; i++)
        if (shape->session_clicks[i] >= 2 && shape->session_clicks[i] <= 20) {
            log_sum += log(shape->session_clicks[i]);
            count++;
        }
    double low = 0.5, high = 5;
    for (int step = 0; step < 40; step++) {
        double middle = (low + high) / 2, weight = 0, mean = 0;
        for (int n = 2; n <= 20; n++) {
            weight += pow(n, -middle);
            mean += pow(n, -middle) * log(n);
        }
        if (mean / weight > log_sum / count)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void session_lengths_follow_their_power_law(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.sessions = 100; /* few are unfinished at the end */
    for (options.length_exponent = 1.5; options.length_exponent < 3; options.length_exponent += 0.7) {
        AUTO(shape) shape = shape_of(&options);
        double exponent = length_exponent_of(&shape);
        if (fabs(exponent - options.length_exponent) > 0.15)
            fail_msg("asked for an exponent of %g, found %g", options.length_exponent, exponent);
    }
}

static double repeat_share(const struct generate_options *options)
{
    AUTO(shape) shape = shape_of(options);
    return (double)shape.repeats_of_last / CLICKS;
}

static void the_repeat_rate_decides_how_often_a_click_stays(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.repeat_rate = 0;
    options.follow_rate = 0.5;
    double without = repeat_share(&options);
    options.repeat_rate = 0.3;
    double with = repeat_share(&options);
    assert_true(without < 0.03);
    assert_true(with > 0.08 && with < 0.3);
}

/* The share of clicks after the top item that go to its most frequent follower. */
static double follower_share(const struct generate_options *options)
{
    AUTO(shape) shape = shape_of(options);
    const uint32_t *row = shape.pairs + (size_t)shape.top_item * shape.items;
    uint32_t all = 0, most = 0;
    for (uint32_t i = 0; i < shape.items; i++) {
        if (i == shape.top_item)
            continue;
        all += row[i];
        if (row[i] > most)
            most = row[i];
    }
    return (double)most / all;
}

static void what_follows_an_item_can_be_learned(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.item_exponent = 0; /* so that only the chain makes one item more likely than another */
    options.repeat_rate = 0;
    options.follow_rate = 0.6;
    double with = follower_share(&options);
    options.follow_rate = 0;
    double without = follower_share(&options);
    assert_true(with > 0.25);
    assert_true(without < 0.15);
}

static uint32_t top_item_of_a_window(const struct generate_options *options, int window)
{
    struct generator *generator = open_generator(options);
    uint32_t *clicks = test_calloc(options->items, sizeof *clicks), top = 0;
    for (int i = 0; i < (window + 1) * 50000; i++) {
        struct click click;
        generator_next(generator, &click);
        if (i >= window * 50000)
            clicks[number_of(click.item_id)]++;
    }
    for (uint32_t i = 0; i < options->items; i++)
        if (clicks[i] > clicks[top])
            top = i;
    test_free(clicks);
    generator_close(generator);
    return top;
}

static void popularity_drifts_in_event_time_unless_told_not_to(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.follow_rate = 0;
    assert_int_equal(top_item_of_a_window(&options, 0), top_item_of_a_window(&options, 3));
    options.drift_ms = 600 * 1000; /* a window of 50,000 clicks lasts 1,000 s */
    assert_int_not_equal(top_item_of_a_window(&options, 0), top_item_of_a_window(&options, 3));
}

static void as_many_sessions_are_open_as_asked_for(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.length_exponent = 0; /* long sessions: none ends early in the stream */
    options.sessions = 50;
    struct generator *generator = open_generator(&options);
    bool seen[51] = {0};
    for (int i = 0; i < 20 * 50; i++) {
        struct click click;
        generator_next(generator, &click);
        uint32_t session = number_of(click.session_id);
        if (session <= 50)
            seen[session] = true;
    }
    for (int i = 1; i <= 50; i++)
        assert_true(seen[i]);
    generator_close(generator);
}

/* ---- users */

#define USERS_SEEN (2 * CLICKS + 1)

struct last_visit {
    uint32_t session;
    int64_t click_ms; /* 0: none yet */
};

/* Checks that every user has left for `pause_ms` between two visits; returns how many visits were not the first. */
static uint32_t count_returns(const struct generate_options *options, int count, int64_t pause_ms)
{
    struct generator *generator = open_generator(options);
    struct last_visit *visits = test_calloc(USERS_SEEN, sizeof *visits);
    uint32_t returns = 0;
    for (int i = 0; i < count; i++) {
        struct click click;
        generator_next(generator, &click);
        if (click.user_id.size == 0)
            continue;
        uint32_t user = number_of(click.user_id), session = number_of(click.session_id);
        assert_true(user < USERS_SEEN);
        struct last_visit *last = &visits[user];
        if (last->click_ms && last->session != session) {
            returns++;
            if (click.time_ms - last->click_ms < pause_ms)
                fail_msg("user %u is back after %lld ms", user, (long long)(click.time_ms - last->click_ms));
        }
        *last = (struct last_visit){session, click.time_ms};
    }
    test_free(visits);
    generator_close(generator);
    return returns;
}

static void users_come_back_after_a_pause_that_ends_their_sessions(void **state)
{
    (void)state;
    struct generate_options options = small_shop();
    options.sessions = 50; /* 200,000 clicks are 22 hours */
    assert_true(count_returns(&options, CLICKS, 31 * 60000) > 300);
    options.user_rate = 1;
    assert_true(count_returns(&options, CLICKS, 31 * 60000) > 3000);
    options.length_max = 20; /* visits are over sooner, so users are back sooner */
    uint32_t slow = count_returns(&options, CLICKS, 31 * 60000);
    options.clicks_per_second = 50; /* a visitor clicks every second, and the hour's pause counts most */
    uint32_t fast = count_returns(&options, CLICKS, 31 * 60000);
    assert_true(fast > 0 && fast < slow / 5);
}

static void rounds_of_users_are_never_longer_than_time(void **state)
{
    (void)state;
    struct generate_options options = generate_defaults();
    options.clicks_per_second = 1e-6; /* rounds of users as long as can be */
    options.sessions = 1 << 16;
    struct generator *generator = open_generator(&options);
    struct click click;
    for (int i = 0; i < 1000; i++)
        generator_next(generator, &click);
    assert_true(click.time_ms > options.start_ms);
    generator_close(generator);
}

/* ---- the catalogue */

static void each_item_has_one_id_a_title_and_a_category(void **state)
{
    (void)state;
    static const uint32_t sizes[] = {1, 2, 7, 100, 4096, 9999};
    for (size_t size = 0; size < sizeof sizes / sizeof *sizes; size++) {
        struct generate_options options = generate_defaults();
        options.items = sizes[size];
        struct generator *generator = open_generator(&options);
        bool *seen = test_calloc(options.items, sizeof *seen);
        for (uint32_t i = 0; i < options.items; i++) {
            struct item item;
            generator_item(generator, i, &item);
            uint32_t number = number_of(item.item_id);
            assert_true(number < options.items && !seen[number]);
            seen[number] = true;
            assert_true(item.title.size > 8 && item.category_count == 3 && item.categories[2].size > 3);
            assert_true(item.available && item.has_price && item.price > 1);
        }
        test_free(seen);
        generator_close(generator);
    }
}

static void options_out_of_range_are_refused_by_name(void **state)
{
    (void)state;
    static const struct {
        size_t offset;
        double value;
        const char *name;
    } rows[] = {
        {offsetof(struct generate_options, repeat_rate), 1.5, "repeat"},
        {offsetof(struct generate_options, follow_rate), 0.95, "follow"}, /* with repeat_rate above 1 */
        {offsetof(struct generate_options, switch_rate), -1, "switch"},
        {offsetof(struct generate_options, item_exponent), 5, "items' exponent"},
        {offsetof(struct generate_options, clicks_per_second), NAN, "clicks per second"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct generate_options options = generate_defaults();
        memcpy((char *)&options + rows[i].offset, &rows[i].value, sizeof rows[i].value);
        struct generator *generator;
        struct complaint complaint = {0};
        assert_fails(CONFIG, generator_open(&options, &complaint, &generator));
        assert_non_null(strstr(complaint.text, rows[i].name));
    }
    struct generate_options options = generate_defaults();
    options.items = 0;
    struct generator *generator;
    assert_fails(CONFIG, generator_open(&options, NULL, &generator));
    options = generate_defaults();
    options.interests = options.items + 1;
    assert_fails(CONFIG, generator_open(&options, NULL, &generator));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_options_give_the_same_bytes_and_another_seed_others),
        cmocka_unit_test(every_click_passes_the_check_of_clicks_and_time_does_not_run_backwards),
        cmocka_unit_test(the_span_of_a_stream_is_known_before_it_is_made),
        cmocka_unit_test(few_items_take_many_clicks_and_an_exponent_of_zero_takes_that_away),
        cmocka_unit_test(session_lengths_follow_their_power_law),
        cmocka_unit_test(the_repeat_rate_decides_how_often_a_click_stays),
        cmocka_unit_test(what_follows_an_item_can_be_learned),
        cmocka_unit_test(popularity_drifts_in_event_time_unless_told_not_to),
        cmocka_unit_test(as_many_sessions_are_open_as_asked_for),
        cmocka_unit_test(users_come_back_after_a_pause_that_ends_their_sessions),
        cmocka_unit_test(rounds_of_users_are_never_longer_than_time),
        cmocka_unit_test(each_item_has_one_id_a_title_and_a_category),
        cmocka_unit_test(options_out_of_range_are_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
