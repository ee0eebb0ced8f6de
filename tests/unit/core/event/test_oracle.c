// SPDX-License-Identifier: Apache-2.0
/* Avro-C as the oracle: what our encoders write it must read and write back to the same bytes; what it writes in a
 * random writer's schema we must read as it does. */
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/codec.h>
#include <eddy/core/intent_record.h>
#include <eddy/core/model_record.h>

#include <avro.h>

#define ROUNDS 2000

static void avro_ok(int failure, const char *what)
{
    if (failure)
        fail_msg("%s: %s", what, avro_strerror());
}

static avro_schema_t parse(struct bytes text)
{
    avro_schema_t schema;
    avro_ok(avro_schema_from_json_length((const char *)text.data, text.size, &schema), (const char *)text.data);
    return schema;
}

static avro_value_t new_value(avro_schema_t schema)
{
    avro_value_iface_t *class = avro_generic_class_from_schema(schema);
    avro_value_t value;
    avro_ok(avro_generic_value_new(class, &value), "avro_generic_value_new");
    avro_value_iface_decref(class);
    return value;
}

static struct bytes write_value(avro_value_t *value, struct buffer *out)
{
    size_t size;
    avro_ok(avro_value_sizeof(value, &size), "avro_value_sizeof");
    buffer_clear(out);
    char *room = (char *)buffer_reserve(out, size + 1);
    avro_writer_t writer = avro_writer_memory(room, (int64_t)size);
    avro_ok(avro_value_write(writer, value), "avro_value_write");
    out->size = size;
    avro_writer_free(writer);
    return buffer_bytes(out);
}

/* ---- what the encoders write */

static void assert_avro_agrees(enum record_type type, struct bytes datum, uint64_t seed)
{
    avro_schema_t schema = parse(bytes_of_text(record_schema(type)));
    avro_value_t value = new_value(schema);
    avro_reader_t reader = avro_reader_memory((const char *)datum.data, (int64_t)datum.size);
    if (avro_value_read(reader, &value))
        fail_msg("seed %llu: Avro-C does not read type %d: %s", (unsigned long long)seed, (int)type, avro_strerror());
    AUTO(buffer) again = {0};
    if (!bytes_equal(write_value(&value, &again), datum))
        fail_msg("seed %llu: Avro-C writes type %d otherwise", (unsigned long long)seed, (int)type);
    avro_reader_free(reader);
    avro_value_decref(&value);
    avro_schema_decref(schema);
}

/* Some text of 0..max bytes; borrowed from a pool. */
static struct bytes random_text(struct random *random, uint32_t max)
{
    static const char pool[] =
        "abcdefghijklmnopqrstuvwxyz0123456789-_abcdefghijklmnopqrstuvwxyz0123456789-_abcdefghijk";
    uint32_t size = random_below(random, max + 1);
    return bytes_of(pool + random_below(random, (uint32_t)sizeof pool - max), size);
}

static int64_t random_long(struct random *random)
{
    return (int64_t)(random_u64(random) >> random_below(random, 64)) * (random_below(random, 2) ? 1 : -1);
}

static struct click random_click(struct random *random)
{
    return (struct click){.session_id = random_text(random, 20),
                          .user_id = random_text(random, 3),
                          .item_id = random_text(random, 70),
                          .event_id = random_text(random, 3),
                          .time_ms = random_long(random),
                          .type = (enum click_type)random_below(random, CLICK_TYPE_COUNT)};
}

static void avro_reads_our_clicks_and_items(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(1);
    random_seed(&random, seed);
    AUTO(buffer) out = {0};
    for (int round = 0; round < ROUNDS; round++) {
        struct click click = random_click(&random);
        buffer_clear(&out);
        encode_click((struct encoding){RECORD_AVRO, 0}, &click, &out);
        assert_avro_agrees(RECORD_CLICK, buffer_bytes(&out), seed);

        struct item item = {.item_id = random_text(&random, 9),
                            .title = random_text(&random, 70),
                            .description = random_text(&random, 2),
                            .category_count = random_below(&random, ITEM_CATEGORIES_MAX + 1),
                            .has_price = random_below(&random, 2),
                            .price = random_unit(&random) * 100,
                            .available = random_below(&random, 2)};
        for (uint32_t i = 0; i < item.category_count; i++)
            item.categories[i] = random_text(&random, 9);
        buffer_clear(&out);
        encode_item((struct encoding){RECORD_AVRO, 0}, &item, &out);
        assert_avro_agrees(RECORD_ITEM, buffer_bytes(&out), seed);
    }
}

