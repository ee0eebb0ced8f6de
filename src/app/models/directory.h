// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_directory: what the models topic holds of one model, without the payloads: the slots with their manifests and
 * where their chunks lie, and which version is current and which pinned. It is told the records in their order and
 * believes none of them: what is not as it must be is refused, and what was known before stays, but for the slot that
 * the record was meant for. It has no thread and no Kafka. Compaction may have taken any record that was followed by
 * one of the same key. */
#include <eddy/core/model_record.h>
#include <eddy/port.h>

/* Which version, beyond doubt: a topic that is made anew begins with 1 again. */
struct model_identity {
    int64_t version;
    uint8_t digits[MODEL_DIGITS];
};
struct model_identity model_identity_of(const struct model_manifest *manifest);
bool model_identity_same(const struct model_identity *one, const struct model_identity *other);

struct model_directory;

MUST_CHECK struct status model_directory_open(const char *name, struct model_directory **ret_directory);
void model_directory_close(struct model_directory *directory);

/* BAD_INPUT with a complaint: a record that cannot be used. Records of other models are passed over. MEMORY: it is to
 * be told again. */
MUST_CHECK struct status model_directory_take(struct model_directory *directory, const struct message *record,
                                              struct complaint *complaint);
/* The offset behind the last record taken; 0: none was. */
int64_t model_directory_next(const struct model_directory *directory);
const char *model_directory_name(const struct model_directory *directory);

/* Manifests live until the next record is taken. NULL: there is none. */
const struct model_manifest *model_directory_current(const struct model_directory *directory);
const struct model_manifest *model_directory_pinned(const struct model_directory *directory);
/* The one to score with: pinned, or else current. */
const struct model_manifest *model_directory_wanted(const struct model_directory *directory);
/* What a slot holds, whole or not. */
const struct model_manifest *model_directory_slot(const struct model_directory *directory, uint32_t slot);
/* The manifest of a version that lies in some slot. */
const struct model_manifest *model_directory_version(const struct model_directory *directory, int64_t version);
/* The highest number that any manifest has had; 0: none. */
int64_t model_directory_latest(const struct model_directory *directory);

/* Of a slot's chunk: where it lies, -1 when it is not there; and the version that it is of. */
struct model_place {
    int64_t offset, version;
};
struct model_place model_directory_place(const struct model_directory *directory, uint32_t slot, uint32_t chunk);
/* One more than the highest chunk that a slot has had since it was seen first. */
uint32_t model_directory_chunks(const struct model_directory *directory, uint32_t slot);
/* OK when all that a manifest names is there. NOT_FOUND with a complaint that says what is not. */
MUST_CHECK struct status model_directory_check(const struct model_directory *directory,
                                               const struct model_manifest *manifest, struct complaint *complaint);
