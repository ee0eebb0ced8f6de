// SPDX-License-Identifier: Apache-2.0
/* Versions of models in the ring of slots: what is written, retired, pointed to, and left by compaction. */
#include "support/support.h"

#include "support/models_log.h"

#include "app/models/listing.h"

#include <eddy/base/random.h>

#define SIZE_MAX_BYTES (64u << 20)
#define WIDTH          256

struct rig {
    struct models_log log;
    struct model_directory *directory;
};

static struct rig *rig_open(void)
{
    struct rig *rig = calloc(1, sizeof *rig);
    assert_non_null(rig);
    assert_ok(model_directory_open("shop", &rig->directory));
    return rig;
}

static void rig_close(struct rig *rig)
{
    models_log_release(&rig->log);
    model_directory_close(rig->directory);
    free(rig);
}

static int64_t publish(struct rig *rig, uint32_t items, uint32_t keep)
{
    struct model *model = models_log_model(items, WIDTH, items);
    int64_t version = models_log_publish(&rig->log, rig->directory, model, MODEL_FLOAT32, keep);
    model_close(model);
    return version;
}

static void point(struct rig *rig, enum model_key_kind pointer, int64_t version)
{
    const struct model_manifest *manifest = version ? model_directory_version(rig->directory, version) : NULL;
    assert_true(!version || manifest);
    assert_ok(writing_pointer("shop", pointer, manifest, models_log_taker(&rig->log)));
    models_log_read(&rig->log, rig->directory);
}

static struct status load(const struct rig *rig, const struct model_manifest *manifest)
{
    struct model_file file;
    struct complaint why = {""};
    struct status status = models_log_load(&rig->log, rig->directory, manifest, SIZE_MAX_BYTES, &file, &why);
    if (failed(status)) {
        assert_true(why.text[0]);
        return status;
    }
    assert_int_equal(model_item_count(file.model), manifest->item_count);
    assert_bytes(interner_get(file.item_ids, 7), "i7");
    model_file_release(&file);
    return OK;
}

static void a_version_comes_back_in_every_precision(void **state)
{
    (void)state;
    for (int p = 0; p < MODEL_PRECISION_COUNT; p++) {
        struct rig *rig = rig_open();
        struct model *model = models_log_model(3000, WIDTH, 5);
        struct model_file file;
        struct complaint why = {""};
        AUTO(buffer) wanted = {0};
        AUTO(buffer) is = {0};
        assert_int_equal(models_log_publish(&rig->log, rig->directory, model, (enum model_precision)p, 3), 1);
        const struct model_manifest *manifest = model_directory_wanted(rig->directory);
        assert_int_equal(manifest->chunk_count, (manifest->size + MODEL_CHUNK_SIZE - 1) / MODEL_CHUNK_SIZE);
        assert_int_equal(manifest->session_count, 2);
        assert_int_equal(manifest->sessions[1].offset, 9);
        assert_true(manifest->gate.mrr == 0.25 && manifest->training.loss == 5.5);
        assert_bytes(manifest->note, "a test");
        assert_ok(models_log_load(&rig->log, rig->directory, manifest, SIZE_MAX_BYTES, &file, &why));
        assert_ok(model_encode_as(model, (enum model_precision)p, buffer_sink(&wanted)));
        assert_ok(model_encode_as(file.model, (enum model_precision)p, buffer_sink(&is)));
        assert_int_equal(wanted.size, is.size);
        if (p != MODEL_INT8)
            assert_true(bytes_equal(buffer_bytes(&wanted), buffer_bytes(&is)));
        model_file_release(&file);
        model_close(model);
        rig_close(rig);
    }
}

/* The versions that are there, newest first: "3 2 1". */
static void versions(const struct model_directory *directory, char text[64])
{
    size_t size = 0;
    text[0] = 0;
    for (int64_t version = model_directory_latest(directory); version > 0; version--)
        if (model_directory_version(directory, version))
            size += (size_t)snprintf(text + size, 64 - size, "%s%lld", size ? " " : "", (long long)version);
}

static void assert_versions(const struct rig *rig, const char *wanted)
{
    char is[64];
    versions(rig->directory, is);
    assert_string_equal(is, wanted);
}

static void only_the_newest_are_kept_and_slots_come_round(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    static const char *const wanted[] = {"1", "2 1", "3 2 1", "4 3 2", "5 4 3", "6 5 4", "7 6 5", "8 7 6", "9 8 7"};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        publish(rig, i % 2 ? 1000 : 3000, 3);
        assert_versions(rig, wanted[i]);
        const struct model_manifest *current = model_directory_wanted(rig->directory);
        assert_int_equal(current->version, i + 1);
        assert_true(current->slot <= 3);
        assert_ok(load(rig, current));
    }
    rig_close(rig);
}

