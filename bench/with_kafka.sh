#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# usage: with_kafka.sh PROGRAM [ARGUMENT...]
#
# Starts an Apache Kafka of one broker for this alone, runs PROGRAM BOOTSTRAP build/release/eddy ARGUMENT..., and stops
# it again. The program finds its folder in BENCH_KAFKA_HOME, for tools/kafka; its own files go there too, and with it.
set -euo pipefail
cd "$(dirname "$0")/.."

BENCH_KAFKA_HOME=$(mktemp -d "${TMPDIR:-/tmp}/eddy-bench-kafka.XXXXXX")
export BENCH_KAFKA_HOME TMPDIR=$BENCH_KAFKA_HOME
# eddy takes variables that begin with EDDY_ for options
kafka() { EDDY_KAFKA_HOME=$BENCH_KAFKA_HOME EDDY_KAFKA_LIBS=$PWD/build/kafka tools/kafka "$@"; }
finish() {
  kafka stop >/dev/null 2>&1 || true
  rm -rf "$BENCH_KAFKA_HOME"
}
trap finish EXIT

mkdir -p build/kafka
kafka start >/dev/null
"$1" "$(kafka bootstrap)" "$PWD/build/release/eddy" "${@:2}"