#define ITEM_COUNT 50

static struct catalogue *open_catalogue(void)
{
    struct catalogue_options options = {ITEM_COUNT, 1 << 20, 100};
    struct catalogue *catalogue;
    assert_ok(catalogue_open(&options, &catalogue));
    for (int i = 0; i < ITEM_COUNT; i++) {
        char id[16];
        uint32_t number;
        snprintf(id, sizeof id, "item-%d", i * i * i * i);
        assert_ok(catalogue_intern(catalogue, bytes_of_text(id), &number));
    }
    return catalogue;
}

static void avro_reads_our_closed_sessions(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(2);
    random_seed(&random, seed);
    struct catalogue *catalogue = open_catalogue();
    AUTO(buffer) out = {0};
    for (int round = 0; round < ROUNDS / 10; round++) {
        uint32_t items[100];
        int64_t times_ms[100];
        uint8_t types[100];
        uint32_t length = random_below(&random, 100);
        for (uint32_t i = 0; i < length; i++) {
            items[i] = random_below(&random, ITEM_COUNT);
            times_ms[i] = random_long(&random);
            types[i] = (uint8_t)random_below(&random, CLICK_TYPE_COUNT);
        }
        struct closed_session session = {.view = {.session_id = random_text(&random, 20),
                                                  .user_id = random_text(&random, 2),
                                                  .items = items,
                                                  .times_ms = times_ms,
                                                  .types = types,
                                                  .length = length,
                                                  .total = length + random_below(&random, 9)},
                                         .close_ms = random_long(&random),
                                         .evicted = random_below(&random, 2)};
        struct session_origin origin = {(int32_t)random_below(&random, 100), random_long(&random),
                                        random_below(&random, 9)};
        buffer_clear(&out);
        encode_closed_session((struct encoding){RECORD_AVRO, 0}, &session, origin, catalogue, &out);
        assert_avro_agrees(RECORD_CLOSED_SESSION, buffer_bytes(&out), seed);
    }
    catalogue_close(catalogue);
}

static struct model_manifest random_manifest(struct random *random, struct sessions_read *sessions, uint32_t max)
{
    struct model_manifest manifest = {
        .name = BYTES("shop"),
        .version = 1 + (int64_t)(random_u64(random) >> (1 + random_below(random, 62))),
        .created_ms = (int64_t)(random_u64(random) >> (1 + random_below(random, 62))),
        .slot = random_below(random, MODEL_SLOTS_MAX),
        .chunk_count = 1 + random_below(random, MODEL_CHUNKS_MAX),
        .size = 1 + (int64_t)(random_u64(random) >> (1 + random_below(random, 62))),
        .precision = (enum model_precision)random_below(random, MODEL_PRECISION_COUNT),
        .sha256 = BYTES("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"),
        .backbone = random_text(random, 20),
        .width = random_below(random, MODEL_WIDTH_MAX + 1),
        .length_max = random_below(random, MODEL_LENGTH_MAX + 1),
        .item_count = random_below(random, INT32_MAX),
        .parameters = (int64_t)(random_u64(random) >> (1 + random_below(random, 62))),
        .sessions = sessions,
        .session_count = random_below(random, max + 1),
        .gate = {random_below(random, 9), 20, random_unit(random), random_unit(random), random_unit(random), 0},
        .training = {random_below(random, 99), random_below(random, 99), 7, random_unit(random) * 10},
        .note = random_text(random, 70),
    };
    for (uint32_t i = 0; i < manifest.session_count; i++)
        sessions[i] = (struct sessions_read){(int32_t)random_below(random, 1000), random_below(random, 1u << 30)};
    return manifest;
}

static void assert_manifest_comes_back(struct decoder *decoder, struct bytes datum, uint64_t seed)
{
    AUTO(buffer) again = {0};
    AUTO(arena) batch = {0};
    struct model_manifest manifest;
    struct complaint complaint = {""};
    if (failed(decode_model_manifest(decoder, datum, &batch, &manifest, &complaint)))
        fail_msg("seed %llu: %s", (unsigned long long)seed, complaint.text);
    encode_model_manifest((struct encoding){RECORD_AVRO, 0}, &manifest, &again);
    assert_true(bytes_equal(buffer_bytes(&again), datum));
}

