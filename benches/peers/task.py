"""The task, apart from who simulates it; what the models in Python have in common."""

import json
import math
import sys
from dataclasses import dataclass

CORES = 2
MEAN_DEMAND = 0.01
SIGMA = math.sqrt(math.log(2.0))  # of the logarithm of the demand, for a cv of 1
MU = math.log(MEAN_DEMAND) - SIGMA * SIGMA / 2.0
KILLED_AT = 200.0
BACK_AT = 230.0
BLOCK = 4096


@dataclass(frozen=True)
class Task:
    """Replicas that share requests in turn; one is killed or, if not, none."""

    replicas: int
    rate: float
    kill: bool
    seconds: float


TASKS = {"one": (1, 140.0, False), "b2": (3, 420.0, False), "b3": (3, 420.0, True)}


def blocks(draw):
    """Random numbers one by one, drawn a block at a time, which is far cheaper with NumPy."""
    while True:
        yield from draw(BLOCK).tolist()


def slices(number):
    """Demands that are equally likely and together have the mean of the law."""
    from statistics import NormalDist

    normal = NormalDist()
    edges = [-math.inf] + [normal.inv_cdf(i / number) for i in range(1, number)] + [math.inf]
    below = [normal.cdf(edge - SIGMA) for edge in edges]  # of the mean, by demands up to here
    return [MEAN_DEMAND * number * (b - a) for a, b in zip(below, below[1:])]


def figures(latencies, lost):
    """What is told of a replication."""
    import numpy

    latencies = numpy.asarray(latencies)
    return {
        "served": len(latencies),
        "lost": lost,
        "mean": float(latencies.mean()),
        "p99": float(numpy.percentile(latencies, 99)),
    }


def command_line():
    """The task, the seed of the first replication and how many there are."""
    name, seconds, seed, replications = sys.argv[1:]
    return Task(*TASKS[name], float(seconds)), int(seed), int(replications)


def main(simulate):
    """Runs the replications that the command line asks for; prints a line of JSON for each."""
    task, seed, replications = command_line()
    for replication in range(replications):
        print(json.dumps(simulate(task, seed + replication)), flush=True)
