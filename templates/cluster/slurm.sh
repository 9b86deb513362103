#!/bin/sh
# A Slurm array: sbatch slurm.sh
# Let `memory_mib` of [runner] in audit.toml stay below --mem (here 61440), so that the workers fit into a task.
# When all tasks are done, join the parts:
#   sbatch --dependency=afterok:JOB --wrap "quantbias merge $OUT/runs/*.part-*-of-16 --out $OUT/runs/all"
#SBATCH --job-name=quantbias
#SBATCH --array=0-15
#SBATCH --cpus-per-task=16
#SBATCH --mem=64G
#SBATCH --time=08:00:00
#SBATCH --requeue
set -eu
shard="$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))/$SLURM_ARRAY_TASK_COUNT"
quantbias run audit.toml --plan plan.json --out "$OUT" --shard "$shard" --workers "$SLURM_CPUS_PER_TASK" --resume