static void avro_reads_our_models(void **state)
{
    (void)state;
    struct random random;
    struct sessions_read sessions[20];
    struct decoder *decoder;
    uint64_t seed = test_seed(5);
    random_seed(&random, seed);
    AUTO(buffer) out = {0};
    assert_ok(decoder_open(RECORD_MODEL_MANIFEST, RECORD_AVRO, &decoder));
    for (int round = 0; round < ROUNDS; round++) {
        const struct model_manifest manifest = random_manifest(&random, sessions, 20);
        buffer_clear(&out);
        encode_model_manifest((struct encoding){RECORD_AVRO, 0}, &manifest, &out);
        assert_avro_agrees(RECORD_MODEL_MANIFEST, buffer_bytes(&out), seed);
        assert_manifest_comes_back(decoder, buffer_bytes(&out), seed);

        const struct model_chunk chunk = {manifest.name, random_text(&random, 70), manifest.version, manifest.slot,
                                          manifest.chunk_count - 1};
        buffer_clear(&out);
        encode_model_chunk((struct encoding){RECORD_AVRO, 0}, &chunk, &out);
        assert_avro_agrees(RECORD_MODEL_CHUNK, buffer_bytes(&out), seed);
    }
    decoder_close(decoder);
}

static struct intent_origin random_origin(struct random *random)
{
    return (struct intent_origin){.session_id = random_text(random, 20),
                                  .topic = random_text(random, 9),
                                  .partition = (int32_t)random_below(random, INT32_MAX),
                                  .offset = (int64_t)(random_u64(random) >> (1 + random_below(random, 62))),
                                  .position = 1 + random_below(random, 300),
                                  .click_time_ms = random_long(random)};
}

/* Texts and ids for an array, and weights; (64) each. */
struct random_arrays {
    struct bytes ids[64], titles[64];
    float weights[64];
};

static void fill_arrays(struct random *random, struct random_arrays *arrays)
{
    for (int i = 0; i < 64; i++) {
        arrays->ids[i] = random_text(random, 20);
        arrays->ids[i].size += arrays->ids[i].size == 0;
        arrays->titles[i] = random_text(random, 70);
        arrays->weights[i] = (float)random_unit(random);
    }
}

static void avro_reads_our_intent_requests(void **state)
{
    (void)state;
    struct random random;
    struct decoder *decoder;
    uint64_t seed = test_seed(6);
    random_seed(&random, seed);
    assert_ok(decoder_open(RECORD_INTENT_REQUEST, RECORD_AVRO, &decoder));
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct random_arrays arrays;
        struct prompt_titles examples[INTENT_EXAMPLES_MAX];
        fill_arrays(&random, &arrays);
        for (int i = 0; i < INTENT_EXAMPLES_MAX; i++)
            examples[i] = (struct prompt_titles){arrays.titles + i, random_below(&random, INTENT_TITLES_MAX + 1)};
        struct intent_request request = {
            .origin = random_origin(&random),
            .value = (float)random_unit(&random),
            .items = {arrays.ids, arrays.titles, random_below(&random, INTENT_ITEMS_MAX + 1)},
            .shortlist = {arrays.ids, arrays.titles, random_below(&random, INTENT_SHORTLIST_MAX + 1)},
            .examples = examples,
            .example_count = random_below(&random, INTENT_EXAMPLES_MAX + 1)};
        request.short_from = random_below(&random, request.items.count + 1);
        AUTO(buffer) out = {0};
        AUTO(buffer) again = {0};
        AUTO(arena) batch = {0};
        encode_intent_request((struct encoding){RECORD_AVRO, 0}, &request, &out);
        assert_avro_agrees(RECORD_INTENT_REQUEST, buffer_bytes(&out), seed);
        assert_ok(decode_intent_request(decoder, buffer_bytes(&out), &batch, &request, NULL));
        encode_intent_request((struct encoding){RECORD_AVRO, 0}, &request, &again);
        assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&out)));
    }
    decoder_close(decoder);
}