static void a_smaller_version_leaves_nothing_of_the_larger_one(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    uint32_t slot, chunks;
    publish(rig, 3000, 2); /* of 4 chunks */
    slot = model_directory_wanted(rig->directory)->slot;
    chunks = model_directory_wanted(rig->directory)->chunk_count;
    assert_int_equal(chunks, 4);
    do
        publish(rig, 1000, 2);
    while (model_directory_wanted(rig->directory)->slot != slot);
    assert_int_equal(model_directory_wanted(rig->directory)->chunk_count, 2);
    for (uint32_t chunk = 2; chunk < chunks; chunk++)
        assert_int_equal(model_directory_place(rig->directory, slot, chunk).offset, -1);
    models_log_compact(&rig->log);
    size_t left = 0;
    for (size_t i = 0; i < rig->log.count; i++)
        left += rig->log.records[i].value.data != NULL;
    assert_int_equal(left, 2 * (2 + 1) + 1); /* two versions, and the pointer */
    rig_close(rig);
}

static void what_is_current_or_pinned_is_never_overwritten(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    for (int i = 0; i < 3; i++)
        publish(rig, 1000, 2);
    assert_versions(rig, "3 2");
    point(rig, MODEL_KEY_PINNED, 2);
    for (int i = 0; i < 5; i++)
        publish(rig, 1000, 2);
    assert_versions(rig, "8 7 2");
    assert_int_equal(model_directory_wanted(rig->directory)->version, 2);
    assert_ok(load(rig, model_directory_wanted(rig->directory)));
    point(rig, MODEL_KEY_CURRENT, 7); /* two of three slots are taken: the third one is used */
    assert_int_equal(publish(rig, 1000, 2), 9);
    assert_versions(rig, "9 7 2");
    point(rig, MODEL_KEY_PINNED, 0);
    assert_int_equal(model_directory_wanted(rig->directory)->version, 9);
    publish(rig, 1000, 2);
    assert_versions(rig, "10 9");
    rig_close(rig);
}

static void fewer_kept_versions_empty_the_slots_beyond(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    for (int i = 0; i < 7; i++)
        publish(rig, 1000, 6);
    assert_versions(rig, "7 6 5 4 3 2");
    publish(rig, 1000, 2);
    assert_versions(rig, "8 7");
    publish(rig, 1000, 2);
    assert_true(model_directory_wanted(rig->directory)->slot <= 2);
    assert_versions(rig, "9 8");
    rig_close(rig);
}

/* What a process finds that begins with the compacted log. */
static void assert_same_after_compaction(struct rig *rig, uint64_t seed)
{
    struct model_directory *fresh;
    AUTO(buffer) before = {0};
    AUTO(buffer) after = {0};
    models_log_compact(&rig->log);
    assert_ok(model_directory_open("shop", &fresh));
    assert_int_equal(models_log_read(&rig->log, fresh), 0);
    model_listing_json(rig->directory, &before);
    model_listing_json(fresh, &after);
    if (!bytes_equal(buffer_bytes(&before), buffer_bytes(&after)))
        fail_msg("seed %llu: %s became %s", (unsigned long long)seed, buffer_text(&before), buffer_text(&after));
    model_directory_close(fresh);
}

/* Whatever is done in whatever order: what is wanted is whole, and what is pointed to is there. */
static void anything_may_be_done_in_any_order(void **state)
{
    (void)state;
    uint64_t seed = test_seed(3);
    struct random random;
    random_seed(&random, seed);
    for (int run = 0; run < 2; run++) {
        struct rig *rig = rig_open();
        publish(rig, 500, 3);
        for (int step = 0; step < 30; step++) {
            int64_t version = 1 + random_below(&random, (uint32_t)model_directory_latest(rig->directory));
            bool there = model_directory_version(rig->directory, version);
            uint32_t what = random_below(&random, 6), keep = 2 + random_below(&random, 4);
            if (what < 3)
                publish(rig, 300 + random_below(&random, 1500), keep);
            else if (what == 3 && there)
                point(rig, MODEL_KEY_CURRENT, version);
            else if (what == 4)
                point(rig, MODEL_KEY_PINNED, there ? version : 0);
            else
                assert_same_after_compaction(rig, seed);
            if (failed(load(rig, model_directory_wanted(rig->directory))) ||
                failed(load(rig, model_directory_current(rig->directory))))
                fail_msg("seed %llu, step %d: what is in use is not whole", (unsigned long long)seed, step);
        }
        rig_close(rig);
    }
}

/* The checker of the test above must be able to fail. */
static void an_overwritten_version_is_noticed(void **state)
{
    (void)state;
    struct rig *rig = rig_open();
    publish(rig, 1000, 2);
    struct message *chunk = models_log_find(&rig->log, "shop/0/1");
    assert_non_null(chunk);
    models_log_put(&rig->log, BYTES("shop/0/1"), (struct bytes){0});
    models_log_read(&rig->log, rig->directory);
    assert_fails(NOT_FOUND, load(rig, model_directory_wanted(rig->directory)));
    rig_close(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_version_comes_back_in_every_precision),
        cmocka_unit_test(only_the_newest_are_kept_and_slots_come_round),
        cmocka_unit_test(a_smaller_version_leaves_nothing_of_the_larger_one),
        cmocka_unit_test(what_is_current_or_pinned_is_never_overwritten),
        cmocka_unit_test(fewer_kept_versions_empty_the_slots_beyond),
        cmocka_unit_test(anything_may_be_done_in_any_order),
        cmocka_unit_test(an_overwritten_version_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
