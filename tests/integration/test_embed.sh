#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# eddy embed as somebody types it: vectors on standard output, everything else on standard error.
golden=$PWD/tests/golden/encoder
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"

run 0 embed --provider encoder --folder "$golden" "$golden/texts.txt"
[ "$(wc -l <out)" = "$(wc -l <"$golden/texts.txt")" ] || fail 'there is not one vector for each line'
[ "$(head -n 1 out | tr ',' '\n' | wc -l)" = 24 ] || fail "a vector is not 24 numbers: $(head -n 1 out)"
cp out whole
run 0 embed --provider=encoder --folder "$golden" - <"$golden/texts.txt"
cmp out whole || fail 'standard input gives other vectors'
run 0 embed --provider encoder --folder "$golden" --tokens "$golden/texts.txt"
[ "$(head -n 2 out | tr '\n' ' ')" = '[3,20,23,22,20,24,4] [3,25,4] ' ] || fail "wrong tokens: $(head -n 2 out)"

"$EDDY_BINARY" generate --clicks 1000 --items 100 --output clicks.tsv --items-output items.tsv
printf 'a b c\n\n' >texts
run 0 embed --provider hash --items items.tsv --width 8 texts
[ "$(sed -n 2p out)" = '[0,0,0,0,0,0,0,0]' ] || fail "an empty line is not zeros: $(sed -n 2p out)"

expect 2 '--provider is encoder or hash' embed x
expect 2 'say by --folder' embed --provider encoder x
expect 2 'say by --items' embed --provider hash x
expect 2 '--folder is for the encoder' embed --provider hash --items x --folder y x
expect 2 '--width is 1 to 256' embed --provider hash --items x --width 257 x
expect 2 '--tokens is for the encoder' embed --provider hash --items x --tokens x
expect 2 'name one file of texts' embed --provider hash --items items.tsv
expect 1 'there is no nowhere/model.safetensors' embed --provider encoder --folder nowhere texts
expect 1 'missing: No such file' embed --provider hash --items items.tsv missing
expect 5 'there is no column item_id' embed --provider hash --items texts texts
run 0 embed --help
grep -q '^usage: eddy embed' out || fail "eddy embed --help: $(cat out)"
