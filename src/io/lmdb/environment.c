// SPDX-License-Identifier: Apache-2.0
/* Opening an environment, and closing it. */
#include "io/lmdb/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORMAT          1
#define TRANSACTION_MAX ((size_t)1 << 30) /* bytes collected */
#define MAP_SIZE_MIN    ((size_t)1 << 20)
#define LOCK_FILE_SIZE  8192 /* what LMDB makes for 126 readers, its default */
#define KEY_FORMAT      "format"
#define KEY_TOPIC       "topic"

struct status status_of(int result)
{
    switch (result) {
    case MDB_SUCCESS:
        return OK;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return FAIL(DISK_FULL, result, "no room on the disk for the stored state");
    case ENOMEM:
        return FAIL(MEMORY, result, "no memory for the stored state");
    case MDB_MAP_FULL:
        return FAIL(LIMIT, result, "the map of the stored state is full");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
        return FAIL(CORRUPT, result, "the stored state is damaged");
    default:
        return FAIL(IO, result, "the stored state cannot be read or written");
    }
}

static struct status complain_of_lmdb(struct complaint *complaint, const struct store *store, int result)
{
    return complain(complaint, status_of(result), "%s: %s", store->path, mdb_strerror(result));
}

static MDB_val text_value(const char *text)
{
    union {
        const char *text;
        void *data;
    } key = {.text = text}; /* LMDB does not write to keys, but does not say so */
    return (MDB_val){strlen(text), key.data};
}

struct status meta_get(const struct store *store, MDB_txn *transaction, const char *name, struct bytes *ret_value)
{
    MDB_val key = text_value(name), value;
    int result = mdb_get(transaction, store->meta, &key, &value);
    if (result == MDB_NOTFOUND) {
        *ret_value = (struct bytes){0};
        return OK;
    }
    TRY(status_of(result));
    *ret_value = bytes_of(value.mv_data, value.mv_size);
    return OK;
}

int meta_put(const struct store *store, MDB_txn *transaction, const char *name, void *data, size_t size)
{
    MDB_val key = text_value(name), value = {size, data};
    return mdb_put(transaction, store->meta, &key, &value, 0);
}

static struct status complain_of_damage(const struct store *store, struct complaint *complaint)
{
    return complain(complaint, FAIL(CORRUPT, 0, "what is stored about the state is damaged"),
                    "%s is damaged: remove the folder, and sessions that are open begin anew; and look after the "
                    "disk",
                    store->path);
}

static struct status meta_check(const struct store *store, MDB_txn *transaction, bool *ret_same_topic,
                                struct complaint *complaint)
{
    struct bytes format, topic;
    MDB_stat meta, sessions;
    TRY(meta_get(store, transaction, KEY_FORMAT, &format));
    TRY(meta_get(store, transaction, KEY_TOPIC, &topic));
    TRY(status_of(mdb_stat(transaction, store->meta, &meta)));
    TRY(status_of(mdb_stat(transaction, store->sessions, &sessions)));
    if (format.size != 4 && (format.size || meta.ms_entries || sessions.ms_entries))
        return complain_of_damage(store, complaint);
    uint64_t version = fixed_number(format.data, (unsigned)format.size);
    if (version > FORMAT)
        return complain(complaint, FAIL(NEWER, version, "the stored state is of a later version"),
                        "%s was written by a later version of eddy (format %llu, this one knows %d): run that version, "
                        "or remove the folder, and sessions that are open begin anew",
                        store->path, (unsigned long long)version, FORMAT);
    *ret_same_topic = !topic.size || !store->identity[0] || bytes_equal_text(topic, store->identity);
    return OK;
}

static int meta_write(struct store *store, MDB_txn *transaction)
{
    uint8_t format[4];
    fixed_put(format, FORMAT, sizeof format);
    int result = meta_put(store, transaction, KEY_FORMAT, format, sizeof format);
    size_t size = strlen(store->identity);
    if (result || !size)
        return result;
    return meta_put(store, transaction, KEY_TOPIC, store->identity, size);
}

static struct status databases_open(struct store *store, MDB_txn *transaction, bool *ret_same_topic,
                                    struct complaint *complaint)
{
    int result = mdb_dbi_open(transaction, "sessions", MDB_CREATE | MDB_INTEGERKEY, &store->sessions);
    if (!result)
        result = mdb_dbi_open(transaction, "meta", MDB_CREATE, &store->meta);
    if (result)
        return complain_of_lmdb(complaint, store, result);
    TRY(meta_check(store, transaction, ret_same_topic, complaint));
    if (!*ret_same_topic)
        return OK;
    result = meta_write(store, transaction);
    return result ? complain_of_lmdb(complaint, store, result) : OK;
}

