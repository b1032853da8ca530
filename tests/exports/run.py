"""What other programs make of `--export`: each file is read by the tool that it is for, or held
against that tool's own schema, and its figures must be those of our CSV and JSON files.

    python3 tests/exports/run.py [--brownout target/release/brownout] [--require-all]
                                 [--junit-xsd FILE] [--sarif-multitool DIR]

Perfetto's own message descriptors (PyPI: perfetto) decode the trace. Prometheus (Debian: prometheus)
takes the metrics into a database on the loopback and answers each query of the Grafana dashboard,
which is read by Grafana's own SDK (PyPI: grafana-foundation-sdk). HdrHistogram for Python (PyPI:
hdrhistogram) reads the log of latencies. JUnit files are read by PyPI's junitparser and held against
Jenkins' schema (lxml; `junit-10.xsd`, which the source package of pytest has), SARIF files against
the schema of OASIS and Microsoft's validator (npm: @microsoft/sarif-multitool). What is not
installed is skipped, which the last lines say.
"""

import argparse
import csv
import json
import math
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
EPOCH = 1_767_225_600  # 2026-01-01T00:00:00Z
EVERY = 50
RUNS = {
    # What crashes, scales and is sampled.
    "replica-crash": ["--set", "run.horizon=6m", "-n", "3"],
    # Several APIs.
    "one-api-limited": ["-n", "2"],
    # Clients that try again.
    "retry-storm-with-budget": ["-n", "2"],
    # Several regions.
    "regions-hot-standby": ["--set", "traffic.rate=100/s", "-n", "2"],
}
KINDS = "perfetto,openmetrics,hdr,junit,sarif"
PATIENCE = 60  # seconds


class Skipped(Exception):
    """Something that is needed is not installed."""


def say(text):
    print(text, flush=True)


def expect(condition, what):
    if not condition:
        raise RuntimeError(what)


def near(one, other, share, what):
    expect(abs(one - other) <= share * max(abs(one), abs(other)) + 1e-9,
           f"{what}: {one} is not {other}")


def run(command, codes=(0,), **more):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    expect(done.returncode in codes, f"{' '.join(map(str, command))} ended with {done.returncode}:\n"
                                     f"{done.stdout}{done.stderr}")
    return done.stdout


