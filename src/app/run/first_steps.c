// SPDX-License-Identifier: Apache-2.0
#include "app/run/first_steps.h"

/* First the shop, then a click of one's own: the shop's clicks end at the present, and would be late after it. */
static void write_shop(const struct config *config, const char *brokers, struct buffer *out)
{
    static const char *const keys[] = {"topics.prefix",  "topics.clicks", "topics.items", "items.enabled",
                                       "formats.clicks", "formats.items", "session.key",  NULL};
    buffer_append_text(out, "In another terminal, let a synthetic shop send clicks, so that there is something to "
                            "learn:\n  eddy generate --kafka --sessions 100 --clicks 30000");
    if (config->file)
        buffer_format(out, " --config %s", config->file);
    buffer_format(out, " --set kafka.bootstrap.servers=%s", brokers);
    config_write_sets(config, keys, out);
    buffer_append_byte(out, '\n');
}

/* What the click of one's own, and its answer, has as its key. */
static const char *own_key(const struct config *config)
{
    return config->engine.session.by_user ? "user-1" : "visit-1";
}

static void write_click(const struct config *config, const char *brokers, struct buffer *out)
{
    if (config->encodings[RECORD_CLICK].format != RECORD_JSON) {
        buffer_append_text(out, "kcat cannot send a click by hand, because formats.clicks is not json.\n");
        return;
    }
    bool by_user = config->engine.session.by_user;
    buffer_format(
        out,
        "Then, a moment later, send a click of your own on an item of that shop (its key, before the tab, is "
        "its %s):\n  printf '%s\\t{\"session_id\":\"visit-1\",%s\"item_id\":\"i0\",\"timestamp\":\"%%s\"}\\n' "
        "\"$(date -u +%%FT%%TZ)\" | kcat -b %s -P -t %s -K '\\t'\n",
        by_user ? "user" : "session", by_user ? "user-1" : "visit-1", by_user ? "\"user_id\":\"user-1\"," : "", brokers,
        config_topic(config, TOPIC_CLICKS));
}

static void write_list(const struct config *config, const char *brokers, struct buffer *out)
{
    bool json = config->encodings[RECORD_RECOMMENDATION].format == RECORD_JSON;
    buffer_format(out, "%s:\n  kcat -b %s -C -t %s -o -100 -e -q%s%s\n",
                  json ? "And read what eddy recommends there"
                       : "And read what eddy recommends (formats.recommendations is not json)",
                  brokers, config_topic(config, TOPIC_RECOMMENDATIONS), json ? " | grep " : "",
                  json ? own_key(config) : "");
}

static void write_item(const struct config *config, const char *brokers, struct buffer *out)
{
    if (!config->items_enabled || config->encodings[RECORD_ITEM].format != RECORD_JSON)
        return;
    buffer_format(out,
                  "An item that is sold out, and so never recommended:\n"
                  "  printf 'i0\\t{\"item_id\":\"i0\",\"title\":\"Red boots\",\"available\":false}\\n' | "
                  "kcat -b %s -P -t %s -K '\\t'\n",
                  brokers, config_topic(config, TOPIC_ITEMS));
}

void first_steps_write(const struct config *config, struct buffer *out)
{
    const char *brokers = config_kafka(config, "bootstrap.servers");
    write_shop(config, brokers, out);
    write_click(config, brokers, out);
    write_list(config, brokers, out);
    write_item(config, brokers, out);
}
