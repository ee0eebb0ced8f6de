// SPDX-License-Identifier: Apache-2.0
/* Records of the models topic that are not as they must be: each is refused, for its reason, and what was there stays.
 */
#include "support/support.h"

#include "support/models_log.h"

#define SIZE_MAX_BYTES (64u << 20)

struct rig {
    struct models_log log;
    struct model_directory *directory;
    struct arena memory;
};

/* Version 1, of three chunks in slot 0. */
static struct rig *rig_open(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    struct model *model = models_log_model(2000, 256, 5);
    assert_ok(model_directory_open("shop", &rig->directory));
    models_log_publish(&rig->log, rig->directory, model, MODEL_FLOAT32, 3);
    model_close(model);
    assert_int_equal(model_directory_wanted(rig->directory)->chunk_count, 3);
    return rig;
}

static void rig_close(struct rig *rig)
{
    models_log_release(&rig->log);
    model_directory_close(rig->directory);
    arena_release(&rig->memory);
    free(rig);
}

static const struct encoding avro = {RECORD_AVRO, 0};

static void put_manifest(struct rig *rig, const char *key, const struct model_manifest *manifest)
{
    AUTO(buffer) value = {0};
    encode_model_manifest(avro, manifest, &value);
    assert_ok(buffer_check(&value));
    models_log_put(&rig->log, bytes_of_text(key), buffer_bytes(&value));
}

/* Both copies say what `manifest` says. Returns how many of them cannot be used. */
static uint64_t announce(struct rig *rig, const struct model_manifest *manifest)
{
    put_manifest(rig, "shop/0/manifest", manifest);
    put_manifest(rig, "shop/current", manifest);
    return models_log_read(&rig->log, rig->directory);
}

static struct status load(struct rig *rig, struct complaint *why)
{
    struct model_file file;
    struct status status =
        models_log_load(&rig->log, rig->directory, model_directory_wanted(rig->directory), SIZE_MAX_BYTES, &file, why);
    if (!failed(status))
        model_file_release(&file);
    return status;
}

/* The manifest that is there, in memory that stays. */
static struct model_manifest original(struct rig *rig)
{
    struct decoder *decoder;
    struct model_manifest manifest;
    struct complaint why = {""};
    struct bytes value = models_log_find(&rig->log, "shop/current")->value;
    assert_ok(decoder_open(RECORD_MODEL_MANIFEST, RECORD_AVRO, &decoder));
    assert_ok(decode_model_manifest(decoder, arena_copy(&rig->memory, value), &rig->memory, &manifest, &why));
    decoder_close(decoder);
    return manifest;
}

/* ---- manifests: each field wrong by itself */

static void spoil_version(struct model_manifest *manifest)
{
    manifest->version = 2;
}
static void spoil_more_chunks(struct model_manifest *manifest)
{
    manifest->chunk_count++;
}
static void spoil_fewer_chunks(struct model_manifest *manifest)
{
    manifest->chunk_count--;
}
static void spoil_larger(struct model_manifest *manifest)
{
    manifest->size++;
}
static void spoil_smaller(struct model_manifest *manifest)
{
    manifest->size--;
}
static void spoil_absurd_size(struct model_manifest *manifest)
{
    manifest->size = INT64_MAX;
}
static void spoil_hash(struct model_manifest *manifest)
{
    manifest->sha256 = BYTES("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef");
}
static void spoil_backbone(struct model_manifest *manifest)
{
    manifest->backbone = BYTES("stamp");
}
static void spoil_width(struct model_manifest *manifest)
{
    manifest->width--;
}
static void spoil_length(struct model_manifest *manifest)
{
    manifest->length_max++;
}
static void spoil_items(struct model_manifest *manifest)
{
    manifest->item_count++;
}
static void spoil_parameters(struct model_manifest *manifest)
{
    manifest->parameters = 0;
}

