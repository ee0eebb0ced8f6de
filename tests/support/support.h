// SPDX-License-Identifier: Apache-2.0
#pragma once
/* support: what tests share. Include it first: it brings in cmocka with what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <eddy/base/bytes.h>
#include <eddy/base/status.h>

/* Fails the test with the status's text unless it is OK. */
#define assert_ok(call)                                                                                                \
    do {                                                                                                               \
        struct status ok_status_ = (call);                                                                             \
        char ok_text_[256];                                                                                            \
        if (failed(ok_status_))                                                                                        \
            fail_msg("%s: %s", #call, status_text(ok_status_, ok_text_, sizeof ok_text_));                             \
    } while (0)

/* Fails the test unless the call failed with that kind (BAD_INPUT, LIMIT, ...). */
#define assert_fails(kind, call)                                                                                       \
    do {                                                                                                               \
        struct status fails_status_ = (call);                                                                          \
        char fails_text_[256];                                                                                         \
        if (!failed_as(fails_status_, FAULT_##kind))                                                                   \
            fail_msg("%s: wanted " #kind ", got %s", #call,                                                            \
                     status_text(fails_status_, fails_text_, sizeof fails_text_));                                     \
    } while (0)

#define assert_bytes(bytes_, text_) assert_bytes_at((bytes_), (text_), __FILE__, __LINE__)
void assert_bytes_at(struct bytes bytes, const char *text, const char *file, int line);

/* A fresh folder under $TMPDIR, removed by temporary_folder_remove(). */
struct temporary_folder {
    char path[256];
};
struct temporary_folder temporary_folder_make(void);
void temporary_folder_remove(struct temporary_folder *folder);

/* The seed of a property test: $EDDY_SEED, or `standard`. Print it when the test fails. */
uint64_t test_seed(uint64_t standard);
