// SPDX-License-Identifier: Apache-2.0
/* eddy dead-letters list|retry: what could not be used, shown, and sent again. */
#include "app/config_arguments.h"
#include "app/dead_letter.h"
#include "app/topics.h"

#include <eddy/io/kafka_range.h>

#include <stdio.h>
#include <syslog.h>

#define TIMEOUT_MS    10000
#define PATIENCE_MS   30000
#define QUEUE_RECORDS 10000
#define QUEUE_BYTES   (64 << 20)

struct letters_command {
    struct config_arguments from;
    bool late, json, yes, dry_run, retries;
    const char *to;
    int64_t limit;
    struct dead_letter_filter filter;
    struct dead_letter_place places[ARGUMENT_LIST_MAX];
};

/* The letters of one run of the command. */
struct letters {
    const struct letters_command *command;
    const char *topic, *to; /* read, and written to */
    int32_t to_partitions;
    struct kafka_sink *sink; /* NULL: nothing is sent */
    struct record_sink port;
    struct buffer text;
    int64_t matched, left_out, sent;
    char last_error[256]; /* of the producer */
};

/* ---- sending again */

static void note_error(void *context, int level, const char *facility, const char *text)
{
    (void)facility;
    struct letters *letters = context;
    if (level <= LOG_ERR)
        snprintf(letters->last_error, sizeof letters->last_error, "%s", text);
}

static struct status flush(struct letters *letters)
{
    return letters->port.ops->flush(letters->port.self, PATIENCE_MS);
}

/* To the partition that it came from, whatever partitioner the shop has. */
static int32_t partition_of(const struct letters *letters, const struct dead_letter *letter)
{
    bool same = bytes_equal_text(letter->origin_topic, letters->to) && letter->origin_partition >= 0 &&
                letter->origin_partition < letters->to_partitions;
    return same ? (int32_t)letter->origin_partition : -1;
}

static struct status send_again(struct letters *letters, const struct dead_letter *letter)
{
    char place[320], attempt[24];
    snprintf(place, sizeof place, "%s:%d:%lld", letter->topic, letter->record.partition,
             (long long)letter->record.offset);
    snprintf(attempt, sizeof attempt, "%u", letter->record.attempt + 1);
    const struct header headers[] = {{RETRY_OF_HEADER, bytes_of_text(place)},
                                     {ATTEMPT_HEADER, bytes_of_text(attempt)},
                                     {SCHEMA_HEADER, letter->record.schema_header}};
    const struct output_record record = {.output = OUTPUT_CLICKS,
                                         .partition = partition_of(letters, letter),
                                         .timestamp_ms = letter->record.timestamp_ms,
                                         .key = letter->record.key,
                                         .value = letter->record.value,
                                         .headers = headers,
                                         .header_count = 2 + (letter->record.schema_header.size > 0)};
    struct status status = letters->port.ops->publish(letters->port.self, &record);
    if (!failed_as(status, FAULT_LIMIT))
        return status;
    TRY(flush(letters));
    return letters->port.ops->publish(letters->port.self, &record);
}

/* False, after a sentence, for what cannot be sent again. Headers are anybody's, so they alone do not decide what is
 * written to. */
static bool can_be_sent(struct letters *letters, const struct dead_letter *letter)
{
    struct complaint why = {{0}};
    if (letter->cut_from_bytes)
        complain(&why, OK, "it was cut, from %lld bytes; the whole record may still be at " BYTES_FORMAT ":%lld:%lld",
                 (long long)letter->cut_from_bytes, BYTES_ARGS(bytes_utf8_prefix(letter->origin_topic, 249)),
                 (long long)letter->origin_partition, (long long)letter->origin_offset);
    else if (!letters->command->to && !bytes_equal_text(letter->origin_topic, letters->to))
        complain(&why, OK, "it is of topic '" BYTES_FORMAT "', not of %s; say where it is to go with --to",
                 BYTES_ARGS(bytes_utf8_prefix(letter->origin_topic, 249)), letters->to);
    if (why.text[0])
        fprintf(stderr, "eddy dead-letters: %d:%lld cannot be sent again: %s\n", letter->record.partition,
                (long long)letter->record.offset, why.text);
    return !why.text[0];
}

static struct status retry(struct letters *letters, const struct dead_letter *letter)
{
    if (letters->sink)
        TRY(send_again(letters, letter));
    letters->sent++;
    return OK;
}

/* ---- reading */

static struct status show(struct letters *letters, const struct dead_letter *letter)
{
    buffer_clear(&letters->text);
    if (letters->command->json)
        dead_letter_write_json(letter, &letters->text);
    else
        dead_letter_write_row(letter, &letters->text);
    TRY(buffer_check(&letters->text));
    fwrite(letters->text.data, 1, letters->text.size, stdout);
    return OK;
}

static struct status take(struct letters *letters, const struct dead_letter *letter)
{
    letters->matched++;
    if (letters->command->retries && !can_be_sent(letters, letter)) {
        letters->left_out++;
        return OK;
    }
    TRY(show(letters, letter));
    return letters->command->retries ? retry(letters, letter) : OK;
}

