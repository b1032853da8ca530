"""The experiments: which proxy, which fault, and what the scenario of the model has to say."""

import asyncio
import csv
import dataclasses
import pathlib

from model import SCENARIOS
from proxies import Backend, Envoy, Haproxy, Nginx

SERVICE = 0.4  # seconds that a backend takes
FAULT_AT = 6.0  # as in lost-backend.toml
UNSURE = 0.05  # seconds; a signal may come so much earlier or later beside the requests
VICTIM = 1
LOST = {Nginx: (502, 502), Haproxy: (502, 503), Envoy: (503, 503)}


@dataclasses.dataclass(frozen=True)
class Known:
    """Something that the model leaves out, and how many requests it may cost at most."""

    reason: str
    requests: int


@dataclasses.dataclass
class Experiment:
    """Something that is done to a proxy, and to the model of it."""

    name: str
    proxy: type
    scenario: str
    act: object  # what is done to the backends, a coroutine of (proxy, backends, start)
    changes: tuple = ()  # of the scenario
    options: dict = dataclasses.field(default_factory=dict)  # of the proxy
    method: str = "GET"
    known: Known = Known("", 0)  # how the model is known to differ

    def statuses(self):
        """What the proxy answers when a backend breaks off, and when it refuses."""
        lost, refused = LOST[self.proxy]
        return {"lost_in_flight": lost, "refused_dead_address": refused}

    def variants(self, late):
        """The changes of each run of the model: the fault comes a little earlier or later."""
        if self.scenario != "lost-backend":
            return [self.changes]
        unsure = max(UNSURE, late)
        moments = [FAULT_AT - unsure, FAULT_AT, FAULT_AT + unsure]
        return [(*self.changes, f"fault.lost.at={moment:.3f}s") for moment in moments]

    def times(self):
        """When requests are due, in seconds from the start."""
        if self.scenario == "failing-host":
            return [number / 300 for number in range(1, 3001)]
        with open(pathlib.Path(SCENARIOS) / "arrivals.csv", newline="") as file:
            return [float(row["time_s"]) for row in csv.DictReader(file)]

    def start_backends(self):
        if self.scenario == "failing-host":
            return [Backend(0.005), Backend(0, status=503), Backend(0.005)]
        return [Backend(SERVICE) for _ in range(3)]


async def until(start, seconds):
    clock = asyncio.get_running_loop()
    await asyncio.sleep(start + seconds - clock.time())


async def crash(_proxy, backends, start):
    await until(start, FAULT_AT)
    backends[VICTIM].crash()
    await asyncio.to_thread(backends[VICTIM].process.wait, 5)


async def hang(_proxy, backends, start):
    await until(start, FAULT_AT)
    backends[VICTIM].hang()


async def nothing(_proxy, _backends, _start):
    pass


async def replace_after_start(proxy, backends, start):
    """The new backend serves before the old one goes (surge 1)."""
    for place, old in enumerate(list(backends)):
        await until(start, 4 + 4 * place)
        new = await asyncio.to_thread(Backend, SERVICE)
        backends.append(new)
        proxy.replace(place, new.port)
        await asyncio.sleep(1.5)
        old.crash()


async def replace_after_drain(proxy, backends, start):
    """The old backend goes before the new one serves (unavailable 1)."""
    for place, old in enumerate(list(backends)):
        await until(start, 4 + 4 * place)
        proxy.drain(place)
        await asyncio.sleep(1.5)
        old.crash()
        new = await asyncio.to_thread(Backend, SERVICE)
        backends.append(new)
        proxy.replace(place, new.port)


# The presets stand for ingress controllers as they are shipped; what is driven here is a plain nginx,
# which tries another server, and a HAProxy without `check`.
NGINX = ("ingress.retry-other-host=true",)
HAPROXY = ("ingress.preset=haproxy", "ingress.health-check=none")
FAULTS = {"crash": (crash, "replica-crash"), "hang": (hang, "replica-hang")}
ENVOY = ("ingress.preset=envoy-gateway", "ingress.balancing=round-robin",
         "ingress.request-timeout=3s")
