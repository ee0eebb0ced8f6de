// SPDX-License-Identifier: Apache-2.0
#include <eddy/core/frame.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "snapshots are little-endian");

size_t frame_begin(struct buffer *out, const char magic[FRAME_MAGIC_SIZE], uint32_t version)
{
    const uint32_t words[2] = {version, 0};
    size_t start = out->size;
    buffer_append(out, magic, FRAME_MAGIC_SIZE);
    buffer_append(out, words, sizeof words);
    return start;
}

void frame_end(struct buffer *out, size_t start)
{
    if (out->overflow)
        return;
    uint64_t checksum = bytes_hash(bytes_of(out->data + start, out->size - start));
    buffer_append(out, &checksum, sizeof checksum);
}

struct status frame_open(struct bytes *frame, const char magic[FRAME_MAGIC_SIZE], uint32_t version)
{
    struct bytes whole = *frame;
    char found[FRAME_MAGIC_SIZE];
    uint32_t words[2];
    uint64_t checksum;
    TRY(frame_take(frame, found, sizeof found));
    TRY(frame_take(frame, words, sizeof words));
    if (memcmp(found, magic, sizeof found) != 0)
        return FAIL(CORRUPT, 0, "this is no snapshot of that kind");
    if (words[0] > version)
        return FAIL(NEWER, words[0], "the snapshot is of a later version");
    if (words[0] != version || words[1] || frame->size < sizeof checksum)
        return FAIL(CORRUPT, words[0], "the snapshot is truncated");
    frame->size -= sizeof checksum;
    memcpy(&checksum, frame->data + frame->size, sizeof checksum);
    if (checksum != bytes_hash(bytes_of(whole.data, whole.size - sizeof checksum)))
        return FAIL(CORRUPT, 0, "the snapshot is damaged");
    return OK;
}

struct status frame_take(struct bytes *rest, void *to, size_t size)
{
    struct bytes taken;
    TRY(frame_take_bytes(rest, size, &taken));
    if (size)
        memcpy(to, taken.data, size);
    return OK;
}

struct status frame_take_bytes(struct bytes *rest, size_t size, struct bytes *ret_bytes)
{
    if (rest->size < size)
        return FAIL(CORRUPT, size, "the snapshot is truncated");
    *ret_bytes = bytes_of(rest->data, size);
    *rest = bytes_of(size ? rest->data + size : rest->data, rest->size - size);
    return OK;
}
