// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/search/trials.h"

static const struct trial_space space = {
    .search = {{{.kind = SEARCH_REAL, .logarithmic = true, .low = 0.001, .high = 0.01},
                {.kind = SEARCH_WHOLE, .low = 16, .high = 64},
                {.kind = SEARCH_CHOICE, .choices = 2}},
               3},
    .parameters = {{.key = "train.rate", .given = "0.002"},
                   {.key = "train.batch", .given = "512"},
                   {.key = "model.backbone", .given = "pw_core", .words = {"narm", "stamp"}}},
};
static const struct trials_purpose purpose = {0x123, 0xfedcba9876543210u, 7};

static struct trials open_trials(struct trials_purpose of)
{
    struct trials trials;
    assert_ok(trials_open(&space, of, &trials));
    return trials;
}

/* The given settings, one that could not be trained, and the best one, which was cut short. */
static void add_three(struct trials *trials)
{
    struct trained_epoch first[] = {{9.5, 0.4, 1.0 / 3}, {8.25, 0.5, 0.2}}, third[] = {{1e-3, 1, 0.5}};
    const struct trial list[] = {
        {.point = {{0.002, 512, 2}}, .epochs = first, .epoch_count = 2, .model_hash = 5, .seconds = 1.25},
        {.point = {{0.01, 16, 1}}, .seconds = 3},
        {.point = {{0.001234, 64, 0}}, .epochs = third, .epoch_count = 1, .cut = true, .model_hash = ~0ULL},
    };
    for (size_t i = 0; i < 3; i++)
        assert_ok(trials_add(trials, &list[i]));
}

static void assert_same_trials(const struct trials *a, const struct trials *b)
{
    assert_int_equal(a->count, b->count);
    for (uint32_t i = 0; i < a->count; i++) {
        assert_memory_equal(&a->observations[i], &b->observations[i], sizeof *a->observations);
        assert_int_equal(a->list[i].epoch_count, b->list[i].epoch_count);
        assert_memory_equal(a->list[i].epochs, b->list[i].epochs, a->list[i].epoch_count * sizeof *a->list[i].epochs);
        assert_int_equal(a->list[i].best, b->list[i].best);
        assert_int_equal(a->list[i].cut, b->list[i].cut);
        assert_true(a->list[i].model_hash == b->list[i].model_hash);
    }
    assert_true(bytes_equal(buffer_bytes(&a->text), buffer_bytes(&b->text)));
}

static void trials_come_back_as_they_were(void **state)
{
    (void)state;
    AUTO(trials) trials = open_trials(purpose);
    AUTO(trials) again = open_trials(purpose);
    struct complaint complaint = {""};
    add_three(&trials);
    assert_int_equal(trials_best(&trials), 2);
    assert_ok(trials_decode(&again, buffer_bytes(&trials.text), "a", &complaint));
    assert_same_trials(&trials, &again);
    assert_true(trials.observations[1].score < 0 && trials.observations[2].score > 0.49);
    assert_true(trials.curves[0].count == 2 && trials.curves[0].scores[1] > 0.19 && trials.curves[1].count == 0);
}

static void a_trial_in_memory_is_what_its_line_says(void **state)
{
    (void)state;
    AUTO(trials) trials = open_trials(purpose);
    add_three(&trials);
    assert_true(trials.observations[0].score < 1.0 / 3 || trials.observations[0].score > 1.0 / 3);
    assert_true(strstr(buffer_text(&trials.text), "0.3333333333,") ||
                strstr(buffer_text(&trials.text), "0.3333333333}"));
}

/* What a file has become when `from` in it has become `to`. */
static struct status decode_changed(const char *from, const char *to, struct complaint *complaint)
{
    AUTO(trials) trials = open_trials(purpose);
    AUTO(trials) again = open_trials(purpose);
    AUTO(buffer) changed = {0};
    add_three(&trials);
    const char *text = buffer_text(&trials.text), *place = strstr(text, from);
    if (!place)
        fail_msg("there is no %s in %s", from, text);
    buffer_append(&changed, text, (size_t)(place - text));
    buffer_append_text(&changed, to);
    buffer_append_text(&changed, place + strlen(from));
    *complaint = (struct complaint){""};
    return trials_decode(&again, buffer_bytes(&changed), "a.search", complaint);
}

