// SPDX-License-Identifier: Apache-2.0
#pragma once
/* session_store: open sessions and the position they stand for, kept in LMDB, one environment per partition.
 *
 *   <directory>/pid                       locked by the process that owns the directory; holds its number
 *   <directory>/instance                  a random name that stays the owner's across restarts
 *   <directory>/<topic>-<partition>/mark  which boot of the machine wrote last, and whether it was closed
 *                                   data.mdb, lock.mdb
 *   databases: `sessions` (number -> record), `meta` (format, topic identity, position)
 *
 * Without `sync` nothing is forced to the disk before the store is closed: a crash of the process loses nothing, and
 * after an unclean stop of the machine (another boot, no mark of a close) the environment is thrown away and begun
 * empty (store_discarded says so): sessions that were open begin anew. The marks lie beside the environment because
 * after such a stop nothing in it can be relied on. With `sync` every commit is forced out and nothing is ever thrown
 * away for that.
 *
 * Before LMDB sees a file its pages are all checked (LMDB follows bad page numbers into SIGBUS or abort); a file that
 * is damaged while it is open is beyond that. The map is address space, not memory or disk; it doubles when it is full.
 *
 * A directory belongs to one process, an environment to one store at a time: all else is LOCKED. Directories on network
 * file systems are refused (CONFIG). Stores of one directory may be opened, used and closed in different threads; one
 * store in one thread at a time. Not across fork(). */
#include <eddy/port.h>

struct state_directory;

/* Makes the folder when it is missing (not its parents), and locks it. LOCKED, CONFIG, DISK_FULL, IO, MEMORY. */
MUST_CHECK struct status state_directory_open(const char *path, struct state_directory **ret_directory,
                                              struct complaint *complaint);
/* After all stores in it have been closed. */
void state_directory_close(struct state_directory *directory);

/* Names this directory's user to the brokers: at most one process at a time bears it. */
const char *state_directory_instance(const struct state_directory *directory);

#define INSTANCE_NAME_MAX 32
/* A random name, for who has no directory. */
MUST_CHECK struct status instance_name_make(char name[INSTANCE_NAME_MAX + 1]);

struct store_options {
    const char *topic; /* of the clicks */
    int32_t partition;
    const char
        *identity; /* whose offsets these are, e.g. of which group; another's state is thrown away; "": anyone's */
    size_t map_size_bytes; /* at least 1 MiB */
    bool sync;
};

struct store;

/* LOCKED: open already. CORRUPT, NEWER: the complaint says what to do. CONFIG, DISK_FULL, IO, MEMORY. */
MUST_CHECK struct status store_open(const struct state_directory *directory, const struct store_options *options,
                                    struct store **ret_store, struct complaint *complaint);
/* Forces everything to the disk and marks the environment as closed. */
void store_close(struct store *store);

/* The port: puts and removes are collected and written by commit, in one LMDB transaction, which is tried again after
 * the map was made larger. LIMIT: it cannot be, or a transaction has more than 1 GiB. After a failed commit what was
 * there before it is there. */
struct session_store store_port(struct store *store);

/* Why what was stored before has been thrown away, as half a sentence; "" when it has not. */
const char *store_discarded(const struct store *store);
const char *store_path(const struct store *store);
/* Used pages of the map, in percent of its size; of the last commit. Any thread. */
int store_map_used_percent(const struct store *store);