def rows(folder, name):
    with open(folder / name, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def summary(folder):
    return json.loads((folder / "summary.json").read_text(encoding="utf-8"))


class Results:
    """The results of some runs with all exports, once and again."""

    def __init__(self, brownout, folder):
        self.brownout, self.folder = brownout, folder
        for name, options in RUNS.items():
            more = ["--requests-every", EVERY, "--export", KINDS, "--no-charts", "--quiet",
                    "--export-epoch", "2026-01-01T01:00:00+01:00"]
            run([brownout, "run", f"scenarios/{name}.toml", *options, *more, "-o", folder / "one"],
                codes=(0, 1, 3), cwd=ROOT)
            run([brownout, "rerun", folder / "one" / name, "-o", folder / "two", "--quiet"],
                codes=(0, 1, 3), cwd=ROOT)
            for file in (folder / "one" / name).iterdir():
                again = folder / "two" / name / file.name
                expect(file.read_bytes() == again.read_bytes(), f"{file.name} differs when rerun")

    def of(self, name):
        return self.folder / "one" / name


def perfetto(results, _):
    try:
        from google.protobuf import unknown_fields
        from perfetto.protos.perfetto.trace import perfetto_trace_pb2 as descriptors
    except ImportError as error:
        raise Skipped(f"PyPI's perfetto: {error}") from error

    def unknown(message):
        count = len(unknown_fields.UnknownFieldSet(message))
        for field, value in message.ListFields():
            if field.message_type:
                several = not hasattr(value, "ListFields")
                count += sum(map(unknown, value if several else [value]))
        return count

    for name in RUNS:
        folder = results.of(name)
        trace = descriptors.Trace()
        trace.ParseFromString((folder / "trace.perfetto").read_bytes())
        expect(sum(map(unknown, trace.packet)) == 0, "fields that Perfetto does not know")
        expect(trace.packet[0].sequence_flags == 1, "the first packet does not begin a sequence")
        tracks, events = read_tracks(trace)
        check_slices(tracks, events)
        check_replicas(folder, tracks, events)
        check_counters(folder, tracks, events)
        check_requests(folder, tracks, events)
        say(f"  {name}: {len(trace.packet)} packets on {len(tracks)} tracks")


def read_tracks(trace):
    """The tracks by their uuid, and the events of each in the order of the file."""
    tracks, events = {}, {}
    for packet in trace.packet:
        expect(packet.trusted_packet_sequence_id == 1, "a packet is of no sequence")
        if packet.HasField("track_descriptor"):
            uuid = packet.track_descriptor.uuid
            expect(uuid not in tracks, "two tracks have the same uuid")
            tracks[uuid] = packet.track_descriptor
            events[uuid] = []
        else:
            event = packet.track_event
            expect(event.track_uuid in tracks, "an event is of no track")
            events[event.track_uuid].append((packet.timestamp, event))
    for track in tracks.values():
        expect(not track.parent_uuid or track.parent_uuid in tracks, "a parent is no track")
    pids = [track.process.pid for track in tracks.values() if track.HasField("process")]
    expect(len(set(pids)) == len(pids), "two processes have the same number")
    threads = [track.thread for track in tracks.values() if track.HasField("thread")]
    expect(all(thread.pid in pids for thread in threads), "a thread is of no process")
    tids = [thread.tid for thread in threads]
    expect(len(set(tids)) == len(tids) and not set(tids) & set(pids), "a thread's number is taken")
    return tracks, events


def check_slices(tracks, events):
    """On every track time goes forward, and what begins last ends first."""
    for uuid, track in tracks.items():
        before, depth = 0, 0
        for at, event in events[uuid]:
            expect(at >= before, f"{track.name}: time goes back")
            before = at
            depth += {1: 1, 2: -1}.get(event.type, 0)
            expect(depth >= 0, f"{track.name}: something ends that did not begin")
            expect((event.type == 4) == track.HasField("counter"), f"{track.name}: a counter or not")
        expect(depth == 0, f"{track.name}: something does not end")


def slices(events):
    """Begin, end and event of each slice."""
    open_slices, all_slices = [], []
    for at, event in events:
        if event.type == 1:
            open_slices.append((at, event))
        elif event.type == 2:
            begin, which = open_slices.pop()
            all_slices.append((begin, at, which))
    return all_slices


def check_replicas(folder, tracks, events):
    """Each replica has its states as slices, when the journal says that it entered them."""
    entered = [row for row in rows(folder, "events.csv") if row["event"] == "entered"]
    threads = {track.thread.thread_name: uuid
               for uuid, track in tracks.items() if track.HasField("thread")}
    created = {row["replica"] for row in rows(folder, "events.csv") if row["event"] == "created"}
    expect(set(threads) == created, "the threads are not the replicas")
    zones = {f"zone {row['zone']}" for row in rows(folder, "timeline.csv") if row["zone"]}
    processes = {track.process.process_name for track in tracks.values()}
    expect(zones <= processes and "gateway" in processes, "a zone is no process")
    for row in (row for row in entered if row["state"] != "terminated"):
        starts = {(begin, which.name) for begin, _, which in slices(events[threads[row["replica"]]])}
        at = round(float(row["time_s"]) * 1e9)
        expect((at, row["state"]) in starts, f"{row['replica']} is not {row['state']} at {at}")


def check_counters(folder, tracks, events):
    """What is served is what the timeline says."""
    total = [row for row in rows(folder, "timeline.csv") if row["replica"] == "all"]
    long = float(total[1]["time_s"]) - float(total[0]["time_s"])
    counter = next(uuid for uuid, track in tracks.items()
                   if track.HasField("counter") and track.name == "served")
    found = [event.double_counter_value * long for _, event in events[counter]]
    expect([round(value) for value in found] == [int(row["served"]) for row in total],
           "other requests are served than in timeline.csv")


def check_requests(folder, tracks, events):
    """Each request that was sampled is a slice with its stages, as long as it took."""
    sampled = rows(folder, "requests.csv")
    found = {}
    for uuid, track in tracks.items():
        if track.name != "requests":
            continue
        for begin, end, which in slices(events[uuid]):
            number = [note.string_value for note in which.debug_annotations if note.name == "number"]
            if number:
                found[number[0]] = (begin, end)
    expect(len(found) == len(sampled) > 0, f"{len(found)} of {len(sampled)} requests are there")
    for row in (row for row in sampled if row["ended_s"]):
        begin, end = found[row["number"]]
        near(begin / 1e9, float(row["sent_s"]), 1e-12, "a request begins")
        near(end / 1e9, float(row["ended_s"]), 1e-12, "a request ends")


class Prometheus:
    """A Prometheus with nothing to scrape, on the loopback."""

    def __init__(self, folder):
        config = folder / "prometheus.yml"
        config.write_text("global: {}\n", encoding="utf-8")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}",
             "--storage.tsdb.retention.time=100y", f"--web.listen-address={self.address}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            try:
                with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=2):
                    return self
            except (urllib.error.URLError, OSError):
                expect(self.process.poll() is None, "Prometheus does not start")
                time.sleep(0.2)
        raise RuntimeError(f"Prometheus is not ready within {PATIENCE} s")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(PATIENCE)

    def series(self, query, long):
        asked = {"query": query, "start": EPOCH, "end": EPOCH + long, "step": 1}
        address = f"http://{self.address}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        try:
            with urllib.request.urlopen(address, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]["result"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{query}: {error.read().decode()}") from error


def openmetrics(results, _):
    if not (shutil.which("promtool") and shutil.which("prometheus")):
        raise Skipped("Debian's prometheus")
    folder = results.folder / "prometheus"
    for name in RUNS:
        file = results.of(name) / "metrics.openmetrics.txt"
        run(["promtool", "tsdb", "create-blocks-from", "openmetrics", file, folder / "tsdb"])
    with Prometheus(folder) as prometheus:
        for name in RUNS:
            check_metrics(prometheus, results.of(name), name)
        check_with_promtool(prometheus, results.of("replica-crash"))
        check_dashboard(prometheus, results)


def check_metrics(prometheus, folder, name):
    """What Prometheus has is what the timeline says, at every end of a bin."""
    timeline = rows(folder, "timeline.csv")
    total = [row for row in timeline if row["replica"] == "all"]
    starts = [float(row["time_s"]) for row in total]
    bins = round(starts[1] - starts[0])
    long = math.ceil(starts[-1] + bins)
    told = {"scenario": name, "replication": total[0]["replication"]}

    def one(metric, **labels):
        chosen = ",".join(f'{key}="{value}"' for key, value in {**told, **labels}.items())
        found = prometheus.series(f"{metric}{{{chosen}}}", long)
        expect(len(found) == 1, f"{metric} {labels}: {len(found)} series")
        values = {round(float(at) - EPOCH): float(value) for at, value in found[0]["values"]}
        return [values.get(round(start) + bins) for start in starts]

    def rising(column):
        sums, so_far = [], 0
        for row in total:
            so_far += int(row[column])
            sums.append(so_far)
        return sums

    expect(one("brownout_requests_offered_total") == rising("offered"), "offered")
    expect(one("brownout_requests_served_total") == rising("served"), "served")
    lost = one("brownout_requests_failed_total", reason="lost_in_flight")
    expect(lost == rising("lost_in_flight"), "lost in flight")
    rotation = [int(row["in_rotation"]) for row in total]
    expect(one("brownout_replicas_in_rotation") == rotation, "in rotation")
    for at, (found, row) in enumerate(zip(one("brownout_latency_seconds", statistic="p99"), total)):
        if row["p99_ms"]:
            near(found, float(row["p99_ms"]) / 1e3, 1e-9, f"p99 in bin {at}")
        else:
            expect(math.isnan(found), f"p99 in bin {at} without an answer")
    replicas = {row["replica"] for row in timeline} - {"all"}
    chosen = f'scenario="{name}"'
    found = prometheus.series(f"brownout_replica_cpu_ratio{{{chosen}}}", long)
    expect({one["metric"]["replica"] for one in found} == replicas, "other replicas")
    verdicts = prometheus.series(f"brownout_objective_verdict{{{chosen}}} == 1", long)
    verdicts = {one["metric"]["objective"]: one["metric"]["brownout_objective_verdict"]
                for one in verdicts}
    wanted = {one["text"]: one["verdict"] for one in summary(folder)["objectives"]}
    expect(verdicts == wanted, f"{verdicts} instead of {wanted}")
    say(f"  {name}: {len(total)} bins of {len(replicas)} replicas in Prometheus")


def check_with_promtool(prometheus, folder):
    """The same answers by promtool."""
    last = rows(folder, "timeline.csv")[-1]
    end = EPOCH + round(float(last["time_s"])) + 1
    query = 'sum(brownout_requests_served_total{scenario="replica-crash"})'
    said = run(["promtool", "query", "range", f"--start={EPOCH}", f"--end={end}", "--step=1s",
                f"http://{prometheus.address}", query])
    total = sum(int(row["served"]) for row in rows(folder, "timeline.csv")
                if row["replica"] == "all")
    expect(f"{total} @[{end}]" in said, f"promtool says otherwise than {total}:\n{said[-400:]}")


def check_dashboard(prometheus, results):
    """Every query of the dashboard is one, and finds something in one run at least."""
    board = json.loads((ROOT / "docs/grafana/brownout.json").read_text(encoding="utf-8"))
    queries = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    queries += [note["expr"] for note in board["annotations"]["list"]]
    for query in queries:
        found = 0
        for name in RUNS:
            replication = rows(results.of(name), "timeline.csv")[0]["replication"]
            filled = query.replace("$scenario", name).replace("$replication", replication)
            filled = filled.replace("$window", "10s").replace("$__range", "1h")
            expect("$" not in filled, f"{filled}: a variable that the dashboard does not have")
            found += len(prometheus.series(filled, 3_600))
        expect(found > 0, f"the dashboard asks for what no run has: {query}")
    say(f"  {len(queries)} queries of the dashboard are answered")


def grafana(_, __):
    try:
        from grafana_foundation_sdk.cog.encoder import JSONEncoder
        from grafana_foundation_sdk.models.dashboard import Dashboard
    except ImportError as error:
        raise Skipped(f"PyPI's grafana-foundation-sdk: {error}") from error
    # What the plug-in of a data source adds to a query or an annotation has no type in the SDK.
    own = re.compile(r"/annotations/list/\d+/(titleFormat|textFormat|step|target/expr|target/refId)"
                     r"|/templating/list/\d+/definition")
    written = json.loads((ROOT / "docs/grafana/brownout.json").read_text(encoding="utf-8"))
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(written)))

    def lost(one, other, place):
        if isinstance(one, dict):
            for key, value in one.items():
                if not isinstance(other, dict) or key not in other:
                    yield f"{place}/{key}"
                else:
                    yield from lost(value, other[key], f"{place}/{key}")
        elif isinstance(one, list):
            for at, (value, known_value) in enumerate(zip(one, other)):
                yield from lost(value, known_value, f"{place}/{at}")
        elif one != other:
            yield place

    foreign = [place for place in lost(written, known, "") if not own.fullmatch(place)]
    expect(not foreign, f"Grafana's dashboards have no {foreign}")
    say(f"  {len(written['panels'])} panels")


