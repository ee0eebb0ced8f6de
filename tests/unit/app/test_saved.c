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

static void offer(struct knowledge *knowledge, int64_t close_ms, int32_t partition, int64_t offset)
{
    struct catalogue *catalogue = knowledge_catalogue(knowledge);
    uint32_t items[3];
    int64_t times_ms[3] = {close_ms - 3000, close_ms - 2000, close_ms - 1000};
    const uint8_t types[3] = {0, 1, 2};
    for (int i = 0; i < 3; i++) {
        char id[16];
        snprintf(id, sizeof id, "item-%lld", (long long)(offset + i * i) % 7);
        assert_ok(catalogue_intern(catalogue, bytes_of_text(id), &items[i]));
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
    assert_ok(
        learner_offer(knowledge_learner(knowledge), &session, (struct session_origin){partition, offset, 0}, &fresh));
    knowledge_unlock(knowledge);
}

/* The sessions from `from` to `to`, closing a second after one another on two partitions in turn. */
static void offer_many(struct knowledge *knowledge, int from, int to)
{
    for (int i = from; i < to; i++)
        offer(knowledge, 1700000000000 + i * 1000, i % 2, i);
}

static void advance(struct knowledge *knowledge, int to)
{
    knowledge_lock_write(knowledge);
    assert_ok(learner_advance(knowledge_learner(knowledge), 1700000000000 + to * 1000));
    knowledge_unlock(knowledge);
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
    offer_many(calm, 0, 60);
    advance(calm, 30);
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
    offer_many(knowledge, 20, 60); /* what was offered before is known */
    assert_int_equal(learner_counts(knowledge_learner(knowledge)).repeated, 40);
    offer_many(calm, 60, 90);
    offer_many(knowledge, 60, 90);
    advance(calm, 200);
    advance(knowledge, 200);
    assert_true(version_of(knowledge) == version_of(calm));
    assert_int_equal(learner_counts(knowledge_learner(knowledge)).pending, 0);
    knowledge_close(knowledge);
    knowledge_close(calm);
    temporary_folder_remove(&folder);
}

/* ---- killed while it is saved */

#define SAVES_MAX 5000 /* more than a process gets done, however fast its disk */

/* One more portion learned, and saved with its number as the position. */
static void learn_portion(struct knowledge *knowledge, int number, const char *path)
{
    struct complaint complaint;
    offer_many(knowledge, number * 3, number * 3 + 3);
    advance(knowledge, number * 3);
    if (path)
        assert_ok(knowledge_save(knowledge, path, &(int64_t){number}, 1, &complaint));
}

static void save_until_killed(const struct knowledge_options *options)
{
    struct knowledge *knowledge;
    if (failed(knowledge_open(options, &knowledge, NULL)))
        _exit(1);
    int32_t count;
    const int64_t *position = knowledge_positions(knowledge, &count);
    int from = position ? (int)*position + 1 : 0;
    for (int number = from; number < SAVES_MAX; number++)
        learn_portion(knowledge, number, options->own);
    _exit(0);
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
        learn_portion(knowledge, number, NULL);
        versions[number] = version_of(knowledge);
    }
    knowledge_close(knowledge);

    int64_t last = -1;
    int kills = 0;
    for (; kills < 40 && last < SAVES_MAX - 1; kills++) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            save_until_killed(&options);
        int status;
        system_wait_ms(1 + (int)random_below(&random, 20));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        assert_ok(knowledge_open(&options, &knowledge, NULL));
        int32_t count;
        const int64_t *position = knowledge_positions(knowledge, &count);
        assert_true(position || last < 0); /* a state that is not whole would have been discarded */
        if (position) {
            assert_true(*position >= last && *position < SAVES_MAX);
            last = *position;
            assert_true(version_of(knowledge) == versions[last]);
        }
        knowledge_close(knowledge);
    }
    assert_true(kills > 5 && last > 5);
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
    offer_many(knowledge, 0, 20);
    advance(knowledge, 10);
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
