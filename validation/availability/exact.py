"""Exact runs over a long horizon, in which faults overlap as they come."""

import csv
import statistics

from jobs import SCENARIOS, Job, availability
from theory import DOWN

HORIZON = "10d"  # the timeline has bins of a minute then

# How the names of the ways to fail begin (docs/FILES.md); `rejected_` are answers.
WAYS = ("lost_", "refused_", "timed_out", "given_up", "failed_")

FIGURES = ["failing", "down", "mean", "p99.9"]


class Figure:
    """A mean of equal and independent runs, with its standard error."""

    def __init__(self, values):
        self.point = statistics.fmean(values)
        self.error = statistics.stdev(values) / len(values) ** 0.5


def failures(row):
    """Requests that failed in a row of the timeline or of the replications."""
    return sum(int(row[key]) for key in row if key.startswith(WAYS) and row[key])


def read(folder):
    """Requests, failures, the sum of latencies, p99.9, minutes, and those that were down."""
    with open(folder / "replications.csv", newline="") as file:
        run = next(csv.DictReader(file))
    with open(folder / "timeline.csv", newline="") as file:
        bins = [row for row in csv.DictReader(file) if row["replica"] == "all"]
    if float(bins[1]["time_s"]) != 60.0:
        raise RuntimeError(f"bins of {bins[1]['time_s']} s are no minutes")
    ended = [(failures(row), int(row["served"])) for row in bins]
    down = sum(failed > DOWN * (failed + served) for failed, served in ended)
    return {"requests": int(run["offered"]), "failing": 1.0 - float(run["availability"]),
            "down": down / len(ended), "mean": float(run["mean_ms"]) / 1e3,
            "p99.9": float(run["p99_9_ms"]) / 1e3, "incidents": int(run["incidents"])}


def run(scenario, seed):
    words = ["run", SCENARIOS / f"{scenario}.toml", "--replications", 1, "--seed", seed,
             "--set", f"run.horizon={HORIZON}"]
    return Job(words, read)


class System:
    """A system of which exact runs and estimates are compared."""

    def __init__(self, name, runs, target):
        self.name, self.runs, self.target = name, runs, target
        self.exact = self.month = None

    def truth(self, pool, share):
        """Figures of the exact runs, which are made once."""
        if self.exact is None:
            runs = max(3, round(self.runs * share))
            seeds = range(1_001, 1_001 + runs)
            made = pool.map(f"exact {self.name}", [run(self.name, seed) for seed in seeds])
            self.requests = sum(one["requests"] for one in made)
            self.incidents = sum(one["incidents"] for one in made)
            self.days = 10 * runs
            self.exact = {key: Figure([one[key] for one in made]) for key in FIGURES}
        return self.exact

    def estimate(self, pool, requests, times):
        """Figures of several runs of `availability`, and half their own intervals."""
        jobs = [availability(self.name, requests, seed, target=self.target)
                for seed in range(501, 501 + times)]
        made = pool.map(f"estimate {self.name}", jobs)
        own = {key: statistics.fmean((one[key]["high"] - one[key]["low"]) / 2 for one in made)
               for key in ("failing", "down")}
        of = {"failing": lambda one: one["failing"]["point"],
              "down": lambda one: one["down"]["point"],
              "mean": lambda one: one["mean_latency_s"],
              "p99.9": lambda one: one["latency_s"]["p99.9"]}
        self.month = Figure([one["over_budget"]["month"]["point"] for one in made])
        return {key: Figure([of[key](one) for one in made]) for key in FIGURES}, own


SYSTEMS = [System("easy", 4, "99.95%"), System("normal", 20, "99.84%"),
           System("hostile", 6, "98.5%")]
