#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# usage: tidy.sh [ROOT]   checks a source tree against the rules of tidy.awk; findings on stdout, 1 when there are any
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "${1:-$here/../..}" && pwd)
list=$(mktemp)
trap 'rm -f "$list"' EXIT
cd "$root"
find . \( -name .git -o -name build -o -name corpus -o -name data -o -name .cache \) -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.sh' -o -name '*.awk' -o -name '*.py' -o -name '*.md' -o -name '*.cmake' \
    -o -name CMakeLists.txt -o -name 'CMakePresets.json' -o -name '*.avsc' -o -name '*.yaml' -o -name '*.yml' \
    -o -name '*.service' -o -name Dockerfile -o -name dev -o -path './.ci/*' \) -print |
    sed 's,^\./,,' | LC_ALL=C sort >"$list"
if [ ! -s "$list" ]; then
    echo "tidy: no files below $root" >&2
    exit 2
fi
LC_ALL=C awk -v root="$root" -v list="$list" -f "$here/tidy.awk"
