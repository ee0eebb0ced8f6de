#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands as somebody types them who has not read the manual: what they say, where, and with which exit code.
# shellcheck source=tests/support/commands.sh
. "$(dirname "$0")/../support/commands.sh"

# wrong CODE TEXT ARGUMENT...: says the text on stderr and nothing on stdout.
wrong() {
  expect "$@"
  [ ! -s out ] || fail "eddy ${*:3}: writes on standard output: $(cat out)"
}

# Help goes to standard output, names every option's command and has examples that are right.
for command in config dead-letters demo embed evaluate generate import replay run schemas topics; do
  run 0 "$command" --help
  grep -q "^usage: eddy $command" out || fail "eddy $command --help: $(cat out)"
  grep -q "^  eddy $command" out || fail "eddy $command --help has no example"
  cp out help
  run 0 help "$command"
  cmp out help || fail "eddy help $command is not eddy $command --help"
done
run 0 --help
grep -q '^exit codes: ' out || fail "the help does not name the exit codes"
wrong 2 'usage: eddy COMMAND'
wrong 2 "did you mean 'replay'?" replya
wrong 2 "did you mean 'replay'?" help replya
wrong 2 "no command 'help'" help help

# Options.
wrong 2 'name either files or --topic' replay
wrong 2 "no option '--jsn'; did you mean '--json'?" replay --jsn
wrong 2 '--json wants a value: FILE' replay x --json
wrong 2 '--json wants a value: FILE' replay x --json=
wrong 2 "say 'register' or 'check'" schemas
wrong 2 "say 'register' or 'check'" schemas drop
wrong 3 'registry.url is not set' schemas check
wrong 3 "no topic's format is confluent" schemas check --set registry.url=http://localhost:8081
wrong 4 'http://127.0.0.1:1/subjects' schemas check --set registry.url=http://127.0.0.1:1 --set registry.retries=0 \
  --set formats.clicks=confluent
wrong 2 'name a file of clicks' evaluate
wrong 2 'say by --test-from where the test begins' evaluate x
wrong 2 'wants a time like 2014-04-07T10:51:09Z or 2014-04-07, or milliseconds' evaluate x --test-from tomorrow
wrong 2 '--valid-from is not before --test-from' evaluate x --test-from 2024-01-01 --valid-from 2024-01-02
wrong 2 '--valid-from is not before --test-from' evaluate x --mode prequential --valid-from 2024-01-02
wrong 2 '--mode is train-test, prequential or learning' evaluate x --mode both
wrong 2 'say of which layout the files are' import
wrong 2 "did you mean 'movielens'?" import movilens --clicks x
wrong 2 '--clicks is needed: the file of layout movielens' import movielens
wrong 2 "'ratings.csv' stands behind the layout; name files by --clicks" import movielens ratings.csv
wrong 2 'movielens has no file of categories' import movielens --clicks x --items x --categories x
wrong 2 'yoochoose has no file of items' import yoochoose --clicks x --items x
wrong 2 '--categories is of use with --items' import retailrocket --clicks x --categories x
wrong 2 "say 'list' or 'retry'" dead-letters
wrong 2 "say 'list' or 'retry'" dead-letters retrieve
wrong 2 "'17' is no place: PARTITION:OFFSET" dead-letters list 17
wrong 2 "'0:-1' is no place" dead-letters retry 0:-1
wrong 2 "are for 'retry'" dead-letters list --yes
wrong 2 '--dry-run and --yes do not go together' dead-letters retry --yes --dry-run
wrong 2 'say where they are to go with --to' dead-letters retry --late
wrong 2 'leave --reason out' dead-letters list --late --reason x
wrong 2 '--limit cannot be negative' dead-letters list --limit -1
wrong 2 "'x' stands where only options may" generate x

wrong 2 '--pace, --config and --set go with --kafka' generate --clicks 1 --pace 5
wrong 2 '--pace, --config and --set go with --kafka' generate --clicks 1 --config missing.yaml
wrong 2 '--output, --items-output and --format are for files' generate --clicks 1 --kafka --output x

# Files.
"$EDDY_BINARY" generate --clicks 3000 --items 100 --output clicks.tsv --items-output items.tsv
: >empty
mkdir folder
head -c 3000 "$EDDY_BINARY" >binary
for command in 'replay' 'evaluate --test-from 0'; do
  # shellcheck disable=SC2086 # a command with its options
  {
    wrong 1 'missing: No such file or directory' $command missing
    wrong 1 'folder: Is a directory' $command folder
    wrong 5 'empty: the file is empty' $command empty
    wrong 5 'binary: line 1: there is no column item_id' $command binary
    wrong 5 'items.tsv: line 1: there is no column session_id' $command items.tsv
  }
done
wrong 1 'missing: No such file or directory' import movielens --clicks missing
wrong 1 'folder: Is a directory' import movielens --clicks folder
wrong 5 'empty: the file is empty' import movielens --clicks empty
wrong 5 'binary: line 1: this is no file of clicks of layout movielens' import movielens --clicks binary

printf 'session_id\ttimestamp_ms\titem_id\n' >names
wrong 5 'there is not one click in the files that can be used' replay names
wrong 5 'there is not one click in the files that can be used' evaluate --test-from 0 names
wrong 5 'of 1 sessions 0 begin before 1970-01-02T00:00:00.000Z and train' evaluate --test-from 1970-01-02 \
  --clicks <(printf 'session_id\ttimestamp_ms\titem_id\ns\t1600000000000\ta\n')

# Configurations.
printf 'fusion:\n  lst_size: 3\n' >wrong.yaml
wrong 3 "wrong.yaml:2: unknown key 'fusion.lst_size'; did you mean 'fusion.list_size'?" replay --config wrong.yaml x
wrong 3 "wrong.yaml:2: unknown key" evaluate --test-from 0 --config wrong.yaml x
wrong 3 'That is about --vs fusion.lst_size=3' evaluate --test-from 0 --vs fusion.lst_size=3 x
wrong 3 'missing.yaml: No such file or directory' replay --config missing.yaml x

# The report, and nothing else, is on standard output; files may be named without an option.
run 0 evaluate --test-from 2024-01-01T00:00:30Z clicks.tsv
grep -q '^test: ' out || fail "no report on standard output: $(cat out)"
[ ! -s errors ] || fail "a run without a fault says: $(cat errors)"