static void avro_reads_our_intents(void **state)
{
    (void)state;
    struct random random;
    struct decoder *decoder;
    uint64_t seed = test_seed(7);
    random_seed(&random, seed);
    assert_ok(decoder_open(RECORD_INTENT, RECORD_AVRO, &decoder));
    for (int round = 0; round < ROUNDS / 10; round++) {
        static const struct bytes names[INTENT_VIEWS_MAX] = {
            {(const uint8_t *)"long", 4}, {(const uint8_t *)"short", 5},
            {(const uint8_t *)"c", 1},    {(const uint8_t *)"d", 1},
            {(const uint8_t *)"e", 1},    {(const uint8_t *)"f", 1},
            {(const uint8_t *)"g", 1},    {NULL, 0}};
        struct random_arrays arrays;
        struct intent_view views[INTENT_VIEWS_MAX];
        fill_arrays(&random, &arrays);
        for (int i = 0; i < INTENT_VIEWS_MAX; i++)
            views[i] =
                (struct intent_view){.name = names[i],
                                     .text = random_text(&random, 70),
                                     .near = {arrays.ids, arrays.weights, random_below(&random, INTENT_NEAR_MAX + 1)},
                                     .named = {arrays.ids, arrays.weights, random_below(&random, INTENT_NAMED_MAX + 1)},
                                     .vector = arrays.weights,
                                     .vector_size = random_below(&random, 64)};
        struct intent intent = {.origin = random_origin(&random),
                                .views = views,
                                .view_count = random_below(&random, INTENT_VIEWS_MAX + 1),
                                .order = arrays.ids,
                                .order_count = random_below(&random, INTENT_SHORTLIST_MAX + 1),
                                .model = random_text(&random, 70),
                                .prompt = random_text(&random, 20),
                                .embedder = random_text(&random, 20),
                                .cached = random_below(&random, 2),
                                .prompt_tokens = random_below(&random, INT32_MAX),
                                .completion_tokens = random_below(&random, 9),
                                .took_ms = random_below(&random, INT32_MAX),
                                .created_ms = (int64_t)(random_u64(&random) >> (1 + random_below(&random, 62)))};
        AUTO(buffer) out = {0};
        AUTO(buffer) again = {0};
        AUTO(arena) batch = {0};
        encode_intent((struct encoding){RECORD_AVRO, 0}, &intent, &out);
        assert_avro_agrees(RECORD_INTENT, buffer_bytes(&out), seed);
        assert_ok(decode_intent(decoder, buffer_bytes(&out), &batch, &intent, NULL));
        encode_intent((struct encoding){RECORD_AVRO, 0}, &intent, &again);
        assert_true(bytes_equal(buffer_bytes(&again), buffer_bytes(&out)));
    }
    decoder_close(decoder);
}

static void avro_reads_our_recommendations(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(3);
    random_seed(&random, seed);
    struct catalogue *catalogue = open_catalogue();
    AUTO(buffer) out = {0};
    for (int round = 0; round < ROUNDS / 10; round++) {
        struct recommended_item items[70];
        uint32_t count = random_below(&random, 70);
        for (uint32_t i = 0; i < count; i++)
            items[i] =
                (struct recommended_item){.item = random_below(&random, ITEM_COUNT),
                                          .score = (float)random_unit(&random),
                                          .shares = {(float)random_unit(&random)},
                                          .reason = {(enum reason_kind)random_below(&random, 4),
                                                     random_below(&random, ITEM_COUNT), (uint32_t)random_u64(&random)}};
        struct recommendation recommendation = {.session_id = random_text(&random, 20),
                                                .user_id = random_text(&random, 2),
                                                .partition = (int32_t)random_below(&random, 100),
                                                .offset = random_long(&random),
                                                .revision = random_below(&random, 3),
                                                .position = random_below(&random, 1000),
                                                .click_time_ms = random_long(&random),
                                                .click_item = random_below(&random, ITEM_COUNT),
                                                .learned_version = random_u64(&random),
                                                .items = items,
                                                .count = count};
        buffer_clear(&out);
        encode_recommendation((struct encoding){RECORD_AVRO, 0}, &recommendation, random_text(&random, 9), catalogue,
                              &out);
        assert_avro_agrees(RECORD_RECOMMENDATION, buffer_bytes(&out), seed);
    }
    catalogue_close(catalogue);
}

/* ---- what other writers write */

struct field_choice { /* the ways a writer may have a field that Avro-C resolves as well; NULL: not at all */
    const char *name;
    const char *reader;
    const char *writers[6];
    bool needed;
};