static void a_manifest_with_a_wrong_field_is_refused_when_it_is_loaded(void **state)
{
    (void)state;
    static const struct {
        void (*spoil)(struct model_manifest *manifest);
        enum fault_kind wanted;
        const char *reason;
    } cases[] = {
        {spoil_version, FAULT_NOT_FOUND, "lacks chunk 0 of 3"},
        {spoil_more_chunks, FAULT_NOT_FOUND, "lacks chunk 3 of 4"},
        {spoil_fewer_chunks, FAULT_BAD_INPUT, "bytes"},
        {spoil_larger, FAULT_BAD_INPUT, "bytes"},
        {spoil_smaller, FAULT_BAD_INPUT, "bytes"},
        {spoil_absurd_size, FAULT_LIMIT, "models.size_max_bytes"},
        {spoil_hash, FAULT_BAD_INPUT, "SHA-256"},
        {spoil_backbone, FAULT_BAD_INPUT, "not what its manifest says"},
        {spoil_width, FAULT_BAD_INPUT, "not what its manifest says"},
        {spoil_length, FAULT_BAD_INPUT, "not what its manifest says"},
        {spoil_items, FAULT_BAD_INPUT, "not what its manifest says"},
        {spoil_parameters, FAULT_BAD_INPUT, "not what its manifest says"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rig *rig = rig_open();
        struct model_manifest manifest = original(rig);
        struct complaint why = {""};
        assert_ok(load(rig, &why));
        cases[i].spoil(&manifest);
        assert_int_equal(announce(rig, &manifest), 0);
        struct status status = load(rig, &why);
        if (!failed_as(status, cases[i].wanted) || !strstr(why.text, cases[i].reason))
            fail_msg("case %zu: %s", i, why.text);
        rig_close(rig);
    }
}

static void spoil_slot(struct model_manifest *manifest)
{
    manifest->slot = 1;
}
static void spoil_high_slot(struct model_manifest *manifest)
{
    manifest->slot = MODEL_SLOTS_MAX;
}
static void spoil_name(struct model_manifest *manifest)
{
    manifest->name = BYTES("another");
}
static void spoil_name_with_a_slash(struct model_manifest *manifest)
{
    manifest->name = BYTES("sh/op");
}
static void spoil_no_version(struct model_manifest *manifest)
{
    manifest->version = 0;
}
static void spoil_no_chunks(struct model_manifest *manifest)
{
    manifest->chunk_count = 0;
}
static void spoil_many_chunks(struct model_manifest *manifest)
{
    manifest->chunk_count = MODEL_CHUNKS_MAX + 1;
}
static void spoil_negative_size(struct model_manifest *manifest)
{
    manifest->size = -1;
}
static void spoil_short_hash(struct model_manifest *manifest)
{
    manifest->sha256 = BYTES("0123");
}
static void spoil_loud_hash(struct model_manifest *manifest)
{
    manifest->sha256 = BYTES("0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef");
}
static void spoil_unknown_encoding(struct model_manifest *manifest)
{
    manifest->precision = (enum model_precision) - 1; /* written as `unknown` */
}
static void spoil_next_encoding(struct model_manifest *manifest)
{
    manifest->precision = MODEL_PRECISION_COUNT;
}
static void spoil_utf8(struct model_manifest *manifest)
{
    manifest->backbone = BYTES("\xff");
}
static void spoil_high_width(struct model_manifest *manifest)
{
    manifest->width = MODEL_WIDTH_MAX + 1;
}
static void spoil_infinite_gate(struct model_manifest *manifest)
{
    manifest->gate.mrr = 1e308 * 10;
}
static void spoil_negative_offset(struct model_manifest *manifest)
{
    static const struct sessions_read offsets[] = {{0, -1}};
    manifest->sessions = offsets;
    manifest->session_count = 1;
}
static void spoil_negative_partition(struct model_manifest *manifest)
{
    static const struct sessions_read offsets[] = {{-1, 1}};
    manifest->sessions = offsets;
    manifest->session_count = 1;
}
static void spoil_long_note(struct model_manifest *manifest)
{
    static char note[MODEL_TEXT_MAX + 1];
    memset(note, 'n', sizeof note);
    manifest->note = bytes_of(note, sizeof note);
}

static void a_manifest_that_cannot_be_is_not_taken(void **state)
{
    (void)state;
    static void (*const spoils[])(struct model_manifest * manifest) = {
        spoil_slot,       spoil_high_slot,          spoil_name,          spoil_name_with_a_slash,
        spoil_no_version, spoil_no_chunks,          spoil_many_chunks,   spoil_negative_size,
        spoil_short_hash, spoil_loud_hash,          spoil_next_encoding, spoil_unknown_encoding,
        spoil_utf8,       spoil_high_width,         spoil_infinite_gate, spoil_negative_offset,
        spoil_long_note,  spoil_negative_partition,
    };
    for (size_t i = 0; i < sizeof spoils / sizeof *spoils; i++) {
        struct rig *rig = rig_open();
        struct model_manifest manifest = original(rig);
        struct complaint why = {""};
        spoils[i](&manifest);
        put_manifest(rig, "shop/0/manifest", &manifest);
        if (models_log_read(&rig->log, rig->directory) != 1)
            fail_msg("case %zu is taken", i);
        assert_null(model_directory_slot(rig->directory, 0)); /* the one before lies there no more */
        if (spoils[i] != spoil_slot)
            put_manifest(rig, "shop/current", &manifest);
        models_log_read(&rig->log, rig->directory);
        assert_int_equal(model_directory_current(rig->directory)->version, 1); /* and stays the one that is wanted */
        assert_fails(NOT_FOUND, load(rig, &why));
        rig_close(rig);
    }
}

static void a_truncated_manifest_is_not_taken(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct bytes value = models_log_find(&rig->log, "shop/current")->value;
    uint64_t bad = 0;
    for (size_t size = 0; size < value.size; size++) {
        models_log_put(&rig->log, BYTES("shop/current"), bytes_of(value.data, size));
        bad += models_log_read(&rig->log, rig->directory);
    }
    assert_int_equal(bad, value.size);
    assert_int_equal(model_directory_current(rig->directory)->version, 1);
    rig_close(rig);
}

static void pointers_that_differ_from_the_slot_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct model_manifest manifest = original(rig);
    struct complaint why = {""};
    spoil_hash(&manifest);
    put_manifest(rig, "shop/pinned", &manifest);
    assert_int_equal(models_log_read(&rig->log, rig->directory), 0);
    assert_fails(BAD_INPUT, load(rig, &why));
    assert_non_null(strstr(why.text, "two manifests"));
    models_log_put(&rig->log, BYTES("shop/pinned"), (struct bytes){0});
    models_log_read(&rig->log, rig->directory);
    assert_ok(load(rig, &why));
    rig_close(rig);
}

