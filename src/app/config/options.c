// SPDX-License-Identifier: Apache-2.0
#include "app/config/options.h"

#include <eddy/core/intent_record.h>

#include <stddef.h>

#define KIND(member)                                                                                                   \
    _Generic(((struct config *)0)->member, bool                                                                        \
             : OPTION_BOOL, uint32_t                                                                                   \
             : OPTION_U32, int32_t                                                                                     \
             : OPTION_I32, int64_t                                                                                     \
             : OPTION_I64, size_t                                                                                      \
             : OPTION_SIZE, float                                                                                      \
             : OPTION_FLOAT, float *                                                                                   \
             : OPTION_FLOATS, char *                                                                                   \
             : OPTION_TEXT, struct text_list                                                                           \
             : OPTION_TEXTS, struct start_position                                                                     \
             : OPTION_START)

#define FIELD(member) KIND(member), offsetof(struct config, member), sizeof(((struct config *)0)->member)

#define SECOND_MS     1000.0
#define MINUTE_MS     (60 * SECOND_MS)
#define HOUR_MS       (60 * MINUTE_MS)
#define DAY_MS        (24 * HOUR_MS)
#define KIB           1024.0
#define MIB           (KIB * KIB)
#define GIB           (KIB * MIB)
#define TIB           (KIB * GIB)

/* Rows: number with a range, text or switch, choice among words. */
#define NUMBER(key, member, standard, min, max, doc)                                                                   \
    {                                                                                                                  \
        key, FIELD(member), standard, min, max, NULL, doc                                                              \
    }
#define PLAIN(key, member, standard, doc) NUMBER(key, member, standard, 0, 0, doc)
#define CHOICE(key, member, standard, words, doc)                                                                      \
    {                                                                                                                  \
        key, FIELD(member), standard, 0, 0, words, doc                                                                 \
    }

/* In the order of the enums they stand for. */
static const char *const format_words[] = {"avro", "confluent", "json", NULL};
static const char *const delivery_words[] = {"at_least_once", "exactly_once", NULL};
static const char *const session_key_words[] = {"session_id", "user_id", NULL};
static const char *const seen_words[] = {"learned", "exclude", NULL};
static const char *const formula_words[] = {"eddy", "vmis", NULL};
static const char *const subject_words[] = {"topic", "record", "topic_record", NULL};
static const char *const id_place_words[] = {"payload", "header", NULL};
static const char *const backbone_words[] = {"pw_core", "stamp", "narm", "gru4rec", "sr_gnn", "sasrec", NULL};
static const char *const optimiser_words[] = {"adam", "adagrad", NULL};
static const char *const payload_words[] = {"float32", "float16", "int8", NULL};
static const char *const embedder_words[] = {"none", "hash", "encoder", NULL};
static const char *const level_words[] = {"debug", "info", "warn", "error", NULL};
static const char *const log_format_words[] = {"auto", "logfmt", "json", NULL};

