// SPDX-License-Identifier: Apache-2.0
/* The rules of session.h, each as a short script. Steps, parted by "; ":
 *   "k a 100"     a click of key k on item a at 100 ms; then optionally #event_id, @user_id, :type number
 *   "w 500"       the watermark reaches 500 ms
 * and the log they leave:
 *   o1 +2 ~1 d l  opened, applied, applied out of order (with its position), duplicate, late
 *   k[a100 b120]=170    closed at 170; "/3" behind the bracket: 3 clicks in all; "@u": its user; "!": evicted */
#include "support/support.h"

#include <eddy/core/session.h>

#define GAP          50
#define GRACE        20
#define MAX_DURATION 200

struct script {
    const char *name;
    const char *steps, *log;
    struct session_options options; /* 0: the defaults above */
};

struct run {
    struct session_table *table;
    struct arena arena;
    struct buffer log;
    struct closed_list closed;
    size_t logged; /* of closed */
    int64_t watermark_ms;
};

static struct session_options with_defaults(struct session_options options)
{
    options.gap_ms = options.gap_ms ? options.gap_ms : GAP;
    options.grace_ms = options.grace_ms == -1 ? 0 : options.grace_ms ? options.grace_ms : GRACE;
    options.max_duration_ms = options.max_duration_ms ? options.max_duration_ms : MAX_DURATION;
    options.clicks_max = options.clicks_max ? options.clicks_max : 10;
    options.open_max = options.open_max ? options.open_max : 100;
    return options;
}

static void log_closed(struct run *run)
{
    for (; run->logged < run->closed.count; run->logged++) {
        const struct closed_session *closed = &run->closed.sessions[run->logged];
        const struct session_view *view = &closed->view;
        buffer_format(&run->log, BYTES_FORMAT "[", BYTES_ARGS(view->session_id));
        for (uint32_t i = 0; i < view->length; i++)
            buffer_format(&run->log, "%s%c%d", i ? " " : "", 'a' + (char)view->items[i], (int)view->times_ms[i]);
        buffer_append_text(&run->log, "]");
        if (view->total != view->length)
            buffer_format(&run->log, "/%u", view->total);
        if (view->user_id.size)
            buffer_format(&run->log, "@" BYTES_FORMAT, BYTES_ARGS(view->user_id));
        buffer_format(&run->log, "%s=%d ", closed->evicted ? "!" : "", (int)closed->close_ms);
    }
}

static void run_click(struct run *run, const char *step, bool by_user)
{
    char key[16], item, event_id[16] = "", user_id[16] = "";
    int time, type = 0, read = 0;
    if (sscanf(step, "%15s %c %d%n", key, &item, &time, &read) != 3)
        fail_msg("not a step: %s", step);
    const char *rest = step + read;
    sscanf(rest, " #%15[^; ]%n", event_id, &read) == 1 ? rest += read : 0;
    sscanf(rest, " @%15[^; ]%n", user_id, &read) == 1 ? rest += read : 0;
    sscanf(rest, " :%d", &type);
    struct click click = {.session_id = by_user ? BYTES("ignored") : bytes_of_text(key),
                          .user_id = bytes_of_text(by_user ? key : user_id),
                          .event_id = bytes_of_text(event_id),
                          .time_ms = time,
                          .type = (enum click_type)type};
    struct session_outcome outcome;
    assert_ok(session_apply(run->table, &click, (uint32_t)(item - 'a'), run->watermark_ms, &run->arena, &run->closed,
                            &outcome));
    log_closed(run);
    if (outcome.result == SESSION_APPLIED)
        buffer_format(&run->log, "%c%u ", outcome.opened ? 'o' : outcome.out_of_order ? '~' : '+', outcome.position);
    else
        buffer_append_text(&run->log, outcome.result == SESSION_DUPLICATE ? "d " : "l ");
}