/* ---- chunks */

static void put_chunk(struct rig *rig, const char *key, const struct model_chunk *chunk)
{
    AUTO(buffer) value = {0};
    encode_model_chunk(avro, chunk, &value);
    assert_ok(buffer_check(&value));
    models_log_put(&rig->log, bytes_of_text(key), buffer_bytes(&value));
}

/* Chunk 1 as it is, in memory that stays. */
static struct model_chunk second_chunk(struct rig *rig)
{
    struct decoder *decoder;
    struct model_chunk chunk;
    struct complaint why = {""};
    struct bytes value = models_log_find(&rig->log, "shop/0/1")->value;
    assert_ok(decoder_open(RECORD_MODEL_CHUNK, RECORD_AVRO, &decoder));
    assert_ok(decode_model_chunk(decoder, arena_copy(&rig->memory, value), &chunk, &why));
    decoder_close(decoder);
    return chunk;
}

enum chunk_fault { OTHER_BYTES, OTHER_VERSION, SHORT, LONG, EMPTY, OTHER_SLOT, OTHER_PLACE, OTHER_NAME, CHUNK_FAULTS };

static void spoil_chunk(struct model_chunk *chunk, enum chunk_fault fault, uint8_t *payload)
{
    memcpy(payload, chunk->payload.data, chunk->payload.size);
    payload[chunk->payload.size] = 0;
    chunk->payload.data = payload;
    payload[1000] = (uint8_t)(payload[1000] ^ (fault == OTHER_BYTES));
    chunk->version += fault == OTHER_VERSION;
    chunk->payload.size += fault == LONG;
    chunk->payload.size -= fault == SHORT;
    chunk->payload.size = fault == EMPTY ? 0 : chunk->payload.size;
    chunk->slot += fault == OTHER_SLOT;
    chunk->chunk += fault == OTHER_PLACE;
    if (fault == OTHER_NAME)
        chunk->name = BYTES("another");
}

static void a_wrong_chunk_spoils_the_version_and_nothing_else(void **state)
{
    (void)state;
    uint8_t *payload = malloc(MODEL_CHUNK_SIZE + 1);
    for (int fault = 0; fault < CHUNK_FAULTS; fault++) {
        struct rig *rig = rig_open();
        struct model_chunk chunk = second_chunk(rig);
        struct complaint why = {""};
        spoil_chunk(&chunk, (enum chunk_fault)fault, payload);
        put_chunk(rig, "shop/0/1", &chunk);
        uint64_t bad = models_log_read(&rig->log, rig->directory);
        assert_int_equal(bad, fault >= OTHER_SLOT);
        struct status status = load(rig, &why);
        bool gone = fault >= OTHER_SLOT || fault == OTHER_VERSION;
        if (!failed_as(status, gone ? FAULT_NOT_FOUND : FAULT_BAD_INPUT))
            fail_msg("fault %d: %s", fault, why.text);
        rig_close(rig);
    }
    free(payload);
}

