// SPDX-License-Identifier: Apache-2.0
#pragma once
/* schemas: what connects eddy's records with a schema registry: subjects, the ids that eddy writes, and the schemas of
 * ids that are met in records. */
#include "app/config.h"

#include <eddy/io/registry.h>

/* The types whose topics are in the Confluent format, and how eddy uses them. */
struct schema_use {
    enum record_type type;
    bool written; /* by `eddy run` */
    bool read;
};

/* In the order of the enum; returns how many. */
size_t schema_uses(const struct config *config, struct schema_use uses[RECORD_TYPE_COUNT]);

/* The registry of the configuration; NULL when it has none, or no topic needs it. `retries`: who does not try again by
 * itself takes config->registry.retries. */
MUST_CHECK struct status schemas_open_registry(const struct config *config, uint32_t retries,
                                               struct registry **ret_registry, struct complaint *complaint);
/* Where schemas of unknown names come from; of a NULL registry: nowhere. */
struct schema_source schemas_source(struct registry *registry);

/* Appends the subject of a type's schema. */
void schema_subject(const struct config *config, enum record_type type, struct buffer *out);

/* How records of a type are written: their encoding, and what goes into their SCHEMA_HEADER. */
struct schema_writing {
    struct encoding encoding;
    uint8_t header[17];
    size_t header_size; /* 0: no header */
};

static inline struct bytes schema_header(const struct schema_writing *writing)
{
    return bytes_of(writing->header, writing->header_size);
}

/* With a registry and no schema_ids.write.<topic> of the type, the id is registered or looked up, as the configuration
 * says. CONFIG when the registry refuses the schema or, not being told to take it, does not have it; UNAVAILABLE. */
MUST_CHECK struct status schema_writing_of(const struct config *config, struct registry *registry,
                                           enum record_type type, struct schema_writing *ret_writing,
                                           struct complaint *complaint);

/* After a decode call that failed with NOT_FOUND: makes the schema known to the decoder, so that the record can be
 * decoded now. NOT_FOUND: the source has none (or there is no source); BAD_INPUT: it cannot be used, which the decoder
 * remembers; UNAVAILABLE: not now. */
MUST_CHECK struct status schemas_resolve(struct schema_source source, struct decoder *decoder,
                                         struct complaint *complaint);