#define TEXT  "\"string\""
#define MAYBE "[\"null\",\"string\"]"
#define KIND                                                                                                           \
    "{\"type\":\"enum\",\"name\":\"ClickType\",\"namespace\":\"eddy\","                                                \
    "\"symbols\":[\"view\",\"click\",\"add_to_cart\",\"purchase\"]}"

static const struct field_choice click_fields[] = {
    {"session_id", TEXT, {TEXT, MAYBE, "[\"string\",\"null\"]"}, false},
    {"user_id", MAYBE, {MAYBE, TEXT, "[\"string\",\"null\"]"}, false},
    {"item_id", TEXT, {TEXT, TEXT, TEXT, "[\"null\",\"long\",\"string\"]"}, true},
    {"timestamp", "\"long\"", {"\"long\"", "\"int\"", "[\"null\",\"int\"]", "[\"int\",\"long\"]"}, true},
    {"type", KIND, {KIND}, false},
    {"event_id", MAYBE, {MAYBE, TEXT}, false},
};

#define TWO_FIELDS                                                                                                     \
    "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":\"long\"},{\"name\":\"b\",\"type\":"   \
    "[\"null\",{\"type\":\"enum\",\"name\":\"E%d\",\"symbols\":[\"x\",\"y\",\"z\"]}]}]}"

static const char *const extras[] = {
    "\"null\"",
    "\"boolean\"",
    "\"double\"",
    "\"bytes\"",
    "[\"null\",\"int\",{\"type\":\"array\",\"items\":\"float\"}]",
    "{\"type\":\"map\",\"values\":\"string\"}",
    "{\"type\":\"array\",\"items\":[\"null\",\"long\"]}",
    "{\"type\":\"array\",\"items\":{\"type\":\"map\",\"values\":{\"type\":\"array\",\"items\":\"int\"}}}",
    TWO_FIELDS,
    "{\"type\":\"fixed\",\"name\":\"F%d\",\"size\":7}",
};
#define EXTRA_COUNT  (sizeof extras / sizeof *extras)
#define CLICK_FIELDS (sizeof click_fields / sizeof *click_fields)

/* Appends a random writer's schema of a click, and the part of the reader's that Avro-C, which knows no defaults, can
 * resolve it to. Returns the set of fields the writer has. */
static unsigned random_schemas(struct random *random, struct buffer *writer, struct buffer *reader)
{
    size_t order[CLICK_FIELDS];
    unsigned present = 0;
    buffer_append_text(writer, "{\"type\":\"record\",\"name\":\"ClickEvent\",\"namespace\":\"eddy\",\"fields\":[");
    buffer_append_bytes(reader, buffer_bytes(writer));
    for (size_t i = 0; i < CLICK_FIELDS; i++)
        order[i] = i;
    for (size_t i = 0; i < CLICK_FIELDS; i++) {
        size_t other = i + random_below(random, (uint32_t)(CLICK_FIELDS - i)), place = order[other];
        order[other] = order[i];
        order[i] = place;
        const struct field_choice *field = &click_fields[place];
        for (uint32_t extra = random_below(random, 3); extra > 0; extra--) {
            int number = (int)random_below(random, 1 << 30);
            buffer_format(writer, "{\"name\":\"x%d\",\"type\":", number);
            buffer_format(writer, extras[random_below(random, EXTRA_COUNT)], number, number);
            buffer_append_text(writer, "},");
        }
        const char *type = field->writers[random_below(random, 6)];
        if (!type && !field->needed)
            continue;
        present |= 1u << place;
        buffer_format(writer, "{\"name\":\"%s\",\"type\":%s},", field->name, type ? type : field->writers[0]);
    }
    for (size_t i = 0; i < CLICK_FIELDS; i++)
        if (present & 1u << i)
            buffer_format(reader, "{\"name\":\"%s\",\"type\":%s},", click_fields[i].name, click_fields[i].reader);
    writer->size--;
    reader->size--;
    buffer_append_text(writer, "]}");
    buffer_append_text(reader, "]}");
    return present;
}

static void fill(struct random *random, avro_value_t *value);

