#!/bin/sh
# Submits the shards of: @COMMAND@
# and the merge that waits for them.
set -eu
folder=@FOLDER@
shards=$(sbatch --parsable --output "$folder/shard-%a.log" "$folder/shards.sbatch")
sbatch --parsable --dependency "afterany:${shards%%;*}" --output "$folder/merge.log" \
    "$folder/merge.sbatch" "${1:-1}"
