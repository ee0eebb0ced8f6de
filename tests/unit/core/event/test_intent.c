// SPDX-License-Identifier: Apache-2.0
/* What language models are asked and answer, as records. */
#include "support/support.h"

#include <eddy/core/intent_record.h>

#include <math.h>

#define AVRO ((struct encoding){RECORD_AVRO, 0})
#define JSON ((struct encoding){RECORD_JSON, 0})

static struct decoder *open_decoder(enum record_type type, enum record_format format)
{
    struct decoder *decoder;
    assert_ok(decoder_open(type, format, &decoder));
    return decoder;
}

#define TEXT(literal)                                                                                                  \
    {                                                                                                                  \
        (const uint8_t *)literal, sizeof literal - 1                                                                   \
    }
#define ORIGIN                                                                                                         \
    {                                                                                                                  \
        .session_id = TEXT("s1"), .topic = TEXT("clicks"), .partition = 3, .offset = INT64_C(1) << 40, .position = 2,  \
        .click_time_ms = 1600000000000                                                                                 \
    }

static const struct bytes item_ids[] = {TEXT("A13"), TEXT("B7")};
static const struct bytes titles[] = {TEXT("red b\xc3\xb6ots"), TEXT("")};
static const struct prompt_titles examples[] = {{titles, 2}, {NULL, 0}};
static const struct intent_request full_request = {.origin = ORIGIN,
                                                   .value = 0.1f,
                                                   .items = {item_ids, titles, 2},
                                                   .short_from = 1,
                                                   .shortlist = {item_ids, titles, 1},
                                                   .examples = examples,
                                                   .example_count = 2};

static const float weights[] = {0.75f, 0.1f};
static const float vector[] = {1, -0.5f, 0};
static const struct intent_view views[] = {
    {.name = TEXT("long"),
     .text = TEXT("boots for winter"),
     .near = {item_ids, weights, 2},
     .named = {item_ids, weights, 1},
     .vector = vector,
     .vector_size = 3},
    {.name = TEXT("short")},
};
static const struct intent full_intent = {.origin = ORIGIN,
                                          .views = views,
                                          .view_count = 2,
                                          .order = item_ids,
                                          .order_count = 2,
                                          .model = TEXT("m"),
                                          .prompt = TEXT("intent-1/1f2e3d4c"),
                                          .embedder = TEXT("e"),
                                          .cached = true,
                                          .prompt_tokens = 900,
                                          .completion_tokens = 80,
                                          .created_ms = 1600000002000,
                                          .took_ms = 1500};

/* ---- there and back */

static void assert_origin(const struct intent_origin *origin)
{
    assert_bytes(origin->session_id, "s1");
    assert_bytes(origin->topic, "clicks");
    assert_int_equal(origin->partition, 3);
    assert_int_equal(origin->offset, INT64_C(1) << 40);
    assert_int_equal(origin->position, 2);
    assert_int_equal(origin->click_time_ms, 1600000000000);
}

static void assert_full_request(const struct intent_request *request)
{
    assert_origin(&request->origin);
    assert_true(request->value == 0.1f);
    assert_int_equal(request->items.count, 2);
    assert_bytes(request->items.item_ids[1], "B7");
    assert_bytes(request->items.titles[0], "red b\xc3\xb6ots");
    assert_int_equal(request->items.titles[1].size, 0);
    assert_int_equal(request->short_from, 1);
    assert_int_equal(request->shortlist.count, 1);
    assert_bytes(request->shortlist.item_ids[0], "A13");
    assert_int_equal(request->example_count, 2);
    assert_int_equal(request->examples[0].count, 2);
    assert_bytes(request->examples[0].titles[0], "red b\xc3\xb6ots");
    assert_int_equal(request->examples[1].count, 0);
}