static void a_truncated_chunk_is_not_taken(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct bytes value = models_log_find(&rig->log, "shop/0/2")->value;
    struct complaint why = {""};
    for (size_t size = 0; size < value.size; size += 1 + value.size / 50) {
        models_log_put(&rig->log, BYTES("shop/0/2"), bytes_of(value.data, size));
        assert_int_equal(models_log_read(&rig->log, rig->directory), 1);
        assert_fails(NOT_FOUND, load(rig, &why));
    }
    rig_close(rig);
}

static void chunks_in_another_order_are_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    const struct model_manifest *manifest = model_directory_wanted(rig->directory);
    struct model_assembly *assembly;
    struct complaint why = {""};
    struct bytes payload = {0};
    assert_ok(model_assembly_open(manifest, SIZE_MAX_BYTES, &assembly, &why));
    assert_fails(BAD_INPUT, model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/1")->value, &why));
    assert_ok(model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/0")->value, &why));
    assert_fails(BAD_INPUT, model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/0")->value, &why));
    assert_fails(BAD_INPUT, model_assembly_payload(assembly, &payload, &why));
    assert_ok(model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/1")->value, &why));
    assert_ok(model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/2")->value, &why));
    assert_fails(BAD_INPUT, model_assembly_take(assembly, models_log_find(&rig->log, "shop/0/2")->value, &why));
    assert_ok(model_assembly_payload(assembly, &payload, &why));
    assert_int_equal(payload.size, manifest->size);
    model_assembly_close(assembly);
    assert_fails(LIMIT, model_assembly_open(manifest, (size_t)manifest->size - 1, &assembly, &why));
    rig_close(rig);
}

/* Bytes that have the right hash and are no model. */
static void a_payload_that_is_no_model_is_refused(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct model_manifest manifest = original(rig);
    const struct model_chunk chunk = {BYTES("shop"), BYTES("abc"), 2, 0, 0};
    struct complaint why = {""};
    manifest.version = 2;
    manifest.chunk_count = 1;
    manifest.size = 3;
    manifest.sha256 = BYTES("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    put_chunk(rig, "shop/0/0", &chunk);
    assert_int_equal(announce(rig, &manifest), 0);
    assert_fails(CORRUPT, load(rig, &why));
    rig_close(rig);
}

/* ---- keys */

static void keys_are_read_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {"a/current", "a/pinned", "A.b-c_9/0/manifest", "a/127/65535", "a/0/0"};
    static const char *const bad[] = {"",        "a",         "/current", "a/",      "a/currentx",   "a/current/",
                                      "a/0",     "a/0/",      "a/00/1",   "a/0/01",  "a/-1/0",       "a/0/-1",
                                      "a/128/0", "a/0/65536", "a b/0/0",  "a/0/0/0", "a/x/manifest", "a/0/manifests",
                                      "a/1e1/0", "a/ 1/0",    "a/+1/0"};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct model_key key;
        AUTO(buffer) text = {0};
        assert_true(model_key_parse(bytes_of_text(good[i]), &key));
        model_key_write(&key, &text);
        assert_bytes(buffer_bytes(&text), good[i]);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct model_key key;
        if (model_key_parse(bytes_of_text(bad[i]), &key))
            fail_msg("'%s' is taken for a key", bad[i]);
    }
    assert_false(model_key_parse(bytes_of("a\0/current", 10), &(struct model_key){0}));
}

static void records_of_others_are_passed_over(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    struct model_manifest manifest = original(rig);
    struct complaint why = {""};
    models_log_put(&rig->log, BYTES("another/current"), BYTES("not even a manifest"));
    assert_int_equal(models_log_read(&rig->log, rig->directory), 0);
    models_log_put(&rig->log, BYTES("whatever"), BYTES("x"));
    models_log_put(&rig->log, (struct bytes){0}, BYTES("x"));
    assert_int_equal(models_log_read(&rig->log, rig->directory), 2);
    assert_int_equal(model_directory_current(rig->directory)->version, manifest.version);
    assert_ok(load(rig, &why));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_manifest_with_a_wrong_field_is_refused_when_it_is_loaded),
        cmocka_unit_test(a_manifest_that_cannot_be_is_not_taken),
        cmocka_unit_test(a_truncated_manifest_is_not_taken),
        cmocka_unit_test(pointers_that_differ_from_the_slot_are_refused),
        cmocka_unit_test(a_wrong_chunk_spoils_the_version_and_nothing_else),
        cmocka_unit_test(a_truncated_chunk_is_not_taken),
        cmocka_unit_test(chunks_in_another_order_are_refused),
        cmocka_unit_test(a_payload_that_is_no_model_is_refused),
        cmocka_unit_test(keys_are_read_and_nothing_else),
        cmocka_unit_test(records_of_others_are_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