def hdr(results, _):
    try:
        from hdrh.histogram import HdrHistogram
        from hdrh.log import HistogramLogReader
    except ImportError as error:
        raise Skipped(f"PyPI's hdrhistogram: {error}") from error
    for name in RUNS:
        folder = results.of(name)
        reader = HistogramLogReader(str(folder / "latency.hlog"), HdrHistogram(1, 1 << 50, 2))
        found = []
        while (one := reader.get_next_interval_histogram()) is not None:
            found.append(one)
        expect(reader.get_start_time_sec() == EPOCH, "the log begins at another time")
        windows, replications = summary(folder)["windows"], rows(folder, "replications.csv")
        of_run = [one for one in found if one.get_tag() == "the-run"]
        expect(len(of_run) == len(replications), "a line of the run is missing")
        for one, row in zip(of_run, replications):
            for percentile, column in [(50, "p50_ms"), (95, "p95_ms"), (99, "p99_ms")]:
                value = one.get_value_at_percentile(percentile) / 1e6
                # As wide as a bucket of two significant digits.
                near(value, float(row[column]), 0.01, f"{name}: {column}")
            near(one.get_max_value() / 1e6, float(row["greatest_ms"]), 0.01, "greatest")
        for window in windows:
            tag = re.sub(r"[,\s]", "-", window["label"])
            count = sum(one.get_total_count() for one in found if one.get_tag() == tag)
            expect(count == window["latency_samples"], f"{tag}: {count} latencies")
        say(f"  {name}: {len(found)} histograms")


