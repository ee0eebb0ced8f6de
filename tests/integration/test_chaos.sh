#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Short forms of './dev chaos', without models and with them; the second one does no harm to brokers, as the first does.
# They start brokers of their own, so they need what these need; they run where a real Kafka is asked for:
# EDDY_KAFKA=host:port.
set -euo pipefail
[ -n "${EDDY_KAFKA:-}" ] || exit 77
command -v java >/dev/null && command -v kcat >/dev/null || exit 77
unset EDDY_KAFKA

CHAOS_CHECK=${EDDY_BINARY%/*}/tests/chaos_check
export CHAOS_CHECK
tests/chaos/chaos.sh --kills 8 --partitions 3
exec tests/chaos/chaos.sh --models --kills 6 --partitions 3 --kinds kill,term,zombie,trainer,rollback
