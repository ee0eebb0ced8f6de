// SPDX-License-Identifier: Apache-2.0
#pragma once
/* snapshot: the learned state as a file: what `eddy replay --into-state` leaves, and a process begins with
 * (learn.snapshot). */
#include <eddy/core/learned.h>

/* Replaces the file, whole and on disk. IO, DISK_FULL, LIMIT, MEMORY. */
MUST_CHECK struct status snapshot_write(const char *path, const struct learned *learned,
                                        const struct catalogue *catalogue, struct complaint *complaint);

/* A new state from the file, with its items in the catalogue. NOT_FOUND, IO; CORRUPT, NEWER, CONFIG when the file is
 * damaged, of a later version, or made with other options. */
MUST_CHECK struct status snapshot_read(const char *path, const struct learned_options *options,
                                       struct catalogue *catalogue, struct learned **ret_learned,
                                       struct complaint *complaint);