static struct status read_all(struct letters *letters, struct kafka_range *range, struct complaint *complaint)
{
    const struct letters_command *command = letters->command;
    if (!command->json) {
        dead_letter_write_heading(&letters->text);
        fwrite(letters->text.data, 1, letters->text.size, stdout);
    }
    while (!command->limit || letters->matched < command->limit) {
        struct message record;
        struct header headers[DEAD_LETTER_HEADERS_MAX];
        bool found;
        TRY(kafka_range_next(range, &record, &found, complaint));
        if (!found)
            break;
        size_t count = kafka_range_headers(range, headers, DEAD_LETTER_HEADERS_MAX);
        struct dead_letter letter = dead_letter_read(letters->topic, &record, headers, count);
        if (command->late)
            letter.reason_class = BYTES("late click");
        if (dead_letter_matches(&letter, &command->filter))
            TRY(take(letters, &letter));
    }
    return letters->sink ? flush(letters) : OK;
}

/* Nothing before it can be meant. */
static struct kafka_bound first_meant(const struct dead_letter_filter *filter)
{
    struct kafka_bound bound = {KAFKA_BOUND_NONE, 0};
    if (filter->since_ms > 0)
        bound = (struct kafka_bound){KAFKA_BOUND_TIME, filter->since_ms};
    for (size_t i = 0; i < filter->place_count; i++)
        if (bound.kind != KAFKA_BOUND_OFFSET || filter->places[i].offset < bound.value)
            bound = (struct kafka_bound){KAFKA_BOUND_OFFSET, filter->places[i].offset};
    return bound;
}

static struct status read_topic(struct letters *letters, const struct kafka_options *kafka, struct complaint *complaint)
{
    struct kafka_range_options wanted = {
        .kafka = kafka, .topic = letters->topic, .from = first_meant(&letters->command->filter)};
    struct kafka_range *range;
    TRY(topic_count_partitions(kafka, letters->topic, TIMEOUT_MS, &wanted.partition_count, complaint));
    TRY(kafka_range_open(&wanted, &range, complaint));
    struct status status = read_all(letters, range, complaint);
    kafka_range_close(range);
    return status;
}

/* ---- the command */

static struct status open_sink(struct letters *letters, const struct kafka_options *kafka, struct complaint *complaint)
{
    struct kafka_options listened = *kafka;
    listened.listener = (struct kafka_listener){note_error, letters};
    const struct kafka_sink_options options = {.kafka = &listened,
                                               .topics = {[OUTPUT_CLICKS] = letters->to},
                                               .queue_records_max = QUEUE_RECORDS,
                                               .queue_bytes_max = QUEUE_BYTES};
    TRY(topic_count_partitions(kafka, letters->to, TIMEOUT_MS, &letters->to_partitions, complaint));
    if (!letters->command->yes)
        return OK;
    TRY(kafka_sink_open(&options, &letters->sink, complaint));
    letters->port = kafka_sink_port(letters->sink);
    return OK;
}

static struct status sum_up(const struct letters *letters, struct complaint *complaint)
{
    const struct letters_command *command = letters->command;
    if (command->retries)
        fprintf(stderr, "eddy dead-letters: %lld records %s sent again to %s%s\n", (long long)letters->sent,
                command->yes ? "were" : "would be", letters->to,
                command->yes ? "" : "; this was a dry run: --yes sends them");
    else if (letters->matched == 0)
        fprintf(stderr, "eddy dead-letters: none in %s\n", letters->topic);
    if (letters->matched < (int64_t)command->filter.place_count && !command->limit)
        return complain(complaint, FAIL(NOT_FOUND, 0, "places without a dead letter"),
                        "%lld of the %zu places hold no record that is meant: gone, or left out by another option?",
                        (long long)((int64_t)command->filter.place_count - letters->matched),
                        command->filter.place_count);
    if (letters->left_out)
        return complain(complaint, FAIL(BAD_INPUT, letters->left_out, "records that cannot be sent again"),
                        "%lld of %lld records cannot be sent again, see above", (long long)letters->left_out,
                        (long long)letters->matched);
    return OK;
}

static struct status explain(const struct letters *letters, struct status status, struct complaint *complaint)
{
    if (!failed(status) || complaint->text[0])
        return status;
    return complain(complaint, status,
                    "%s takes no more records: %s. Up to %lld records may have been sent again; read it before you try "
                    "once more",
                    letters->to, letters->last_error[0] ? letters->last_error : status.fault->what,
                    (long long)letters->sent);
}

static struct status run(const struct letters_command *command, const struct config *config,
                         struct complaint *complaint)
{
    struct kafka_options kafka;
    struct letters letters = {.command = command,
                              .topic = config_topic(config, command->late ? TOPIC_LATE_CLICKS : TOPIC_DEAD_LETTERS),
                              .to = command->to ? command->to : config_topic(config, TOPIC_CLICKS)};
    TRY(config_kafka_options(config, &kafka, complaint));
    struct status status = command->retries ? open_sink(&letters, &kafka, complaint) : OK;
    if (!failed(status))
        status = explain(&letters, read_topic(&letters, &kafka, complaint), complaint);
    if (!failed(status))
        status = sum_up(&letters, complaint);
    kafka_sink_close(letters.sink);
    buffer_release(&letters.text);
    return status;
}

