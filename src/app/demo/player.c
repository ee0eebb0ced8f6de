// SPDX-License-Identifier: Apache-2.0
#include "app/demo/player.h"

#include "app/log_reading.h"
#include "app/topic_writer.h"

#include <eddy/io/system.h>

#include <stdlib.h>

#define WAIT_MS      10
#define MESSAGES_MAX 512
#define SILENCE_US   60000000

extern const char embedded_clicks_tsv_gz[], embedded_items_tsv[];
extern const size_t embedded_clicks_tsv_gz_size, embedded_items_tsv_size;
#define EMBEDDED_CLICKS 28764

struct player {
    struct player_options options;
    struct stage *stage;
    struct topic_writer *writer;
    struct kafka_reader *reader;
    struct decoder *decoder;
    struct catalogue *catalogue;
    struct log_file *clicks;
    struct log_reading reading, items_reading;
    struct watch watch;
    const struct watched_session *latest;
    struct time_source time;
    struct arena batch;
    uint64_t sent, answered; /* ever */
    uint64_t given_up;       /* answers that will not come */
    uint64_t live_from;      /* clicks sent before it became live */
    int64_t live_us;         /* when it did; 0: not yet */
    int64_t heard_us;        /* when the last answer came, or the first click went */
    int64_t answered_us;     /* when the first answer came; 0: not yet */
    int64_t stream_ms;
    bool stream_ended;
};

static int64_t now_us(const struct player *player)
{
    return player->time.ops->monotonic_us(player->time.self);
}

static uint64_t unanswered(const struct player *player)
{
    uint64_t known = player->answered + player->given_up;
    return player->sent > known ? player->sent - known : 0;
}

/* ---- opening */

static struct status send_items(struct player *player, struct log_file *items, struct complaint *complaint)
{
    struct item item;
    bool found;
    for (;;) {
        TRY(log_reading_item(&player->items_reading, items, &item, &found, complaint));
        if (!found)
            return topic_writer_flush(player->writer);
        TRY(catalogue_put(player->catalogue, &item, NULL));
        TRY(topic_writer_item(player->writer, &item));
    }
}

static struct status open_logs(struct player *player, struct complaint *complaint)
{
    const struct player_options *options = &player->options;
    struct bytes clicks = bytes_of(embedded_clicks_tsv_gz, embedded_clicks_tsv_gz_size);
    struct bytes items = bytes_of(embedded_items_tsv, embedded_items_tsv_size);
    struct log_file *file;
    player->reading.user_needed = stage_config(player->stage)->engine.session.by_user;
    player->reading.session_needed = !player->reading.user_needed;
    if (options->clicks_path)
        TRY(log_file_open(options->clicks_path, LOG_FILE_CLICKS, &player->clicks, complaint));
    else
        TRY(log_file_open_bytes(clicks, "the demo's clicks", LOG_FILE_CLICKS, &player->clicks, complaint));
    if (options->items_path)
        TRY(log_file_open(options->items_path, LOG_FILE_ITEMS, &file, complaint));
    else if (options->clicks_path)
        return OK;
    else
        TRY(log_file_open_bytes(items, "the demo's items", LOG_FILE_ITEMS, &file, complaint));
    struct status status = send_items(player, file, complaint);
    log_file_close(file);
    return status;
}

static struct status open_parts(struct player *player, struct complaint *complaint)
{
    const struct config *config = stage_config(player->stage);
    const struct kafka_options *kafka = stage_kafka(player->stage);
    const struct kafka_reader_options reader = {.kafka = kafka,
                                                .topic = config_topic(config, TOPIC_RECOMMENDATIONS),
                                                .partition_count = (int32_t)config->topics.partitions,
                                                .start = {.kind = KAFKA_START_EARLIEST}};
    TRY(catalogue_open(&config->catalogue, &player->catalogue));
    TRY(watch_open(player->catalogue, config->engine.session.by_user, &player->watch));
    TRY(decoder_open(RECORD_RECOMMENDATION, config->encodings[RECORD_RECOMMENDATION].format, &player->decoder));
    TRY(topic_writer_open(config, kafka, &player->writer, complaint));
    TRY(open_logs(player, complaint));
    TRY(kafka_reader_open(&reader, &player->reader, complaint));
    return stage_start(player->stage, complaint);
}

struct status player_open(const struct player_options *options, struct stage *stage, struct player **ret_player,
                          struct complaint *complaint)
{
    struct player *player = calloc(1, sizeof *player);
    if (!player)
        return FAIL(MEMORY, 0, "no memory for the demo");
    player->options = *options;
    player->stage = stage;
    player->time = system_time();
    struct status status = open_parts(player, complaint);
    if (failed(status)) {
        player_close(player);
        return status;
    }
    *ret_player = player;
    return OK;
}

void player_close(struct player *player)
{
    if (!player)
        return;
    log_reading_report(&player->items_reading);
    log_reading_report(&player->reading);
    kafka_reader_close(player->reader);
    topic_writer_close(player->writer);
    decoder_close(player->decoder);
    watch_release(&player->watch);
    catalogue_close(player->catalogue);
    log_file_close(player->clicks);
    arena_release(&player->batch);
    free(player);
}

/* ---- clicks in */

