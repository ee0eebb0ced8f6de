// SPDX-License-Identifier: Apache-2.0
#pragma once
/* recommendation: the list published for one click, before it is encoded. Items are catalogue numbers; arrays live in
 * the batch's arena. */
#include <eddy/core/catalogue.h>
#include <eddy/core/click.h>

#define SCORERS(X)                                                                                                     \
    X(KNN, "knn")                                                                                                      \
    X(TRANSITION, "transition")                                                                                        \
    X(WALK, "walk")                                                                                                    \
    X(POPULAR, "popular")                                                                                              \
    X(REPEAT, "repeat")                                                                                                \
    X(NEURAL, "neural")                                                                                                \
    X(SEMANTIC, "semantic")                                                                                            \
    X(AGENT, "agent")

enum scorer_id {
#define X(name, text) SCORER_##name,
    SCORERS(X)
#undef X
        SCORER_COUNT
};

const char *scorer_name(enum scorer_id scorer);

/* Why an item is on the list: the strongest scorer's evidence. The text is made when it is encoded or shown. */
enum reason_kind {
    REASON_SIMILAR_SESSIONS, /* number = sessions like this one that had the item */
    REASON_FOLLOWS,          /* item = the item of this session it follows */
    REASON_NEAR,             /* item = the candidate it often comes with */
    REASON_POPULAR,
    REASON_REPEAT, /* already in this session; item is the item itself */
    REASON_MODEL,  /* what the session model expects after such clicks */
    REASON_TEXT,   /* like the session's titles or its intent */
    REASON_AGENT,  /* what the language model expects */
};

struct reason {
    enum reason_kind kind;
    uint32_t item; /* ITEM_NONE: none */
    uint32_t number;
};

struct recommended_item {
    uint32_t item;
    float score;                /* probability-like: the list's scores sum to at most 1 */
    float shares[SCORER_COUNT]; /* of the score, by scorer; sum 1 */
    struct reason reason;
};

struct recommendation {
    struct bytes session_id, user_id;
    int32_t partition; /* with offset: the click answered */
    int64_t offset;
    uint32_t revision; /* 0: the answer to the click */
    uint32_t position; /* of the click in its session, from 1 */
    int64_t click_time_ms;
    int64_t record_time_ms; /* timestamp of the click's record */
    uint32_t click_item;
    uint64_t learned_version;
    struct bytes model_version;           /* of the session model that took part; empty: none */
    const struct recommended_item *items; /* best first */
    uint32_t count;
};

/* Who has a share of any item, in their order; returns how many. Records have the shares of these alone. */
uint32_t recommendation_scorers(const struct recommendation *recommendation, enum scorer_id ret_scorers[SCORER_COUNT]);

/* "often after A13", "in 14 similar sessions", "often with B7", "popular now", "seen in this session"; at most `size`
 * bytes with NUL. */
struct bytes reason_text(const struct reason *reason, const struct catalogue *catalogue, char *text, size_t size);