def junit(results, args):
    try:
        from junitparser import Error, Failure, JUnitXml, Skipped as LeftOut
        from lxml import etree
    except ImportError as error:
        raise Skipped(f"PyPI's junitparser and lxml: {error}") from error
    files = {name: results.of(name) / "junit.xml" for name in RUNS}
    others = [checked(results, "junit"), *studies(results)]
    kinds = {"met": None, "missed": Failure, "undecided": Error}
    for name, file in files.items():
        cases = [case for suite in JUnitXml.fromfile(str(file)) for case in suite]
        judged = [case for case in cases if not any(type(it) is LeftOut for it in case.result)]
        objectives = summary(results.of(name))["objectives"]
        expect(len(judged) == len(objectives), f"{name}: {len(judged)} cases")
        for case, objective in zip(judged, objectives):
            found = [type(one) for one in case.result]
            wanted = kinds[objective["verdict"]]
            expect(case.name == objective["text"], f"{case.name} is {objective['text']}")
            expect(found == ([wanted] if wanted else []), f"{case.name}: {found}")
    if args.junit_xsd is None:
        raise Skipped("Jenkins' schema (--junit-xsd); junitparser reads the files")
    schema = etree.XMLSchema(etree.parse(str(args.junit_xsd)))
    for file in [*files.values(), *others]:
        schema.assertValid(etree.parse(str(file)))
    say(f"  {len(files) + len(others)} files")


