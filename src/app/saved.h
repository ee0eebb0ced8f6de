// SPDX-License-Identifier: Apache-2.0
#pragma once
/* saved: what a running process has learned, as a file in its state directory, so that a restart need not read the
 * sessions topic from its start. With the learned state goes the learner (what is pending, what was offered last), and
 * up to where in the sessions topic both had read.
 *
 *   in a frame (core/frame.h): u32 positions, i64 each; u64 size and learned state, u64 size and learner */
#include <eddy/core/learner.h>

#define SAVED_BYTES_MAX ((size_t)64 << 30)

struct saved {
    struct learned *learned;
    struct learner *learner;
    int64_t *positions; /* freed by the caller */
    int32_t position_count;
};

void saved_encode(const struct learned *learned, const struct learner *learner, const struct catalogue *catalogue,
                  const int64_t *positions, int32_t position_count, struct buffer *out);
/* Replaces the file, whole and on disk. */
MUST_CHECK struct status saved_write(const char *path, const struct buffer *content, struct complaint *complaint);

MUST_CHECK struct status saved_decode(struct bytes content, const struct learned_options *learned_options,
                                      const struct learner_options *learner_options, struct catalogue *catalogue,
                                      struct saved *ret_saved);
/* NOT_FOUND, IO; CORRUPT, NEWER, CONFIG when it is damaged, of a later version, or made with other options. */
MUST_CHECK struct status saved_read(const char *path, const struct learned_options *learned_options,
                                    const struct learner_options *learner_options, struct catalogue *catalogue,
                                    struct saved *ret_saved, struct complaint *complaint);
