// SPDX-License-Identifier: Apache-2.0
#pragma once
/* restore: one stored session back into a table, with its items interned. */
#include <eddy/core/session.h>

MUST_CHECK static inline struct status restore_session(struct session_table *table, uint64_t number,
                                                       struct bytes record, struct catalogue *catalogue)
{
    AUTO(session_batch) batch = {0};
    TRY(session_batch_add(&batch, table, number, record));
    TRY(session_batch_intern_items(&batch, catalogue));
    return session_batch_restore(&batch, table);
}
