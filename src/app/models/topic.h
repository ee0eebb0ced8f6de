// SPDX-License-Identifier: Apache-2.0
#pragma once
/* models_topic: reading the models topic: all of it into a directory, and one version's chunks into its model. Only
 * committed records are seen, so that a version that is being published, or never was to its end, is not. */
#include "app/models/assembly.h"
#include "app/models/directory.h"

#include <eddy/io/kafka.h>

struct models_topic {
    const struct kafka_options *kafka;
    const char *name;
    const _Atomic bool *stop; /* reading ends with INTERRUPTED when it is set; NULL: never */
};

/* Takes what the topic has had since the directory was told last, up to its present end. Records that cannot be used
 * are counted. UNAVAILABLE; MEMORY. */
MUST_CHECK struct status models_topic_read(const struct models_topic *topic, struct model_directory *directory,
                                           uint64_t *bad, struct complaint *complaint);
/* All chunks of a version of the directory, which lies in it; *ret_assembly borrows the manifest. NOT_FOUND: some are
 * gone; BAD_INPUT, LIMIT: they cannot be used; UNAVAILABLE; MEMORY. */
MUST_CHECK struct status models_topic_fetch(const struct models_topic *topic, const struct model_directory *directory,
                                            const struct model_manifest *manifest, size_t size_max,
                                            struct model_assembly **ret_assembly, struct complaint *complaint);
