#!/bin/sh
# Submits the shards of: @COMMAND@
# waits for them, and merges. What is missing then is made in a next round of the same shards, as
# long as each round adds something: @WHY@.
set -eu
folder=@FOLDER@
brownout=${BROWNOUT:-@PROGRAM@}
cd -- @HERE@ || exit 2
command -v hq > /dev/null || {
    echo "there is no hq: is it installed here?" >&2
    exit 2
}
round=1
before=
while :; do
    mark=$folder/round-$round
    touch -- "$mark"
    hq submit --name @JOB@ --array 1-@SHARDS@ --wait \
        --stdout "$folder/shard-%{TASK_ID}.log" --stderr "$folder/shard-%{TASK_ID}.log" \
        -- sh "$folder/shard.sh" || echo "some shards failed: look at shard-*.log" >&2
    code=0
    "$brownout" merge "$folder" --base @BASE@ --output @OUTPUT@@MERGING@ || code=$?
    # Exit code 3 without results: replications are missing.
    if [ "$code" -ne 3 ] || [ @RESULTS@/manifest.json -nt "$mark" ]; then
        exit "$code"
    fi
    there=$("$brownout" status "$folder" --format json | grep -m 1 '"replications"')
    if [ "$round" -ge @ROUNDS@ ] || [ "$there" = "$before" ]; then
        echo "round $round added nothing, or is the last of @ROUNDS@: look at shard-*.log" >&2
        exit "$code"
    fi
    before=$there
    round=$((round + 1))
done
