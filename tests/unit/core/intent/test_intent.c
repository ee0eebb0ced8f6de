// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/core/intent.h>

#include <math.h>

#define WIDTH 4

/* ---- localizing: an embedder that knows a few texts */

static const struct {
    const char *text;
    float vector[WIDTH];
} known[] = {
    {"Red Lamp", {1, 0, 0, 0}},       {"Blue Lamp", {0.8f, 0.6f, 0, 0}}, {"Desk", {0, 0, 1, 0}},
    {"lights", {0.96f, 0.28f, 0, 0}}, {"a crimson lamp", {1, 0, 0, 0}},  {"a cat", {0, 0, 0, 1}},
};

struct counting_embedder {
    size_t calls, texts;
    bool fails;
};

static struct status embed(void *self, const struct bytes *texts, size_t count, float *vectors,
                           struct complaint *complaint)
{
    struct counting_embedder *counting = self;
    counting->calls++;
    counting->texts += count;
    if (counting->fails)
        return complain(complaint, FAIL(UNAVAILABLE, 0, "no embedder"), "it is away");
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (!bytes_equal(texts[i], bytes_of_text(known[k].text)))
            k++;
        memcpy(vectors + i * WIDTH, known[k].vector, sizeof known[k].vector);
    }
    return OK;
}

static const struct embedder_ops embedder_ops = {embed, NULL};

struct rig {
    struct counting_embedder counting;
    struct embedder embedder;
    struct semantic *semantic;
    struct arena arena;
};

static void rig_open(struct rig *rig)
{
    struct semantic_item items[3];
    float vectors[3 * WIDTH];
    *rig = (struct rig){0};
    rig->embedder = (struct embedder){.ops = &embedder_ops, .self = &rig->counting, .width = WIDTH};
    for (uint32_t i = 0; i < 3; i++) {
        items[i] = (struct semantic_item){i, bytes_of_text(known[i].text)};
        memcpy(vectors + i * WIDTH, known[i].vector, sizeof known[i].vector);
    }
    assert_ok(semantic_open(items, vectors, 3, WIDTH, 3, &rig->semantic));
}

static void rig_close(struct rig *rig)
{
    semantic_close(rig->semantic);
    arena_release(&rig->arena);
}

static const struct localize_options localize = {
    .nearest = 2, .temperature = 0.1f, .similarity_min = 0.5f, .named_min = 0.9f};

static void answers_come_to_items_of_the_catalogue_alone(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    const struct bytes named[] = {BYTES("red lamp!"), BYTES("a cat"), BYTES("a crimson lamp"), BYTES("Desk")};
    const struct answered_session answers[] = {
        {.views = {[VIEW_LONG] = {BYTES("lights"), named, 4}}},
        {.fault = ANSWER_TWICE, .views = {[VIEW_LONG] = {BYTES("lights"), named, 1}}},
        {.views = {[VIEW_SHORT] = {BYTES("a cat"), NULL, 0}}},
    };
    struct localized_intent intents[3];
    struct localized_titles titles = {0};
    struct complaint complaint = {""};
    assert_ok(
        localize_answers(rig.semantic, &rig.embedder, answers, 3, &localize, &rig.arena, intents, &titles, &complaint));
    /* asked once, for two intents and the two titles that no item has */
    assert_int_equal(rig.counting.calls, 1);
    assert_int_equal(rig.counting.texts, 4);
    const struct localized_view *view = &intents[0].views[VIEW_LONG];
    assert_int_equal(view->near_count, 2);
    assert_int_equal(view->near[0].item, 0); /* cosines 0.96 and 0.936 */
    assert_true(fabsf(view->near[0].score + view->near[1].score - 1) < 1e-6f);
    assert_int_equal(view->named_count, 2); /* the crimson one is the red one, which is there */
    assert_int_equal(view->named[0].item, 0);
    assert_true(view->named[0].score == 1);
    assert_int_equal(view->named[1].item, 2);
    assert_int_equal(titles.counts[LOCALIZED_FOUND], 2);
    assert_int_equal(titles.counts[LOCALIZED_NEAR], 1);
    assert_int_equal(titles.counts[LOCALIZED_REJECTED], 1);
    for (enum answer_view v = 0; v < VIEW_COUNT; v++) {
        assert_int_equal(intents[1].views[v].near_count + intents[1].views[v].named_count, 0);
        assert_int_equal(intents[2].views[v].near_count, 0); /* no item is like a cat */
    }
    rig_close(&rig);
}

/* What a text is found by is not kept: there may be many of them. */
static void many_answers_take_little_memory(void **state)
{
    (void)state;
    enum { ANSWERS = 200 };
    struct rig rig;
    struct answered_session answers[ANSWERS];
    struct localized_intent intents[ANSWERS];
    struct localized_titles titles = {0};
    struct complaint complaint = {""};
    rig_open(&rig);
    for (int i = 0; i < ANSWERS; i++)
        answers[i] = (struct answered_session){.views = {[VIEW_LONG] = {.intent = BYTES("lights")}}};
    assert_ok(localize_answers(rig.semantic, &rig.embedder, answers, ANSWERS, &localize, &rig.arena, intents, &titles,
                               &complaint));
    assert_true(rig.arena.used < ANSWERS * 1024);
    rig_close(&rig);
}