static void assert_full_intent(const struct intent *intent)
{
    assert_origin(&intent->origin);
    assert_int_equal(intent->view_count, 2);
    const struct intent_view *view = &intent->views[0];
    assert_bytes(view->name, "long");
    assert_bytes(view->text, "boots for winter");
    assert_int_equal(view->near.count, 2);
    assert_bytes(view->near.item_ids[1], "B7");
    assert_memory_equal(view->near.weights, weights, sizeof weights);
    assert_int_equal(view->named.count, 1);
    assert_bytes(view->named.item_ids[0], "A13");
    assert_int_equal(view->vector_size, 3);
    assert_memory_equal(view->vector, vector, sizeof vector);
    assert_bytes(intent->views[1].name, "short");
    assert_int_equal(intent->views[1].near.count + intent->views[1].named.count + intent->views[1].vector_size, 0);
    assert_int_equal(intent->order_count, 2);
    assert_bytes(intent->order[0], "A13");
    assert_bytes(intent->model, "m");
    assert_bytes(intent->prompt, "intent-1/1f2e3d4c");
    assert_bytes(intent->embedder, "e");
    assert_true(intent->cached);
    assert_int_equal(intent->prompt_tokens, 900);
    assert_int_equal(intent->completion_tokens, 80);
    assert_int_equal(intent->created_ms, 1600000002000);
    assert_int_equal(intent->took_ms, 1500);
}

static void both_come_back_in_every_format(void **state)
{
    (void)state;
    for (int format = RECORD_AVRO; format <= RECORD_JSON; format++) {
        const struct encoding encoding = {(enum record_format)format, 77};
        struct decoder *requests = open_decoder(RECORD_INTENT_REQUEST, encoding.format);
        struct decoder *intents = open_decoder(RECORD_INTENT, encoding.format);
        AUTO(buffer) request_bytes = {0};
        AUTO(buffer) intent_bytes = {0};
        AUTO(arena) batch = {0};
        struct intent_request request;
        struct intent intent;
        if (format == RECORD_CONFLUENT) {
            assert_ok(decoder_add_schema(requests, 77, bytes_of_text(record_schema(RECORD_INTENT_REQUEST)), NULL));
            assert_ok(decoder_add_schema(intents, 77, bytes_of_text(record_schema(RECORD_INTENT)), NULL));
        }
        encode_intent_request(encoding, &full_request, &request_bytes);
        encode_intent(encoding, &full_intent, &intent_bytes);
        assert_ok(decode_intent_request(requests, buffer_bytes(&request_bytes), &batch, &request, NULL));
        assert_ok(decode_intent(intents, buffer_bytes(&intent_bytes), &batch, &intent, NULL));
        assert_full_request(&request);
        assert_full_intent(&intent);
        decoder_close(requests);
        decoder_close(intents);
    }
}

static void they_are_written_as_json_in_the_order_of_their_schemas(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    encode_intent_request(JSON, &full_request, &out);
    assert_string_equal(buffer_text(&out),
                        "{\"session_id\":\"s1\",\"topic\":\"clicks\",\"partition\":3,\"offset\":1099511627776,"
                        "\"position\":2,\"click_timestamp\":1600000000000,\"value\":0.100000001,"
                        "\"items\":[{\"item_id\":\"A13\",\"title\":\"red b\xc3\xb6ots\"},"
                        "{\"item_id\":\"B7\",\"title\":\"\"}],\"short_from\":1,"
                        "\"shortlist\":[{\"item_id\":\"A13\",\"title\":\"red b\xc3\xb6ots\"}],"
                        "\"examples\":[[\"red b\xc3\xb6ots\",\"\"],[]]}");
    buffer_clear(&out);
    encode_intent(JSON, &full_intent, &out);
    assert_string_equal(buffer_text(&out),
                        "{\"session_id\":\"s1\",\"topic\":\"clicks\",\"partition\":3,\"offset\":1099511627776,"
                        "\"position\":2,\"click_timestamp\":1600000000000,"
                        "\"views\":[{\"name\":\"long\",\"text\":\"boots for winter\","
                        "\"near\":[{\"item_id\":\"A13\",\"weight\":0.75},{\"item_id\":\"B7\",\"weight\":0.100000001}],"
                        "\"named\":[{\"item_id\":\"A13\",\"weight\":0.75}],\"vector\":\"AACAPwAAAL8AAAAA\"},"
                        "{\"name\":\"short\",\"text\":\"\",\"near\":[],\"named\":[],\"vector\":\"\"}],"
                        "\"order\":[\"A13\",\"B7\"],\"model\":\"m\",\"prompt\":\"intent-1/1f2e3d4c\","
                        "\"embedder\":\"e\",\"cached\":true,\"prompt_tokens\":900,\"completion_tokens\":80,"
                        "\"created\":1600000002000,\"took_ms\":1500}");
}

