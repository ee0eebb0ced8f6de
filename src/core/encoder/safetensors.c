// SPDX-License-Identifier: Apache-2.0
#include "core/encoder/safetensors.h"

#include "core/model/precision.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>

struct safetensors {
    const char *name;
    struct bytes data;
    json_t *header;
};

struct extent {
    uint64_t begin, end;
};

static const struct type {
    const char *name;
    uint32_t size;
} types[] = {{"F32", 4}, {"F16", 2}, {"BF16", 2}, {"F64", 8}, {"I64", 8},  {"I32", 4},     {"I16", 2},    {"I8", 1},
             {"U64", 8}, {"U32", 4}, {"U16", 2},  {"U8", 1},  {"BOOL", 1}, {"F8_E4M3", 1}, {"F8_E5M2", 1}};

static const struct type *type_of(const json_t *entry)
{
    const char *name = json_string_value(json_object_get(entry, "dtype"));
    for (size_t i = 0; name && i < sizeof types / sizeof *types; i++)
        if (!strcmp(types[i].name, name))
            return &types[i];
    return NULL;
}

/* A whole number that is not negative. */
static bool read_size(const json_t *value, uint64_t *ret_size)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *ret_size = (uint64_t)json_integer_value(value);
    return true;
}

static bool read_extent(const json_t *entry, struct extent *ret_extent)
{
    const json_t *offsets = json_object_get(entry, "data_offsets");
    return json_array_size(offsets) == 2 && read_size(json_array_get(offsets, 0), &ret_extent->begin) &&
           read_size(json_array_get(offsets, 1), &ret_extent->end);
}

/* Bytes of a tensor by its shape and type. */
static bool read_volume(const json_t *entry, uint32_t type_size, uint64_t *ret_size)
{
    const json_t *shape = json_object_get(entry, "shape");
    uint64_t size = type_size, side;
    if (!json_is_array(shape) || json_array_size(shape) > SAFETENSORS_RANK_MAX)
        return false;
    for (size_t i = 0; i < json_array_size(shape); i++)
        if (!read_size(json_array_get(shape, i), &side) || __builtin_mul_overflow(size, side, &size))
            return false;
    *ret_size = size;
    return true;
}

static struct status check_tensor(const struct safetensors *tensors, const char *name, const json_t *entry,
                                  struct extent *ret_extent, struct complaint *complaint)
{
    struct extent extent = {0};
    uint64_t size;
    const struct type *type = type_of(entry);
    if (!type)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor's type is unknown"),
                        "%s: tensor '%s' has no dtype that is known (F32, F16, BF16, ...)", tensors->name, name);
    if (!read_volume(entry, type->size, &size))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor's shape is none"),
                        "%s: tensor '%s': the shape is not a list of at most %d sizes", tensors->name, name,
                        SAFETENSORS_RANK_MAX);
    if (!read_extent(entry, &extent) || extent.begin > extent.end || extent.end > tensors->data.size)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor lies outside of its file"),
                        "%s: tensor '%s': data_offsets are no two places within the data of %zu bytes; is the file "
                        "complete?",
                        tensors->name, name, tensors->data.size);
    if (extent.end - extent.begin != size)
        return complain(complaint, FAIL(BAD_INPUT, (int64_t)size, "a tensor's size is not that of its shape"),
                        "%s: tensor '%s': data_offsets hold %llu bytes, shape and dtype make %llu", tensors->name, name,
                        (unsigned long long)(extent.end - extent.begin), (unsigned long long)size);
    *ret_extent = extent;
    return OK;
}

static int compare_extents(const void *left, const void *right)
{
    const struct extent *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return (a->end > b->end) - (a->end < b->end);
}

static struct status check_cover(const struct safetensors *tensors, struct extent *extents, size_t count,
                                 struct complaint *complaint)
{
    uint64_t at = 0;
    qsort(extents, count, sizeof *extents, compare_extents);
    for (size_t i = 0; i < count && extents[i].begin == at; i++)
        at = extents[i].end;
    if (at == tensors->data.size)
        return OK;
    return complain(complaint, FAIL(BAD_INPUT, (int64_t)at, "tensors do not lie one behind the other"),
                    "%s: at byte %llu of the data tensors overlap or leave a gap; is the file complete?", tensors->name,
                    (unsigned long long)at);
}

static struct status check_tensors(const struct safetensors *tensors, struct complaint *complaint)
{
    size_t count = 0;
    const char *name;
    json_t *entry;
    struct extent *extents = malloc((json_object_size(tensors->header) + 1) * sizeof *extents);
    struct status status = extents ? OK : FAIL(MEMORY, 0, "no memory for a table of tensors");
    json_object_foreach(tensors->header, name, entry)
    {
        if (failed(status))
            break;
        if (strcmp(name, "__metadata__") != 0)
            status = check_tensor(tensors, name, entry, &extents[count++], complaint);
    }
    if (!failed(status))
        status = check_cover(tensors, extents, count, complaint);
    free(extents);
    return status;
}

