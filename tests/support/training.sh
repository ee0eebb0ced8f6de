# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# Sourced by the tests of eddy train: clicks to train on, the last fifth of them from `valid` on.
# shellcheck source=tests/support/commands.sh
. "$(dirname "${BASH_SOURCE[0]}")/commands.sh"

# trains CODE TEXT ARGUMENT...: eddy train ends with that code and says so.
trains() { expect "$1" "$2" train "${@:3}"; }

clicks=$folder/clicks.tsv
"$EDDY_BINARY" generate --clicks 30000 --items 500 --sessions 60 --output "$clicks" 2>/dev/null
column=$(head -n 1 "$clicks" | tr '\t' '\n' | grep -n timestamp | cut -d : -f 1)
valid=$(sed -n 24000p "$clicks" | cut -f "$column")
