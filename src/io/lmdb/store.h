// SPDX-License-Identifier: Apache-2.0
#pragma once
/* store: one environment, opened by environment.c and used by store.c. */
#include "io/lmdb/environment.h"

#include <lmdb.h>
#include <stdatomic.h>

#define IDENTITY_MAX 255
#define KEY_POSITION "position"

struct store {
    char path[PATH_MAX];
    int folder; /* locked, so that no environment is opened twice */
    struct mark mark;
    struct store_options options;
    char identity[IDENTITY_MAX + 1];
    MDB_env *env;
    MDB_dbi sessions, meta;
    struct buffer pending; /* of the transaction: number 8, size 4, record */
    bool began;
    const char *discarded;
    atomic_int used_percent;
};

/* What an LMDB result means. */
MUST_CHECK struct status status_of(int result);
/* A value of the meta database, empty when it is not there; lives as long as the transaction. */
MUST_CHECK struct status meta_get(const struct store *store, MDB_txn *transaction, const char *name,
                                  struct bytes *ret_value);
/* An LMDB result. */
int meta_put(const struct store *store, MDB_txn *transaction, const char *name, void *data, size_t size);

static inline uint64_t fixed_number(const uint8_t *data, unsigned size)
{
    uint64_t number = 0;
    for (unsigned i = 0; i < size; i++)
        number |= (uint64_t)data[i] << 8 * i;
    return number;
}

static inline void fixed_put(uint8_t *data, uint64_t number, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        data[i] = (uint8_t)(number >> 8 * i);
}