static void damage_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *says;
    } cases[] = {
        {"\"trial\":2", "\"trial\":3", "a.search:2: this is no trial of a search: its number"},
        {"{\"trial\":3", "\"trial\":3", "a.search:3: this is no trial"},
        {"\"loss\":9.5", "\"loss\":1e999", "a.search:1: this is no trial"},
        {"\"loss\":9.5", "\"loss\":null", "an epoch has no loss"},
        {"\"hit_rate_20\":0.5", "\"hit_rate_20\":1.5", "an epoch has no loss"},
        {"\"mrr_20\":0.2", "\"mrr_20\":-0.2", "an epoch has no loss"},
        {"\"mrr_20\":0.2", "\"mrr_20\":0.2,\"more\":1", "an epoch has no loss"},
        {"\"best_epoch\":1", "\"best_epoch\":3", "its best epoch is none"},
        {"\"best_epoch\":1", "\"best_epoch\":0", "its best epoch is none"},
        {"\"best_epoch\":0", "\"best_epoch\":1", "a.search:2: this is no trial of a search: its best epoch is none"},
        {"\"seconds\":3", "\"seconds\":-3", "a.search:2: this is no trial"},
        {"\"seconds\":3", "\"seconds\":\"3\"", "a.search:2: this is no trial"},
        {"\"cut_short\":true,", "", "a.search:3: this is no trial"},
        {"\"train.batch\":64", "\"train.batch\":65", "its train.batch is none that was searched"},
        {"\"train.batch\":64", "\"train.batch\":63.5", "its train.batch is none that was searched"},
        {"\"train.batch\":64", "\"train.batch\":\"64\"", "its train.batch is none that was searched"},
        {"\"train.batch\":64,", "", "its settings are not those"},
        {"\"narm\"", "\"pw_core\"", "its model.backbone is none that was searched"},
        {"\"0000000000000005\"", "\"000000000000005\"", "its model"},
        {"0000000000000123", "000000000000012g", "a hash is none"},
    };
    struct complaint complaint;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_fails(CORRUPT, decode_changed(cases[i].from, cases[i].to, &complaint));
        if (!strstr(complaint.text, cases[i].says) || !strstr(complaint.text, "--restart"))
            fail_msg("%s: '%s' does not say '%s'", cases[i].to, complaint.text, cases[i].says);
    }
    AUTO(trials) trials = open_trials(purpose);
    AUTO(trials) again = open_trials(purpose);
    add_three(&trials);
    trials.text.size--;
    assert_fails(CORRUPT, trials_decode(&again, buffer_bytes(&trials.text), "a.search", &complaint));
    assert_non_null(strstr(complaint.text, "a.search:3: the line has no end"));
}

static void another_search_is_refused(void **state)
{
    (void)state;
    static const struct {
        struct trials_purpose of;
        const char *says;
    } cases[] = {
        {{0x124, 0xfedcba9876543210u, 7}, "a:1: this is a search of other clicks"},
        {{0x123, 0xfedcba9876543211u, 7}, "with other options"},
        {{0x123, 0xfedcba9876543210u, 8}, "over other options"},
    };
    AUTO(trials) trials = open_trials(purpose);
    add_three(&trials);
    for (size_t i = 0; i < 3; i++) {
        AUTO(trials) other = open_trials(cases[i].of);
        struct complaint complaint = {""};
        assert_fails(CONFIG, trials_decode(&other, buffer_bytes(&trials.text), "a", &complaint));
        assert_non_null(strstr(complaint.text, cases[i].says));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trials_come_back_as_they_were),
        cmocka_unit_test(a_trial_in_memory_is_what_its_line_says),
        cmocka_unit_test(damage_is_refused_with_its_line),
        cmocka_unit_test(another_search_is_refused),
    };
    return cmocka_run_group_tests_name("trials", tests, NULL, NULL);
}
