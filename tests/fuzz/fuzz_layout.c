// SPDX-License-Identifier: Apache-2.0
/* A line of a public data set: the first byte chooses the layout and the side, the rest is the line, read as JSON and
 * as columns cut at a bar. What is handed out must be a click or item that can be kept. */
#include <eddy/core/layout.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct status visit(void *context, const struct layout_record *record)
{
    enum layout_kind kind = *(const enum layout_kind *)context;
    struct bytes id = kind == LAYOUT_CLICKS ? record->click.item_id : record->item.item_id;
    assert(id.size > 0 && id.size <= CLICK_ID_MAX && bytes_is_utf8(id) && bytes_is_utf8(record->item.title));
    if (kind == LAYOUT_CLICKS)
        assert(record->click.session_id.size + record->click.user_id.size > 0);
    assert(record->item.category_count <= ITEM_CATEGORIES_MAX);
    return OK;
}

static size_t cut(struct bytes line, struct bytes *fields, size_t capacity)
{
    size_t count = 0;
    while (count < capacity) {
        const uint8_t *bar = line.size ? memchr(line.data, '|', line.size) : NULL;
        size_t size = bar ? (size_t)(bar - line.data) : line.size;
        fields[count++] = bytes_of(line.data, size);
        if (!bar)
            break;
        line = bytes_of(line.data + size + 1, line.size - size - 1);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t layout_count = 0;
    while (layouts[layout_count].name)
        layout_count++;
    if (size == 0)
        return 0;
    const struct layout *layout = &layouts[data[0] / 3 % layout_count];
    enum layout_kind kind = data[0] % 3;
    const struct layout_side *side = layout_side_of(layout, kind);
    struct layout_visitor visitor = {kind, visit, &kind};
    struct bytes line = bytes_of(data + 1, size - 1), fields[LAYOUT_POSITIONS_MAX];
    AUTO(arena) batch = {0};
    struct complaint complaint = {{0}};
    uint8_t roles[LAYOUT_POSITIONS_MAX];
    size_t count = cut(line, fields, LAYOUT_POSITIONS_MAX);
    if (!layout_bind(side, kind, fields, count, roles))
        for (size_t i = 0; i < count; i++)
            roles[i] = (uint8_t)side->positions[i];
    struct status as_fields = layout_read_fields(roles, fields, count, &batch, &visitor, &complaint);
    assert(!failed(as_fields) || failed_as(as_fields, FAULT_BAD_INPUT));
    uint64_t broken;
    struct status as_json = layout_read_json(side, line, &batch, &visitor, &broken, &complaint);
    assert(!failed(as_json) || broken > 0);
    assert(!failed(as_json) || failed_as(as_json, FAULT_BAD_INPUT));
    return 0;
}