static void fill_entries(struct random *random, avro_value_t *value, bool map)
{
    uint32_t count = random_below(random, 4);
    for (uint32_t i = 0; i < count; i++) {
        char key[16];
        avro_value_t entry;
        snprintf(key, sizeof key, "k%u", i);
        if (map)
            avro_ok(avro_value_add(value, key, &entry, NULL, NULL), "add");
        else
            avro_ok(avro_value_append(value, &entry, NULL), "append");
        fill(random, &entry);
    }
}

static void fill_text(struct random *random, avro_value_t *value)
{
    char text[64] = {0};
    struct bytes bytes = random_text(random, 40);
    memcpy(text, bytes.data, bytes.size);
    avro_ok(avro_value_set_string_len(value, text, bytes.size + 1), "set_string");
}

static void fill_record(struct random *random, avro_value_t *value)
{
    size_t count = 0;
    avro_ok(avro_value_get_size(value, &count), "get_size");
    for (size_t i = 0; i < count; i++) {
        avro_value_t field;
        avro_ok(avro_value_get_by_index(value, i, &field, NULL), "get_by_index");
        fill(random, &field);
    }
}

static void fill_union(struct random *random, avro_value_t *value)
{
    avro_schema_t schema = avro_value_get_schema(value);
    avro_value_t branch;
    int place = (int)random_below(random, (uint32_t)avro_schema_union_size(schema));
    avro_ok(avro_value_set_branch(value, place, &branch), "set_branch");
    fill(random, &branch);
}

/* A random value of the value's type. */
static void fill(struct random *random, avro_value_t *value)
{
    char raw[7] = {1, 2, 3, 4, 5, 6, 7};
    switch (avro_value_get_type(value)) {
    case AVRO_NULL:
        avro_ok(avro_value_set_null(value), "null");
        break;
    case AVRO_BOOLEAN:
        avro_ok(avro_value_set_boolean(value, (int)random_below(random, 2)), "boolean");
        break;
    case AVRO_INT32:
        avro_ok(avro_value_set_int(value, (int32_t)random_u64(random)), "int");
        break;
    case AVRO_INT64:
        avro_ok(avro_value_set_long(value, random_long(random)), "long");
        break;
    case AVRO_FLOAT:
        avro_ok(avro_value_set_float(value, (float)random_unit(random)), "float");
        break;
    case AVRO_DOUBLE:
        avro_ok(avro_value_set_double(value, random_unit(random)), "double");
        break;
    case AVRO_BYTES:
        avro_ok(avro_value_set_bytes(value, raw, random_below(random, 7)), "bytes");
        break;
    case AVRO_STRING:
        fill_text(random, value);
        break;
    case AVRO_ENUM:
        avro_ok(avro_value_set_enum(value, (int)random_below(random, 3)), "enum");
        break;
    case AVRO_FIXED:
        avro_ok(avro_value_set_fixed(value, raw, sizeof raw), "fixed");
        break;
    case AVRO_ARRAY:
    case AVRO_MAP:
        fill_entries(random, value, avro_value_get_type(value) == AVRO_MAP);
        break;
    case AVRO_UNION:
        fill_union(random, value);
        break;
    case AVRO_RECORD:
        fill_record(random, value);
        break;
    default:
        fail_msg("a type the test does not make");
    }
}

/* Reads a field as Avro-C resolved it. False when it could not: its branch is none the reader takes. */
static bool oracle_text(avro_value_t *record, const char *name, struct bytes *ret_text)
{
    avro_value_t field, branch;
    const char *text;
    size_t size;
    avro_ok(avro_value_get_by_name(record, name, &field, NULL), name);
    if (avro_value_get_type(&field) == AVRO_UNION) {
        if (avro_value_get_current_branch(&field, &branch))
            return false;
        field = branch;
    }
    if (avro_value_get_type(&field) == AVRO_NULL) {
        *ret_text = (struct bytes){0};
        return true;
    }
    if (avro_value_get_string(&field, &text, &size))
        return false;
    *ret_text = bytes_of(text, size - 1);
    return true;
}