static struct status parse(struct safetensors *tensors, struct bytes file, struct complaint *complaint)
{
    uint64_t size = 0;
    json_error_t error;
    if (file.size < sizeof size)
        return complain(complaint, FAIL(BAD_INPUT, (int64_t)file.size, "a file is too short for safetensors"),
                        "%s: %zu bytes are no safetensors file", tensors->name, file.size);
    for (size_t i = 0; i < sizeof size; i++)
        size |= (uint64_t)file.data[i] << 8 * i;
    if (size > file.size - sizeof size || size > SAFETENSORS_HEADER_MAX)
        return complain(complaint, FAIL(BAD_INPUT, (int64_t)size, "a header is longer than its file"),
                        "%s: a header of %llu bytes does not fit into the file of %zu (or is over %llu MiB); is it a "
                        "safetensors file, and complete?",
                        tensors->name, (unsigned long long)size, file.size,
                        (unsigned long long)(SAFETENSORS_HEADER_MAX >> 20));
    tensors->data = bytes_of(file.data + sizeof size + size, file.size - sizeof size - (size_t)size);
    tensors->header = json_loadb((const char *)file.data + sizeof size, (size_t)size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(tensors->header))
        return complain(complaint, FAIL(BAD_INPUT, error.position, "a header is no JSON object"),
                        "%s: the header is no JSON object: %s", tensors->name, tensors->header ? "a list" : error.text);
    return check_tensors(tensors, complaint);
}

struct status safetensors_open(struct bytes file, const char *name, struct safetensors **ret_tensors,
                               struct complaint *complaint)
{
    struct safetensors *tensors = calloc(1, sizeof *tensors);
    if (!tensors)
        return FAIL(MEMORY, sizeof *tensors, "no memory for a table of tensors");
    tensors->name = name;
    struct status status = parse(tensors, file, complaint);
    if (failed(status)) {
        safetensors_close(tensors);
        return status;
    }
    *ret_tensors = tensors;
    return OK;
}

void safetensors_close(struct safetensors *tensors)
{
    if (!tensors)
        return;
    json_decref(tensors->header);
    free(tensors);
}

bool safetensors_have(const struct safetensors *tensors, const char *tensor)
{
    return json_object_get(tensors->header, tensor) != NULL;
}

/* BF16 is the upper half of a float. */
static struct status read_brain_floats(const uint8_t *data, size_t count, float *numbers)
{
    bool finite = true;
    for (size_t i = 0; i < count; i++) {
        uint32_t bits = (uint32_t)data[2 * i] << 16 | (uint32_t)data[2 * i + 1] << 24;
        memcpy(&numbers[i], &bits, sizeof bits);
        finite &= isfinite(numbers[i]) != 0;
    }
    return finite ? OK : FAIL(CORRUPT, 0, "a number is not finite");
}

static bool has_shape(const json_t *entry, uint32_t rows, uint32_t columns)
{
    const json_t *shape = json_object_get(entry, "shape");
    size_t rank = json_array_size(shape);
    if (rank == 1)
        return rows == 1 && json_integer_value(json_array_get(shape, 0)) == columns;
    return rank == 2 && json_integer_value(json_array_get(shape, 0)) == rows &&
           json_integer_value(json_array_get(shape, 1)) == columns;
}

static struct status convert(const struct type *type, const uint8_t *data, uint32_t rows, uint32_t columns,
                             float *numbers)
{
    for (uint32_t row = 0; row < rows; row++, data += (size_t)columns * type->size, numbers += columns)
        if (!strcmp(type->name, "BF16"))
            TRY(read_brain_floats(data, columns, numbers));
        else
            TRY(precision_unpack(!strcmp(type->name, "F16") ? MODEL_FLOAT16 : MODEL_FLOAT32, data, columns, numbers));
    return OK;
}

struct status safetensors_read(const struct safetensors *tensors, const char *tensor, uint32_t rows, uint32_t columns,
                               float *numbers, struct complaint *complaint)
{
    struct extent extent;
    const json_t *entry = json_object_get(tensors->header, tensor);
    const struct type *type = type_of(entry);
    if (!entry)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor is missing"),
                        "%s: there is no tensor '%s'; is it the model that config.json describes?", tensors->name,
                        tensor);
    if (!has_shape(entry, rows, columns))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor has another shape"),
                        "%s: tensor '%s' is not of the shape [%u, %u] that config.json makes it", tensors->name, tensor,
                        rows, columns);
    if (strcmp(type->name, "F32") != 0 && strcmp(type->name, "F16") != 0 && strcmp(type->name, "BF16") != 0)
        return complain(complaint, FAIL(BAD_INPUT, 0, "a tensor's type cannot be read"),
                        "%s: tensor '%s' is of type %s; only F32, F16 and BF16 can be computed with", tensors->name,
                        tensor, type->name);
    bool whole = read_extent(entry, &extent);
    assert(whole);
    if (failed(convert(type, tensors->data.data + extent.begin, rows, columns, numbers)))
        return complain(complaint, FAIL(BAD_INPUT, 0, "a weight is not finite"),
                        "%s: a number of tensor '%s' is not finite; the file is damaged", tensors->name, tensor);
    return OK;
}
