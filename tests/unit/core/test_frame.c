// SPDX-License-Identifier: Apache-2.0
#include "support/support.h"

#include <eddy/base/random.h>
#include <eddy/core/frame.h>

#define SIZE 300000

static const char magic[FRAME_MAGIC_SIZE] = "eddytst";

static uint8_t *content_make(void)
{
    struct random random;
    uint8_t *content = malloc(SIZE);
    assert_non_null(content);
    random_seed(&random, test_seed(1));
    for (size_t i = 0; i < SIZE; i++)
        content[i] = (uint8_t)random_u64(&random);
    return content;
}

static void pieces_make_the_same_frame_as_the_whole(void **state)
{
    (void)state;
    uint8_t *content = content_make();
    AUTO(buffer) whole = {0};
    size_t start = frame_begin(&whole, magic, 3);
    buffer_append(&whole, content, SIZE);
    frame_end(&whole, start);
    static const size_t steps[] = {SIZE, 1000, 65536, 65537, 131072, 1};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        AUTO(buffer) pieces = {0};
        struct frame_writer *writer;
        uint64_t count = 0;
        assert_ok(frame_writer_open(buffer_sink(&pieces), magic, 3, &writer));
        for (size_t at = 0; at < SIZE; at += steps[i])
            frame_writer_put(writer, content + at, SIZE - at < steps[i] ? SIZE - at : steps[i]);
        assert_ok(frame_writer_close(writer));
        assert_true(bytes_equal(buffer_bytes(&whole), buffer_bytes(&pieces)));
        struct byte_sink counting = counting_sink(&count);
        assert_ok(counting.write(counting.self, buffer_bytes(&pieces)));
        assert_int_equal(count, whole.size);
    }
    free(content);
}

static void a_frame_stands_within_a_frame(void **state)
{
    (void)state;
    AUTO(buffer) out = {0};
    struct frame_writer *outer, *inner;
    assert_ok(frame_writer_open(buffer_sink(&out), magic, 1, &outer));
    assert_ok(frame_writer_open(frame_sink(outer), magic, 2, &inner));
    frame_writer_put(inner, "within", 6);
    assert_ok(frame_writer_close(inner));
    assert_ok(frame_writer_close(outer));
    struct bytes frame = buffer_bytes(&out);
    assert_ok(frame_open(&frame, magic, 1));
    assert_ok(frame_open(&frame, magic, 2));
    assert_bytes(frame, "within");
    frame = buffer_bytes(&out);
    assert_fails(CORRUPT, frame_open(&frame, magic, 2)); /* of a version before */
    frame = buffer_bytes(&out);
    out.data[30] ^= 1;
    assert_fails(CORRUPT, frame_open(&frame, magic, 1));
}

/* Takes so many bytes. */
struct small_sink {
    size_t room, calls;
};

static struct status write_small(void *self, struct bytes piece)
{
    struct small_sink *sink = self;
    sink->calls++;
    if (piece.size > sink->room)
        return FAIL(DISK_FULL, piece.size, "the sink is full");
    sink->room -= piece.size;
    return OK;
}

static void the_first_failure_of_a_sink_is_said_at_the_end(void **state)
{
    (void)state;
    uint8_t *content = content_make();
    for (size_t room = 0; room < SIZE; room += 50000) {
        struct small_sink sink = {.room = room};
        struct frame_writer *writer;
        assert_ok(frame_writer_open((struct byte_sink){write_small, &sink}, magic, 1, &writer));
        frame_writer_put(writer, content, SIZE);
        size_t calls = sink.calls;
        frame_writer_put(writer, content, SIZE);
        assert_int_equal(sink.calls, calls); /* it is not asked again */
        assert_fails(DISK_FULL, frame_writer_close(writer));
    }
    AUTO(buffer) small = {.limit = 1000};
    struct frame_writer *writer;
    assert_ok(frame_writer_open(buffer_sink(&small), magic, 1, &writer));
    frame_writer_put(writer, content, SIZE);
    assert_fails(LIMIT, frame_writer_close(writer));
    free(content);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_make_the_same_frame_as_the_whole),
        cmocka_unit_test(a_frame_stands_within_a_frame),
        cmocka_unit_test(the_first_failure_of_a_sink_is_said_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