#define BARE                                                                                                           \
    "\"session_id\":7,\"topic\":\"t\",\"partition\":0,\"offset\":0,\"position\":1,"                                    \
    "\"click_timestamp\":\"2020-09-13T12:26:40Z\""

static void what_is_left_out_of_json_takes_the_defaults(void **state)
{
    (void)state;
    struct decoder *requests = open_decoder(RECORD_INTENT_REQUEST, RECORD_JSON);
    struct decoder *intents = open_decoder(RECORD_INTENT, RECORD_JSON);
    AUTO(arena) batch = {0};
    struct intent_request request;
    struct intent intent;
    assert_ok(decode_intent_request(requests, BYTES("{" BARE ",\"items\":[{\"item_id\":5}],\"more\":1}"), &batch,
                                    &request, NULL));
    assert_bytes(request.origin.session_id, "7");
    assert_int_equal(request.origin.click_time_ms, 1600000000000);
    assert_bytes(request.items.item_ids[0], "5");
    assert_int_equal(request.items.titles[0].size, 0);
    assert_true(request.value == 0);
    assert_int_equal(request.short_from + request.shortlist.count + request.example_count, 0);
    assert_ok(
        decode_intent(intents, BYTES("{" BARE ",\"created\":9,\"views\":[{\"name\":\"x\"}]}"), &batch, &intent, NULL));
    assert_bytes(intent.views[0].name, "x"); /* whatever it is called */
    assert_int_equal(intent.views[0].vector_size + intent.order_count + intent.model.size + intent.took_ms, 0);
    assert_false(intent.cached);
    assert_int_equal(intent.created_ms, 9);
    decoder_close(requests);
    decoder_close(intents);
}

/* ---- what is none */

static struct status decode_any(enum record_type type, enum record_format format, struct bytes record,
                                struct complaint *complaint)
{
    struct decoder *decoder = open_decoder(type, format);
    uint8_t *exact = malloc(record.size ? record.size : 1); /* so that a sanitizer sees a read past the end */
    if (record.size)
        memcpy(exact, record.data, record.size);
    struct bytes bytes = bytes_of(exact, record.size);
    AUTO(arena) batch = {0};
    struct intent_request request;
    struct intent intent;
    struct status status = type == RECORD_INTENT ? decode_intent(decoder, bytes, &batch, &intent, complaint)
                                                 : decode_intent_request(decoder, bytes, &batch, &request, complaint);
    free(exact);
    decoder_close(decoder);
    return status;
}

static void encode_full(enum record_type type, struct encoding encoding, struct buffer *out)
{
    if (type == RECORD_INTENT)
        encode_intent(encoding, &full_intent, out);
    else
        encode_intent_request(encoding, &full_request, out);
}

static void every_truncation_is_refused(void **state)
{
    (void)state;
    for (int type = RECORD_INTENT_REQUEST; type <= RECORD_INTENT; type++) {
        for (int format = RECORD_AVRO; format <= RECORD_JSON; format += RECORD_JSON - RECORD_AVRO) {
            AUTO(buffer) out = {0};
            encode_full((enum record_type)type, (struct encoding){(enum record_format)format, 0}, &out);
            for (size_t size = 0; size < out.size; size++)
                assert_fails(BAD_INPUT, decode_any((enum record_type)type, (enum record_format)format,
                                                   bytes_of(out.data, size), NULL));
            buffer_append_byte(&out, 'x');
            assert_fails(BAD_INPUT,
                         decode_any((enum record_type)type, (enum record_format)format, buffer_bytes(&out), NULL));
        }
    }
}