static void run_script(const struct script *script)
{
    struct session_options options = with_defaults(script->options);
    struct run run = {.watermark_ms = INT64_MIN};
    assert_ok(session_table_open(&options, &run.table));
    for (const char *step = script->steps; step; step = strchr(step, ';') ? strchr(step, ';') + 2 : NULL) {
        if (strncmp(step, "w ", 2) != 0) {
            run_click(&run, step, options.by_user);
            continue;
        }
        run.watermark_ms = strtoll(step + 2, NULL, 10);
        assert_ok(session_expire(run.table, &run.watermark_ms, 0, &run.arena, &run.closed));
        log_closed(&run);
    }
    const char *log = buffer_text(&run.log);
    if (strcmp(log, script->log) != 0)
        fail_msg("%s:\n steps  %s\n wanted %s\n got    %s", script->name, script->steps, script->log, log);
    session_table_close(run.table);
    arena_release(&run.arena);
    buffer_release(&run.log);
}

#define RUN(scripts)                                                                                                   \
    for (size_t i = 0; i < sizeof(scripts) / sizeof *(scripts); i++)                                                   \
    run_script(&(scripts)[i])

static void gap_and_grace_decide_when_a_session_ends(void **state)
{
    (void)state;
    const struct script scripts[] = {
        {"clicks within the gap are one session",
         "k a 100; k b 149; k a 198; w 999",
         "o1 +2 +3 k[a100 b149 a198]=268 ",
         {0}},
        {"a click one gap later opens another", "k a 100; k b 150; w 999", "o1 o1 k[a100]=170 k[b150]=220 ", {0}},
        {"the same without grace",
         "k a 100; w 150; k b 150; w 999",
         "o1 k[a100]=150 o1 k[b150]=200 ",
         {.grace_ms = -1}},
        {"the watermark just before the deadline closes nothing",
         "k a 100; w 169; k b 110; w 170; w 180",
         "o1 +2 k[a100 b110]=180 ",
         {0}},
        {"the watermark at the deadline closes",
         "k a 100; w 170; k b 101; w 999",
         "o1 k[a100]=170 o1 k[b101]=171 ",
         {0}},
        {"keys do not meet", "k a 100; l b 101; k c 102; w 999", "o1 o1 +2 l[b101]=171 k[a100 c102]=172 ", {0}},
        {"equal deadlines close in order of opening",
         "m a 100; k b 100; l c 100; w 170",
         "o1 o1 o1 m[a100]=170 k[b100]=170 l[c100]=170 ",
         {0}},
    };
    RUN(scripts);
}

static void out_of_order_clicks_join_the_session_of_their_time(void **state)
{
    (void)state;
    const struct script scripts[] = {
        {"inside", "k a 100; k b 140; k c 120; w 999", "o1 +2 ~2 k[a100 c120 b140]=210 ", {0}},
        {"before the first", "k a 100; k b 51; w 999", "o1 ~1 k[b51 a100]=170 ", {0}},
        {"one gap before the first", "k a 100; k b 50; w 999", "o1 o1 k[b50]=120 k[a100]=170 ", {0}},
        {"equal times keep their order of arrival",
         "k a 100; k c 120; k b 100; k d 100; w 999",
         "o1 +2 ~2 ~3 k[a100 b100 d100 c120]=190 ",
         {0}},
        {"a bridge merges into the one opened first",
         "k a 100; k b 180; k c 140; w 999",
         "o1 o1 ~2 k[a100 c140 b180]=250 ",
         {0}},
        {"a bridge one gap from one side does not",
         "k a 100; k b 180; k c 130; w 999",
         "o1 o1 +2 k[a100 c130]=200 k[b180]=250 ",
         {0}},
        {"a bridge between the newer two of three",
         "k a 100; k b 200; k c 280; k d 240; w 999",
         "o1 o1 o1 ~2 k[a100]=170 k[b200 d240 c280]=350 ",
         {0}},
        {"a bridge between the older two of three",
         "k b 200; k c 280; k a 400; k d 240; w 999",
         "o1 o1 o1 ~2 k[b200 d240 c280]=350 k[a400]=470 ",
         {0}},
        {"a merge would be too long: the earlier one gets the click",
         "k a 100; k b 140; k c 180; k d 260; k e 280; k f 325; k g 221; w 999",
         "o1 +2 +3 o1 +2 +3 +4 k[a100 b140 c180 g221]=291 k[d260 e280 f325]=395 ",
         {0}},
        {"a click before all keeps the position of the others right",
         "k a 100; k b 90; k c 80; k d 110; w 999",
         "o1 ~1 ~1 +4 k[c80 b90 a100 d110]=180 ",
         {0}},
    };
    RUN(scripts);
}

