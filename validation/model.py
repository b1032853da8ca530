"""What the simulator says: a range of counts by HTTP status, and of the slowest answers."""

import csv
import pathlib
import subprocess

SCENARIOS = pathlib.Path(__file__).with_name("scenarios")
STATUSES = [200, 502, 503, 504, None]
# The ways to fail of replications.csv that have one status everywhere.
FAILURES = {"timed_out": 504, "refused_no_ready_replica": 503, "failed_upstream": 503}


class Range:
    """From the least to the greatest that was seen; None if nothing was."""

    def __init__(self, values):
        values = list(values)
        self.low, self.high = (min(values), max(values)) if values else (None, None)

    def join(self, other):
        ends = [self.low, self.high, other.low, other.high]
        return Range(end for end in ends if end is not None)


class Prediction:
    """Counts by status, and the slowest answers with status 200 and 504, in seconds."""

    def __init__(self, counts, slowest):
        self.counts, self.slowest = counts, slowest

    def join(self, other):
        counts = {status: self.counts[status].join(other.counts[status]) for status in STATUSES}
        slowest = {key: self.slowest[key].join(other.slowest[key]) for key in self.slowest}
        return Prediction(counts, slowest)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def count(row, statuses):
    """The requests of one replication by status."""
    counts = dict.fromkeys(STATUSES, 0)
    counts[200] = int(row["served"])
    for way, status in statuses.items():
        counts[status] += int(row[way])
    counts[None] = int(row["offered"]) - sum(counts.values())
    return counts


def simulate(brownout, scenario, changes, statuses, folder):
    """Runs a scenario; `statuses` gives what the proxy answers where a backend is lost."""
    changes = [part for change in changes for part in ("--set", change)]
    command = [brownout, "run", SCENARIOS / f"{scenario}.toml", *changes, "--quiet", "--force",
               "--requests-every", "1", "--output", folder]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}\n{done.stderr}")
    results = pathlib.Path(folder) / scenario
    replications = rows(results / "replications.csv")
    if not replications:
        raise RuntimeError(f"{results} has no replications")
    counted = [count(row, {**FAILURES, **statuses}) for row in replications]
    # Requests are told of one replication; time-outs take the same time in all.
    timed_out = [request for request in rows(results / "requests.csv")
                 if request["outcome"] == "timed_out"]
    slowest = {
        200: Range(float(row["greatest_ms"]) / 1e3 for row in replications),
        504: Range(float(request["failed_after_ms"]) / 1e3 for request in timed_out),
    }
    return Prediction({s: Range(row[s] for row in counted) for s in STATUSES}, slowest)
