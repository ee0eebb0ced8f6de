// SPDX-License-Identifier: Apache-2.0
#pragma once
/* metrics: what a process counts about itself, as one table. A row is a counter or a gauge; the table makes the
 * enum, the Prometheus text (version 0.0.4) and docs/METRICS.md. Counters are relaxed atomics: any thread adds,
 * any thread reads. Names follow Prometheus: prefix eddy_, base units, _total only on counters. No labels that
 * name sessions, users or items. The core does not count here: it returns counts in its effects. */
#include <eddy/base/buffer.h>
#include <stdatomic.h>

/* X(IDENTIFIER, type, "name", "labels" ("" or k="v"), "help"): rows with one name stand together. */
#define METRICS(X)                                                                                                     \
    X(CLICKS_ANSWERED, counter, "eddy_clicks_total", "result=\"answered\"", "Clicks consumed, by what became of them") \
    X(CLICKS_SILENT, counter, "eddy_clicks_total", "result=\"silent\"", "")                                            \
    X(CLICKS_DUPLICATE, counter, "eddy_clicks_total", "result=\"duplicate\"", "")                                      \
    X(CLICKS_LATE, counter, "eddy_clicks_total", "result=\"late\"", "")                                                \
    X(CLICKS_DEAD, counter, "eddy_clicks_total", "result=\"dead_letter\"", "")                                         \
    X(CLICKS_OUT_OF_ORDER, counter, "eddy_clicks_out_of_order_total", "",                                              \
      "Clicks older than their session's latest, still accepted")                                                      \
    X(CLICKS_MISKEYED, counter, "eddy_clicks_miskeyed_total", "",                                                      \
      "Clicks whose record key is not what sessions are kept by")                                                      \
    X(CLICKS_UNKNOWN_TYPE, counter, "eddy_clicks_unknown_type_total", "",                                              \
      "Clicks of a type that eddy does not know, taken for views")                                                     \
    X(CLICKS_UNKNOWN_ITEM, counter, "eddy_clicks_unknown_item_total", "",                                              \
      "Clicks on items that neither the catalogue nor an earlier click named")                                         \
    X(RECOMMENDATIONS, counter, "eddy_recommendations_total", "", "Recommendations handed to the producer")            \
    X(RECOMMENDATIONS_EMPTY, counter, "eddy_recommendations_empty_total", "", "Recommendations without a single item") \
    X(DELIVERY_FAILURES, counter, "eddy_delivery_failures_total", "", "Records the broker refused or that timed out")  \
    X(SESSIONS_OPEN, gauge, "eddy_sessions_open", "", "Sessions now open in this process")                             \
    X(PARTITIONS_CATCHING_UP, gauge, "eddy_partitions_catching_up", "",                                                \
      "Partitions whose sessions are brought up to what was answered before; until then the process is not ready")     \
    X(CLICKS_BEHIND, gauge, "eddy_clicks_behind", "",                                                                  \
      "Clicks answered before that such partitions have still to apply")                                               \
    X(SESSIONS_CLOSED, counter, "eddy_sessions_closed_total", "", "Sessions closed and published")                     \
    X(SESSIONS_EVICTED, counter, "eddy_sessions_evicted_total", "", "Sessions closed early at session.open_max")       \
    X(SESSIONS_MOVED, counter, "eddy_sessions_moved_total", "",                                                        \
      "Sessions that were open when the clicks topic got more partitions, whose key belongs to another one since (as " \
      "Java's clients choose it): their visitors go on there in new sessions. Those being rebuilt then are left out")  \
    X(SESSIONS_LEARNED, counter, "eddy_sessions_learned_total", "", "Closed sessions that entered the learned state")  \
    X(SESSIONS_LEARNED_LATE, counter, "eddy_sessions_learned_late_total", "",                                          \
      "Closed sessions that came after later ones had been learned")                                                   \
    X(SESSIONS_LEARNED_EARLY, counter, "eddy_sessions_learned_early_total", "",                                        \
      "Closed sessions that were learned before their time, at learn.pending_max")                                     \
    X(SESSIONS_PENDING, gauge, "eddy_sessions_pending", "", "Closed sessions that wait to be learned")                 \
    X(SESSIONS_FORGOTTEN, counter, "eddy_sessions_forgotten_total", "",                                                \
      "Learned sessions that left the kNN index at learn.sessions_max")                                                \
    X(SESSIONS_BAD, counter, "eddy_sessions_bad_total", "",                                                            \
      "Records of the sessions topic that cannot be used, and were not learned")                                       \
    X(INDEX_SESSIONS, gauge, "eddy_index_sessions", "", "Past sessions held in the kNN index")                         \
    X(INDEX_BYTES, gauge, "eddy_index_bytes", "", "Memory of the learned state")                                       \
    X(CATALOGUE_ITEMS, gauge, "eddy_catalogue_items", "", "Items known, from the catalogue or from clicks")            \
    X(CATALOGUE_BYTES, gauge, "eddy_catalogue_bytes", "", "Memory of the catalogue")                                   \
    X(CATALOGUE_TITLES_LEFT_OUT, counter, "eddy_catalogue_titles_left_out_total", "",                                  \
      "Items put into the catalogue without their title, at items.memory_max_bytes")                                   \
    X(ITEMS_CONSUMED, counter, "eddy_items_total", "result=\"applied\"",                                               \
      "Catalogue records consumed, by what became of them")                                                            \
    X(ITEMS_BAD, counter, "eddy_items_total", "result=\"bad\"", "")                                                    \
    X(ITEMS_REFUSED, counter, "eddy_items_total", "result=\"refused\"", "")                                            \
    X(COMMITS, counter, "eddy_commits_total", "", "Commits of offsets and session state")                              \
    X(COMMITS_POSTPONED, counter, "eddy_commits_postponed_total", "",                                                  \
      "Commits that were not possible yet, aborted transactions among them; they are made again")                      \
    X(COMMIT_MICROSECONDS, counter, "eddy_commit_microseconds_total", "", "Time spent in commits")                     \
    X(PARTITIONS_ASSIGNED, gauge, "eddy_partitions_assigned", "", "Input partitions this process owns")                \
    X(PARTITIONS_PAUSED, gauge, "eddy_partitions_paused", "",                                                          \
      "Input partitions paused because the producer's queue is full")                                                  \
    X(REBALANCES, counter, "eddy_rebalances_total", "", "Assignments and revocations")                                 \
    X(BROKER_ERRORS, counter, "eddy_broker_errors_total", "", "Errors reported by librdkafka")                         \
    X(SCHEMA_WAITS, counter, "eddy_schema_waits_total", "",                                                            \
      "Times a record had to wait because the schema registry did not give its schema")                                \
    X(STATE_MAP_USED_RATIO, gauge, "eddy_state_map_used_percent", "", "Fullest LMDB map, in percent of its size")      \
    X(MODEL_VERSION, gauge, "eddy_model_version", "",                                                                  \
      "Number of the session model's version that clicks are scored with; 0: none, or one from a file")                \
    X(MODEL_AGE, gauge, "eddy_model_age_seconds", "", "How long ago that version was published")                       \
    X(MODEL_LOADS, counter, "eddy_model_loads_total", "", "Versions of session models taken into use")                 \
    X(MODEL_REFUSALS, counter, "eddy_model_refusals_total", "",                                                        \
      "Versions of session models that cannot be used; the one before stays in use")                                   \
    X(MODEL_RECORDS_BAD, counter, "eddy_model_records_bad_total", "",                                                  \
      "Records of the models topic that cannot be used")                                                               \
    X(MODEL_LOAD_MICROSECONDS, counter, "eddy_model_load_microseconds_total", "",                                      \
      "Time spent in taking versions of session models into use")                                                      \
    X(TRAINING_UPDATES, counter, "eddy_training_updates_total", "",                                                    \
      "Updates of the session model that were trained, by this process")                                               \
    X(TRAINING_REFUSED, counter, "eddy_training_refused_total", "",                                                    \
      "Of those, held back because they were worse on the newest sessions")                                            \
    X(TRAINING_PUBLISHED, counter, "eddy_training_published_total", "", "Of those, published")                         \
    X(TRAINING_DELAYS, counter, "eddy_training_delays_total", "",                                                      \
      "Times that the trainer met with what it could not go on from, and waited to try again")                         \
    X(TRAINING_UNUSABLE, gauge, "eddy_training_unusable_version", "",                                                  \
      "Number of the version in use when this process trains and cannot learn on from it; it waits for another one")   \
    X(TRAINING_MILLISECONDS, counter, "eddy_training_milliseconds_total", "", "Time that updates took")                \
    X(READY, gauge, "eddy_ready", "", "1 when the process has its partitions and answers")

enum metric {
#define X(identifier, type, name, labels, help) METRIC_##identifier,
    METRICS(X)
#undef X
        METRIC_COUNT
};

struct metrics {
    _Atomic int64_t values[METRIC_COUNT];
};

static inline void metric_add(struct metrics *metrics, enum metric metric, int64_t amount)
{
    atomic_fetch_add_explicit(&metrics->values[metric], amount, memory_order_relaxed);
}

static inline void metric_set(struct metrics *metrics, enum metric metric, int64_t value)
{
    atomic_store_explicit(&metrics->values[metric], value, memory_order_relaxed);
}

static inline int64_t metric_get(const struct metrics *metrics, enum metric metric)
{
    return atomic_load_explicit(&metrics->values[metric], memory_order_relaxed);
}

/* Appends all metrics in the Prometheus text format. */
void metrics_expose(const struct metrics *metrics, struct buffer *out);
/* Appends docs/METRICS.md. */
void metrics_document(struct buffer *out);