static void late_clicks_are_those_whose_session_would_be_over(void **state)
{
    (void)state;
    const struct script scripts[] = {
        {"late", "k a 200; w 200; k b 130; w 999", "o1 l k[a200]=270 ", {0}},
        {"just not late", "k a 200; w 200; k b 131; w 999", "o1 o1 k[b131]=201 k[a200]=270 ", {0}},
        {"late for a session of its own, but not for the open one",
         "k a 200; w 240; k b 160; w 999",
         "o1 ~1 k[b160 a200]=270 ",
         {0}},
        {"late when it would close its session at once",
         "k a 300; k b 340; k c 380; w 410; k d 251; w 999",
         "o1 +2 +3 l k[a300 b340 c380]=430 ",
         {.max_duration_ms = 150, .grace_ms = -1}},
        {"another session's time does not help", "l a 200; w 200; k b 130; w 999", "o1 l l[a200]=270 ", {0}},
    };
    RUN(scripts);
}

static void sessions_have_a_longest_duration(void **state)
{
    (void)state;
    const struct session_options options = {.max_duration_ms = 100};
    const struct script scripts[] = {
        {"just within", "k a 100; k b 140; k c 180; k d 199; w 999", "o1 +2 +3 +4 k[a100 b140 c180 d199]=220 ",
         options},
        {"at the limit", "k a 100; k b 140; k c 180; k d 200; w 999", "o1 +2 +3 o1 k[a100 b140 c180]=220 k[d200]=270 ",
         options},
        {"an earlier first click brings the deadline nearer", "k a 100; k b 140; k c 180; k d 90; w 209; w 210",
         "o1 +2 +3 ~1 k[d90 a100 b140 c180]=210 ", options},
        {"an earlier click that makes it too long opens its own", "k a 100; k b 140; k c 180; k d 80; w 999",
         "o1 +2 +3 o1 k[d80]=150 k[a100 b140 c180]=220 ", options},
        {"it also bounds the first click alone",
         "k a 100; w 109; w 110",
         "o1 k[a100]=110 ",
         {.max_duration_ms = 10, .grace_ms = -1}},
    };
    RUN(scripts);
}