static void encoders_stop_at_a_full_buffer(void **state)
{
    (void)state;
    for (int type = RECORD_INTENT_REQUEST; type <= RECORD_INTENT; type++) {
        for (size_t limit = 1; limit < 130; limit++) {
            AUTO(buffer) out = {.limit = limit};
            encode_full((enum record_type)type, (struct encoding){RECORD_CONFLUENT, 1}, &out);
            encode_full((enum record_type)type, JSON, &out);
            assert_fails(LIMIT, buffer_check(&out));
            assert_true(out.size <= limit);
        }
    }
}

static void no_room_for_the_arrays_is_no_fault_of_the_record(void **state)
{
    (void)state;
    for (int type = RECORD_INTENT_REQUEST; type <= RECORD_INTENT; type++) {
        struct decoder *decoder = open_decoder((enum record_type)type, RECORD_AVRO);
        int lacks = 0;
        AUTO(buffer) out = {0};
        encode_full((enum record_type)type, AVRO, &out);
        for (size_t limit = 1; limit < 1000; limit += 16) {
            AUTO(arena) batch = {.limit = limit};
            struct intent_request request;
            struct intent intent;
            struct status status = type == RECORD_INTENT
                                       ? decode_intent(decoder, buffer_bytes(&out), &batch, &intent, NULL)
                                       : decode_intent_request(decoder, buffer_bytes(&out), &batch, &request, NULL);
            assert_true(!failed(status) || failed_as(status, FAULT_MEMORY));
            lacks += failed(status);
        }
        assert_in_range(lacks, 8, 60);
        decoder_close(decoder);
    }
}

static void assert_refused(enum record_type type, enum record_format format, struct bytes record, const char *wanted)
{
    struct complaint complaint = {""};
    assert_fails(BAD_INPUT, decode_any(type, format, record, &complaint));
    if (strncmp(complaint.text, wanted, strlen(wanted)) != 0)
        fail_msg("the complaint is \"%s\", wanted \"%s...\"", complaint.text, wanted);
}

static void assert_request_refused(const struct intent_request *request, const char *wanted)
{
    AUTO(buffer) out = {0};
    encode_intent_request(AVRO, request, &out);
    assert_refused(RECORD_INTENT_REQUEST, RECORD_AVRO, buffer_bytes(&out), wanted);
}

static void assert_intent_refused(const struct intent *intent, const char *wanted)
{
    AUTO(buffer) out = {0};
    encode_intent(AVRO, intent, &out);
    assert_refused(RECORD_INTENT, RECORD_AVRO, buffer_bytes(&out), wanted);
}

static void places_that_cannot_be_are_refused(void **state)
{
    (void)state;
    struct intent_request request = full_request;
    request.origin.partition = -1;
    assert_request_refused(&request, "partition: the number is negative");
    request.origin = full_request.origin;
    request.origin.offset = -1;
    assert_request_refused(&request, "offset: the number is smaller than can be");
    request.origin = full_request.origin;
    request.origin.position = 0;
    assert_request_refused(&request, "position: it counts the click itself");
    request.origin = full_request.origin;
    request.origin.topic = BYTES("\xff");
    assert_request_refused(&request, "topic: the text is not valid UTF-8");
    struct intent intent = full_intent;
    intent.origin.partition = INT32_MIN;
    assert_intent_refused(&intent, "partition: the number is negative");
    intent = full_intent;
    intent.created_ms = -1;
    assert_intent_refused(&intent, "created: the number is smaller than can be");
}

