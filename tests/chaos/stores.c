// SPDX-License-Identifier: Apache-2.0
/* What the session stores hold. */
#include "chaos/history.h"
#include "chaos/model.h"
#include "support/restore.h"

#include <eddy/io/session_store.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATH_SIZE 1024

/* One partition's store, and what is in it. */
struct stored {
    bool found;
    struct store_position position;
    struct facts records;
    struct session_table *table;
    struct catalogue *catalogue;
    int32_t partition;
};

static void stored_release(struct stored *stored)
{
    facts_release(&stored->records);
    session_table_close(stored->table);
    catalogue_close(stored->catalogue);
}

static struct status visit(void *context, uint64_t number, struct bytes record)
{
    struct stored *stored = context;
    TRY(facts_add_content(&stored->records, stored->partition, record));
    return restore_session(stored->table, number, record, stored->catalogue);
}

static struct status read_store(const struct config *config, const struct state_directory *directory,
                                struct stored *stored, struct complaint *complaint)
{
    char identity[256];
    snprintf(identity, sizeof identity, "group %.240s", config->group_id);
    const struct store_options options = {.topic = config_topic(config, TOPIC_CLICKS),
                                          .partition = stored->partition,
                                          .identity = identity,
                                          .map_size_bytes = config->state.map_size_bytes};
    TRY(catalogue_open(&config->catalogue, &stored->catalogue));
    TRY(session_table_open(&config->engine.session, &stored->table));
    struct store *store;
    TRY(store_open(directory, &options, &store, complaint));
    struct session_store port = store_port(store);
    struct status status = port.ops->load(port.self, visit, stored, &stored->position, &stored->found);
    store_close(store);
    return status;
}

static bool has_store(const struct config *config, const char *directory, int32_t partition)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof path, "%s/%s-%d/data.mdb", directory, config_topic(config, TOPIC_CLICKS), partition);
    return access(path, R_OK) == 0;
}

static struct status read_in(const struct config *config, const char *path, int32_t partition, struct stored *best,
                             struct complaint *complaint)
{
    struct state_directory *directory;
    if (!has_store(config, path, partition))
        return OK;
    TRY(state_directory_open(path, &directory, complaint));
    struct stored stored = {.partition = partition};
    struct status status = read_store(config, directory, &stored, complaint);
    state_directory_close(directory);
    if (!failed(status) && stored.found && (!best->found || stored.position.offset > best->position.offset)) {
        stored_release(best);
        *best = stored;
        return OK;
    }
    stored_release(&stored);
    return status;
}

/* Closing them all is how to see them. */
static struct status tell_sessions(const struct stored *stored, struct facts *facts)
{
    struct arena batch = {0};
    struct closed_list closed = {0};
    AUTO(buffer) content = {0};
    struct status status = session_expire(stored->table, &(int64_t){INT64_MAX}, 0, &batch, &closed);
    for (size_t i = 0; i < closed.count && !failed(status); i++) {
        const struct session_view *view = &closed.sessions[i].view;
        struct bytes *item_ids = ARENA_ARRAY(&batch, struct bytes, view->length);
        assert(item_ids);
        for (uint32_t j = 0; j < view->length; j++)
            item_ids[j] = catalogue_id(stored->catalogue, view->items[j]);
        buffer_clear(&content);
        describe_session(view, item_ids, &content);
        status = facts_add_content(facts, stored->partition, buffer_bytes(&content));
    }
    arena_release(&batch);
    return status;
}

static struct status tell(const struct stored *stored, struct history *history)
{
    const struct store_position *position = &stored->position;
    AUTO(buffer) content = {0};
    TRY(tell_sessions(stored, &history->told[STORY_OPEN]));
    for (size_t i = 0; i < stored->records.count; i++)
        TRY(facts_add(&history->bytes[STORY_OPEN], stored->records.facts[i]));
    describe_position(position->offset, position->watermark_ms, position->close_offset, position->close_sequence,
                      &content);
    struct fact fact = {stored->partition, 0, 0, buffer_bytes(&content)};
    TRY(facts_add(&history->bytes[STORY_POSITIONS], fact));
    return facts_add(&history->told[STORY_POSITIONS], fact);
}

struct status history_read_stores(const struct config *config, const char *const *directories, size_t count,
                                  int32_t partitions, struct history *history, struct complaint *complaint)
{
    for (int32_t partition = 0; partition < partitions; partition++) {
        struct stored best = {0};
        struct status status = OK;
        for (size_t i = 0; i < count && !failed(status); i++)
            status = read_in(config, directories[i], partition, &best, complaint);
        if (!failed(status) && best.found)
            status = tell(&best, history);
        stored_release(&best);
        TRY(status);
    }
    return OK;
}