/* Room to go on even when the file has outgrown the option. */
static size_t map_size(const struct store *store, const char *file)
{
    struct stat info;
    size_t size_min = stat(file, &info) ? 0 : (size_t)info.st_size * 2;
    return store->options.map_size_bytes > size_min ? store->options.map_size_bytes : size_min;
}

/* LMDB maps its lock file without taking room for it: on a full disk its first write there would be a SIGBUS. */
static struct status lock_file_reserve(const struct store *store, struct complaint *complaint)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/lock.mdb", store->path);
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0)
        return complain_of_errno(complaint, "open", path);
    errno = posix_fallocate(file, 0, LOCK_FILE_SIZE);
    struct status status = errno ? complain_of_errno(complaint, "write", path) : OK;
    close(file);
    return status;
}

static struct status environment_open(struct store *store, const char *file, struct complaint *complaint)
{
    TRY(lock_file_reserve(store, complaint));
    unsigned flags = MDB_NOTLS | (store->options.sync ? 0 : MDB_NOSYNC);
    int stale, result = mdb_env_create(&store->env);
    if (!result)
        result = mdb_env_set_maxdbs(store->env, 2);
    if (!result)
        result = mdb_env_set_mapsize(store->env, map_size(store, file));
    if (!result)
        result = mdb_env_open(store->env, store->path, flags, 0600);
    if (result == ENOMEM)
        return complain(complaint, status_of(result),
                        "%s: there is no address space for a map of %zu MiB; lower state.map_size_bytes, which each "
                        "partition takes",
                        store->path, map_size(store, file) >> 20);
    if (!result)
        result = mdb_reader_check(store->env, &stale);
    return result ? complain_of_lmdb(complaint, store, result) : OK;
}

static void environment_close(struct store *store)
{
    if (store->env)
        mdb_env_close(store->env);
    store->env = NULL;
}

static struct status environment_load(struct store *store, const char *file, bool *ret_same_topic,
                                      struct complaint *complaint)
{
    TRY(environment_open(store, file, complaint));
    MDB_txn *transaction;
    TRY(status_of(mdb_txn_begin(store->env, NULL, 0, &transaction)));
    struct status status = databases_open(store, transaction, ret_same_topic, complaint);
    if (failed(status) || !*ret_same_topic) {
        mdb_txn_abort(transaction);
        return status;
    }
    int result = mdb_txn_commit(transaction);
    return result ? complain_of_lmdb(complaint, store, result) : OK;
}

/* A new environment that had no room for its first pages must not lie there as a damaged one at the next start. */
static struct status environment_enter(struct store *store, bool *ret_same_topic, struct complaint *complaint)
{
    char file[PATH_MAX + 16];
    snprintf(file, sizeof file, "%s/data.mdb", store->path);
    TRY(environment_verify(file, complaint));
    struct stat info;
    bool new = stat(file, &info) != 0;
    struct status status = environment_load(store, file, ret_same_topic, complaint);
    if (failed(status) && new) {
        environment_close(store);
        unlink(file);
    }
    return status;
}

/* Removes what was stored; *ret_some says whether there was anything. */
static struct status environment_remove(const struct store *store, bool *ret_some, struct complaint *complaint)
{
    static const char *const names[] = {"data.mdb", "lock.mdb"};
    *ret_some = false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[PATH_MAX + 16];
        snprintf(file, sizeof file, "%s/%s", store->path, names[i]);
        if (unlink(file) == 0)
            *ret_some = true;
        else if (errno != ENOENT)
            return complain_of_errno(complaint, "remove", file);
    }
    /* Else a power failure could bring it back, beside a mark that is not its own. */
    return fsync(store->folder) ? complain_of_errno(complaint, "write", store->path) : OK;
}

/* From here on the mark may say that all commits are on the disk: so the former ones have to be. */
static struct status environment_force_out(const struct store *store, struct complaint *complaint)
{
    char path[PATH_MAX + 16];
    snprintf(path, sizeof path, "%s/data.mdb", store->path);
    int file = open(path, O_RDWR | O_CLOEXEC);
    if (file < 0)
        return errno == ENOENT ? OK : complain_of_errno(complaint, "open", path);
    struct status status = fsync(file) ? complain_of_errno(complaint, "write", path) : OK;
    close(file);
    return status;
}