static void what_the_embedder_fails_with_is_handed_on(void **state)
{
    (void)state;
    struct rig rig;
    rig_open(&rig);
    rig.counting.fails = true;
    const struct answered_session answer = {.views = {[VIEW_LONG] = {.intent = BYTES("lights")}}};
    struct localized_intent intent;
    struct localized_titles titles = {0};
    struct complaint complaint = {""};
    assert_fails(UNAVAILABLE, localize_answers(rig.semantic, &rig.embedder, &answer, 1, &localize, &rig.arena, &intent,
                                               &titles, &complaint));
    assert_string_equal(complaint.text, "it is away");
    rig_close(&rig);
}

/* ---- saying */

static float score_of(const struct named *named, uint32_t item)
{
    float score = 0;
    for (uint32_t i = 0; i < named->count; i++)
        score += named->items[i].item == item ? named->items[i].score : 0;
    return score;
}

static void assert_score(const struct named *named, uint32_t item, float wanted)
{
    if (!(fabsf(score_of(named, item) - wanted) < 1e-6f))
        fail_msg("item %u has %g, wanted %g", item, (double)score_of(named, item), (double)wanted);
}

static const struct scored_item long_named[] = {{1, 1}, {2, 1}, {3, 0.5f}}, short_named[] = {{2, 1}},
                                long_near[] = {{4, 0.75f}, {5, 0.25f}}, short_near[] = {{5, 1}},
                                of_titles[] = {{5, 0.4f}, {6, 0.6f}};

static void titles_are_an_agents_list_by_view_and_rank(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct query query = {.length = 1};
    const struct localized_intent intent = {.views = {[VIEW_LONG] = {.named = long_named, .named_count = 3},
                                                      [VIEW_SHORT] = {.named = short_named, .named_count = 1}}};
    const struct intent_options options = {.short_share = 0.4f, .rank_decay = 0.5f, .text_share = 0.5f};
    assert_ok(intent_say(&intent, &options, &arena, &query));
    /* long: 0.6, 0.3, 0.15 * 0.5; short: 0.4; in all 1.375 */
    const struct named *agent = &query.named[NAMER_AGENT];
    assert_int_equal(agent->count, 3);
    assert_score(agent, 1, 0.6f / 1.375f);
    assert_score(agent, 2, 0.7f / 1.375f);
    assert_score(agent, 3, 0.075f / 1.375f);
    assert_int_equal(query.named[NAMER_SEMANTIC].count, 0);
    arena_release(&arena);
}

static void texts_are_mixed_with_what_the_sessions_titles_say(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct query query = {.length = 1, .named = {[NAMER_SEMANTIC] = {of_titles, 2}}};
    struct localized_intent intent = {
        .views = {
            [VIEW_LONG] = {.near = long_near, .near_count = 2}, [VIEW_SHORT] = {.near = short_near, .near_count = 1}}};
    const struct intent_options options = {.short_share = 0.5f, .rank_decay = 1, .text_share = 0.25f};
    assert_ok(intent_say(&intent, &options, &arena, &query));
    const struct named *semantic = &query.named[NAMER_SEMANTIC];
    assert_score(semantic, 4, 0.25f * 0.5f * 0.75f);
    assert_score(semantic, 5, 0.75f * 0.4f + 0.25f * (0.5f * 0.25f + 0.5f));
    assert_score(semantic, 6, 0.75f * 0.6f);
    assert_int_equal(query.named[NAMER_AGENT].count, 0);
    /* one view alone has all of the text's share; and without titles of the session the text has all */
    intent.views[VIEW_SHORT].near_count = 0;
    query.named[NAMER_SEMANTIC] = (struct named){of_titles, 2};
    assert_ok(intent_say(&intent, &options, &arena, &query));
    assert_score(&query.named[NAMER_SEMANTIC], 4, 0.25f * 0.75f);
    query.named[NAMER_SEMANTIC] = (struct named){0};
    assert_ok(intent_say(&intent, &options, &arena, &query));
    assert_score(&query.named[NAMER_SEMANTIC], 4, 0.75f);
    arena_release(&arena);
}

static void without_texts_the_sessions_titles_stand(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct query query = {.length = 1, .named = {[NAMER_SEMANTIC] = {of_titles, 2}}};
    const struct localized_intent intent = {0};
    const struct intent_options options = {.short_share = 0.5f, .rank_decay = 1, .text_share = 0.25f};
    assert_ok(intent_say(&intent, &options, &arena, &query));
    assert_ptr_equal(query.named[NAMER_SEMANTIC].items, of_titles);
    assert_int_equal(query.named[NAMER_AGENT].count, 0);
    arena_release(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_to_items_of_the_catalogue_alone),
        cmocka_unit_test(many_answers_take_little_memory),
        cmocka_unit_test(what_the_embedder_fails_with_is_handed_on),
        cmocka_unit_test(titles_are_an_agents_list_by_view_and_rank),
        cmocka_unit_test(texts_are_mixed_with_what_the_sessions_titles_say),
        cmocka_unit_test(without_texts_the_sessions_titles_stand),
    };
    return cmocka_run_group_tests_name("intent", tests, NULL, NULL);
}