static void numbers_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const float odd[] = {NAN, INFINITY, -INFINITY, 1.0001f, -1e-30f};
    static const char *const wanted[] = {"near.weight: the number is not finite", "near.weight: the number is not f",
                                         "near.weight: the number is not finite", "near.weight: the number is not wi",
                                         "near.weight: the number is not within 0 and 1"};
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        struct intent_view view = {.name = BYTES("long"), .near = {item_ids, &odd[i], 1}};
        const struct intent intent = {.origin = ORIGIN, .views = &view, .view_count = 1};
        assert_intent_refused(&intent, wanted[i]);
        view.named = view.near;
        view.near.count = 0;
        assert_intent_refused(&intent, "named.weight: the number is not ");
        view = (struct intent_view){.name = BYTES("long"), .vector = &odd[i], .vector_size = 1};
        if (!isfinite(odd[i]))
            assert_intent_refused(&intent, "views.vector: the number is not finite");
        struct intent_request request = full_request;
        request.value = odd[i];
        if (!isfinite(odd[i]))
            assert_request_refused(&request, "value: the number is not finite");
    }
}

/* JSON knows no infinity; what is not finite cannot be written there. */
static void numbers_that_json_has_not_are_not_written(void **state)
{
    (void)state;
    struct intent_request request = full_request;
    AUTO(buffer) out = {0};
    request.value = NAN;
    encode_intent_request(JSON, &request, &out);
    assert_fails(LIMIT, buffer_check(&out));
}

static void texts_longer_than_can_be_are_refused(void **state)
{
    (void)state;
    static char memory[INTENT_TEXT_MAX + 1];
    memset(memory, 'a', sizeof memory);
    struct bytes id = bytes_of(memory, CLICK_ID_MAX), title = bytes_of(memory, INTENT_TITLE_MAX);
    const struct prompt_titles example = {&title, 1};
    const struct intent_request request = {.origin = ORIGIN,
                                           .items = {&id, &title, 1},
                                           .shortlist = {&id, &title, 1},
                                           .examples = &example,
                                           .example_count = 1};
    AUTO(buffer) out = {0};
    encode_intent_request(AVRO, &request, &out);
    assert_ok(decode_any(RECORD_INTENT_REQUEST, RECORD_AVRO, buffer_bytes(&out), NULL));
    id.size++;
    assert_request_refused(&request, "items.item_id: the item id is longer than 255 bytes");
    id.size = 0;
    assert_request_refused(&request, "items.item_id: the item id is empty");
    id.size = 1;
    title.size++;
    assert_request_refused(&request, "items.title: the text is longer than can be");
}

/* All of an intent's texts are at their limits, and then one of them a byte past it. */
static void an_intents_texts_have_limits(void **state)
{
    (void)state;
    static char memory[INTENT_TEXT_MAX + 1];
    memset(memory, 'a', sizeof memory);
    struct bytes id = bytes_of(memory, CLICK_ID_MAX), name = bytes_of(memory, INTENT_NAME_MAX);
    struct intent_view view = {.name = name, .text = bytes_of(memory, INTENT_TEXT_MAX), .near = {&id, weights, 1}};
    struct intent intent = {.origin = ORIGIN,
                            .views = &view,
                            .view_count = 1,
                            .order = &id,
                            .order_count = 1,
                            .model = name,
                            .prompt = name,
                            .embedder = name};
    const struct {
        struct bytes *text;
        const char *field;
    } cases[] = {{&view.name, "views.name"}, {&view.text, "views.text"},     {&intent.model, "model"},
                 {&intent.prompt, "prompt"}, {&intent.embedder, "embedder"}, {&id, "near.item_id"}};
    AUTO(buffer) out = {0};
    encode_intent(AVRO, &intent, &out);
    assert_ok(decode_any(RECORD_INTENT, RECORD_AVRO, buffer_bytes(&out), NULL));
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char wanted[64];
        snprintf(wanted, sizeof wanted, "%s: the %s is longer than", cases[i].field,
                 cases[i].text == &id ? "item id" : "text");
        cases[i].text->size++;
        assert_intent_refused(&intent, wanted);
        cases[i].text->size--;
    }
    view.near.count = 0;
    id.size = 0;
    assert_intent_refused(&intent, "order: the item id is empty");
}

