"""What closed forms say of the share that fails, and of the share of minutes that are down."""

import math
import random

DOWN = 0.05  # share of a minute's requests from which on it is down
RATE = 20.0  # requests a second of the scenarios that have closed forms
MONTH = 365.25 * 86_400 / 12


def minutes_down(up, outage, outages, seed=1):
    """Share of the minutes that are down where times up and outages alternate, by drawing them.
    `outage` draws a list of (from, to, lost): seconds from its start, and the share that fails."""
    stream, lost, now = random.Random(seed), {}, 0.0
    for _ in range(outages):
        now += up(stream)
        length, parts = outage(stream)
        for start, end, share in parts:
            spread(lost, now + start, now + end, share)
        now += length
    return sum(is_down(stream, seconds) for seconds in lost.values()) * 60 / now


def spread(lost, start, end, share):
    """Adds what a stretch of time loses to the minutes in which it lies, in seconds."""
    while start < end:
        minute = int(start // 60)
        cut = min(end, 60.0 * (minute + 1))
        lost[minute] = lost.get(minute, 0.0) + share * (cut - start)
        start = cut


def is_down(stream, seconds):
    """Whether a minute with so much loss is down: its requests are Poisson, near enough normal."""
    def count(mean):
        return max(0.0, stream.gauss(mean, math.sqrt(mean)))
    failed, served = count(RATE * seconds), count(RATE * max(0.0, 60.0 - seconds))
    return failed > DOWN * (failed + served)


def exponential(mean):
    return lambda stream: stream.expovariate(1 / mean)


def whole(length, share=1.0):
    """Outages of one law, in which a share fails."""
    def draw(stream):
        long = length(stream)
        return long, [(0.0, long, share)]
    return draw


def leaving(stream):
    """One of three ingress instances is lost for 100 s; its clients leave evenly within 20 s."""
    return 100.0, [(at, at + 1.0, (1 - (at + 0.5) / 20) / 3) for at in range(20)]


def month_beyond(every, back, share):
    """Chance that one replica, up for `every` in the mean and then away for `back`, is away for
    more than a share of a month: so many crashes in the time up that is left."""
    budget = share * MONTH
    mean, least = (MONTH - budget) / every, math.ceil(budget / back)
    terms = (math.exp(i * math.log(mean) - mean - math.lgamma(i + 1)) for i in range(least))
    return 1.0 - sum(terms)


class ClosedForm:
    """A scenario with what is right for it."""

    def __init__(self, name, scenario, formula, failing, changes=(), drawn=None):
        self.name, self.scenario, self.changes = name, scenario, changes
        self.formula, self.failing, self.drawn = formula, failing, drawn

    def down(self, outages):
        return minutes_down(*self.drawn, outages) if self.drawn else None


CRASH = ClosedForm("crash, respawned in 30 s", "crashing", "30 / 3 630", 30 / 3_630,
                   drawn=(exponential(3_600), whole(lambda _: 30.0)))
CLOSED = [
    CRASH,
    ClosedForm("two of two crashed", "crashing", "(40 / 1 240)²", (40 / 1_240) ** 2,
               ["gateway.replicas=2", "startup.boot=40s",
                'fault.crash.every="exponential(20m)"']),
    ClosedForm("ingress away for 100 s", "ingress-away", "100 / 5 100", 100 / 5_100,
               drawn=(exponential(5_000), whole(lambda _: 100.0))),
    ClosedForm("gray: 20 % fail, 100 s in the mean", "gray", "0.2 · 100 / 5 100",
               0.2 * 100 / 5_100, drawn=(exponential(5_000), whole(exponential(100), 0.2))),
    ClosedForm("one of three ingress instances", "ingress-instance", "10 / 3 / 3 700",
               10 / 3 / 3_700, drawn=(exponential(3_600), leaving)),
]
