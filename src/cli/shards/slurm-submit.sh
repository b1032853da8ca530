#!/bin/sh
# Submits the shards of: @COMMAND@
# and the merge that waits for them.
set -eu
folder=@FOLDER@
# The same as Slurm reads it: % begins a word that it replaces.
logs=@LOGS@
shards=$(sbatch --parsable --output "$logs/shard-%a.log" "$folder/shards.sbatch")
sbatch --parsable --dependency "afterany:${shards%%;*}" --output "$logs/merge.log" \
    "$folder/merge.sbatch" "${1:-1}"