static void each_array_has_its_limit(void **state)
{
    (void)state;
    static const struct {
        enum record_type type;
        const char *before, *entry, *after;
        int max;
        const char *field;
    } cases[] = {
        {RECORD_INTENT_REQUEST, "\"items\":[", "{\"item_id\":1}", "]", INTENT_ITEMS_MAX, "items"},
        {RECORD_INTENT_REQUEST, "\"items\":[],\"shortlist\":[", "{\"item_id\":1}", "]", INTENT_SHORTLIST_MAX,
         "shortlist"},
        {RECORD_INTENT_REQUEST, "\"items\":[],\"examples\":[", "[\"t\"]", "]", INTENT_EXAMPLES_MAX, "examples"},
        {RECORD_INTENT_REQUEST, "\"items\":[],\"examples\":[[", "\"t\"", "]]", INTENT_TITLES_MAX, "examples"},
        {RECORD_INTENT, "\"views\":[{\"name\":\"x\",\"near\":[", "{\"item_id\":1,\"weight\":0}", "]}]", INTENT_NEAR_MAX,
         "views.near"},
        {RECORD_INTENT, "\"views\":[{\"name\":\"x\",\"named\":[", "{\"item_id\":1,\"weight\":1}", "]}]",
         INTENT_NAMED_MAX, "views.named"},
        {RECORD_INTENT, "\"order\":[", "\"t\"", "]", INTENT_SHORTLIST_MAX, "order"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        for (int count = cases[i].max; count <= cases[i].max + 1; count++) {
            AUTO(buffer) text = {0};
            char wanted[80];
            buffer_format(&text, "{" BARE ",\"created\":1,%s", cases[i].before);
            for (int entry = 0; entry < count; entry++)
                buffer_format(&text, "%s%s", entry ? "," : "", cases[i].entry);
            buffer_format(&text, "%s}", cases[i].after);
            snprintf(wanted, sizeof wanted, "%s: there are more entries than can be", cases[i].field);
            if (count > cases[i].max)
                assert_refused(cases[i].type, RECORD_JSON, buffer_bytes(&text), wanted);
            else
                assert_ok(decode_any(cases[i].type, RECORD_JSON, buffer_bytes(&text), NULL));
        }
    }
}

static void views_are_few_and_each_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int count = INTENT_VIEWS_MAX; count <= INTENT_VIEWS_MAX + 1; count++) {
        AUTO(buffer) text = {0};
        buffer_format(&text, "{" BARE ",\"created\":1,\"views\":[{\"name\":\"\"}");
        for (int view = 1; view < count; view++)
            buffer_format(&text, ",{\"name\":\"v%d\"}", view);
        buffer_append_text(&text, "]}");
        if (count > INTENT_VIEWS_MAX)
            assert_refused(RECORD_INTENT, RECORD_JSON, buffer_bytes(&text), "views: there are more entries than can");
        else
            assert_ok(decode_any(RECORD_INTENT, RECORD_JSON, buffer_bytes(&text), NULL));
    }
    assert_refused(
        RECORD_INTENT, RECORD_JSON,
        BYTES("{" BARE ",\"created\":1,\"views\":[{\"name\":\"long\"},{\"name\":\"a\"},{\"name\":\"long\"}]}"),
        "views.name: two views have one name");
}

