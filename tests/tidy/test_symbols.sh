#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# No function of eddy has the name of one in a library it is linked with: the linker would take ours for theirs.
set -eu
command -v nm >/dev/null || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

ldd "$EDDY_BINARY" | awk '$3 ~ /^\// {print $3}' | grep -vE '/lib(asan|ubsan|tsan|clang_rt)' |
  xargs nm -D --defined-only | awk 'NF == 3 {sub(/@.*/, "", $3); print $3}' | sort -u >"$folder/theirs"
# Symbols that the tool chain puts into every object are weak or local; only T, D, B and R are ours.
nm -g --defined-only "$(dirname "$EDDY_BINARY")"/libeddy_*.a |
  awk '$2 ~ /^[TDBR]$/ {print $3}' | sort -u >"$folder/ours"

if ! grep -qx json_array "$folder/theirs" || ! grep -qx buffer_append "$folder/ours"; then
  echo "the lists of symbols are not what they should be" >&2
  exit 1
fi
if comm -12 "$folder/theirs" "$folder/ours" | grep .; then
  echo "these names are taken by a library that eddy is linked with" >&2
  exit 1
fi
