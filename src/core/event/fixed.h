// SPDX-License-Identifier: Apache-2.0
#pragma once
/* fixed: decoders of Avro binary in the embedded schemas, field by field in the schemas' order. Every format ends
 * here: other writer schemas and JSON are first turned into these bytes (resolve.h, json.h). Text is borrowed from the
 * reader's bytes; arrays live in `batch`. BAD_INPUT for what is not such a record, down to the last byte. */
#include "core/event/wire.h"

#include <eddy/core/codec.h>
#include <eddy/core/intent_record.h>
#include <eddy/core/model_record.h>

/* UTF-8 of 1..CLICK_ID_MAX bytes. */
bool read_item_id(struct reader *reader, const char *field, struct bytes *ret_id);

MUST_CHECK struct status fixed_click(struct reader reader, struct click *ret_click, struct complaint *complaint);
MUST_CHECK struct status fixed_item(struct reader reader, struct item *ret_item, struct complaint *complaint);
MUST_CHECK struct status fixed_closed_session(struct reader reader, struct arena *batch,
                                              struct closed_record *ret_session, struct complaint *complaint);
MUST_CHECK struct status fixed_recommendation(struct reader reader, struct arena *batch,
                                              struct recommendation_record *ret_record, struct complaint *complaint);
MUST_CHECK struct status fixed_model_chunk(struct reader reader, struct model_chunk *ret_chunk,
                                           struct complaint *complaint);
MUST_CHECK struct status fixed_model_manifest(struct reader reader, struct arena *batch,
                                              struct model_manifest *ret_manifest, struct complaint *complaint);
MUST_CHECK struct status fixed_intent_request(struct reader reader, struct arena *batch,
                                              struct intent_request *ret_request, struct complaint *complaint);
MUST_CHECK struct status fixed_intent(struct reader reader, struct arena *batch, struct intent *ret_intent,
                                      struct complaint *complaint);