static void vectors_are_whole_numbers_of_floats_and_bounded(void **state)
{
    (void)state;
    static float zeros[INTENT_VECTOR_MAX];
    struct intent_view view = {.name = BYTES("long"), .vector = zeros, .vector_size = INTENT_VECTOR_MAX};
    const struct intent intent = {.origin = ORIGIN, .views = &view, .view_count = 1};
    AUTO(buffer) out = {0};
    encode_intent(JSON, &intent, &out);
    assert_ok(decode_any(RECORD_INTENT, RECORD_JSON, buffer_bytes(&out), NULL));
    /* 16384 bytes end with two digits and "=="; these with seven and "=" are 16388. */
    out.size = (size_t)(strstr(buffer_text(&out), "==\"}]") - buffer_text(&out));
    buffer_append_text(&out, "AAAAA=\"}],\"created\":1}");
    assert_refused(RECORD_INTENT, RECORD_JSON, buffer_bytes(&out), "views.vector: there are more than 4096 numbers");
    assert_refused(RECORD_INTENT, RECORD_JSON,
                   BYTES("{" BARE ",\"created\":1,\"views\":[{\"name\":\"a\",\"vector\":\"AAAA\"}]}"),
                   "views.vector: its size is no multiple of 4 bytes");
    assert_refused(RECORD_INTENT, RECORD_JSON,
                   BYTES("{" BARE ",\"created\":1,\"views\":[{\"name\":\"a\",\"vector\":\"AAA\"}]}"),
                   "views.vector: the string is not base64");
}

static void the_short_view_begins_among_the_items_or_behind_them(void **state)
{
    (void)state;
    assert_ok(decode_any(RECORD_INTENT_REQUEST, RECORD_JSON,
                         BYTES("{" BARE ",\"items\":[{\"item_id\":1}],\"short_from\":1}"), NULL));
    assert_refused(RECORD_INTENT_REQUEST, RECORD_JSON, BYTES("{" BARE ",\"items\":[{\"item_id\":1}],\"short_from\":2}"),
                   "short_from: the number is larger than that of items");
}

/* Two fields have the same type of record, and the complaint is of the right one. */
static void json_complaints_name_the_field_that_is_wrong(void **state)
{
    (void)state;
    static const struct {
        enum record_type type;
        struct bytes text;
        const char *wanted;
    } cases[] = {
        {RECORD_INTENT_REQUEST, TEXT("{" BARE ",\"items\":[{\"item_id\":true}]}"), "items.item_id: true, not a str"},
        {RECORD_INTENT_REQUEST, TEXT("{" BARE ",\"items\":[],\"shortlist\":[{\"title\":\"a\"}]}"),
         "shortlist.item_id is missing"},
        {RECORD_INTENT_REQUEST, TEXT("{" BARE ",\"items\":[],\"examples\":[[1]]}"), "examples: a number, not a string"},
        {RECORD_INTENT, TEXT("{" BARE ",\"created\":1,\"views\":[{\"name\":\"a\",\"named\":[{\"item_id\":1}]}]}"),
         "named.weight is missing"},
        {RECORD_INTENT, TEXT("{" BARE ",\"created\":1,\"views\":[{\"name\":\"a\",\"vector\":[]}]}"),
         "views.vector: an array, not a string"},
        {RECORD_INTENT, TEXT("{" BARE "}"), "created is missing"},
        {RECORD_INTENT, TEXT("7"), "record: not JSON"},
        {RECORD_INTENT, TEXT("[]"), "record: an array, not an object"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].type, RECORD_JSON, cases[i].text, cases[i].wanted);
}

/* ---- other writers */

