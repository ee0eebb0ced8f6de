// SPDX-License-Identifier: Apache-2.0
/* What a process saves of what it learned, and begins with again. */
#include "support/support.h"

#include "app/knowledge.h"
#include "app/log.h"
#include "app/saved.h"

#include <eddy/io/file.h>

#include <eddy/base/random.h>
#include <eddy/io/system.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct knowledge_options standard = {
    .catalogue = {.items_max = 1000, .memory_max_bytes = 1 << 20, .title_max_bytes = 100},
    .learner = {.delay_ms = 1000, .pending_max = 100},
};

static struct knowledge_options options_with(const char *own)
{
    struct knowledge_options options = standard;
    options.learned = learned_options_default();
    options.own = own;
    return options;
}

MUST_CHECK static struct status offer(struct knowledge *knowledge, int64_t close_ms, int32_t partition, int64_t offset)
{
    struct catalogue *catalogue = knowledge_catalogue(knowledge);
    uint32_t items[3];
    int64_t times_ms[3] = {close_ms - 3000, close_ms - 2000, close_ms - 1000};
    const uint8_t types[3] = {0, 1, 2};
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "item-%lld", (long long)(offset + i * i) % 7);
        TRY(catalogue_intern(catalogue, bytes_of_text(id), &items[i]));
    }
    struct closed_session session = {.view = {.session_id = BYTES("visitor"),
                                              .user_id = BYTES("user"),
                                              .items = items,
                                              .times_ms = times_ms,
                                              .types = types,
                                              .length = 3,
                                              .total = 5},
                                     .close_ms = close_ms,
                                     .evicted = offset % 2};
    bool fresh;
    knowledge_lock_write(knowledge);
    struct status status =
        learner_offer(knowledge_learner(knowledge), &session, (struct session_origin){partition, offset, 0}, &fresh);
    knowledge_unlock(knowledge);
    return status;
}

/* The sessions from `from` to `to`, closing a second after one another on two partitions in turn. */
MUST_CHECK static struct status offer_many(struct knowledge *knowledge, int from, int to)
{
    for (int i = from; i < to; i++)
        TRY(offer(knowledge, 1700000000000 + i * 1000, i % 2, i));
    return OK;
}

MUST_CHECK static struct status advance(struct knowledge *knowledge, int to)
{
    knowledge_lock_write(knowledge);
    struct status status = learner_advance(knowledge_learner(knowledge), 1700000000000 + to * 1000);
    knowledge_unlock(knowledge);
    return status;
}

static uint64_t version_of(struct knowledge *knowledge)
{
    return learned_version(knowledge_learned(knowledge));
}

static void what_is_saved_and_restored_learns_on_as_if_nothing_had_happened(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[300];
    snprintf(path, sizeof path, "%s/learned", folder.path);
    struct knowledge_options options = options_with(path);
    struct knowledge *calm, *knowledge;
    struct complaint complaint = {0};
    assert_ok(knowledge_open(&options, &calm, &complaint));
    assert_ok(offer_many(calm, 0, 60));
    assert_ok(advance(calm, 30));
    const int64_t positions[3] = {17, -1, 4};
    assert_ok(knowledge_save(calm, path, positions, 3, &complaint));

    assert_ok(knowledge_open(&options, &knowledge, &complaint));
    int32_t count;
    const int64_t *restored = knowledge_positions(knowledge, &count);
    assert_int_equal(count, 3);
    assert_memory_equal(restored, positions, sizeof positions);
    assert_true(version_of(knowledge) == version_of(calm));
    assert_int_equal(learner_counts(knowledge_learner(knowledge)).pending,
                     learner_counts(knowledge_learner(calm)).pending);
    assert_ok(offer_many(knowledge, 20, 60)); /* what was offered before is known */
    assert_int_equal(learner_counts(knowledge_learner(knowledge)).repeated, 40);
    assert_ok(offer_many(calm, 60, 90));
    assert_ok(offer_many(knowledge, 60, 90));
    assert_ok(advance(calm, 200));
    assert_ok(advance(knowledge, 200));
    assert_true(version_of(knowledge) == version_of(calm));
    assert_int_equal(learner_counts(knowledge_learner(knowledge)).pending, 0);
    knowledge_close(knowledge);
    knowledge_close(calm);
    temporary_folder_remove(&folder);
}

/* ---- killed while it is saved */

#define LIVES      40
#define LIFE_SAVES 125 /* more than a process gets done in the time it has, as a rule */
#define SAVES_MAX  (LIVES * LIFE_SAVES)

/* One more portion learned, and saved with its number as the position. */
MUST_CHECK static struct status learn_portion(struct knowledge *knowledge, int number, const char *path)
{
    struct complaint complaint;
    TRY(offer_many(knowledge, number * 3, number * 3 + 3));
    TRY(advance(knowledge, number * 3));
    return path ? knowledge_save(knowledge, path, &(int64_t){number}, 1, &complaint) : OK;
}