static struct status nothing_to_play(const struct player *player, struct complaint *complaint)
{
    bool by_user = player->reading.user_needed;
    return complain(complaint, FAIL(BAD_INPUT, 0, "no click can be played"),
                    "%s: no click that can be played: each must have a %s, by which sessions are kept; for %s use "
                    "--set session.key=%s",
                    log_file_name(player->clicks), by_user ? "user_id" : "session_id",
                    by_user ? "sessions by session_id" : "sessions by user_id", by_user ? "session_id" : "user_id");
}

static struct status send_click(struct player *player, struct complaint *complaint)
{
    struct click click;
    bool found;
    TRY(log_reading_click(&player->reading, player->clicks, &click, &found, complaint));
    if (!found) {
        player->stream_ended = true;
        return player->sent > 0 ? OK : nothing_to_play(player, complaint);
    }
    if (player->sent++ == 0)
        player->heard_us = now_us(player);
    player->stream_ms = click.time_ms;
    /* So that it has a number and a name here, whether the catalogue has it or not. */
    uint32_t item;
    TRY(catalogue_intern(player->catalogue, click.item_id, &item));
    watch_click(&player->watch, &click, now_us(player));
    return topic_writer_click(player->writer, &click);
}

/* How many clicks should have been sent by now. */
static uint64_t clicks_due(const struct player *player)
{
    uint64_t learn = (uint64_t)player->options.learn, live = (uint64_t)player->options.live;
    if (!player->live_us) {
        uint64_t goal = player->sent + PLAYER_UNANSWERED_MAX - unanswered(player);
        return goal < learn ? goal : learn;
    }
    uint64_t goal = 1 + (uint64_t)((now_us(player) - player->live_us) * player->options.speed / 1000000);
    return player->live_from + (live && live < goal ? live : goal);
}

static struct status send_due(struct player *player, struct complaint *complaint)
{
    bool ready = metric_get(stage_metrics(player->stage), METRIC_READY) != 0;
    if (!player->live_us && ready && player->sent >= (uint64_t)player->options.learn && unanswered(player) == 0) {
        player->live_us = now_us(player);
        player->live_from = player->sent;
        watch_restart(&player->watch);
    }
    for (uint64_t due = clicks_due(player); player->sent < due && !player->stream_ended;)
        TRY(send_click(player, complaint));
    return OK;
}

/* ---- recommendations out */

static struct status take_answer(struct player *player, const struct message *message, struct complaint *complaint)
{
    struct recommendation_record record;
    const struct watched_session *session;
    arena_reset(&player->batch);
    TRY(decode_recommendation(player->decoder, message->value, &player->batch, &record, complaint));
    TRY(watch_answer(&player->watch, &record, now_us(player), &session));
    player->answered++;
    if (session)
        player->latest = session;
    return OK;
}

static struct status take_answers(struct player *player, struct complaint *complaint)
{
    struct message messages[MESSAGES_MAX];
    size_t count;
    TRY(kafka_reader_poll(player->reader, WAIT_MS, messages, MESSAGES_MAX, &count));
    for (size_t i = 0; i < count; i++)
        TRY(take_answer(player, &messages[i], complaint));
    if (count > 0) {
        player->heard_us = now_us(player);
        player->answered_us = player->answered_us ? player->answered_us : player->heard_us;
        return OK;
    }
    int64_t silence_us = now_us(player) - player->heard_us;
    if (player->sent > 0 && player->answered == 0 && silence_us > SILENCE_US)
        return complain(complaint, FAIL(UNAVAILABLE, 0, "no answer"), "no recommendation has come for a minute");
    if (player->answered > 0 && silence_us > PLAYER_PATIENCE_US)
        player->given_up += unanswered(player);
    return OK;
}

struct status player_step(struct player *player, struct complaint *complaint)
{
    TRY(stage_failure(player->stage, complaint));
    TRY(send_due(player, complaint));
    return take_answers(player, complaint);
}

bool player_is_live(const struct player *player)
{
    return player->live_us != 0;
}

bool player_is_done(const struct player *player)
{
    uint64_t live = (uint64_t)player->options.live;
    bool all_sent = player->stream_ended || (player->live_us && live && player->sent >= player->live_from + live);
    return all_sent && unanswered(player) == 0;
}

const struct watched_session *player_latest(const struct player *player)
{
    return player->latest;
}

/* Live clicks come at a pace, and what counts is that they are sent; before, what comes back. 0 in the first moments.
 */
static double clicks_per_second(const struct player *player)
{
    int64_t since_us = player->live_us ? player->live_us : player->answered_us;
    uint64_t count = player->live_us ? player->sent - player->live_from : player->answered;
    double since_s = since_us ? (double)(now_us(player) - since_us) * 1e-6 : 0;
    return since_s > 0.5 ? (double)count / since_s : 0;
}

struct view player_view(const struct player *player)
{
    const struct metrics *metrics = stage_metrics(player->stage);
    return (struct view){
        .watch = &player->watch,
        .catalogue = player->catalogue,
        .live = player->live_us != 0,
        .stream_ms = player->stream_ms,
        .clicks_per_second = clicks_per_second(player),
        .clicks_left = player->options.clicks_path ? 0 : EMBEDDED_CLICKS - player->sent,
        .sessions_open = metric_get(metrics, METRIC_SESSIONS_OPEN),
        .sessions_learned = metric_get(metrics, METRIC_SESSIONS_LEARNED),
        .bootstrap = stage_kafka(player->stage)->bootstrap,
        .topic = config_topic(stage_config(player->stage), TOPIC_RECOMMENDATIONS),
    };
}
