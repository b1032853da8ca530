"""A reference for the task that AsyncFlow can be told: first come, first served on two cores, with
demands from 200 slices of the law. With no processor sharing a request's end is known when it
comes (Kiefer and Wolfowitz), so there are no events; the outage is that of the round robin alone.
"""

import numpy

from task import BACK_AT, KILLED_AT, figures, main, slices


def simulate(task, seed):
    rng = numpy.random.default_rng(seed)
    gaps = rng.exponential(1.0 / task.rate, int(task.rate * task.seconds * 1.1) + 1000)
    times = numpy.cumsum(gaps)
    times = times[times < task.seconds].tolist()
    demands = rng.choice(slices(200), len(times)).tolist()
    free = [[0.0, 0.0] for _ in range(task.replicas)]  # when its cores are, the first one first
    turn, latencies = -1, []
    for now, demand in zip(times, demands):
        turn = (turn + 1) % task.replicas
        if turn == 0 and task.kill and KILLED_AT <= now < BACK_AT:
            turn = 1
        first, second = free[turn]
        end = max(first, now) + demand
        free[turn] = [second, end] if second < end else [end, second]
        if end < task.seconds:
            latencies.append(end - now)
    return figures(latencies, 0)


if __name__ == "__main__":
    main(simulate)
