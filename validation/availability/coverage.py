"""How often intervals of `availability` hold the truth, over many seeds."""

import statistics

from jobs import availability
from verdicts import covers, wilson


class Truth:
    """What intervals have to hold, and what that rests on."""

    def __init__(self, value, rests_on, error=0.0):
        self.value, self.rests_on, self.error = value, rests_on, error


def interval(found, key):
    return found["over_budget"]["month"] if key == "month" else found[key]


def rows(pool, label, scenario, requests, target, truths, seeds):
    """A row for each figure: how often it was held, and how far the points are off."""
    jobs = [availability(scenario, requests, seed, target=target) for seed in range(1, seeds + 1)]
    made = pool.map(f"coverage {label}", jobs)
    for key, truth in truths.items():
        ends = [interval(one, key) for one in made]
        below = sum(truth.value < end["low"] for end in ends)
        above = sum(truth.value > end["high"] for end in ends)
        points = [end["point"] for end in ends]
        yield {
            "system": label, "figure": key, "truth": truth, "seeds": seeds,
            "held": seeds - below - above, "below": below, "above": above,
            "share": wilson(seeds - below - above, seeds),
            "mean": statistics.fmean(points),
            "error": statistics.stdev(points) / seeds ** 0.5,
            "spread": statistics.stdev(points),
            "half": statistics.fmean((end["high"] - end["low"]) / 2 for end in ends),
            "verdict": covers(seeds - below - above, seeds),
        }