/* One that writes no more than it must, and calls its record by another namespace. */
static void a_writer_of_few_fields_is_read_with_the_defaults(void **state)
{
    (void)state;
    static const char schema[] =
        "{\"type\":\"record\",\"name\":\"shop.Intent\",\"fields\":["
        "{\"name\":\"created\",\"type\":\"long\"},{\"name\":\"click_timestamp\",\"type\":\"long\"},"
        "{\"name\":\"position\",\"type\":\"int\"},{\"name\":\"offset\",\"type\":\"int\"},"
        "{\"name\":\"partition\",\"type\":\"int\"},{\"name\":\"topic\",\"type\":\"string\"},"
        "{\"name\":\"views\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"IntentView\","
        "\"fields\":[{\"name\":\"text\",\"type\":\"string\"},{\"name\":\"name\",\"type\":\"string\"}]}}},"
        "{\"name\":\"session_id\",\"type\":\"string\"}]}";
    struct decoder *decoder = open_decoder(RECORD_INTENT, RECORD_AVRO);
    AUTO(arena) batch = {0};
    struct intent intent;
    assert_ok(decoder_set_schema(decoder, bytes_of_text(schema), NULL));
    assert_ok(decode_intent(decoder,
                            BYTES("\x0a\x0c\x04\x08\x06\x02t"
                                  "\x02\x04hi\x0alarge\x00"
                                  "\x02s"),
                            &batch, &intent, NULL));
    assert_int_equal(intent.created_ms, 5);
    assert_int_equal(intent.origin.click_time_ms, 6);
    assert_int_equal(intent.origin.position, 2);
    assert_int_equal(intent.origin.partition, 3);
    assert_int_equal(intent.view_count, 1);
    assert_bytes(intent.views[0].name, "large");
    assert_bytes(intent.views[0].text, "hi");
    assert_int_equal(intent.views[0].near.count + intent.views[0].vector_size, 0);
    decoder_close(decoder);
}

/* An array may come in blocks: its limit is of them together. */
static void blocks_of_an_array_add_up(void **state)
{
    (void)state;
    struct decoder *decoder = open_decoder(RECORD_INTENT, RECORD_AVRO);
    AUTO(arena) batch = {0};
    AUTO(buffer) record = {0};
    struct intent intent;
    struct complaint complaint = {""};
    for (int blocks = INTENT_SHORTLIST_MAX / 2; blocks <= INTENT_SHORTLIST_MAX / 2 + 1; blocks++) {
        buffer_clear(&record);
        buffer_append_bytes(&record, BYTES("\x02s\x02t\x00\x00\x02\x02\x00"));
        for (int i = 0; i < blocks; i++)
            buffer_append_bytes(&record, BYTES("\x03\x08\x02"
                                               "a\x02"
                                               "b"));
        buffer_append_bytes(&record, BYTES("\x00\x00\x00\x00\x00\x00\x00\x02\x00"));
        struct status status = decode_intent(decoder, buffer_bytes(&record), &batch, &intent, &complaint);
        assert_int_equal(failed(status), blocks > INTENT_SHORTLIST_MAX / 2);
    }
    assert_int_equal(intent.order_count, INTENT_SHORTLIST_MAX);
    assert_bytes(intent.order[63], "b");
    assert_non_null(strstr(complaint.text, "order: there are more entries than can be"));
    decoder_close(decoder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_come_back_in_every_format),
        cmocka_unit_test(they_are_written_as_json_in_the_order_of_their_schemas),
        cmocka_unit_test(what_is_left_out_of_json_takes_the_defaults),
        cmocka_unit_test(every_truncation_is_refused),
        cmocka_unit_test(encoders_stop_at_a_full_buffer),
        cmocka_unit_test(no_room_for_the_arrays_is_no_fault_of_the_record),
        cmocka_unit_test(places_that_cannot_be_are_refused),
        cmocka_unit_test(numbers_that_cannot_be_are_refused),
        cmocka_unit_test(numbers_that_json_has_not_are_not_written),
        cmocka_unit_test(texts_longer_than_can_be_are_refused),
        cmocka_unit_test(an_intents_texts_have_limits),
        cmocka_unit_test(each_array_has_its_limit),
        cmocka_unit_test(views_are_few_and_each_has_a_name_of_its_own),
        cmocka_unit_test(vectors_are_whole_numbers_of_floats_and_bounded),
        cmocka_unit_test(the_short_view_begins_among_the_items_or_behind_them),
        cmocka_unit_test(json_complaints_name_the_field_that_is_wrong),
        cmocka_unit_test(a_writer_of_few_fields_is_read_with_the_defaults),
        cmocka_unit_test(blocks_of_an_array_add_up),
    };
    return cmocka_run_group_tests_name("intent", tests, NULL, NULL);
}