static void duplicates_change_nothing(void **state)
{
    (void)state;
    const struct session_options infer = {.infer_duplicates = true}, two = {.clicks_max = 2};
    const struct script scripts[] = {
        {"same event id", "k a 100 #x; k b 110 #y; k a 100 #x; w 999", "o1 +2 d k[a100 b110]=180 ", {0}},
        {"same event id, all else different", "k a 100 #x; k b 110 #x; w 999", "o1 d k[a100]=170 ", {0}},
        {"other event ids, all else equal", "k a 100 #x; k a 100 #y; w 999", "o1 +2 k[a100 a100]=170 ", infer},
        {"no event ids: not inferred unless asked", "k a 100; k a 100; w 999", "o1 +2 k[a100 a100]=170 ", {0}},
        {"inferred", "k a 100; k b 110; k a 100; w 999", "o1 +2 d k[a100 b110]=180 ", infer},
        {"another type is not the same", "k a 100 :0; k a 100 :2; k a 100 :2; w 999", "o1 +2 d k[a100 a100]=170 ",
         infer},
        {"another time is not the same", "k a 100; k a 101; w 999", "o1 +2 k[a100 a101]=171 ", infer},
        {"one with an id is not one without", "k a 100 #x; k a 100; k a 100; w 999", "o1 +2 d k[a100 a100]=170 ",
         infer},
        {"another session's event id",
         "k a 100 #x; l a 100 #x; k a 150 #x; w 999",
         "o1 o1 o1 k[a100]=170 l[a100]=170 k[a150]=220 ",
         {0}},
        {"forgotten with its click", "k a 100 #x; k b 101 #y; k c 102 #z; k d 103 #x; w 999",
         "o1 +2 +3 +4 k[c102 d103]/4=173 ", two},
        {"known on both sides of a bridge",
         "k a 100 #x; k b 180 #y; k c 140 #y; k d 140 #x; w 999",
         "o1 o1 d d k[a100]=170 k[b180]=250 ",
         {0}},
        {"ids survive a merge",
         "k a 100 #x; k b 180 #y; k c 140; k d 141 #x; k e 142 #y; w 999",
         "o1 o1 ~2 d d k[a100 c140 b180]=250 ",
         {0}},
        {"the first id comes late",
         "k a 100; k b 101; k c 102 #x; k d 103 #x; w 999",
         "o1 +2 +3 d k[a100 b101 c102]=172 ",
         {0}},
    };
    RUN(scripts);
}

static void only_the_newest_clicks_are_kept(void **state)
{
    (void)state;
    const struct session_options three = {.clicks_max = 3};
    const struct script scripts[] = {
        {"the oldest leave", "k a 100; k b 101; k c 102; k d 103; k e 104; w 999",
         "o1 +2 +3 +4 +5 k[c102 d103 e104]/5=174 ", three},
        {"one among the kept pushes the oldest out", "k a 100; k b 110; k c 120; k d 105; w 999",
         "o1 +2 +3 ~2 k[d105 b110 c120]/4=190 ", three},
        {"one older than the kept is only counted", "k b 110; k c 120; k d 130; k a 100; w 999",
         "o1 +2 +3 ~1 k[b110 c120 d130]/4=200 ", three},
        {"and still moves the beginning",
         "k b 110; k c 120; k d 130; k a 100; k e 140; k f 189; k g 210; w 219; w 220",
         "o1 +2 +3 ~1 +5 +6 o1 k[d130 e140 f189]/6=220 ",
         {.clicks_max = 3, .max_duration_ms = 100}},
        {"a merge keeps the newest of both", "k a 100; k b 101; k c 180; k d 181; k e 140; w 999",
         "o1 +2 o1 +2 ~3 k[e140 c180 d181]/5=251 ", three},
        {"a merge that does not keep its bridge", "k a 100; k b 180; k c 181; k d 182; k e 140; w 999",
         "o1 o1 +2 +3 ~2 k[b180 c181 d182]/5=252 ", three},
    };
    RUN(scripts);
}

static void the_table_is_bounded(void **state)
{
    (void)state;
    const struct session_options two = {.open_max = 2};
    const struct script scripts[] = {
        {"the earliest deadline makes room", "k a 100; l b 90; w 95; m c 101; w 999",
         "o1 o1 l[b90]!=95 o1 k[a100]=170 m[c101]=171 ", two},
        {"by its deadline now, not at its opening", "k a 90; l b 100; k c 110; w 110; m d 120; w 999",
         "o1 o1 +2 l[b100]!=110 o1 k[a90 c110]=180 m[d120]=190 ", two},
        {"equal deadlines: the one opened first", "k a 100; l b 100; w 100; m c 100; w 999",
         "o1 o1 k[a100]!=100 o1 l[b100]=170 m[c100]=170 ", two},
        {"even a session of the same key", "k a 100; k b 150; w 150; k c 200; w 999",
         "o1 o1 k[a100]!=150 o1 k[b150]=220 k[c200]=270 ", two},
        {"a late click evicts nothing", "k a 200; l b 200; w 200; m c 130; w 999", "o1 o1 l k[a200]=270 l[b200]=270 ",
         two},
        {"one place", "k a 100; w 100; l b 100; w 999", "o1 k[a100]!=100 o1 l[b100]=170 ", {.open_max = 1}},
    };
    RUN(scripts);
}

