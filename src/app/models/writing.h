// SPDX-License-Identifier: Apache-2.0
#pragma once
/* writing: the records of a publication, one by one into whatever takes them: pure, so that what is written can be
 * tested without Kafka. */
#include "app/models/directory.h"
#include "app/models/publisher.h"

/* Takes a record; value.data == NULL: a tombstone. */
struct record_taker {
    struct status (*put)(void *self, struct bytes key, struct bytes value);
    void *self;
};

/* The slot for the next version: of the first keep + 1 that hold neither the current nor the pinned version an empty
 * one, or else that of the lowest version. LIMIT: there is none. */
MUST_CHECK struct status writing_slot(const struct model_directory *directory, uint32_t keep, uint32_t *ret_slot);

/* Chunks, then the manifest, which *ret_manifest becomes; it borrows from the publication and `sha256`. */
MUST_CHECK struct status writing_version(const struct model_publication *publication,
                                         const struct model_manifest *manifest, char sha256[SHA256_TEXT_SIZE],
                                         struct record_taker taker, struct model_manifest *ret_manifest);
/* Tombstones of what `manifest`, once it is there, makes superfluous: chunks beyond its own in its slot, and versions
 * but for the newest `keep` ones and the pinned one. */
MUST_CHECK struct status writing_retire(const struct model_directory *directory, const struct model_manifest *manifest,
                                        uint32_t keep, struct record_taker taker);
/* `current` or `pinned`; of NULL a tombstone. */
MUST_CHECK struct status writing_pointer(const char *name, enum model_key_kind pointer,
                                         const struct model_manifest *manifest, struct record_taker taker);