/* The verb, and behind it places. */
static bool take_words(struct letters_command *command, const struct argument_list *words)
{
    const char *verb = words->count ? words->texts[0] : "";
    command->retries = !strcmp(verb, "retry");
    if (!command->retries && strcmp(verb, "list")) {
        fputs("eddy dead-letters: say 'list' or 'retry'\nRun 'eddy dead-letters --help' for what they do.\n", stderr);
        return false;
    }
    command->filter.places = command->places;
    for (size_t i = 1; i < words->count; i++)
        if (!dead_letter_place_parse(words->texts[i], &command->places[command->filter.place_count++])) {
            fprintf(stderr, "eddy dead-letters: '%s' is no place: PARTITION:OFFSET, as 'list' shows them\n",
                    words->texts[i]);
            return false;
        }
    return true;
}

/* An option that would have no effect is a mistake. */
static bool check_options(const struct letters_command *command)
{
    const char *wrong = NULL;
    if (!command->retries && (command->yes || command->dry_run || command->to))
        wrong = "--to, --dry-run and --yes are for 'retry'";
    else if (command->yes && command->dry_run)
        wrong = "--dry-run and --yes do not go together";
    else if (command->limit < 0)
        wrong = "--limit cannot be negative";
    else if (command->late && command->filter.reason)
        wrong = "late clicks have no reason but that they are late; leave --reason out";
    else if (command->late && command->retries && !command->to)
        wrong = "late clicks would only be late again in the clicks topic; say where they are to go with --to";
    if (wrong)
        fprintf(stderr, "eddy dead-letters: %s\n", wrong);
    return !wrong;
}

static const char about[] =
    "Records that could not be used lie in the dead letters' topic as they came, with the reason.\n"
    "list shows them. retry sends those that are chosen, by options or as PARTITION:OFFSET, to the\n"
    "clicks topic again, with their key, value and timestamp, when what was wrong has been mended: a\n"
    "decoder's schema, a limit. Without --yes it only shows which. Each carries the headers\n"
    "eddy.retry.of (the place of its dead letter) and eddy.retry.attempt. A dead letter stays where it\n"
    "is, so whoever retries twice sends it twice: name places, or use --since.\n";

static const char examples[] = "  eddy dead-letters list --config eddy.yaml --since 2024-05-01 --reason timestamp\n"
                               "  eddy dead-letters list --config eddy.yaml --json | jq -r .reason | sort | uniq -c\n"
                               "  eddy dead-letters retry --config eddy.yaml --since 2024-05-01T10:00:00Z --yes\n"
                               "  eddy dead-letters retry --config eddy.yaml 0:17 3:4 --yes\n";

int command_dead_letters(int argc, char **argv)
{
    struct letters_command command = {.filter.until_ms = INT64_MAX};
    struct argument_list words = {0};
    const struct argument arguments[] = {
        {"since", "TIME", "records with this timestamp or a later one", ARGUMENT_TIME, &command.filter.since_ms},
        {"until", "TIME", "records with an earlier timestamp", ARGUMENT_TIME, &command.filter.until_ms},
        {"reason", "TEXT", "records whose reason, or its class, contains this", ARGUMENT_TEXT, &command.filter.reason},
        {"limit", "N", "the first N that are meant, in the order of their timestamps (all)", ARGUMENT_NUMBER,
         &command.limit},
        {"late", NULL, "the late clicks instead of the dead letters", ARGUMENT_FLAG, &command.late},
        {"json", NULL, "JSON Lines, with key and value in full", ARGUMENT_FLAG, &command.json},
        {"to", "TOPIC", "retry: send them there, whatever topic they came from (topics.clicks)", ARGUMENT_TEXT,
         &command.to},
        {"dry-run", NULL, "retry: only show what would be sent; so it is without --yes", ARGUMENT_FLAG,
         &command.dry_run},
        {"yes", NULL, "retry: send them", ARGUMENT_FLAG, &command.yes},
        CONFIG_ARGUMENTS(command.from),
        {0},
    };
    const struct usage usage = {"eddy dead-letters list|retry [OPTION...] [PARTITION:OFFSET...]", about, arguments,
                                examples};
    switch (arguments_parse(&usage, argc, argv, &words)) {
    case ARGUMENTS_OK:
        break;
    case ARGUMENTS_HELP:
        return EXIT_OK;
    default:
        return EXIT_USAGE;
    }
    if (!take_words(&command, &words) || !check_options(&command))
        return EXIT_USAGE;
    struct config config;
    int code = config_from_arguments(argv[0], &command.from, CONFIG_ONLY, &config);
    if (code != EXIT_OK)
        return code;
    struct complaint complaint = {{0}};
    struct status status = run(&command, &config, &complaint);
    config_release(&config);
    return failed(status) ? command_fail(argv[0], status, &complaint) : EXIT_OK;
}
