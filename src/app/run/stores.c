// SPDX-License-Identifier: Apache-2.0
#include "app/run/stores.h"

#include "app/log.h"

#include <eddy/io/memory.h>
#include <eddy/io/session_store.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

/* Open stores, so that their fullness can be asked for by the thread of the metrics. */
struct open_store {
    struct store *store;         /* in LMDB */
    struct memory_store *memory; /* or this */
    int32_t partition;
    struct open_store *next;
};

struct stores {
    const struct config *config;
    struct state_directory *directory; /* NULL: in memory */
    char instance[INSTANCE_NAME_MAX + 1];
    char saved[PATH_MAX];
    pthread_mutex_t lock;
    struct open_store *first; /* under lock */
};

static struct status open_directory(const char *path, struct state_directory **ret_directory,
                                    struct complaint *complaint)
{
    struct complaint why = {0};
    struct status status = state_directory_open(path, ret_directory, &why);
    if (failed_as(status, FAULT_IO))
        return complain(complaint, status,
                        "state.directory: %s. It must be a folder that this process may write, in one that exists",
                        why.text);
    return failed(status) && why.text[0] ? complain(complaint, status, "%s", why.text) : status;
}

struct status stores_open(const struct config *config, bool in_memory, struct stores **ret_stores,
                          struct complaint *complaint)
{
    struct stores *stores = calloc(1, sizeof *stores);
    if (!stores)
        return FAIL(MEMORY, 0, "no memory for stores");
    stores->config = config;
    struct status status = in_memory ? instance_name_make(stores->instance)
                                     : open_directory(config->state.directory, &stores->directory, complaint);
    if (failed(status)) {
        free(stores);
        return status;
    }
    if (stores->directory)
        snprintf(stores->saved, sizeof stores->saved, "%s/%s.learned", config->state.directory,
                 config_topic(config, TOPIC_SESSIONS)); /* what was learned from, and where, is of that topic */
    if (stores->directory)
        snprintf(stores->instance, sizeof stores->instance, "%s", state_directory_instance(stores->directory));
    pthread_mutex_init(&stores->lock, NULL);
    *ret_stores = stores;
    return OK;
}

void stores_close(struct stores *stores)
{
    if (!stores)
        return;
    assert(!stores->first);
    state_directory_close(stores->directory);
    pthread_mutex_destroy(&stores->lock);
    free(stores);
}

static struct status open_lmdb(struct stores *stores, struct open_store *open, struct complaint *complaint)
{
    const struct config *config = stores->config;
    char identity[256]; /* offsets mean something within a group only */
    snprintf(identity, sizeof identity, "group %.240s", config->group_id);
    const struct store_options options = {.topic = config_topic(config, TOPIC_CLICKS),
                                          .partition = open->partition,
                                          .identity = identity,
                                          .map_size_bytes = config->state.map_size_bytes,
                                          .sync = config->state.sync};
    TRY(store_open(stores->directory, &options, &open->store, complaint));
    if (store_discarded(open->store)[0])
        log_always(LOG_WARN, "state_discarded", "partition=%d path=%s reason=%s", open->partition,
                   store_path(open->store), store_discarded(open->store));
    return OK;
}

static struct status open_one(void *context, int32_t partition, struct session_store *ret_store,
                              struct complaint *complaint)
{
    struct stores *stores = context;
    struct open_store *open = calloc(1, sizeof *open);
    if (!open)
        return FAIL(MEMORY, 0, "no memory for a store");
    open->partition = partition;
    struct status status = stores->directory ? open_lmdb(stores, open, complaint) : memory_store_open(&open->memory);
    if (failed(status)) {
        free(open);
        return status;
    }
    pthread_mutex_lock(&stores->lock);
    open->next = stores->first;
    stores->first = open;
    pthread_mutex_unlock(&stores->lock);
    *ret_store = open->store ? store_port(open->store) : memory_store_port(open->memory);
    return OK;
}

static void close_one(void *context, int32_t partition, struct session_store store)
{
    (void)store;
    struct stores *stores = context;
    pthread_mutex_lock(&stores->lock);
    struct open_store **link = &stores->first;
    while (*link && (*link)->partition != partition)
        link = &(*link)->next;
    struct open_store *open = *link;
    assert(open);
    *link = open->next;
    pthread_mutex_unlock(&stores->lock);
    store_close(open->store);
    memory_store_close(open->memory);
    free(open);
}

const char *stores_instance(const struct stores *stores)
{
    return stores->instance;
}

const char *stores_saved(const struct stores *stores)
{
    return stores->saved;
}

struct store_opener stores_opener(struct stores *stores)
{
    return (struct store_opener){open_one, close_one, stores};
}

int stores_map_used_percent(struct stores *stores)
{
    int most = 0;
    pthread_mutex_lock(&stores->lock);
    for (const struct open_store *open = stores->first; open; open = open->next) {
        int percent = open->store ? store_map_used_percent(open->store) : 0;
        most = percent > most ? percent : most;
    }
    pthread_mutex_unlock(&stores->lock);
    return most;
}
