"""SimPy has no processor sharing: it is the clock of attained service here, with a heap of the
clock's readings at which jobs depart, which costs O(log n) an event. A timer is a time-out with a
callback, which is cheaper than a process for each replica that is interrupted; one that was set is
left alone, and set anew when it fires early, as an arrival mostly makes the next departure later.
"""

from heapq import heappop, heappush

import numpy
import simpy

from task import BACK_AT, CORES, KILLED_AT, MU, SIGMA, blocks, figures, main


class Replica:
    """Two cores; with n jobs each runs at the rate min(1, 2/n)."""

    def __init__(self, env, latencies):
        self.env = env
        self.latencies = latencies
        self.jobs = []  # (the clock's reading at which it departs, when it arrived)
        self.clock = 0.0
        self.at = 0.0
        self.timer = None  # the time for which one is set

    def slowness(self):
        number = len(self.jobs)
        return number / CORES if number > CORES else 1.0

    def arrive(self, demand):
        now = self.env.now
        self.clock = self.clock + (now - self.at) / self.slowness() if self.jobs else 0.0
        self.at = now
        heappush(self.jobs, (self.clock + demand, now))
        self.arm()

    def due(self):
        return self.at + (self.jobs[0][0] - self.clock) * self.slowness()

    def arm(self):
        due = self.due()
        if self.timer is None or due < self.timer:
            self.timer = due
            timer = self.env.timeout(max(due - self.env.now, 0.0), due)
            timer.callbacks.append(self.fire)

    def fire(self, timer):
        due = timer.value
        if due != self.timer:
            return
        self.timer = None
        if self.due() <= due:
            self.clock, arrived = heappop(self.jobs)
            self.at = due
            self.latencies.append(due - arrived)
        if self.jobs:
            self.arm()

    def kill(self):
        lost = len(self.jobs)
        self.jobs.clear()
        self.timer = None
        return lost


class Balancer:
    """Strict round robin over the replicas that are up."""

    def __init__(self, replicas):
        self.replicas = replicas
        self.up = list(replicas)
        self.next = 0
        self.lost = 0

    def arrivals(self, env, gaps, demands):
        while True:
            yield env.timeout(next(gaps))
            if self.next >= len(self.up):
                self.next = 0
            self.up[self.next].arrive(next(demands))
            self.next += 1

    def fault(self, env):
        yield env.timeout(KILLED_AT)
        self.lost = self.replicas[0].kill()
        self.up = self.replicas[1:]
        yield env.timeout(BACK_AT - KILLED_AT)
        self.up = list(self.replicas)


def simulate(task, seed):
    rng = numpy.random.default_rng(seed)
    gaps = blocks(lambda number: rng.exponential(1.0 / task.rate, number))
    demands = blocks(lambda number: rng.lognormal(MU, SIGMA, number))
    env = simpy.Environment()
    latencies = []
    balancer = Balancer([Replica(env, latencies) for _ in range(task.replicas)])
    env.process(balancer.arrivals(env, gaps, demands))
    if task.kill:
        env.process(balancer.fault(env))
    env.run(until=task.seconds)
    return figures(latencies, balancer.lost)


if __name__ == "__main__":
    main(simulate)