/* The click as Avro-C resolves it, with the defaults of what the writer lacks. */
static bool oracle_click(avro_value_t *record, unsigned present, struct click *ret_click)
{
    struct click click = {0};
    struct bytes *texts[] = {&click.session_id, &click.user_id, &click.item_id, NULL, NULL, &click.event_id};
    avro_value_t field;
    for (size_t i = 0; i < CLICK_FIELDS; i++)
        if (texts[i] && (present & 1u << i) && !oracle_text(record, click_fields[i].name, texts[i]))
            return false;
    avro_ok(avro_value_get_by_name(record, "timestamp", &field, NULL), "timestamp");
    if (avro_value_get_long(&field, &click.time_ms))
        return false;
    if (present & 1u << 4) {
        int symbol = 0;
        avro_ok(avro_value_get_by_name(record, "type", &field, NULL), "type");
        avro_ok(avro_value_get_enum(&field, &symbol), "enum");
        click.type = (enum click_type)symbol;
    }
    *ret_click = click;
    return true;
}

static void assert_same_click(const struct click *ours, const struct click *theirs, uint64_t seed, const char *schema)
{
    bool same = bytes_equal(ours->session_id, theirs->session_id) && bytes_equal(ours->user_id, theirs->user_id) &&
                bytes_equal(ours->item_id, theirs->item_id) && bytes_equal(ours->event_id, theirs->event_id) &&
                ours->time_ms == theirs->time_ms && ours->type == theirs->type;
    if (!same)
        fail_msg("seed %llu: Avro-C reads another click in %s", (unsigned long long)seed, schema);
}

/* One random writer: 1 when both read its click, 0 when both refused. */
static int compare_one_writer(struct random *random, uint64_t seed)
{
    AUTO(buffer) writer_text = {0};
    AUTO(buffer) reader_text = {0};
    AUTO(buffer) datum = {0};
    unsigned present = random_schemas(random, &writer_text, &reader_text);
    avro_schema_t writer = parse(buffer_bytes(&writer_text)), reader = parse(buffer_bytes(&reader_text));
    avro_value_t written = new_value(writer), resolved;
    fill(random, &written);
    write_value(&written, &datum);

    avro_value_iface_t *class = avro_resolved_reader_new(writer, reader);
    assert_non_null(class);
    avro_ok(avro_resolved_reader_new_value(class, &resolved), "avro_resolved_reader_new_value");
    avro_resolved_reader_set_source(&resolved, &written);
    struct click ours, theirs;
    bool readable = oracle_click(&resolved, present, &theirs);

    struct decoder *decoder;
    struct complaint complaint = {0};
    assert_ok(decoder_open(RECORD_CLICK, RECORD_AVRO, &decoder));
    if (failed(decoder_set_schema(decoder, buffer_bytes(&writer_text), &complaint)))
        fail_msg("seed %llu: %s: %s", (unsigned long long)seed, buffer_text(&writer_text), complaint.text);
    struct status status = decode_click(decoder, buffer_bytes(&datum), &ours, &complaint);
    if (failed(status) == readable)
        fail_msg("seed %llu: %s: Avro-C %s it, we say \"%s\"", (unsigned long long)seed, buffer_text(&writer_text),
                 readable ? "reads" : "refuses", complaint.text);
    if (readable)
        assert_same_click(&ours, &theirs, seed, buffer_text(&writer_text));
    for (size_t size = 0; readable && size < datum.size; size++)
        assert_fails(BAD_INPUT, decode_click(decoder, bytes_of(datum.data, size), &ours, NULL));

    decoder_close(decoder);
    avro_value_decref(&resolved);
    avro_value_iface_decref(class);
    avro_value_decref(&written);
    avro_schema_decref(writer);
    avro_schema_decref(reader);
    return readable;
}

static void other_writers_clicks_are_read_as_avro_reads_them(void **state)
{
    (void)state;
    struct random random;
    uint64_t seed = test_seed(4);
    random_seed(&random, seed);
    int readable = 0;
    for (int round = 0; round < ROUNDS; round++)
        readable += compare_one_writer(&random, seed);
    assert_true(readable > ROUNDS / 5 && readable < ROUNDS); /* both ends are met */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(avro_reads_our_clicks_and_items),
        cmocka_unit_test(avro_reads_our_closed_sessions),
        cmocka_unit_test(avro_reads_our_recommendations),
        cmocka_unit_test(avro_reads_our_models),
        cmocka_unit_test(avro_reads_our_intent_requests),
        cmocka_unit_test(avro_reads_our_intents),
        cmocka_unit_test(other_writers_clicks_are_read_as_avro_reads_them),
    };
    return cmocka_run_group_tests_name("oracle", tests, NULL, NULL);
}
