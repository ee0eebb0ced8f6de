#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of a Python that has confluent-kafka with its serializers, and fastavro, made in build/python (or
# $EDDY_PYTHON_ENVIRONMENT) when it is not there yet; fails when that cannot be had here. Tests may call it together.
set -euo pipefail
environment=${EDDY_PYTHON_ENVIRONMENT:-build/python}
python=$environment/bin/python
usable() { [ -x "$python" ] && "$python" -c 'import confluent_kafka.schema_registry.avro, fastavro' 2>/dev/null; }
mkdir -p "$(dirname "$environment")"
exec 9>"$environment.lock"
flock 9
usable || {
  python3 -m venv "$environment" && "$environment/bin/pip" install -q 'confluent-kafka[avro]' fastavro
} >/dev/null 2>&1
usable
printf '%s\n' "$python"
