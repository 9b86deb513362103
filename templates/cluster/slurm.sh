#!/bin/sh
# A Slurm array: sbatch slurm.sh
# Let `memory_mib` of [runner] in audit.toml stay below --mem (here 61440), so that the workers fit into a task.
# Tasks that failed are submitted again by their numbers: sbatch --array=3,7 slurm.sh
# When all tasks are done, join the parts:
#   sbatch --dependency=afterok:JOB --wrap "quantbias merge $OUT/runs/*.part-*-of-16 --out $OUT/runs/all"
#SBATCH --job-name=quantbias
#SBATCH --array=1-16
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=08:00:00
#SBATCH --requeue
set -eu
SHARDS=16                       # the same as the last number of the array, also where some are submitted again
shard="$SLURM_ARRAY_TASK_ID/$SHARDS"
quantbias run audit.toml --plan plan.json --out "$OUT" --shard "$shard" --workers "$SLURM_CPUS_PER_TASK" --resume
