// SPDX-License-Identifier: Apache-2.0
#pragma once
/* versions: whether the versions of a session model are what docs/MODELS.md promises, by the log of the models topic as
 * readers of committed records see it, and by those that name a version:
 *
 *   models --> each that was ever in use is whole, has its SHA-256 and can be loaded; numbers rise by one; what one has
 *              learned of the sessions topic is not less than what the one in use before it had
 *   sessions --> none has learned what was never committed
 *   recommendations --> each names a version that was in use before it was written
 *   loaded --> all processes came to the same version in the end
 *
 * That a version is in use, and an answer written, is dated by the brokers (LogAppendTime). Numbers that rise by one
 * show a fenced publisher too: what it wrote would come with a number, into a slot, or behind a pointer that is taken.
 */
#include "app/config.h"
#include "chaos/dump.h"

#include <eddy/core/model_record.h>
#include <stdio.h>

/* A version at the moment at which it came into use: by being published, or gone back to. */
struct use {
    int64_t version, since_ms;
    uint8_t digits[MODEL_DIGITS];
    struct sessions_read *sessions;
    uint32_t session_count;
};

/* {0} is empty. */
struct versions {
    struct use *uses; /* in their order */
    size_t count, capacity;
    size_t published, rollbacks, largest;        /* chunks of one */
    size_t answers, answers_by_model, answering; /* answering: versions that were named at least once */
    size_t problems;
};

void versions_release(struct versions *versions);

/* What each function finds wrong is written to `out` and counted. Failures: MEMORY; BAD_INPUT with a complaint: what is
 * to be checked cannot be read. */
MUST_CHECK struct status versions_read(const struct config *config, const struct dump *models, FILE *out,
                                       struct versions *versions, struct complaint *complaint);
void versions_check_sessions(struct versions *versions, const struct dump *sessions, FILE *out);
MUST_CHECK struct status versions_check_answers(const struct config *config, const struct dump *recommendations,
                                                FILE *out, struct versions *versions, struct complaint *complaint);
/* Lines "who version", of each process and of the topic: `loaded` is the whole file. */
void versions_check_loaded(struct versions *versions, struct bytes loaded, FILE *out);

/* Writes a report; true when there are no problems, and enough to look at. */
bool versions_judge(const struct versions *versions, FILE *out);
