// SPDX-License-Identifier: Apache-2.0
/* eddy demo: a recorded clickstream through an embedded broker and eddy, as a live view. */
#include "app/command.h"
#include "app/demo/player.h"

#include <eddy/io/system.h>

#include <signal.h>
#include <stdio.h>

#define FRAME_US      150000  /* between two frames of the screen */
#define ANSWER_US     500000  /* between two plain lines about an answer */
#define COUNTS_US     5000000 /* and two about the counts */
#define LEARN_DEFAULT INT64_MIN
#define LEARN_MOST    25600 /* of the embedded clicks: all but the last two days */

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
    interrupted = number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}; /* a second one kills */
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* What is shown when. */
struct show {
    struct terminal terminal;
    struct buffer text;
    int64_t frame_us, answer_us, counts_us; /* when the last was */
    bool live, stepped;                     /* said that it is live; said where to look */
};

static void show_release(struct show *show)
{
    buffer_release(&show->text);
}

static void print(struct show *show)
{
    fwrite(show->text.data, 1, show->text.size, stdout);
    fflush(stdout);
    buffer_clear(&show->text);
}

static void show_screen(struct show *show, const struct view *view, int64_t now_us)
{
    if (now_us - show->frame_us < FRAME_US)
        return;
    show->frame_us = now_us;
    show->terminal = terminal_of_output(); /* it may have been resized */
    view_screen(view, &show->terminal, &show->text);
    print(show);
}

static void show_lines(struct show *show, const struct player *player, const struct view *view, int64_t now_us)
{
    const struct watched_session *latest = player_latest(player);
    if (!show->stepped)
        view_next_steps(view, &show->text);
    show->stepped = true;
    if (latest && now_us - show->answer_us >= ANSWER_US) {
        show->answer_us = now_us;
        view_answer(view, latest, &show->text);
    }
    if (now_us - show->counts_us >= COUNTS_US || show->live != player_is_live(player)) {
        show->counts_us = now_us;
        show->live = player_is_live(player);
        view_counts(view, &show->text);
    }
    if (show->text.size)
        print(show);
}

/* Plays until the end, a signal or a failure. */
static struct status play(struct player *player, struct complaint *complaint)
{
    AUTO(show) show = {.terminal = terminal_of_output()};
    struct time_source time = system_time();
    struct status status = OK;
    bool screen = show.terminal.screen;
    if (screen)
        fputs(terminal_enter, stdout);
    while (!interrupted && !player_is_done(player) && !failed(status)) {
        status = player_step(player, complaint);
        struct view view = player_view(player);
        if (screen)
            show_screen(&show, &view, time.ops->monotonic_us(time.self));
        else
            show_lines(&show, player, &view, time.ops->monotonic_us(time.self));
    }
    if (screen)
        fputs(terminal_leave, stdout);
    struct view view = player_view(player);
    view_counts(&view, &show.text);
    if (screen)
        view_next_steps(&view, &show.text);
    print(&show);
    return status;
}

static int run(const struct player_options *options, const struct argument_list *settings)
{
    struct stage *stage;
    struct player *player;
    struct complaint complaint = {0};
    int code = stage_open(settings, &stage, &complaint);
    if (code != EXIT_OK) {
        if (*complaint.text)
            fprintf(stderr, "eddy demo: %s\n", complaint.text);
        return code;
    }
    catch_signals();
    struct status status = player_open(options, stage, &player, &complaint);
    if (!failed(status)) {
        status = play(player, &complaint);
        player_close(player);
    }
    stage_close(stage);
    return failed(status) ? command_fail("demo", status, &complaint) : EXIT_OK;
}

int command_demo(int argc, char **argv)
{
    struct player_options options = {.speed = 20, .learn = LEARN_DEFAULT};
    struct argument_list settings = {0};
    const struct argument table[] = {
        {"speed", "N", "clicks a second (20)", ARGUMENT_NUMBER, &options.speed},
        {"learn", "N", "clicks to learn from first, at full speed (25600; of your own file: 0)", ARGUMENT_NUMBER,
         &options.learn},
        {"live", "N", "end after that many live clicks (0: with the stream)", ARGUMENT_NUMBER, &options.live},
        {"clicks", "FILE", "play your own clicks: TSV, CSV, JSON Lines, Avro", ARGUMENT_TEXT, &options.clicks_path},
        {"items", "FILE", "and their items, for titles", ARGUMENT_TEXT, &options.items_path},
        {"set", "KEY=VALUE", "set an option (see 'eddy config docs'); may be repeated", ARGUMENT_TEXTS, &settings},
        {0}};
    static const char about[] =
        "Plays a real clickstream through a broker inside the process and shows what eddy recommends to whom, why,\n"
        "how good it is and how long it takes. On a terminal as a screen, else as lines; NO_COLOR is heeded.\n";
    static const char examples[] =
        "  eddy demo\n"
        "  eddy demo --clicks clicks.tsv.gz --items items.tsv.gz --learn 10000 --speed 100\n";
    struct usage usage = {"eddy demo [OPTION...]", about, table, examples};
    switch (arguments_parse(&usage, argc, argv, NULL)) {
    case ARGUMENTS_HELP:
        return EXIT_OK;
    case ARGUMENTS_WRONG:
        return EXIT_USAGE;
    case ARGUMENTS_OK:
        break;
    }
    if (options.learn == LEARN_DEFAULT)
        options.learn = options.clicks_path ? 0 : LEARN_MOST;
    if (options.speed < 1 || options.speed > 100000 || options.learn < 0 || options.live < 0) {
        fputs("eddy demo: --speed is 1 to 100000, --learn and --live not negative\n", stderr);
        return EXIT_USAGE;
    }
    return run(&options, &settings);
}
