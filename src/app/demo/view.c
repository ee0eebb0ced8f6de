// SPDX-License-Identifier: Apache-2.0
#include "app/demo/view.h"

#include <eddy/base/timestamp.h>

#include <stdio.h>

#define BLOCK_ITEMS  3                 /* clicks and recommendations shown of a session */
#define BLOCK_ROWS   (BLOCK_ITEMS + 1) /* without the blank line behind it */
#define HEAD_ROWS    5
#define FOOT_ROWS    2
#define BLOCKS_MAX   16
#define LINE_ITEMS   3
#define DAY_AND_TIME 16 /* "2008-04-01T09:00" */

/* What of the screen is drawn. */
struct layout {
    bool title, quality, counts, foot, blanks;
    uint32_t blocks;
};

/* Room for one session comes first; what is around it follows in the order of its worth. On a single line a session
 * could not be read, so that shows how good the lists are. */
static struct layout layout_of(uint32_t rows)
{
    uint32_t spare = rows > BLOCK_ROWS ? rows - BLOCK_ROWS : 0;
    struct layout layout = {
        .title = spare >= 1,
        .quality = spare >= 2 || rows == 1,
        .counts = spare >= 3,
        .foot = spare >= 3 + FOOT_ROWS,
        .blanks = spare >= HEAD_ROWS + FOOT_ROWS,
        .blocks = rows > 1,
    };
    if (layout.blanks)
        layout.blocks = (rows - HEAD_ROWS - FOOT_ROWS + 1) / (BLOCK_ROWS + 1);
    return layout;
}

static struct bytes title_of(const struct view *view, uint32_t item)
{
    if (item == ITEM_NONE)
        return BYTES("(an item that is not in the catalogue)");
    struct bytes title = catalogue_title(view->catalogue, item);
    return title.size ? title : catalogue_id(view->catalogue, item);
}

static const char *kind_of(const struct view *view)
{
    return view->watch->by_user ? "user" : "session";
}

static const char *stream_time(const struct view *view, char text[static TIMESTAMP_TEXT_MAX])
{
    if (view->stream_ms == 0)
        return "nothing sent yet";
    timestamp_text(view->stream_ms, text);
    text[DAY_AND_TIME] = '\0';
    text[10] = ' ';
    return text;
}

/* " (20/s)" */
static void append_rate(const struct view *view, struct buffer *out)
{
    if (view->clicks_per_second > 0)
        buffer_format(out, " (%.0f/s)", view->clicks_per_second);
}

/* "answered in p50 4.1 ms, p99 6.3 ms" */
static void append_latency(const struct view *view, struct buffer *out)
{
    const struct histogram *latency_us = &view->watch->latency_us;
    if (view->live && latency_us->total > 0)
        buffer_format(out, "answered in p50 %.1f ms, p99 %.1f ms", (double)histogram_quantile(latency_us, 0.5) / 1000,
                      (double)histogram_quantile(latency_us, 0.99) / 1000);
    else
        buffer_append_text(out, view->watch->answers ? "answered in bulk" : "not answered yet");
}

/* ---- the screen */

static void draw_if_it_fits(struct canvas *canvas, enum style style, struct buffer *text)
{
    if (canvas_has_room(canvas, text->size))
        canvas_text(canvas, style, buffer_bytes(text));
    buffer_clear(text);
}

static void draw_title(struct canvas *canvas, const struct view *view)
{
    AUTO(buffer) left = {0};
    char time[TIMESTAMP_TEXT_MAX];
    canvas_text(canvas, STYLE_TITLE, BYTES("eddy demo"));
    canvas_format(canvas, STYLE_PLAIN, "   a shop's visitors, %s   ", stream_time(view, time));
    canvas_text(canvas, STYLE_STRONG, view->live ? BYTES("live") : BYTES("learning at full speed"));
    buffer_format(&left, "   %llu clicks left", (unsigned long long)view->clicks_left);
    if (view->clicks_left)
        draw_if_it_fits(canvas, STYLE_DIM, &left);
    canvas_line_end(canvas);
}

