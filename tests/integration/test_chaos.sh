#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A short form of './dev chaos'. Starts brokers of its own, so it needs what they need; it runs where a real Kafka is
# asked for: EDDY_KAFKA=host:port.
set -euo pipefail
[ -n "${EDDY_KAFKA:-}" ] || exit 77
command -v java >/dev/null && command -v kcat >/dev/null || exit 77
unset EDDY_KAFKA

CHAOS_CHECK=${EDDY_BINARY%/*}/tests/chaos_check
export CHAOS_CHECK
exec tests/chaos/chaos.sh --kills 8 --partitions 3
