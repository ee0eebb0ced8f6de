// SPDX-License-Identifier: Apache-2.0
#pragma once
/* reply: the bodies of a registry's answers, read. They are JSON objects that may be hostile; fields that are not known
 * are passed over (registries differ in them). Every function survives any bytes. */
#include <eddy/io/registry.h>

/* {"schema": TEXT, "schemaType": "AVRO", "references": []}: appends the text. BAD_INPUT when it is of no use to eddy;
 * UNAVAILABLE when this is no registry's answer. */
MUST_CHECK struct status reply_read_schema(struct bytes body, struct buffer *out, struct complaint *complaint);
/* {"id": 7, "version": 2, "guid": "..."}; the last two may be missing. UNAVAILABLE as above. */
MUST_CHECK struct status reply_read_version(struct bytes body, struct registry_version *ret_version,
                                            struct complaint *complaint);
/* {"is_compatible": true} */
MUST_CHECK struct status reply_read_fits(struct bytes body, bool *ret_fits, struct complaint *complaint);
/* ["subject", ...] */
MUST_CHECK struct status reply_read_count(struct bytes body, size_t *ret_count, struct complaint *complaint);

struct reply_error {
    int64_t code; /* 40403; 0: the body is not a registry's error */
    char text[256];
};
struct reply_error reply_read_error(struct bytes body);

/* {"schema": TEXT} */
void reply_write_request(struct bytes schema, struct buffer *out);
