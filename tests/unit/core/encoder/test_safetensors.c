// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include "core/encoder/safetensors.h"

/* A file of that header and of `data_size` bytes 0, 1, 2, ... */
static struct bytes make(uint8_t *file, const char *header, size_t data_size)
{
    size_t size = strlen(header);
    for (size_t i = 0; i < 8; i++)
        file[i] = (uint8_t)(size >> 8 * i);
    memcpy(file + 8, header, size);
    for (size_t i = 0; i < data_size; i++)
        file[8 + size + i] = (uint8_t)i;
    return bytes_of(file, 8 + size + data_size);
}

static void refuse(struct bytes file, const char *why)
{
    struct safetensors *tensors;
    struct complaint complaint = {{0}};
    uint8_t *copy = malloc(file.size + 1); /* so that a byte read too many is seen */
    uint8_t *exact = realloc(copy, file.size ? file.size : 1);
    memcpy(exact, file.data, file.size);
    assert_fails(BAD_INPUT, safetensors_open(bytes_of(exact, file.size), "file", &tensors, &complaint));
    if (!strstr(complaint.text, why))
        fail_msg("does not say '%s' but: %s", why, complaint.text);
    free(exact);
}

static void hostile_files_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        size_t data_size;
        const char *why;
    } cases[] = {
        {"{", 0, "no JSON object"},
        {"[]", 0, "no JSON object"},
        {"{\"a\":1}", 0, "tensor 'a' has no dtype"},
        {"{\"a\":{\"dtype\":\"F33\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "no dtype that is known"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "the shape is not a list"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}", 4, "the shape is not a list"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}}", 4, "shape is not a list"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,0]}}", 0, "shape is not"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}", 4, "hold 4 bytes, shape and dtype make 8"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[4,0]}}", 4, "no two places within"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}", 4, "no two places within"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0]}}", 4, "no two places within"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 8, "overlap or leave a gap"},
        {"{\"a\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[0,3]},"
         "\"b\":{\"dtype\":\"U8\",\"shape\":[2],\"data_offsets\":[2,4]}}",
         4, "at byte 3 of the data tensors overlap"},
        {"{\"a\":{},\"a\":{}}", 0, "duplicate"},
    };
    uint8_t file[512];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        refuse(make(file, cases[i].header, cases[i].data_size), cases[i].why);
    refuse(BYTES(""), "0 bytes are no safetensors");
    refuse(BYTES("\xff\0\0\0\0\0\0\0{}"), "a header of 255 bytes does not fit");
    refuse(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff{}"), "does not fit");
}

static const char kinds[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                            "\"f32\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
                            "\"f16\":{\"dtype\":\"F16\",\"shape\":[2],\"data_offsets\":[8,12]},"
                            "\"bf16\":{\"dtype\":\"BF16\",\"shape\":[2,1],\"data_offsets\":[12,16]},"
                            "\"i64\":{\"dtype\":\"I64\",\"shape\":[],\"data_offsets\":[16,24]}}";

static void numbers_of_three_types_are_read(void **state)
{
    (void)state;
    uint8_t file[512];
    struct bytes bytes = make(file, kinds, 24);
    struct safetensors *tensors;
    float numbers[2];
    static const float f32[] = {1.5f, -2};
    static const uint16_t f16[] = {0x3e00, 0xc000}, bf16[] = {0x3fc0, 0xc000};
    memcpy(file + bytes.size - 24, f32, 8);
    memcpy(file + bytes.size - 16, f16, 4);
    memcpy(file + bytes.size - 12, bf16, 4);
    assert_ok(safetensors_open(bytes, "file", &tensors, NULL));
    static const char *const names[] = {"f32", "f16", "bf16"};
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t rows = i == 2 ? 2 : 1;
        memset(numbers, 0, sizeof numbers);
        assert_true(safetensors_have(tensors, names[i]));
        assert_ok(safetensors_read(tensors, names[i], rows, 2 / rows, numbers, NULL));
        assert_memory_equal(numbers, f32, sizeof f32);
    }
    safetensors_close(tensors);
}

static void what_is_not_the_tensor_that_was_asked_for_is_refused(void **state)
{
    (void)state;
    uint8_t file[512];
    struct bytes bytes = make(file, kinds, 24);
    struct safetensors *tensors;
    float numbers[2];
    assert_ok(safetensors_open(bytes, "file", &tensors, NULL));
    assert_false(safetensors_have(tensors, "x"));
    assert_fails(BAD_INPUT, safetensors_read(tensors, "x", 1, 2, numbers, NULL));
    assert_fails(BAD_INPUT, safetensors_read(tensors, "f32", 2, 1, numbers, NULL));
    assert_fails(BAD_INPUT, safetensors_read(tensors, "bf16", 1, 2, numbers, NULL));
    assert_fails(BAD_INPUT, safetensors_read(tensors, "i64", 1, 1, numbers, NULL));
    static const uint32_t infinite = 0x7f800000;
    memcpy(file + bytes.size - 24, &infinite, 4);
    assert_fails(BAD_INPUT, safetensors_read(tensors, "f32", 1, 2, numbers, NULL));
    safetensors_close(tensors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hostile_files_are_refused),
        cmocka_unit_test(numbers_of_three_types_are_read),
        cmocka_unit_test(what_is_not_the_tensor_that_was_asked_for_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
