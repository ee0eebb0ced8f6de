// SPDX-License-Identifier: Apache-2.0
/* What is learned from closed sessions is saved, and read back by a second life, which learns on. */
#include "support/support.h"

#include "app/knowledge.h"
#include "torture/torture.h"

#define FIRST    60 /* sessions of the first life, half of which it learns */
#define SESSIONS 90

struct self {
    struct temporary_folder folder;
    uint64_t version;
};

static void *begin(enum sabotage sabotage)
{
    (void)sabotage;
    struct self *self = calloc(1, sizeof *self);
    assert_non_null(self);
    self->folder = temporary_folder_make();
    return self;
}

static struct status offer(struct knowledge *knowledge, int number)
{
    uint32_t items[3];
    int64_t close_ms = 1700000000000 + number * 1000;
    const int64_t times_ms[3] = {close_ms - 3000, close_ms - 2000, close_ms - 1000};
    const uint8_t types[3] = {0, 1, 2};
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "item-%d", (number + i * i) % 20);
        TRY(catalogue_intern(knowledge_catalogue(knowledge), bytes_of_text(id), &items[i]));
    }
    const struct closed_session session = {
        .view = {.session_id = BYTES("visitor"), .items = items, .times_ms = times_ms, .types = types, .length = 3},
        .close_ms = close_ms};
    const struct session_origin origin = {number % 2, number, 0};
    return learner_offer(knowledge_learner(knowledge), &session, origin, NULL);
}

/* What was offered in a former life is known, unless the saved state could not be read: then it comes again. */
static struct status learn(struct knowledge *knowledge, int sessions, int learned)
{
    for (int i = 0; i < sessions; i++)
        TRY(offer(knowledge, i));
    return learner_advance(knowledge_learner(knowledge), 1700000000000 + learned * 1000);
}

static struct status live(struct self *self, int sessions, int learned)
{
    char path[300];
    snprintf(path, sizeof path, "%s/saved", self->folder.path);
    const struct knowledge_options options = {
        .catalogue = {.items_max = 1000, .memory_max_bytes = 1 << 20, .title_max_bytes = 100},
        .learned = learned_options_default(),
        .learner = {.delay_ms = 1000, .pending_max = 1000},
        .own = path,
    };
    const int64_t positions[2] = {sessions / 2, sessions / 2};
    struct knowledge *knowledge;
    TRY(knowledge_open(&options, &knowledge, NULL));
    knowledge_lock_write(knowledge);
    struct status status = learn(knowledge, sessions, learned);
    knowledge_unlock(knowledge);
    if (!failed(status))
        status = knowledge_save(knowledge, path, positions, 2, NULL);
    self->version = learned_version(knowledge_learned(knowledge));
    knowledge_close(knowledge);
    return status;
}

static struct status once(void *context)
{
    TRY(live(context, FIRST, FIRST / 2));
    return live(context, SESSIONS, SESSIONS + 10);
}

static uint64_t result(void *context)
{
    return ((struct self *)context)->version;
}

static void end(void *context)
{
    struct self *self = context;
    temporary_folder_remove(&self->folder);
    free(self);
}

const struct run run_learned = {"learned", 1u << FAULTS_MEMORY | 1u << FAULTS_FILE, false, begin, once, result, end};
