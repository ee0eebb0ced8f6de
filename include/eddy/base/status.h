// SPDX-License-Identifier: Apache-2.0
#pragma once
/* status: how every fallible function of eddy reports its outcome.
 *
 * A status is 16 bytes and travels in two registers: a pointer to a static fault (kind, file, line, what)
 * made where the failure was seen, and a detail (an errno, an offset, a count; 0 when there is none).
 * Nothing is allocated and the origin survives the whole stack. OK has no fault.
 *
 * Rules: fallible functions are MUST_CHECK; TRY(call) passes a failure on; outputs are named ret_ and are
 * untouched on failure. A bug (broken contract) is an assert, never a status. Text for people, with names
 * of files and fields in it, goes into a struct complaint beside the status. base, core and io never log. */
#include <assert.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#define FAULT_KINDS(X)                                                                                                 \
    X(BAD_INPUT, "bad input")                                                                                          \
    X(NOT_FOUND, "not found")                                                                                          \
    X(LIMIT, "limit reached")                                                                                          \
    X(MEMORY, "out of memory")                                                                                         \
    X(IO, "input/output error")                                                                                        \
    X(DISK_FULL, "disk full")                                                                                          \
    X(UNAVAILABLE, "unavailable")                                                                                      \
    X(CORRUPT, "corrupt")                                                                                              \
    X(NEWER, "written by a newer version")                                                                             \
    X(LOCKED, "owned by another process")                                                                              \
    X(FENCED, "fenced by another owner")                                                                               \
    X(CONFIG, "bad configuration")                                                                                     \
    X(USAGE, "wrong usage")                                                                                            \
    X(INTERRUPTED, "interrupted")

enum fault_kind {
#define X(name, text) FAULT_##name,
    FAULT_KINDS(X)
#undef X
};

struct fault {
    enum fault_kind kind;
    int line;
    const char *file;
    const char *what; /* a static sentence fragment: "session record is truncated" */
};

struct status {
    const struct fault *fault; /* NULL: success */
    int64_t detail;
};

#define MUST_CHECK __attribute__((warn_unused_result))
#define OK         ((struct status){0})

/* FAIL(LIMIT, count, "too many items"): a failed status. `what` must be a string literal. */
#define FAIL(kind_, detail_, what_)                                                                                    \
    __extension__({                                                                                                    \
        static const struct fault fault_here_ = {FAULT_##kind_, __LINE__, __FILE__, "" what_};                         \
        (struct status){&fault_here_, (int64_t)(detail_)};                                                             \
    })

/* TRY(call): returns the call's failure from the calling function, goes on otherwise. */
#define TRY(call)                                                                                                      \
    do {                                                                                                               \
        struct status try_status_ = (call);                                                                            \
        if (__builtin_expect(try_status_.fault != NULL, 0))                                                            \
            return try_status_;                                                                                        \
    } while (0)

static inline bool failed(struct status status)
{
    return status.fault != 0;
}

static inline bool failed_as(struct status status, enum fault_kind kind)
{
    return status.fault && status.fault->kind == kind;
}

/* AUTO(buffer) b = {0}: calls buffer_release(&b) when b leaves its scope. */
#define AUTO(type) __attribute__((cleanup(type##_release))) struct type

const char *fault_kind_text(enum fault_kind kind);

/* A sentence for the user about what went wrong, with names, lines and what to do in it; "" = none. */
struct complaint {
    char text[1024];
};

/* Sets the text (cut at its size, and with ? for control characters, which could speak to a terminal, and for what is
 * not UTF-8: names and values in it come from files and topics) and returns `status`, so that one line reports and
 * fails: return complain(complaint, FAIL(CONFIG, line, "unknown key"), "%s:%d: unknown key ...", ...); `complaint` may
 * be NULL. */
struct status complain(struct complaint *complaint, struct status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "what (kind), detail N, at file:line" for logs and for errors nobody gave a better sentence to.
 * Writes at most `size` bytes with the NUL and returns `text`. */
const char *status_text(struct status status, char *text, int size);