def checked(results, kind):
    """What `check` says of all files of our tests that have something wrong with them."""
    file = results.folder / f"check.{kind}"
    scenarios = sorted(ROOT.glob("tests/problems/*.toml"))
    names = [scenario.relative_to(ROOT) for scenario in scenarios]
    said = run([results.brownout, "check", *names, "--format", kind], codes=(2,), cwd=ROOT)
    file.write_text(said, encoding="utf-8")
    return file


def studies(results):
    """The verdicts of a comparison with a gate, and of a sweep."""
    more = ["--set", "run.horizon=6m", "-n", "2", "--no-charts", "--quiet", "--export", "junit"]
    more += ["-o", results.folder / "studies", "--fail-if", "worse", "--fail-if", "p99 > +10%"]
    crash = "scenarios/replica-crash.toml"
    for command in [["compare", crash, "--set", "startup.boot=2s,30s"],
                    ["sweep", crash, "--set", "startup.boot=2s,30s"]]:
        run([results.brownout, *command, *more], codes=(0, 1, 3), cwd=ROOT)
    return sorted((results.folder / "studies").glob("*/junit.xml"))


def sarif(results, args):
    try:
        import jsonschema
    except ImportError as error:
        raise Skipped(f"PyPI's jsonschema: {error}") from error
    tool = args.sarif_multitool
    if tool is None:
        raise Skipped("npm's @microsoft/sarif-multitool (--sarif-multitool)")
    schema = json.loads((tool / "sarif-2.1.0.json").read_text(encoding="utf-8-sig"))
    files = [results.of(name) / "verdict.sarif" for name in RUNS]
    files.append(checked(results, "sarif"))
    for file in files:
        log = json.loads(file.read_text(encoding="utf-8"))
        jsonschema.validate(log, schema)
        validate_sarif(tool / "Sarif.Multitool", file, results.folder)
        check_lines(log)
    say(f"  {len(files)} files")


def validate_sarif(tool, file, folder):
    """Microsoft's validator finds nothing wrong with a file."""
    found = folder / "validated.sarif"
    environment = {**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    run([tool, "validate", file, "--output", found, "--log", "ForceOverwrite", "--level", "Error",
         "Warning"], codes=(0, 1), env=environment)
    wrong = json.loads(found.read_text(encoding="utf-8-sig"))["runs"][0].get("results", [])
    wrong = [one for one in wrong if one.get("level", "warning") == "error"]
    told = [f"{one['ruleId']}: {one['message'].get('arguments')}" for one in wrong]
    expect(not wrong, f"{file.name}: {told}")


def check_lines(log):
    """What has a region stands there in the scenario."""
    for result in log["runs"][0]["results"]:
        place = result["locations"][0]["physicalLocation"]
        if result["ruleId"] != "objective" or "region" not in place:
            continue
        region = place["region"]
        text = (ROOT / urllib.parse.unquote(place["artifactLocation"]["uri"])).read_text("utf-8")
        line = text.splitlines()[region["startLine"] - 1]
        quoted = line[region["startColumn"] - 1:region["endColumn"] - 1]
        expect(quoted[1:-1] in result["message"]["text"], f"{quoted} is not what is told")


CHECKS = [perfetto, openmetrics, grafana, hdr, junit, sarif]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--brownout", type=pathlib.Path, default=ROOT / "target/release/brownout")
    parser.add_argument("--require-all", action="store_true", help="fail if anything is skipped")
    parser.add_argument("--junit-xsd", type=pathlib.Path, help="junit-10.xsd of Jenkins")
    parser.add_argument("--sarif-multitool", type=pathlib.Path,
                        help="the folder with Sarif.Multitool")
    args = parser.parse_args()
    brownout = args.brownout.resolve()
    expect(brownout.exists(), f"{brownout} is not there: build it, or name it with --brownout")
    skipped = []
    with tempfile.TemporaryDirectory() as folder:
        results = Results(brownout, pathlib.Path(folder))
        for check in CHECKS:
            say(f"{check.__name__}:")
            try:
                check(results, args)
            except Skipped as why:
                skipped.append(f"{check.__name__} is SKIPPED: not installed: {why}")
    say("\n".join(skipped) or "all exports are read by what they are for")
    return 1 if skipped and args.require_all else 0


if __name__ == "__main__":
    sys.exit(main())
