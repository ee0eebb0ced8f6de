// SPDX-License-Identifier: Apache-2.0
#pragma once
/* resolve: Avro's schema resolution (Avro 1.11, "Schema Resolution") as a plan that rewrites a datum of a writer's
 * schema into the bytes of the reader's, which fixed.h then reads. See docs/adr/0002-avro-decoding.md.
 *
 *   writer's datum -> walked once, field by field (the bounds check; notes where each field lies)
 *                  -> reader's fields in the reader's order: copied, converted, or the default's bytes
 *
 * Fields are matched by name or by an alias of the reader's; fields the reader lacks are passed over. int, long, float
 * are promoted; string and bytes stand for each other; an enum's unknown symbol becomes the reader's default, and
 * is noted in the reader (`unknown`); a timestamp-micros or -nanos is brought to the reader's timestamp-millis,
 * rounding down.
 *
 * A plan borrows both schemas and lives in the arena it was made in. Running it allocates nothing but the output, which
 * is at most a fixed multiple of the datum. */
#include "core/event/schema.h"

#include <eddy/base/buffer.h>

struct plan;

/* BAD_INPUT, naming the field, when the reader cannot read what the writer writes. */
MUST_CHECK struct status plan_make(const struct schema *writer, const struct schema *reader, struct arena *memory,
                                   struct plan **ret_plan, struct complaint *complaint);

/* True when the reader can take every datum of the writer: no branch of a union and no symbol of an enum is left to be
 * refused when it is met. */
bool plan_is_total(const struct plan *plan);

/* Appends the datum to `out` in the reader's schema. False when it is malformed (see reader_status) or holds what the
 * reader cannot take; false without a problem noted when `out` has no room. */
bool plan_run(const struct plan *plan, struct reader *reader, struct buffer *out);
