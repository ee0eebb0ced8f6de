// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "app/session_model.h"

#include <eddy/io/file.h>

#define ITEMS 20

struct rig {
    struct temporary_folder folder;
    char path[320];
    struct catalogue *catalogue;
    struct model *model;
};

static void rig_open(struct rig *rig)
{
    const struct catalogue_options catalogue_options = {1000, 1 << 20, 10};
    const struct model_options options = {
        .backbone = backbone_named("sr_gnn"), .width = 5, .length_max = 4, .temperature = 1};
    rig->folder = temporary_folder_make();
    snprintf(rig->path, sizeof rig->path, "%s/shop.model", rig->folder.path);
    assert_ok(catalogue_open(&catalogue_options, &rig->catalogue));
    for (uint32_t i = 0; i < ITEMS; i++) {
        char id[16];
        uint32_t number;
        snprintf(id, sizeof id, "item-%u", i * i);
        assert_ok(catalogue_intern(rig->catalogue, bytes_of_text(id), &number));
        assert_int_equal(number, i);
    }
    assert_ok(model_open(&options, ITEMS, 3, &rig->model));
}

static void rig_close(struct rig *rig)
{
    model_close(rig->model);
    catalogue_close(rig->catalogue);
    temporary_folder_remove(&rig->folder);
}

static void a_model_comes_back_with_its_ids(void **state)
{
    (void)state;
    struct rig rig;
    struct model_file file;
    struct complaint complaint = {{0}};
    uint64_t is, wanted;
    AUTO(buffer) written = {0};
    AUTO(buffer) read = {0};
    rig_open(&rig);
    assert_ok(model_file_write(rig.path, rig.model, rig.catalogue, &complaint));
    assert_ok(model_file_read(rig.path, &file, &complaint));
    assert_ok(model_file_hash(rig.model, rig.catalogue, &wanted));
    assert_ok(model_file_hash_of(rig.path, &is, &complaint));
    assert_true(is == wanted);
    assert_int_equal(interner_count(file.item_ids), ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_true(bytes_equal(interner_get(file.item_ids, i), catalogue_id(rig.catalogue, i)));
    assert_ok(model_encode(rig.model, buffer_sink(&written)));
    assert_ok(model_encode(file.model, buffer_sink(&read)));
    assert_true(bytes_equal(buffer_bytes(&written), buffer_bytes(&read)));
    model_file_release(&file);
    rig_close(&rig);
}

static void a_damaged_file_is_named(void **state)
{
    (void)state;
    struct rig rig;
    struct model_file file;
    struct complaint complaint = {{0}};
    AUTO(buffer) content = {0};
    rig_open(&rig);
    assert_fails(NOT_FOUND, model_file_read(rig.path, &file, &complaint));
    assert_ok(model_file_write(rig.path, rig.model, rig.catalogue, &complaint));
    assert_ok(file_read(rig.path, &content, &complaint));
    for (size_t size = 0; size < content.size; size += 7)
        assert_fails(CORRUPT, model_file_decode(bytes_of(content.data, size), &file));
    for (size_t at = 0; at < content.size; at += 11) {
        content.data[at] ^= 4;
        struct status status = model_file_decode(buffer_bytes(&content), &file);
        assert_true(failed_as(status, FAULT_CORRUPT) || failed_as(status, FAULT_NEWER));
        content.data[at] ^= 4;
    }
    content.data[content.size / 2] ^= 1;
    assert_ok(file_write(rig.path, &content, &complaint));
    assert_fails(CORRUPT, model_file_read(rig.path, &file, &complaint));
    assert_non_null(strstr(complaint.text, rig.path));
    rig_close(&rig);
}

static void its_version_is_the_beginning_of_its_hash(void **state)
{
    (void)state;
    struct rig rig;
    struct session_model model;
    struct complaint complaint = {{0}};
    struct sha256 *hash;
    char digits[SHA256_TEXT_SIZE], wanted[MODEL_VERSION_SIZE];
    AUTO(buffer) content = {0};
    rig_open(&rig);
    snprintf(rig.path, sizeof rig.path, "%s/shop.model.zst", rig.folder.path); /* the hash is of what is in it */
    assert_ok(model_file_write(rig.path, rig.model, rig.catalogue, &complaint));
    assert_ok(file_read(rig.path, &content, &complaint));
    assert_ok(sha256_open(&hash));
    sha256_add(hash, buffer_bytes(&content));
    sha256_text(hash, digits);
    sha256_close(hash);
    assert_ok(session_model_open(rig.path, rig.catalogue, &model, &complaint));
    snprintf(wanted, sizeof wanted, "0-%.16s", digits);
    assert_string_equal(model.version, wanted);
    session_model_release(&model);
    model_version_write(INT64_MAX, bytes_of_text(digits), wanted); /* the longest one has room */
    assert_int_equal(strlen(wanted), 19 + 1 + MODEL_VERSION_DIGITS);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_comes_back_with_its_ids),
        cmocka_unit_test(a_damaged_file_is_named),
        cmocka_unit_test(its_version_is_the_beginning_of_its_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