static void draw_counts(struct canvas *canvas, const struct view *view)
{
    AUTO(buffer) text = {0};
    canvas_text(canvas, STYLE_PLAIN, BYTES("clicks "));
    canvas_format(canvas, STYLE_STRONG, "%llu", (unsigned long long)view->watch->clicks);
    append_rate(view, &text);
    buffer_append_text(&text, "   ");
    draw_if_it_fits(canvas, STYLE_PLAIN, &text);
    append_latency(view, &text);
    draw_if_it_fits(canvas, STYLE_STRONG, &text);
    buffer_format(&text, "   sessions open %lld, learned %lld", (long long)view->sessions_open,
                  (long long)view->sessions_learned);
    draw_if_it_fits(canvas, STYLE_PLAIN, &text);
    canvas_line_end(canvas);
}

static void draw_quality(struct canvas *canvas, const struct view *view)
{
    const struct watch *watch = view->watch;
    canvas_text(canvas, STYLE_PLAIN, BYTES("HR@20 "));
    canvas_format(canvas, STYLE_GOOD, "%.3f", watch_hit_rate(watch));
    canvas_text(canvas, STYLE_PLAIN, BYTES("   MRR@20 "));
    canvas_format(canvas, STYLE_GOOD, "%.3f", watch_reciprocal_rank(watch));
    canvas_format(canvas, STYLE_DIM, "   each next click judges the list before it: %llu did",
                  (unsigned long long)watch->judged);
    canvas_line_end(canvas);
}

static void draw_head(struct canvas *canvas, const struct view *view, const struct layout *layout)
{
    if (layout->title)
        draw_title(canvas, view);
    if (layout->blanks)
        canvas_line_end(canvas);
    if (layout->counts)
        draw_counts(canvas, view);
    if (layout->quality)
        draw_quality(canvas, view);
    if (layout->blanks)
        canvas_line_end(canvas);
}

static void draw_click(struct canvas *canvas, const struct view *view, const struct watched_click *click,
                       uint32_t width)
{
    struct bytes title = title_of(view, click->item);
    uint32_t taken = click->rank ? sizeof "  * " + sizeof "  was no. 20 " : sizeof "    ";
    uint32_t room = width > taken ? width - taken : 0;
    canvas_text(canvas, click->rank ? STYLE_GOOD : STYLE_PLAIN, click->rank ? BYTES("  * ") : BYTES("    "));
    canvas_text(canvas, STYLE_PLAIN, bytes_utf8_prefix(title, room));
    if (click->rank)
        canvas_format(canvas, STYLE_GOOD, "  was no. %u", click->rank);
}

static void draw_recommended(struct canvas *canvas, const struct view *view, const struct watched_list *list,
                             uint32_t i)
{
    canvas_format(canvas, STYLE_DIM, "%u ", i + 1);
    canvas_text(canvas, STYLE_PLAIN, title_of(view, list->items[i]));
    canvas_format(canvas, STYLE_STRONG, "  %.0f %%", 100 * (double)list->scores[i]);
    canvas_format(canvas, STYLE_DIM, "  %s", list->reasons[i]);
}

/* As far as it has been answered: at full speed that is some clicks behind. */
static void draw_session(struct canvas *canvas, const struct view *view, const struct watched_session *session)
{
    uint32_t right = canvas->columns * 2 / 5, answered = session->list.click;
    uint32_t count = answered ? answered : session->click_count;
    canvas_format(canvas, STYLE_STRONG, "%s %.40s", kind_of(view), session->key);
    canvas_format(canvas, STYLE_DIM, ", click %u", count);
    canvas_go(canvas, right);
    canvas_text(canvas, STYLE_DIM, answered ? BYTES("recommended next") : BYTES("..."));
    canvas_line_end(canvas);
    for (uint32_t i = 0; i < BLOCK_ITEMS; i++) {
        uint32_t first = count > BLOCK_ITEMS ? count - BLOCK_ITEMS + 1 : 1;
        const struct watched_click *click = watched_click_at(session, first + i);
        if (click)
            draw_click(canvas, view, click, right);
        canvas_go(canvas, right);
        if (i < session->list.count)
            draw_recommended(canvas, view, &session->list, i);
        canvas_line_end(canvas);
    }
}

