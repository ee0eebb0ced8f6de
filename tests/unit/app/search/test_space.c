// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/search/space.h"

static struct config config;

static void make_config(const char *const *sets, size_t count)
{
    struct complaint complaint = {""};
    struct status status = config_make(&config, NULL, sets, count, &complaint);
    if (failed(status))
        fail_msg("%s", complaint.text);
}

static void assert_text(struct buffer *buffer, const char *wanted)
{
    assert_string_equal(buffer_text(buffer), wanted);
    buffer_release(buffer);
}

static void a_space_is_read_and_leaves_the_configuration_alone(void **state)
{
    (void)state;
    static const char *const texts[] = {"train.rate=0.001..1e-1,log", "train.batch=16..64", "model.directed=true|false",
                                        "train.epochs=2|4|8"};
    struct trial_space space;
    struct complaint complaint = {""};
    struct buffer before = {0}, after = {0}, text = {0};
    make_config(NULL, 0);
    config_write_section(&config, "train", &before);
    assert_ok(trial_space_make(&config, texts, 4, &space, &complaint));
    config_write_section(&config, "train", &after);
    assert_string_equal(buffer_text(&before), buffer_text(&after));
    assert_int_equal(space.search.count, 4);
    const struct search_parameter *rate = &space.search.parameters[0], *batch = rate + 1, *epochs = rate + 3;
    assert_true(rate->kind == SEARCH_REAL && rate->logarithmic && rate->high > 0.0999 && rate->high < 0.1001);
    assert_true(batch->kind == SEARCH_WHOLE && !batch->logarithmic && batch->low > 15 && batch->high < 65);
    assert_true(epochs->kind == SEARCH_CHOICE && epochs->choices == 3);

    /* the batch of 512 is not in the space, and is what is given all the same */
    const struct search_point given = trial_space_given(&space), other = {{0.05, 17, 1, 0}};
    trial_space_write_point(&space, &given, &text);
    assert_text(&text, "train.rate=0.002 train.batch=512 model.directed=true train.epochs=8");
    assert_ok(trial_space_set(&space, &other, &config, &complaint));
    assert_true(config.train.options.batch == 17 && !config.model.options.directed &&
                config.train.options.epochs == 2 && config.update.options.training.batch == 17);
    trial_space_write_point(&space, &other, &text);
    assert_text(&text, "train.rate=0.05 train.batch=17 model.directed=false train.epochs=2");
    assert_ok(trial_space_set(&space, &given, &config, &complaint));
    buffer_clear(&after);
    config_write_section(&config, "train", &after);
    assert_string_equal(buffer_text(&before), buffer_text(&after));
    buffer_release(&before);
    buffer_release(&after);
    config_release(&config);
}

static void a_choice_that_is_given_need_not_be_in_the_space(void **state)
{
    (void)state;
    static const char *const texts[] = {"model.backbone=narm|stamp"};
    struct trial_space space;
    struct complaint complaint = {""};
    struct buffer text = {0};
    double value;
    make_config(NULL, 0);
    assert_ok(trial_space_make(&config, texts, 1, &space, &complaint));
    const struct search_point given = trial_space_given(&space);
    assert_true(given.values[0] > 1.5 && given.values[0] < 2.5);
    trial_space_write_point(&space, &given, &text);
    assert_text(&text, "model.backbone=pw_core");
    assert_true(trial_space_choice(&space, 0, BYTES("stamp"), &value) && value > 0.5 && value < 1.5);
    assert_false(trial_space_choice(&space, 0, BYTES("sasrec"), &value));
    config_release(&config);
}

static bool has(const struct trial_space *space, const char *key)
{
    for (uint32_t i = 0; i < space->search.count; i++)
        if (!strcmp(space->parameters[i].key, key))
            return true;
    return false;
}

static void the_standard_space_follows_the_configuration(void **state)
{
    (void)state;
    static const char *const sets[] = {"train.negatives=0", "model.normalise=false", "train.rate=0.3"};
    struct trial_space space;
    struct complaint complaint = {""};
    make_config(NULL, 0);
    assert_ok(trial_space_make(&config, NULL, 0, &space, &complaint));
    assert_true(has(&space, "train.rate") && has(&space, "train.negatives") && has(&space, "model.temperature"));
    assert_true(space.search.parameters[0].low < 0.00051 && space.search.parameters[0].high > 0.0099);
    uint64_t hash = trial_space_hash(&space);
    config_release(&config);
    make_config(sets, 3);
    assert_ok(trial_space_make(&config, NULL, 0, &space, &complaint));
    assert_false(has(&space, "train.negatives") || has(&space, "train.negative_power") ||
                 has(&space, "model.temperature"));
    assert_true(space.search.parameters[0].high > 0.99 && space.search.parameters[0].high < 1.01); /* what is allowed */
    assert_true(trial_space_hash(&space) != hash);
    config_release(&config);
}

static void what_cannot_be_searched_is_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *second, *says;
    } cases[] = {
        {"train.rate", NULL, "KEY=LOW..HIGH"},
        {"=1..2", NULL, "KEY=LOW..HIGH"},
        {"train.rate=", NULL, "KEY=LOW..HIGH"},
        {"train.rate=0.1", NULL, "KEY=LOW..HIGH"},
        {"train.rate=0.1..0.2,lin", NULL, "KEY=LOW..HIGH"},
        {"train.rate=..0.2", NULL, "a bound is empty"},
        {"train.rate=0.1..", NULL, "a bound is empty"},
        {"train.rate=0.2..0.1", NULL, "not below"},
        {"train.rate=0.1..0.1", NULL, "not below"},
        {"train.rate=0.1..x", NULL, "'x' is not a number"},
        {"train.rate=0.1..2", NULL, "out of range"},
        {"train.batch=1.5..8", NULL, "is not a whole number"},
        {"train.decay=0..0.1,log", NULL, "above 0"},
        {"train.raet=0.1..0.2", NULL, "did you mean 'train.rate'"},
        {"session.gap_ms=1..2", NULL, "only numbers and choices of train.* and model.*"},
        {"neural.model=a|b", NULL, "only numbers and choices of train.* and model.*"},
        {"model.backbone=1..2", NULL, "write KEY=A|B|C"},
        {"model.directed=true..false", NULL, "write KEY=A|B|C"},
        {"model.backbone=narm|", NULL, "a choice is empty"},
        {"model.backbone=narm|tron", NULL, "'tron' is not"},
        {"model.backbone=narm|narm", NULL, "a choice stands twice"},
        {"train.batch=1|2|3|4|5|6|7|8|9|10|11|12|13|14|15|16|17", NULL, "more than 16"},
        {"train.rate=0.1..0.2", "train.rate=0.2..0.3", "it stands twice"},
    };
    make_config(NULL, 0);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const texts[] = {cases[i].text, cases[i].second};
        struct trial_space space;
        struct complaint complaint = {""};
        assert_fails(CONFIG, trial_space_make(&config, texts, cases[i].second ? 2 : 1, &space, &complaint));
        if (!strstr(complaint.text, cases[i].says) || !strstr(complaint.text, "--over"))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, complaint.text, cases[i].says);
    }
    config_release(&config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_space_is_read_and_leaves_the_configuration_alone),
        cmocka_unit_test(a_choice_that_is_given_need_not_be_in_the_space),
        cmocka_unit_test(the_standard_space_follows_the_configuration),
        cmocka_unit_test(what_cannot_be_searched_is_refused_with_a_reason),
    };
    return cmocka_run_group_tests_name("search space", tests, NULL, NULL);
}
