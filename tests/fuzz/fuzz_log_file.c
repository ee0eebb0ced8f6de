// SPDX-License-Identifier: Apache-2.0
/* Any bytes as a file of clicks and as one of items: recognised, decompressed, cut and decoded to the end. What comes
 * out must keep the reader's promises, and the end must be reached. */
#include <eddy/io/log_file.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_id(struct bytes id)
{
    assert(id.size <= CLICK_ID_MAX && bytes_is_utf8(id));
}

static bool next(struct log_file *log, enum log_file_kind kind, struct status *ret_status)
{
    struct complaint complaint = {{0}};
    struct click click;
    struct item item;
    bool found = false;
    *ret_status = kind == LOG_FILE_CLICKS ? log_file_next_click(log, &click, &found, &complaint)
                                          : log_file_next_item(log, &item, &found, &complaint);
    if (failed(*ret_status)) {
        assert(complaint.text[0]);
        return true;
    }
    if (found && kind == LOG_FILE_CLICKS) {
        check_id(click.session_id);
        check_id(click.user_id);
        check_id(click.item_id);
        assert(click.item_id.size > 0 && click.session_id.size + click.user_id.size > 0);
    } else if (found) {
        check_id(item.item_id);
        assert(item.item_id.size > 0 && bytes_is_utf8(item.title) && item.category_count <= ITEM_CATEGORIES_MAX);
    }
    return found;
}

static void read_all(struct bytes content, enum log_file_kind kind)
{
    struct log_file *log;
    struct complaint complaint = {{0}};
    struct status status = log_file_open_bytes(content, "log", kind, &log, &complaint);
    if (failed(status)) {
        assert(complaint.text[0]);
        return;
    }
    while (next(log, kind, &status))
        assert(!failed(status) || failed_as(status, FAULT_BAD_INPUT) || failed_as(status, FAULT_CORRUPT));
    assert(!next(log, kind, &status) && !failed(status)); /* the end stays the end */
    log_file_close(log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_all(bytes_of(data, size), LOG_FILE_CLICKS);
    read_all(bytes_of(data, size), LOG_FILE_ITEMS);
    return 0;
}