ANOTHER_HOST = {
    "retry_host_predicate": [{
        "name": "envoy.retry_host_predicates.previous_hosts",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.retry.host"
                                  ".previous_hosts.v3.PreviousHostsPredicate"},
    }],
    "host_selection_retry_max_attempts": 5,  # as Istio has it
}
RETRIES = (*ENVOY, "ingress.retries=2", 'ingress.retry-on=["connect-failure", "reset"]')
EACH_SECOND = (*ENVOY, "ingress.retries=2", "ingress.read-timeout=1s",
               'ingress.retry-on=["connect-failure", "reset", "timeout"]')
MANY_RETRIES = {"circuit_breakers": {"thresholds": [{"max_retries": 1000}]}}
SAME_HOST = Known("without `previous_hosts` Envoy may try the lost host again", 5)
BUDGET = Known("Envoy's three retries at once hold for refused connections too", 60)
EJECTION = Known("what is sent before an ejection takes effect fails too", 40)


def route(**more):
    """A route of Envoy that retries."""
    policy = {"retry_on": "connect-failure,reset", "num_retries": 2, **more}
    return {"retry_policy": policy}


def lost_backend(title, proxy, changes, options=None, known=None, faults=("crash", "hang")):
    """Each fault with GET and POST; `known` is of crashes."""
    for fault in faults:
        act, kind = FAULTS[fault]
        for method in ["GET", "POST"]:
            share = "100%" if method == "GET" else "0%"
            yield Experiment(
                f"{title}: {fault}, {method}", proxy, "lost-backend", act, method=method,
                changes=(*changes, f"fault.lost.kind={kind}", f"ingress.idempotent={share}"),
                options=options or {}, known=known if known and fault == "crash" else Known("", 0))


def failing_host(title, always, detection, known=Known("", 0)):
    return Experiment(
        f"{title}: a host fails, GET", Envoy, "failing-host", nothing,
        changes=(f"upstream.backends.always-eject-one={always}",),
        options={"cluster": {"outlier_detection": detection}}, known=known)


def everything():
    """All experiments, in waves: those of a wave are made at the same time."""
    plain = {"route": route(), "cluster": MANY_RETRIES}
    elsewhere = {"route": route(**ANOTHER_HOST), "cluster": MANY_RETRIES}
    stock = {"route": route(**ANOTHER_HOST)}
    always = {"always_eject_one_host": True}
    each_second = {"route": route(per_try_timeout="1s", **ANOTHER_HOST), "cluster": MANY_RETRIES}
    once = {Nginx: {"next_upstream": "off"}, Haproxy: {"retries": 0}}  # nothing is made good
    crash_alone, hang_alone = ("crash",), ("hang",)
    return [
        [
            *lost_backend("nginx", Nginx, NGINX),
            Experiment("nginx, reload: rollout, GET", Nginx, "rollout", replace_after_start,
                       options=once[Nginx]),
        ],
        [
            *lost_backend("HAProxy", Haproxy, HAPROXY),
            Experiment("HAProxy, drain: rollout, GET", Haproxy, "rollout", replace_after_drain,
                       changes=("upgrade.surge=0", "upgrade.unavailable=1"), options=once[Haproxy]),
        ],
        [
            *lost_backend("Envoy", Envoy, ENVOY),
            *lost_backend("Envoy, retries", Envoy, RETRIES, plain, SAME_HOST, crash_alone),
        ],
        [
            *lost_backend("Envoy, retries elsewhere", Envoy, RETRIES, elsewhere),
            *lost_backend("Envoy, three retries at once", Envoy, RETRIES, stock, BUDGET,
                          crash_alone),
        ],
        [
            *lost_backend("nginx, proxy_next_upstream off", Nginx, ("ingress.retries=0",),
                          once[Nginx], faults=crash_alone),
            *lost_backend("HAProxy, retries 0", Haproxy,
                          (*HAPROXY, "ingress.retries=0"), once[Haproxy],
                          faults=crash_alone),
            *lost_backend("Envoy, per_try_timeout 1s", Envoy, EACH_SECOND, each_second,
                          faults=hang_alone),
        ],
        [failing_host("Envoy, outlier_detection {}", "false", {})],
        [failing_host("Envoy, always_eject_one_host", "true", always, EJECTION)],
    ]