static void sessions_know_their_user(void **state)
{
    (void)state;
    const struct session_options by_user = {.by_user = true};
    const struct script scripts[] = {
        {"anonymous", "k a 100; w 999", "o1 k[a100]=170 ", {0}},
        {"named at the opening", "k a 100 @u; k b 110; w 999", "o1 +2 k[a100 b110]@u=180 ", {0}},
        {"named later", "k a 100; k b 110 @u; w 999", "o1 +2 k[a100 b110]@u=180 ", {0}},
        {"the latest name counts",
         "k a 100 @u; k b 110 @longer; k c 120 @v; w 999",
         "o1 +2 +3 k[a100 b110 c120]@v=190 ",
         {0}},
        {"an older click does not rename", "k a 100 @u; k b 90 @v; w 999", "o1 ~1 k[b90 a100]@u=170 ", {0}},
        {"but may name", "k a 100; k b 90 @v; w 999", "o1 ~1 k[b90 a100]@v=170 ", {0}},
        {"merged: the later session's",
         "k a 100 @u; k b 180 @v; k c 140 @x; w 999",
         "o1 o1 ~2 k[a100 c140 b180]@v=250 ",
         {0}},
        {"merged: the bridge's, when the later one has none",
         "k a 100 @u; k b 180; k c 140 @x; w 999",
         "o1 o1 ~2 k[a100 c140 b180]@x=250 ",
         {0}},
        {"merged: the earlier one's, when there is no other",
         "k a 100 @u; k b 180; k c 140; w 999",
         "o1 o1 ~2 k[a100 c140 b180]@u=250 ",
         {0}},
        {"by user: visits are named after their opening click", "u a 100; u b 110; u c 160; w 999",
         "o1 +2 o1 u/100[a100 b110]@u=180 u/160[c160]@u=230 ", by_user},
        {"by user: an earlier click does not rename the visit", "u a 100; u b 90; w 999",
         "o1 ~1 u/100[b90 a100]@u=170 ", by_user},
    };
    RUN(scripts);
}

static void options_out_of_range_are_refused(void **state)
{
    (void)state;
    struct session_options good = with_defaults((struct session_options){0});
    struct session_table *table = NULL;
    struct session_options bad[] = {good, good, good, good, good, good, good, good};
    bad[0].gap_ms = 0;
    bad[1].gap_ms = SESSION_GAP_MAX_MS + 1;
    bad[2].grace_ms = -1;
    bad[3].max_duration_ms = 0;
    bad[4].max_duration_ms = SESSION_DURATION_MAX_MS + 1;
    bad[5].clicks_max = 1;
    bad[6].clicks_max = SESSION_CLICKS_MAX + 1;
    bad[7].open_max = 0;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(CONFIG, session_table_open(&bad[i], &table));
    assert_null(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gap_and_grace_decide_when_a_session_ends),
        cmocka_unit_test(out_of_order_clicks_join_the_session_of_their_time),
        cmocka_unit_test(late_clicks_are_those_whose_session_would_be_over),
        cmocka_unit_test(sessions_have_a_longest_duration),
        cmocka_unit_test(duplicates_change_nothing),
        cmocka_unit_test(only_the_newest_clicks_are_kept),
        cmocka_unit_test(the_table_is_bounded),
        cmocka_unit_test(sessions_know_their_user),
        cmocka_unit_test(options_out_of_range_are_refused),
    };
    return cmocka_run_group_tests_name("session rules", tests, NULL, NULL);
}
