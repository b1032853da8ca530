"""Cimba compiles the model and runs it on its engine in C. It has no processor sharing: it is the
clock of attained service here, with a heap of the clock's readings at which jobs depart, in arrays
of the model, which costs O(log n) an event. Arrivals are a process, departures events; a timer
that was set is left alone, and set anew when it fires early, as an arrival mostly makes the next
departure later. Replications are trials of one experiment, on one thread.
"""

import json
import math

import cimba as cb

from task import BACK_AT, CORES, KILLED_AT, MU, SIGMA, command_line

ROOM = 1 << 15  # jobs that a replica can hold
BUCKETS = 4096  # of the histogram of latencies, 128 for each time that they double
LEAST = 1e-6  # the latency at which it begins


class Replica(cb.Model):
    """Two cores; with n jobs each runs at the rate min(1, 2/n)."""

    gateway: cb.Ref["Gateway"]
    departs: cb.Array[float] = cb.Array(ROOM)  # a heap of the clock's readings
    arrived: cb.Array[float] = cb.Array(ROOM)
    jobs: int = 0
    clock: float = 0.0
    at: float = 0.0
    timer: float = math.inf

    @cb.function
    def slowness(self) -> float:
        return self.jobs / CORES if self.jobs > CORES else 1.0

    @cb.function
    def push(self, departs: float, arrived: float) -> None:
        place = self.jobs
        self.jobs += 1
        while place > 0:
            above = (place - 1) // 2
            if self.departs[above] <= departs:
                break
            self.departs[place] = self.departs[above]
            self.arrived[place] = self.arrived[above]
            place = above
        self.departs[place] = departs
        self.arrived[place] = arrived

    @cb.function
    def pop(self) -> None:
        self.jobs -= 1
        departs = self.departs[self.jobs]
        place = 0
        while True:
            below = 2 * place + 1
            if below >= self.jobs:
                break
            if below + 1 < self.jobs and self.departs[below + 1] < self.departs[below]:
                below += 1
            if departs <= self.departs[below]:
                break
            self.departs[place] = self.departs[below]
            self.arrived[place] = self.arrived[below]
            place = below
        self.departs[place] = departs
        self.arrived[place] = self.arrived[self.jobs]

    @cb.function
    def arrive(self, demand: float) -> None:
        now = cb.now()
        if self.jobs > 0:
            self.clock += (now - self.at) / self.slowness()
        else:
            self.clock = 0.0
        self.at = now
        self.push(self.clock + demand, now)
        self.arm()

    @cb.function
    def due(self) -> float:
        return self.at + (self.departs[0] - self.clock) * self.slowness()

    @cb.function
    def arm(self) -> None:
        delay = max(self.due() - cb.now(), 0.0)
        if cb.now() + delay < self.timer:
            self.timer = cb.now() + delay
            cb.schedule(self.fire, delay)

    @cb.event
    def fire(self):
        if cb.now() == self.timer:
            self.timer = math.inf
            if self.due() <= cb.now():
                self.clock = self.departs[0]
                self.at = cb.now()
                self.gateway.record(cb.now() - self.arrived[0])
                self.pop()
            if self.jobs > 0:
                self.arm()

    @cb.function
    def kill(self) -> int:
        lost = self.jobs
        self.jobs = 0
        self.timer = math.inf
        return lost


class Gateway(cb.Model):
    """Strict round robin over the replicas that are up, and what is measured."""

    rate: cb.Param[float]
    killed: cb.Param[bool]
    replicas: list[Replica]
    counts: cb.Array[int] = cb.Array(BUCKETS)
    down: bool = False
    turn: int = -1
    sum: float = 0.0
    served: cb.Output[int] = 0
    lost: cb.Output[int] = 0
    mean: cb.Output[float] = 0.0
    p99: cb.Output[float] = 0.0

    @cb.process
    def arrivals(self):
        while True:
            cb.hold(cb.random.exponential(1.0 / self.rate))
            self.turn += 1
            if self.turn == len(self.replicas):
                self.turn = 1 if self.down else 0
            self.replicas[self.turn].arrive(cb.random.lognormal(MU, SIGMA))

    @cb.process
    def fault(self):
        if self.killed:
            cb.hold(KILLED_AT)
            self.lost = self.replicas[0].kill()
            self.down = True
            cb.hold(BACK_AT - KILLED_AT)
            self.down = False

    @cb.function
    def record(self, latency: float) -> None:
        self.served += 1
        self.sum += latency
        bucket = int(math.log2(latency / LEAST) * 128.0)
        self.counts[min(max(bucket, 0), BUCKETS - 1)] += 1

    @cb.on_end
    def measure(self):
        self.mean = self.sum / self.served
        rank, below = 0.99 * self.served, 0.0
        for bucket in range(BUCKETS):
            count = float(self.counts[bucket])
            if below < rank and below + count >= rank:
                self.p99 = LEAST * 2.0 ** ((bucket + (rank - below) / count) / 128.0)
            below += count


def main():
    task, seed, replications = command_line()
    gateway = Gateway()
    gateway.rate = task.rate
    gateway.killed = task.kill
    gateway.replicas = [Replica() for _ in range(task.replicas)]
    for replica in gateway.replicas:
        replica.gateway = gateway
    window = cb.Window(duration=task.seconds)
    experiment = cb.Experiment(gateway, replications=replications, window=window, seed=seed)
    results = experiment.run(workers=1)[gateway]
    for replication in range(replications):
        print(json.dumps({
            "served": int(results.served[0, replication]),
            "lost": int(results.lost[0, replication]),
            "mean": float(results.mean[0, replication]),
            "p99": float(results.p99[0, replication]),
        }))


if __name__ == "__main__":
    main()