/* A child: no assert here, which would go on with the parent's tests. Says by a byte that a save is done. */
_Noreturn static void save_until_killed(const struct knowledge_options *options, int saved)
{
    struct knowledge *knowledge;
    if (failed(knowledge_open(options, &knowledge, NULL)))
        _exit(1);
    int32_t count;
    const int64_t *position = knowledge_positions(knowledge, &count);
    int from = position ? (int)*position + 1 : 0;
    for (int number = from; number < from + LIFE_SAVES; number++)
        if (failed(learn_portion(knowledge, number, options->own)) || write(saved, "", 1) != 1)
            _exit(1);
    _exit(0);
}

/* A process that is killed up to 5 ms after its first save. */
static void live(const struct knowledge_options *options, struct random *random)
{
    int saved[2], status;
    char byte;
    assert_int_equal(pipe(saved), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        save_until_killed(options, saved[1]);
    close(saved[1]);
    ssize_t heard = read(saved[0], &byte, 1); /* none when it fails before */
    usleep((useconds_t)random_below(random, 5000));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(saved[0]);
    assert_true(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
    assert_int_equal(heard, 1);
}

static void whenever_it_is_killed_one_of_the_saved_states_is_there(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[300];
    static uint64_t versions[SAVES_MAX];
    snprintf(path, sizeof path, "%s/learned", folder.path);
    struct knowledge_options nowhere = options_with("/nowhere/at/all"), options = options_with(path);
    struct knowledge *knowledge;
    struct random random;
    random_seed(&random, test_seed(3));
    assert_ok(knowledge_open(&nowhere, &knowledge, NULL));
    for (int number = 0; number < SAVES_MAX; number++) {
        assert_ok(learn_portion(knowledge, number, NULL));
        versions[number] = version_of(knowledge);
    }
    knowledge_close(knowledge);

    int64_t last = -1;
    for (int i = 0; i < LIVES; i++) {
        live(&options, &random);
        assert_ok(knowledge_open(&options, &knowledge, NULL));
        int32_t count;
        const int64_t *position = knowledge_positions(knowledge, &count);
        assert_non_null(position); /* a state that is not whole would have been discarded */
        assert_in_range(*position, last + 1, last + LIFE_SAVES);
        last = *position;
        assert_true(version_of(knowledge) == versions[last]);
        knowledge_close(knowledge);
    }
    temporary_folder_remove(&folder);
}

static void without_a_saved_state_all_of_the_topic_is_to_be_read(void **state)
{
    (void)state;
    struct knowledge_options options = options_with("/nowhere/at/all");
    struct knowledge *knowledge;
    struct complaint complaint = {0};
    int32_t count;
    assert_ok(knowledge_open(&options, &knowledge, &complaint));
    assert_null(knowledge_positions(knowledge, &count));
    assert_int_equal(count, 0);
    knowledge_close(knowledge);
}

/* Killed while it is written it would be as it was before; a disk may still do this to it. */
static void a_saved_state_cut_or_changed_anywhere_is_discarded(void **state)
{
    (void)state;
    struct temporary_folder folder = temporary_folder_make();
    char path[300];
    snprintf(path, sizeof path, "%s/learned", folder.path);
    struct knowledge_options options = options_with(path);
    struct knowledge *knowledge;
    struct complaint complaint = {0};
    const int64_t positions[1] = {9};
    assert_ok(knowledge_open(&options, &knowledge, &complaint));
    assert_ok(offer_many(knowledge, 0, 20));
    assert_ok(advance(knowledge, 10));
    assert_ok(knowledge_save(knowledge, path, positions, 1, &complaint));
    knowledge_close(knowledge);
    AUTO(buffer) whole = {0};
    assert_ok(file_read(path, &whole, &complaint));
    for (size_t at = 0; at < whole.size; at += 1 + at / 7) {
        for (int change = 0; change < 2; change++) {
            AUTO(buffer) other = {0};
            buffer_append(&other, whole.data, change ? whole.size : at);
            if (change)
                other.data[at] ^= 0x10;
            assert_ok(saved_write(path, &other, &complaint));
            assert_ok(knowledge_open(&options, &knowledge, &complaint));
            int32_t count;
            assert_null(knowledge_positions(knowledge, &count));
            assert_int_equal(learned_count(knowledge_learned(knowledge)), 0);
            knowledge_close(knowledge);
        }
    }
    options.learned.sessions_max = 77; /* nor is one that was made with other options */
    assert_ok(saved_write(path, &whole, &complaint));
    assert_ok(knowledge_open(&options, &knowledge, &complaint));
    assert_int_equal(learned_count(knowledge_learned(knowledge)), 0);
    knowledge_close(knowledge);
    temporary_folder_remove(&folder);
}

int main(void)
{
    log_configure(LOG_ERROR + 1, LOG_FORMAT_LOGFMT, STDERR_FILENO);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_saved_and_restored_learns_on_as_if_nothing_had_happened),
        cmocka_unit_test(whenever_it_is_killed_one_of_the_saved_states_is_there),
        cmocka_unit_test(without_a_saved_state_all_of_the_topic_is_to_be_read),
        cmocka_unit_test(a_saved_state_cut_or_changed_anywhere_is_discarded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