const struct config_option option_table[] = {
    PLAIN(
        "roles", roles.names, "[recommend, train]",
        "What the process does: `recommend` answers clicks; `train` keeps the session model learning from the sessions "
        "topic and publishes versions of it, in one process of the group at a time (only with models.enabled)."),
    PLAIN("group_id", group_id, "eddy", "Consumer group. Processes with the same group share the clicks partitions."),
    PLAIN("start", start, "earliest",
          "Where to begin on a partition for which the group has committed no offset: `earliest`, `latest`, or a time "
          "(RFC 3339, or milliseconds since 1970). `stored` refuses to begin there, so that a mistyped group_id cannot "
          "start anew unnoticed."),
    CHOICE("delivery", delivery, "at_least_once", delivery_words,
           "at_least_once: after a crash the last clicks may be answered twice, with the same identity (topic, "
           "partition, offset, revision) in the record. exactly_once: outputs and offsets are committed in one "
           "transaction, so a consumer with isolation.level=read_committed (not the default of most) sees each answer "
           "once, "
           "commit_interval_ms later at most."),
    PLAIN("static_membership", static_membership, "true",
          "The process keeps its name in the group across restarts (group.instance.id, from state.directory): one that "
          "comes back within kafka.session.timeout.ms, here 15 s unless set, gets its partitions again at once and "
          "nothing is moved. One that is stopped for good is missed after that time only."),
    NUMBER("shards", shards, "0", 0, 256,
           "Worker threads. 0: one per CPU. Never more than partitions of the clicks topic."),
    NUMBER("batch_clicks", batch_clicks, "2048", 1, 65536,
           "Clicks taken from the consumer at once, at most. Their answers are published together: the more, the less "
           "it costs to work off a backlog."),
    NUMBER(
        "commit_interval_ms", commit_interval_ms, "0", 0, MINUTE_MS,
        "Offsets and session state are committed at least this often while clicks come in. 0: 1 s at least once, "
        "100 ms exactly once. At least once, answers do not wait for it, and after a crash the clicks since the last "
        "commit are answered again; exactly once, readers of committed records see answers when they are committed."),
    NUMBER("commit_clicks", commit_clicks, "100000", 1, 1e6, "And after this many clicks of a shard."),
    NUMBER("commit_sessions", commit_sessions, "10000", 1, 1e6,
           "And when this many open sessions of a shard have changed: a commit may need 4 KiB of memory for each."),

    PLAIN("topics.prefix", topics.prefix, "", "Put before each of the names below, for example `shop1.`."),
    PLAIN("topics.clicks", topics.names[TOPIC_CLICKS], "clicks",
          "Input: ClickEvent, keyed by what sessions are kept by (session.key). Best with "
          "message.timestamp.type=LogAppendTime, as `eddy topics create` makes it: then no producer with a wrong clock "
          "can close sessions before their time."),
    PLAIN("topics.items", topics.names[TOPIC_ITEMS], "items",
          "Input: Item by item_id, compacted; a null value removes the item."),
    PLAIN("topics.recommendations", topics.names[TOPIC_RECOMMENDATIONS], "recommendations",
          "Output: Recommendation, keyed by what sessions are kept by (session.key)."),
    PLAIN("topics.sessions", topics.names[TOPIC_SESSIONS], "sessions",
          "Output and input: ClosedSession. Every process learns from it; keep it for long."),
    PLAIN("topics.late_clicks", topics.names[TOPIC_LATE_CLICKS], "late-clicks",
          "Output: clicks that came after their session had been closed, as received (larger than 900 KiB: dead "
          "letters)."),
    PLAIN("topics.dead_letters", topics.names[TOPIC_DEAD_LETTERS], "dead-letters",
          "Output: records that cannot be used, as received, with the reason in headers. Keys and values are cut at "
          "400 KiB; the header eddy.cut.from.bytes then says how long they were together."),
    PLAIN("topics.models", topics.names[TOPIC_MODELS], "models",
          "Input and output: versions of session models, as ModelChunk and ModelManifest; one partition, compacted."),
    NUMBER("topics.partitions", topics.partitions, "8", 1, 10000,
           "Partitions of topics that eddy creates; of models always 1."),
    NUMBER("topics.replication", topics.replication, "1", 1, 10,
           "Replicas of topics that eddy creates; 3 is usual in production."),

    CHOICE("formats.clicks", encodings[RECORD_CLICK].format, "avro", format_words, "Of the clicks topic."),
    CHOICE("formats.items", encodings[RECORD_ITEM].format, "avro", format_words, "Of the items topic."),
    CHOICE("formats.recommendations", encodings[RECORD_RECOMMENDATION].format, "avro", format_words,
           "Of the recommendations topic."),
    CHOICE("formats.sessions", encodings[RECORD_CLOSED_SESSION].format, "avro", format_words, "Of the sessions topic."),

    NUMBER("schema_ids.write.clicks", encodings[RECORD_CLICK].schema_id, "0", 0, INT32_MAX,
           "Id written before clicks by the tools that write them. 0: none."),
    NUMBER("schema_ids.write.items", encodings[RECORD_ITEM].schema_id, "0", 0, INT32_MAX,
           "Id written before items by the tools that write them. 0: none."),
    NUMBER("schema_ids.write.recommendations", encodings[RECORD_RECOMMENDATION].schema_id, "0", 0, INT32_MAX,
           "Id written before recommendations; needed with formats.recommendations: confluent."),
    NUMBER("schema_ids.write.sessions", encodings[RECORD_CLOSED_SESSION].schema_id, "0", 0, INT32_MAX,
           "Id written before closed sessions; needed with formats.sessions: confluent."),

    PLAIN("registry.url", registry.url, "",
          "Base URL, http or https; several, separated by commas, are tried in turn. Empty: there is no registry."),
    PLAIN("registry.user", registry.user, "", "For basic authentication. Empty: none."),
    PLAIN("registry.password", registry.password, "", "A secret: `${NAME}`, or `file:/path`."),
    PLAIN("registry.ca", registry.ca, "",
          "PEM file of the certificate authorities to trust. Empty: those of the system."),
    PLAIN("registry.certificate", registry.certificate, "", "PEM file of eddy's own certificate. Empty: none."),
    PLAIN("registry.key", registry.key, "", "PEM file of its private key."),
    PLAIN("registry.key_password", registry.key_password, "", "Of that key. A secret, as registry.password."),
    PLAIN(
        "registry.verify", registry.verify, "true",
        "Check the registry's certificate and name. false is for trying things out: anybody in between could read the "
        "password and give other schemas."),
    NUMBER("registry.timeout_ms", registry.timeout_ms, "5s", 100, 30 * SECOND_MS, "How long to wait for an answer."),
    NUMBER("registry.retries", registry.retries, "3", 0, 20,
           "How often commands repeat a request, with growing pauses, when the registry is not reached, is busy or has "
           "an error of its own. `eddy run` asks until it has an answer."),
    NUMBER("registry.unknown_ms", registry.unknown_ms, "1min", 0, DAY_MS,
           "How long an id that the registry does not know is not asked for again."),
    PLAIN("registry.register", registry.registers, "true",
          "Register the schemas of what eddy writes at its start. false: they must be there."),
    CHOICE("registry.subjects", registry.subjects, "topic", subject_words,
           "What subjects are called. topic: `<topic>-value`, record: the schema's full name, topic_record: "
           "`<topic>-<full name>`."),
    CHOICE(
        "registry.id_place", registry.id_place, "payload", id_place_words,
        "Where eddy writes the schema's id. payload: before the value (magic byte 0, 4 bytes). header: in the header "
        "`__value_schema_id`, as magic byte 1 and the schema's GUID, or as magic byte 0 and its id where the registry "
        "gives no GUIDs. Both are read, whatever this says."),

    CHOICE("session.key", engine.session.by_user, "session_id", session_key_words,
           "What sessions are kept by; the clicks topic must be keyed by it."),
    NUMBER("session.gap_ms", engine.session.gap_ms, "30min", 1, 2 * DAY_MS, "Inactivity that ends a session."),
    NUMBER("session.grace_ms", engine.session.grace_ms, "1min", 0, 2 * DAY_MS,
           "How much longer out-of-order clicks are accepted; sessions close, and are learned, this much later."),
    NUMBER("session.max_duration_ms", engine.session.max_duration_ms, "12h", 1, SESSION_DURATION_MAX_MS,
           "A session never gets longer; the next click opens a new one."),
    NUMBER("session.clicks_max", engine.session.clicks_max, "200", 2, SESSION_CLICKS_MAX,
           "Newest clicks kept of a session; older ones are only counted."),
    NUMBER("session.open_max", engine.session.open_max, "1000000", 1, 1e9,
           "Open sessions of a partition; past it the one nearest to its end is closed early, and counted."),
    PLAIN("session.infer_duplicates", engine.session.infer_duplicates, "true",
          "Drop a click without event_id that equals another of its session in time, item and type."),
    NUMBER("session.future_max_ms", clicks.future_max_ms, "5min", 0, DAY_MS,
           "How far a click's time may lead its record's; past it the click is a dead letter."),
    NUMBER("session.idle_ms", session_idle_ms, "1min", 0, DAY_MS,
           "After this long without a click the wall clock moves a partition's watermark on, so that its last sessions "
           "close. 0: never."),

    NUMBER("dead_letters.max_ratio", dead_limits.ratio_max, "0", 0, 1,
           "Share of dead_letters.window_clicks clicks in a row, of all shards together. 0: any."),
    NUMBER("dead_letters.window_clicks", dead_limits.window_clicks, "1000", 1, 1e9,
           "What dead_letters.max_ratio is a share of; a limit is passed as soon as there are too many, not at the "
           "window's end."),
    NUMBER("dead_letters.max_per_minute", dead_limits.per_minute_max, "0", 0, 1e9,
           "Within a minute by the clock of the machine, also while a backlog is worked off. 0: any."),

    NUMBER("learn.interval_ms", engine.learn_interval_ms, "10s", 1, DAY_MS,
           "Closed sessions enter the learned state at multiples of this, in stream time."),
    NUMBER("learn.delay_ms", learner.delay_ms, "30s", 0, DAY_MS,
           "And this long after they closed, so that those of other partitions arrive in time to keep the order."),
    NUMBER("learn.pending_max", learner.pending_max, "1000000", 1, 1e9,
           "Closed sessions that wait to be learned; past it the earliest are learned at once."),
    NUMBER("learn.sessions_max", learned.sessions_max, "1000000", 1, LEARNED_SESSIONS_MAX,
           "Past sessions kept in the index; the oldest leave."),
    NUMBER("learn.postings_max", learned.postings_max, "1000", 1, LEARNED_POSTINGS_MAX,
           "Newest sessions kept per item; at least knn.sample_max for the full sample."),
    NUMBER("learn.session_items_max", learned.session_items_max, "100", 2, LEARNED_SESSION_ITEMS_MAX,
           "Last clicks of a closed session that are learned."),
    NUMBER("learn.successors_max", learned.successors_max, "128", 8, LEARNED_SUCCESSORS_MAX,
           "Rules kept per item; the weakest are forgotten."),
    NUMBER("learn.forward_decay", learned.forward_decay, "1.1", 0.01, 1000,
           "A rule d clicks ahead weighs exp(-(d - 1) / this)."),
    NUMBER("learn.backward_decay", learned.backward_decay, "1.45", 0.01, 1000, "The same for d clicks back."),
    NUMBER("learn.rules_decay_sessions", learned.rules_decay_sessions, "100000", 0, 1e9,
           "Rules fade to 1/e over this many learned sessions. 0: never."),
    NUMBER("learn.popularity_half_life_ms", learned.popularity_half_life_ms, "7d", MINUTE_MS, 3650 * DAY_MS,
           "After this long a click counts half in the popularity."),
    NUMBER("learn.weights.view", learned.type_weights[CLICK_TYPE_VIEW], "1", 0, 100, "What a view counts."),
    NUMBER("learn.weights.click", learned.type_weights[CLICK_TYPE_CLICK], "1", 0, 100, "What a click counts."),
    NUMBER("learn.weights.add_to_cart", learned.type_weights[CLICK_TYPE_ADD_TO_CART], "1.5", 0, 100,
           "What putting into the cart counts."),
    NUMBER("learn.weights.purchase", learned.type_weights[CLICK_TYPE_PURCHASE], "2", 0, 100, "What a purchase counts."),
    NUMBER("learn.history_ms", learn_history_ms, "0", 0, 3650 * DAY_MS,
           "How far back the sessions topic is read before the process is ready. 0: from its start."),
    PLAIN(
        "learn.snapshot", learn_snapshot, "",
        "File to begin with: the learned state that `eddy replay --into-state` left. What the sessions topic holds is "
        "learned on top of it. Empty: none. Once the process has saved its own, that is what it begins with."),
    NUMBER(
        "learn.save_interval_ms", learn_save_interval_ms, "10min", 0, DAY_MS,
        "The learned state is saved in state.directory this often and when the process stops, so that the next start "
        "reads only what was added to the sessions topic since. 0: never. Nobody is answered while it is being copied, "
        "about 1 ms per MB."),

    CHOICE("knn.formula", engine.fusion.knn.formula, "eddy", formula_words,
           "eddy: as in include/eddy/core/scorer.h. vmis: the plain VMIS-kNN of Serenade, for comparison; of the keys "
           "below it takes the first three."),
    NUMBER("knn.sample_max", engine.fusion.knn.sample_max, "1000", 1, 1e6,
           "m: newest past sessions looked at that share an item with the open one."),
    NUMBER("knn.neighbours_max", engine.fusion.knn.neighbours_max, "250", 1, 1e6,
           "k: of those, the most similar ones that vote."),
    NUMBER("knn.query_items_max", engine.fusion.knn.query_items_max, "6", 1, QUERY_ITEMS_MAX,
           "Last distinct items of the open session that are looked up."),
    NUMBER("knn.query_decay", engine.fusion.knn.query_decay, "1.9", 0, 1000,
           "The j-th item back from the current one weighs exp(-j / this). 0: all weigh the same."),
    NUMBER("knn.query_idf_power", engine.fusion.knn.query_idf_power, "1.35", 0, 10,
           "Rare items of the open session weigh more: idf to this power."),
    NUMBER("knn.match_decay", engine.fusion.knn.match_decay, "6", 0, 1000,
           "A past session whose latest shared item is the j-th back weighs exp(-j / this). 0: no matter."),
    NUMBER("knn.recency_sessions", engine.fusion.knn.recency_sessions, "185000", 0, 1e9,
           "Past sessions weigh exp(-sessions learned since / this). 0: no matter."),
    NUMBER("knn.recency_ms", engine.fusion.knn.recency_ms, "0", 0, 3650 * DAY_MS,
           "Past sessions weigh exp(-age / this), in event time. 0: no matter."),
    NUMBER("knn.similarity_power", engine.fusion.knn.similarity_power, "1.4", 0.1, 10,
           "A past session's vote is its similarity to this power."),
    NUMBER("knn.forward_decay", engine.fusion.knn.forward_decay, "2.4", 0, 1000,
           "It votes for the item d clicks after the shared one with exp(-(d - 1) / this). 0: for all the same."),
    NUMBER("knn.backward_decay", engine.fusion.knn.backward_decay, "1.75", 0, 1000, "The same for d clicks before."),
    NUMBER("knn.backward_weight", engine.fusion.knn.backward_weight, "0.55", 0, 10, "What votes backward count."),
    NUMBER("knn.self_weight", engine.fusion.knn.self_weight, "0.15", 0, 10,
           "What the vote for the shared item counts."),
    NUMBER("knn.frequency_power", engine.fusion.knn.frequency_power, "0.2", 0, 2,
           "Votes for an item are divided by its number of past sessions to this power."),
    NUMBER("knn.sharpness", engine.fusion.knn.sharpness, "1.6", 0.1, 10,
           "The votes for an item are raised to this power before they are made a probability."),

    NUMBER("transition.query_items_max", engine.fusion.transition.query_items_max, "3", 1, QUERY_ITEMS_MAX,
           "Last distinct items of the open session whose rules are asked."),
    NUMBER("transition.query_decay", engine.fusion.transition.query_decay, "0.93", 0, 1000,
           "The rules of the j-th item back weigh exp(-j / this). 0: all weigh the same."),
    NUMBER("transition.backward_weight", engine.fusion.transition.backward_weight, "1.1", 0, 10,
           "What a rule to an item that used to come before counts, against one that came after."),

    NUMBER("walk.starts_max", engine.fusion.walk.starts_max, "16", 0, WALK_STARTS_MAX,
           "Best new candidates whose own rules are followed. 0: none."),
    NUMBER("walk.rules_max", engine.fusion.walk.rules_max, "24", 0, LEARNED_SUCCESSORS_MAX,
           "Strongest rules followed of each."),
    NUMBER("walk.backward_weight", engine.fusion.walk.backward_weight, "0.5", 0, 10, "As transition.backward_weight."),

    NUMBER("repeat.evidence_power", engine.fusion.repeat.evidence_power, "0.27", 0, 1,
           "Weight of the kNN votes for an item of the session, against what was learned of repeats, in their "
           "geometric mean."),
    NUMBER("repeat.scale", engine.fusion.repeat.scale, "1.25", 0, 100, "Times this."),
    NUMBER("repeat.current_prior", engine.fusion.repeat.current_prior, "12", 0, 1e6,
           "Expected repeats before an item's own record counts as much as the average; for the current item."),
    NUMBER("repeat.earlier_prior", engine.fusion.repeat.earlier_prior, "5", 0, 1e6, "The same for earlier items."),

    NUMBER("fusion.list_size", engine.fusion.list_size, "20", 1, LIST_SIZE_MAX, "Items recommended, at most."),
    NUMBER(
        "fusion.learn_every", learner.mix_every, "8", 0, 1e6,
        "The weights are learned from one in so many of the clicks that follow; it costs answering that one once more. "
        "What is set below is what they begin with. 0: they stay at that."),
    NUMBER("fusion.knn_weights", learned.mixing.weights[MIX_KNN],
           "[0.05, 0.12, 0.25, 0.11, 0.16, 0.26, 0.09, 0.19, 0.29, 0.15, 0.27, 0.33]", 0, 1000,
           "The weight of each scorer's word on new items, by the session's distinct items (1, 2, 3 to 4, 5 and more) "
           "and, for each of "
           "these, by how many sessions have its last item (up to 15, up to 127, more). Those of a case are divided by "
           "their "
           "sum; a scorer that has nothing to say leaves its weight to the others."),
    NUMBER("fusion.transition_weights", learned.mixing.weights[MIX_TRANSITION],
           "[0.05, 0.09, 0.09, 0.08, 0.07, 0.1, 0.04, 0.08, 0.13, 0.06, 0.08, 0.08]", 0, 1000, "The same."),
    NUMBER("fusion.walk_weights", learned.mixing.weights[MIX_WALK],
           "[0.4, 0.32, 0.28, 0.24, 0.2, 0.18, 0.26, 0.21, 0.17, 0.23, 0.15, 0.17]", 0, 1000, "The same."),
    NUMBER("fusion.neural_weights", learned.mixing.weights[MIX_NEURAL],
           "[0.4, 0.35, 0.28, 0.53, 0.51, 0.33, 0.55, 0.45, 0.34, 0.52, 0.44, 0.32]", 0, 1000, "The same."),
    NUMBER("fusion.popular_weights", learned.mixing.weights[MIX_POPULAR],
           "[0.1, 0.12, 0.1, 0.04, 0.06, 0.13, 0.06, 0.07, 0.07, 0.04, 0.06, 0.1]", 0, 1000, "The same."),
    NUMBER("fusion.semantic_weights", learned.mixing.weights[MIX_SEMANTIC],
           "[0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]", 0, 1000,
           "The same, for what the titles' texts say (embedder.provider)."),
    NUMBER("fusion.agent_weights", learned.mixing.weights[MIX_AGENT],
           "[0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05, 0.05]", 0, 1000,
           "The same, for what a language model names."),
    NUMBER("fusion.repeat_shifts", learned.mixing.repeat_shifts, "[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]", -4, 4,
           "What is added to the logit of the probability that an item of the session comes again, by the same cases."),

    CHOICE("filters.seen", engine.fusion.filters.seen, "learned", seen_words,
           "Items already in the session: `learned` lets them compete at the repeat probability learned from the "
           "stream, `exclude` never recommends them."),
    PLAIN("filters.available_only", engine.fusion.filters.available_only, "true",
          "Leave out items that the catalogue says are not available."),
    PLAIN("filters.catalogue_only", engine.fusion.filters.catalogue_only, "false",
          "Leave out items known from clicks alone."),
    PLAIN("filters.categories_excluded", categories_excluded, "[]",
          "Leave out items with one of these names in their category path."),
    NUMBER("filters.per_category_max", engine.fusion.filters.per_category_max, "0", 0, 1000,
           "Items of one category path in a list, at most. 0: no limit."),

    PLAIN("items.enabled", items_enabled, "true",
          "Read the items topic, in full before the process is ready. false: items are known from clicks alone."),
    NUMBER("items.max", catalogue.items_max, "10000000", 1, LEARNED_ITEMS_MAX,
           "Item ids, from the catalogue and from clicks."),
    NUMBER("items.memory_max_bytes", catalogue.memory_max_bytes, "2GiB", 64 * KIB, TIB,
           "Memory of ids, titles and categories; at the bound titles are left out, then new items refused."),
    NUMBER("items.title_max_bytes", catalogue.title_max_bytes, "200", 0, 4096, "Longer titles are cut."),

    PLAIN("recommend.scoring", engine.scoring, "true",
          "false: sessions are kept and records published, without any items (to measure the rest)."),

    PLAIN("neural.model", neural.model, "",
          "A session model (`eddy train`) to score with while the models topic has none. Empty: none."),
    NUMBER("neural.candidates", engine.neural.candidates_max, "100", 1, 10000,
           "So many of its best items are handed to the fusion."),
    NUMBER("neural.full_items", engine.neural.full_items, "1000000", 0, LEARNED_ITEMS_MAX,
           "With more items than that, a session model does not choose among all of them: it scores what the other "
           "scorers propose, and the session's own items."),

    CHOICE(
        "embedder.provider", embedder.provider, "none", embedder_words,
        "none: texts say nothing. hash: n-grams of letters, learned from the catalogue's titles. encoder: a sentence "
        "encoder of the BERT family. EMBEDDING.md has what each is good for."),
    PLAIN("embedder.folder", embedder.folder, "", "The folder with the encoder's files (`./dev setup --encoder`)."),
    NUMBER("embedder.width", embedder.hashing.width, "128", 1, HASHING_WIDTH_MAX,
           "hash: numbers of a vector. An encoder has its own."),
    NUMBER("semantic.candidates", semantic.candidates_max, "100", 1, 10000,
           "So many of the items nearest to a session's titles are handed to the fusion."),
    NUMBER("semantic.items", semantic.items_max, "6", 1, QUERY_ITEMS_MAX,
           "Last distinct items of the session whose titles count."),
    NUMBER("semantic.temperature", semantic.temperature, "0.1", 0.001, 100,
           "What cosines are divided by to make probabilities: the smaller, the sharper."),
    NUMBER("semantic.text_share", intent.text_share, "0.5", 0, 1,
           "What the text of an intent counts against the titles of its session."),
    NUMBER("localize.nearest", localize.nearest, "20", 1, INTENT_NEAR_MAX, "r: items that a text comes to, at most."),
    NUMBER("localize.temperature", localize.temperature, "0.05", 0.001, 100,
           "What their cosines are divided by to make weights."),
    NUMBER("localize.similarity_min", localize.similarity_min, "0.2", -1, 1,
           "An item less near to a text than that is none of them."),
    NUMBER("localize.named_min", localize.named_min, "0.6", -1, 1,
           "A title that no item has means the nearest one, unless that is less near."),
    NUMBER("agent.short_share", intent.short_share, "0.5", 0, 1,
           "What an intent's short view, of the session's latest clicks, counts against its long one."),
    NUMBER("agent.rank_decay", intent.rank_decay, "0.9", 0.01, 1,
           "Each item that is named counts so much of the one before it."),

    CHOICE("model.backbone", model.backbone, "pw_core", backbone_words,
           "pw_core: the sum of the last clicks' vectors, weighted by learned weights of their places. "
           "stamp: attention over the clicks by the last one and their mean. gru4rec: the last state of a recurrent "
           "network. narm: gru4rec with attention over all its states. sr_gnn: narm with a graph of the session's "
           "items in the network's place. sasrec: self-attention, two blocks."),
    NUMBER("model.width", model.options.width, "100", 1, MODEL_WIDTH_MAX, "Numbers in a vector."),
    NUMBER("model.length_max", model.options.length_max, "20", 1, MODEL_LENGTH_MAX,
           "The last clicks of a session that the model sees."),
    PLAIN("model.normalise", model.options.normalise, "true",
          "Vectors of sessions and items are compared by cosine, not by their product: popular items then have no "
          "longer vectors to win by (NISER)."),
    NUMBER("model.temperature", model.options.temperature, "0.07", 0.001, 100,
           "What cosines are divided by: the smaller, the sharper."),
    PLAIN("model.directed", model.options.directed, "true",
          "An item that is scored has the vector that it has as a click and a learned difference of its own: what "
          "follows an item is not what goes before it. Items have twice the numbers to learn then."),

    NUMBER("train.epochs", train.options.epochs, "8", 1, 10000, "How often every click is learned from."),
    NUMBER("train.patience", train.patience, "3", 0, 10000,
           "Training ends when MRR@20 on the validation sessions has not grown for so many epochs. 0: it does not."),
    NUMBER("train.threads", train.threads, "1", 1, 16,
           "Threads of `eddy train`, which change no bit of the model. At the standard settings a step has work for 4. "
           "The role that trains has one."),
    NUMBER("train.batch", train.options.batch, "512", 1, 65536, "Clicks a step."),
    NUMBER("train.negatives", train.options.negatives, "2048", 0, 1e6,
           "Items drawn for a step, which its clicks' items are to be told from. 0: all items are."),
    NUMBER("train.negative_power", train.options.negative_power, "0.5", 0, 1,
           "They are drawn in proportion to their clicks to this power."),
    CHOICE("train.optimiser", train.options.optimiser, "adam", optimiser_words,
           "adam, or adagrad, which published settings of GRU4Rec are for (it takes a rate of 0.05 or so)."),
    NUMBER("train.rate", train.options.rate, "0.002", 1e-7, 1, "Of the optimiser, at the start."),
    NUMBER("train.rate_end", train.options.rate_end, "0", 0, 1,
           "Of the optimiser, behind the last of train.epochs; between the two it changes linearly."),
    NUMBER("train.dropout", train.options.dropout, "0.2", 0, 0.9,
           "Share of the items' numbers that a step leaves out."),
    NUMBER("train.decay", train.options.decay, "0", 0, 1, "Weight decay (L2)."),
    NUMBER(
        "train.half_life", train.options.half_life, "0", 0, 1000,
        "A click counts half when this part of all sessions (0.5: half of them) has ended after its own, and a quarter "
        "with twice as many. 0: all count alike."),
    NUMBER("train.seed", train.options.seed, "1", 0, 4294967295, "Same seed and data, same model."),

    PLAIN("models.enabled", models.enabled, "true",
          "Follow the models topic: score with the version that is pinned there, or else current. false: with "
          "neural.model alone."),
    PLAIN("models.name", models.name, "default",
          "Which model, of those that share a topic: the first part of its records' keys. Letters, digits, '.', '_' "
          "and '-', at most 64 of them."),
    NUMBER("models.keep", models.keep, "3", 2, MODEL_SLOTS_MAX - 1,
           "Versions that publishing keeps, the new one among them, to go back to; older ones are removed, but for the "
           "pinned one."),
    CHOICE("models.payload", models.payload, "float16", payload_words,
           "In what the item table is published: float16 takes half of float32 and int8 a quarter. MODELS.md has what "
           "that costs."),
    NUMBER(
        "models.size_max_bytes", models.size_max_bytes, "1GiB", MIB, 64 * GIB,
        "A larger version is neither published nor loaded. Loading one takes so much memory beyond the models' own."),
    NUMBER("models.wait_ms", models.wait_ms, "2min", 0, HOUR_MS,
           "How long a process that starts waits for the version in use, at most, before it is ready without it. One "
           "that cannot be used is not waited for."),
    NUMBER("update.interval_ms", update.interval_ms, "1h", 0, 366 * DAY_MS,
           "An update is due so long after the last one, in event time. 0: only update.clicks makes one due."),
    NUMBER("update.clicks", update.clicks, "0", 0, 4e9, "Or when so many clicks have closed since. 0: no number does."),
    NUMBER("update.first_clicks", update.first_clicks, "20000", 2, 4e9,
           "Clicks that must have closed before the `train` role makes a first model, as `eddy train` would."),
    NUMBER("update.clicks_max", update.options.clicks_max, "1000000", 2, 1e9,
           "The newest clicks that are kept to be learned again."),
    NUMBER(
        "update.anew_ms", update.options.anew_ms, "7d", 0, 36500 * DAY_MS,
        "The first update of each such period of event time makes a model from nothing, of all clicks that are kept, "
        "as `eddy train` would: it catches up on what many small updates have missed, and takes longer than they. 0: "
        "none does."),
    NUMBER("update.passes", update.options.passes, "2", 1, 1000, "How often an update learns each new click."),
    NUMBER("update.rate", update.options.rate, "0.001", 1e-7, 1,
           "Of the optimiser, as an update begins; it falls to 0 within it."),
    NUMBER("update.replay", update.options.replay, "16", 0, 1000,
           "Older clicks that are learned again for each new one, so that they are not forgotten."),
    NUMBER(
        "update.samples_max", update.options.samples_max, "1000000", 0, 4e9,
        "Fewer older clicks are learned again where all of an update's would be more than so many: what an update of "
        "many new clicks may cost. 0: no limit."),
    NUMBER("update.half_life_ms", update.options.half_life_ms, "7d", 0, 36500 * DAY_MS,
           "A click so much older than the newest is half as likely to be among these. 0: all alike."),
    NUMBER(
        "update.held_share", update.options.held_share, "0.1", 0, 0.4,
        "So many predictions for each new click are held back to judge the update by, and are learned by the next one. "
        "0: every update is published."),
    NUMBER("update.held_max", update.options.held_max, "5000", 0, 4e9, "But no more than so many."),
    NUMBER("update.noise", update.options.noise, "2", 0, 100,
           "An update is refused when its MRR@20 on these is worse by more than so many standard errors."),

    PLAIN("state.directory", state.directory, "eddy-state", "Folder of this process alone, on a local disk."),
    NUMBER("state.map_size_bytes", state.map_size_bytes, "16GiB", MIB, 16 * TIB,
           "Address space of one partition's environment; the file only grows as it is used."),
    PLAIN(
        "state.sync", state.sync, "false",
        "Sync every commit to the disk. Without it a crash of the process loses nothing, and after an unclean stop of "
        "the machine the state is thrown away: sessions that were open begin anew."),

    PLAIN("http.listen", http_listen, "127.0.0.1:9464",
          "Address and port of /metrics, /healthz, /readyz and /mixing. Empty: off."),

    CHOICE("log.level", log.level, "info", level_words, "The least that is logged."),
    CHOICE("log.format", log.format, "auto", log_format_words, "auto: logfmt on a terminal, JSON lines otherwise."),
};

const size_t option_count = sizeof option_table / sizeof *option_table;

const struct config_option *option_find(const char *key)
{
    for (size_t i = 0; i < option_count; i++)
        if (!strcmp(option_table[i].key, key))
            return &option_table[i];
    return NULL;
}
