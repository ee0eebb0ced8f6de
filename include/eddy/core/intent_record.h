// SPDX-License-Identifier: Apache-2.0
#pragma once
/* intent_record: what language models are asked about sessions, and what comes of their answers.
 *
 *   intent-requests   IntentRequest   a session as it was at one of its clicks, with titles; by session_id
 *   intents           Intent          the answer, in items of the catalogue; to the partition of the click
 *
 * Decoded records borrow from their bytes; arrays live in the arena. Nothing about them is to be believed but their
 * form: texts are checked UTF-8, item ids have 1..CLICK_ID_MAX bytes, numbers are within the limits below, reals are
 * finite; whether the catalogue has an item, and whether an order is one of the shortlist, is for who reads them. The
 * encoders take what keeps to the limits: longer texts are to be cut before (bytes_utf8_prefix), more entries are a
 * broken contract. */
#include <eddy/core/codec.h>
#include <eddy/core/prompt.h>

#define INTENT_ITEMS_MAX     64
#define INTENT_SHORTLIST_MAX 64 /* and ids of an order */
#define INTENT_EXAMPLES_MAX  8
#define INTENT_TITLES_MAX    32   /* of an example */
#define INTENT_TITLE_MAX     1024 /* bytes */
#define INTENT_VIEWS_MAX     8
#define INTENT_NEAR_MAX      64
#define INTENT_NAMED_MAX     32
#define INTENT_TEXT_MAX      1024 /* bytes */
#define INTENT_VECTOR_MAX    4096 /* numbers */
#define INTENT_NAME_MAX      255  /* bytes of the name of a view, a model, a prompt, an embedder */

/* The click at which it was asked; both records begin with it. */
struct intent_origin {
    struct bytes session_id;
    struct bytes topic; /* of the click; partition and offset are its place there, 0 or more */
    int32_t partition;
    int64_t offset;
    uint32_t position; /* clicks of the session up to and with that one, from 1 */
    int64_t click_time_ms;
};

/* ---- requests */

struct requested_items {
    const struct bytes *item_ids, *titles; /* (count) each; a title may be empty */
    uint32_t count;
};

struct intent_request {
    struct intent_origin origin;
    float value;
    struct requested_items items;     /* the session's latest, oldest first: INTENT_ITEMS_MAX */
    uint32_t short_from;              /* place in items; items.count: the short view is empty */
    struct requested_items shortlist; /* INTENT_SHORTLIST_MAX */
    const struct prompt_titles *examples;
    uint32_t example_count;
};

/* ---- intents */

struct weighted_items {
    const struct bytes *item_ids;
    const float *weights; /* 0..1 */
    uint32_t count;
};

struct intent_view {
    struct bytes name, text;     /* of the two that eddy knows: answer_view_text(). No two views have one name */
    struct weighted_items near;  /* INTENT_NEAR_MAX */
    struct weighted_items named; /* best first: INTENT_NAMED_MAX */
    const float *vector;         /* (vector_size), finite */
    uint32_t vector_size;        /* 0: it is not kept */
};

struct intent {
    struct intent_origin origin; /* as in the request */
    const struct intent_view *views;
    uint32_t view_count;
    const struct bytes *order; /* item ids, best first */
    uint32_t order_count;
    struct bytes model, prompt, embedder;
    bool cached;
    uint32_t prompt_tokens, completion_tokens, took_ms;
    int64_t created_ms;
};

/* BAD_INPUT with a complaint that names the field; a decoder's other failures (codec.h). */
MUST_CHECK struct status decode_intent_request(struct decoder *decoder, struct bytes record, struct arena *batch,
                                               struct intent_request *ret_request, struct complaint *complaint);
MUST_CHECK struct status decode_intent(struct decoder *decoder, struct bytes record, struct arena *batch,
                                       struct intent *ret_intent, struct complaint *complaint);
void encode_intent_request(struct encoding encoding, const struct intent_request *request, struct buffer *out);
void encode_intent(struct encoding encoding, const struct intent *intent, struct buffer *out);