static struct status folder_open(struct store *store, struct complaint *complaint)
{
    if (mkdir(store->path, 0700) && errno != EEXIST)
        return complain_of_errno(complaint, "make the folder", store->path);
    store->folder = open(store->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store->folder < 0)
        return complain_of_errno(complaint, "open the folder", store->path);
    if (flock(store->folder, LOCK_EX | LOCK_NB)) {
        if (errno != EWOULDBLOCK)
            return complain_of_errno(complaint, "lock the folder", store->path);
        return complain(complaint, FAIL(LOCKED, errno, "the stored state is open already"),
                        "%s is in use already: a partition's state can be opened once at a time", store->path);
    }
    return OK;
}

static struct status folder_enter(struct store *store, struct complaint *complaint)
{
    char file[PATH_MAX + 16];
    bool trusted, some = false, same_topic;
    snprintf(file, sizeof file, "%s/mark", store->path);
    TRY(mark_open(file, store->options.sync, &store->mark, &trusted, complaint));
    if (!trusted)
        TRY(environment_remove(store, &some, complaint));
    if (some)
        store->discarded = "the machine was not shut down cleanly, so what was not forced to the disk may be damaged";
    if (store->options.sync)
        TRY(environment_force_out(store, complaint));
    struct status status = mark_write(&store->mark, false);
    if (failed(status))
        return complain(complaint, status, "cannot write %s: %s", file, fault_kind_text(status.fault->kind));
    TRY(environment_enter(store, &same_topic, complaint));
    if (same_topic)
        return OK;
    environment_close(store);
    TRY(environment_remove(store, &some, complaint));
    store->discarded = "it was of another group, or of another topic of the same name";
    return environment_enter(store, &same_topic, complaint);
}

static struct status options_check(const struct store_options *options, struct complaint *complaint)
{
    if (options->map_size_bytes < MAP_SIZE_MIN)
        return complain(complaint, FAIL(CONFIG, options->map_size_bytes, "the map is too small"),
                        "state.map_size_bytes must be at least %zu", MAP_SIZE_MIN);
    if (!options->topic[0] || strchr(options->topic, '/') || strlen(options->topic) > 255 || options->partition < 0 ||
        strlen(options->identity) > IDENTITY_MAX)
        return complain(complaint, FAIL(CONFIG, options->partition, "a topic's state cannot be stored"),
                        "no state can be stored for topic '%s', partition %d: not a topic's name", options->topic,
                        options->partition);
    return OK;
}

struct status store_open(const struct state_directory *directory, const struct store_options *options,
                         struct store **ret_store, struct complaint *complaint)
{
    TRY(options_check(options, complaint));
    struct store *store = calloc(1, sizeof *store);
    if (!store)
        return FAIL(MEMORY, 0, "no memory for the stored state");
    store->folder = store->mark.file = -1;
    store->options = *options;
    store->options.topic = store->options.identity = NULL; /* the caller's */
    store->discarded = "";
    store->pending.limit = TRANSACTION_MAX;
    snprintf(store->identity, sizeof store->identity, "%s", options->identity);
    int size =
        snprintf(store->path, sizeof store->path, "%s/%s-%d", directory->path, options->topic, options->partition);
    assert(size > 0 && (size_t)size < sizeof store->path - 16);
    struct status status = folder_open(store, complaint);
    if (!failed(status))
        status = folder_enter(store, complaint);
    if (failed(status)) {
        store_close(store);
        return status;
    }
    *ret_store = store;
    return OK;
}

/* A failure to force everything out leaves the mark unset, and then the next start knows. */
void store_close(struct store *store)
{
    if (!store)
        return;
    bool safe = store->env && mdb_env_sync(store->env, 1) == 0;
    environment_close(store);
    struct status status = safe ? mark_write(&store->mark, true) : OK;
    (void)status;
    mark_close(&store->mark);
    if (store->folder >= 0)
        close(store->folder); /* and with it the lock */
    buffer_release(&store->pending);
    free(store);
}

const char *store_discarded(const struct store *store)
{
    return store->discarded;
}

const char *store_path(const struct store *store)
{
    return store->path;
}