static void fill(struct canvas *canvas, uint32_t rows)
{
    while (canvas->row < rows)
        canvas_line_end(canvas);
}

static void draw_foot(struct canvas *canvas, const struct view *view)
{
    fill(canvas, canvas->rows - FOOT_ROWS);
    canvas_text(canvas, STYLE_DIM, BYTES("look:  "));
    canvas_format(canvas, STYLE_PLAIN, "kcat -b %s -t %s -C -o -1 -c 1", view->bootstrap, view->topic);
    canvas_line_end(canvas);
    canvas_text(canvas, STYLE_DIM, BYTES("yours: "));
    canvas_text(canvas, STYLE_PLAIN, BYTES("eddy run --set kafka.bootstrap.servers=HOST:9092   Ctrl-C ends the demo"));
}

void view_screen(const struct view *view, const struct terminal *terminal, struct buffer *out)
{
    const struct watched_session *sessions[BLOCKS_MAX];
    struct layout layout = layout_of(terminal->rows);
    uint32_t blocks = layout.blocks < BLOCKS_MAX ? layout.blocks : BLOCKS_MAX;
    struct canvas canvas;
    canvas_begin(&canvas, terminal, out);
    draw_head(&canvas, view, &layout);
    size_t count = blocks ? watch_latest(view->watch, sessions, blocks) : 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            canvas_line_end(&canvas);
        draw_session(&canvas, view, sessions[i]);
    }
    if (layout.foot)
        draw_foot(&canvas, view);
    fill(&canvas, canvas.rows - 1);
    canvas_end(&canvas);
}

/* ---- plain lines */

void view_answer(const struct view *view, const struct watched_session *session, struct buffer *out)
{
    const struct watched_list *list = &session->list;
    const struct watched_click *click = watched_click_at(session, session->list.click);
    buffer_format(out, "%s %.40s, click %u: ", kind_of(view), session->key, session->list.click);
    if (click)
        buffer_append_bytes(out, title_of(view, click->item));
    if (click && click->rank)
        buffer_format(out, " (was no. %u)", click->rank);
    for (uint32_t i = 0; i < list->count && i < LINE_ITEMS; i++) {
        buffer_format(out, "%s %u. ", i == 0 ? " ->" : ";", i + 1);
        buffer_append_bytes(out, title_of(view, list->items[i]));
        buffer_format(out, " %.0f %%, %s", 100 * (double)list->scores[i], list->reasons[i]);
    }
    buffer_append_text(out, list->count ? "\n" : " -> nothing yet\n");
}

void view_counts(const struct view *view, struct buffer *out)
{
    const struct watch *watch = view->watch;
    char time[TIMESTAMP_TEXT_MAX];
    buffer_format(out, "%s  %s  clicks %llu", stream_time(view, time),
                  view->live ? "live" : "learning from the days before, at full speed",
                  (unsigned long long)watch->clicks);
    append_rate(view, out);
    buffer_append_text(out, "  ");
    append_latency(view, out);
    buffer_format(out, "  HR@20 %.3f  MRR@20 %.3f  judged %llu  sessions open %lld, learned %lld\n",
                  watch_hit_rate(watch), watch_reciprocal_rank(watch), (unsigned long long)watch->judged,
                  (long long)view->sessions_open, (long long)view->sessions_learned);
}

void view_next_steps(const struct view *view, struct buffer *out)
{
    buffer_format(out,
                  "look at the topic:  kcat -b %s -t %s -C -o -1 -c 1\n"
                  "your own cluster:   eddy run --set kafka.bootstrap.servers=HOST:9092    (README.md has the steps)\n",
                  view->bootstrap, view->topic);
}
