// SPDX-License-Identifier: Apache-2.0
#pragma once
/* model_assembly: the chunks of a version, one behind the other, into its payload; and from that the model, when it is
 * what its manifest says: as many chunks, of that version and slot, as many bytes, that SHA-256, that backbone, width
 * and number of items. Memory is taken for the payload alone, once, and only within `size_max`. */
#include "app/model_file.h"

#include <eddy/core/model_record.h>

struct model_assembly;

/* The manifest is borrowed. LIMIT with a complaint when the payload is larger than size_max; MEMORY. */
MUST_CHECK struct status model_assembly_open(const struct model_manifest *manifest, size_t size_max,
                                             struct model_assembly **ret_assembly, struct complaint *complaint);
void model_assembly_close(struct model_assembly *assembly);

/* The next chunk, as the value of its record. BAD_INPUT with a complaint. */
MUST_CHECK struct status model_assembly_take(struct model_assembly *assembly, struct bytes value,
                                             struct complaint *complaint);
/* After the last one: the payload, which lives as long as the assembly. BAD_INPUT with a complaint. */
MUST_CHECK struct status model_assembly_payload(struct model_assembly *assembly, struct bytes *ret_payload,
                                                struct complaint *complaint);
/* The model in it. BAD_INPUT, CORRUPT, NEWER, NOT_FOUND (a backbone that this eddy does not have) with a complaint;
 * MEMORY. */
MUST_CHECK struct status model_assembly_model(struct model_assembly *assembly, struct model_file *ret_file,
                                              struct complaint *complaint);

/* Whether a failure of fetching or assembling is the version's own, which no trying again would mend. */
bool model_assembly_refuses(struct status status);
