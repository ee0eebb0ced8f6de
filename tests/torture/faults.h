// SPDX-License-Identifier: Apache-2.0
#pragma once
/* faults: one call of the outside world fails, and the others do not. The linker turns the calls of src/ to what is
 * wrapped in faults_*.c (--wrap, tests/CMakeLists.txt) to these; libraries keep their own. Only the calls of the thread
 * that armed are counted, so librdkafka's threads go on undisturbed. */
#include <stdbool.h>
#include <stddef.h>

enum fault_class {
    FAULTS_MEMORY,     /* malloc and its kind return NULL */
    FAULTS_STORE_IO,   /* a call of LMDB returns EIO ... */
    FAULTS_STORE_MAP,  /* ... MDB_MAP_FULL ... */
    FAULTS_STORE_DISK, /* ... ENOSPC */
    FAULTS_FILE,       /* a system call on a file fails, with what is usual for it */
    FAULTS_KAFKA,      /* a call of librdkafka returns an error */
    FAULT_CLASSES
};

/* From here on calls of that class are counted, and the nth (from 1; 0: none) fails. */
void faults_arm(enum fault_class class, size_t nth);
/* Returns how many calls there were. */
size_t faults_disarm(void);
/* The function whose call failed; NULL when none did. */
const char *faults_struck(void);

/* For what a test does itself in between. May be nested. */
void faults_pause(void);
void faults_resume(void);

/* For the wrappers: counts a call, and says whether it is to fail. */
bool faults_strike(enum fault_class class, const char *function);
/* The error that a call of LMDB is to return; 0: none. */
int faults_strike_store(const char *function);
