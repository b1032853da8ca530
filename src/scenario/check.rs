//! Combinations that cannot work, and those that probably mean something else.

use crate::diagnostic::{Place, Problem};
use crate::objective::{Bound, Metric, Objective, Relation, Restored};
use crate::plan::{
    Autoscaling, DeadAddress, Dependencies, Extent, Failover, FailoverBy, Fault, FaultPlan,
    Ingress, Memory, Plan, Population, REPLICATIONS_MOST, Reach, Schedule, Traffic,
};
use crate::random::Law;
use crate::scenario::ingress;
use crate::scenario::reader::{Parsed, Reader};
use crate::scenario::section::gateway::{GatewayPart, Management, Tier};
use crate::scenario::section::startup;
use crate::scenario::section::topology::TopologyPart;
use crate::scenario::text::Value;
use crate::units::{Bytes, Rate, Span};

/// The requests of one replication above which a run is doubted.
const REQUEST_DOUBT: f64 = 1e12;

/// Warns of a managed gateway that the product would not run so, and says what it is if it cannot
/// be had at all: a what-if.
pub(crate) fn product(
    reader: &Reader<'_>,
    gateway: &GatewayPart,
    autoscaling: Option<&Autoscaling>,
    topology: &TopologyPart,
) -> Option<String> {
    if gateway.management != Management::Managed {
        return None;
    }
    let replicas = gateway.replicas.value;
    let what_if = gateway.sold_tier().and_then(|tier| unsold(tier, replicas, autoscaling));
    if let Some(what_if) = &what_if {
        let help = "a what-if: what is sold comes without `gateway.replicas` and [autoscaler]";
        let title = format!("not for sale: {what_if}");
        reader.warn(gateway.replicas.place.clone(), title, help);
    } else if gateway.sold_tier().is_none() && replicas < 2 {
        let title = "a managed gateway has at least 2 replicas";
        reader.warn(gateway.replicas.place.clone(), title, "the product never runs fewer");
    }
    let placement = &topology.plan.placement;
    let together = placement.iter().all(|zone| placement.first() == Some(zone));
    if replicas > 1 && together {
        let help = "the product spreads replicas over zones; one zone outage takes them all";
        reader.warn(topology.place.clone(), "all replicas are in one zone", help);
    }
    what_if
}

/// How a tier is sold, if not with these replicas: Small as two, Large and Extra Large as two that
/// scale to three (documented: gateway prerequisites). By what policy they scale is not published:
/// another target is another assumption, and no other product.
fn unsold(tier: Tier, replicas: u64, autoscaling: Option<&Autoscaling>) -> Option<String> {
    let is = |count: u64| format!("{count} replica{}", if count == 1 { "" } else { "s" });
    let bounds = autoscaling.map(|one| (one.spec.min, one.spec.max));
    let has = match bounds {
        Some((least, most)) if least < most => format!("{least} to {most} replicas"),
        of => format!(
            "{} at all times",
            is(of.map_or(replicas, |(count, _)| count.unsigned_abs().into()))
        ),
    };
    let (name, sold) = match tier {
        Tier::Small => ("Small", "2 replicas at all times"),
        Tier::Large => ("Large", "2 replicas that scale to 3"),
        Tier::XLarge => ("Extra Large", "2 replicas that scale to 3"),
    };
    let as_sold = match tier {
        Tier::Small => replicas == 2,
        Tier::Large | Tier::XLarge => bounds == Some((2, 3)),
    };
    (!as_sold).then(|| format!("{name} is sold as {sold}, this has {has}"))
}

/// Warns of more load than the gateway carries, or than it is rated for.
pub(crate) fn load(
    reader: &Reader<'_>,
    plan: &Plan,
    peak: Option<&Parsed<Rate>>,
    rating: Option<Rate>,
) {
    let Some(peak) = peak else { return };
    let replicas = plan.most_replicas();
    let busy = plan.utilisation(peak.value, replicas);
    let capacity = Rate(plan.saturation().0 * replicas as f64);
    let when = if burst(plan) > 1.0 { " in a burst" } else { "" };
    let load = format!("the load of {}{when}", peak.value);
    let problem = if busy >= 1.0 {
        let title = format!("{load} is above the capacity of {capacity}");
        let help = "while it lasts the backlog grows, so latency depends on how long that is";
        let problem = Problem::warning(peak.place.clone(), title).help(help).helps(memory(plan));
        problem.helps(plan.gateway.memory.map(killed))
    } else if let Some(rating) = rating.filter(|rating| peak.value > *rating) {
        let title = format!("{load} is above the tier's rating of {rating}");
        let help = "the vendor says that latency may rise beyond the rating";
        Problem::warning(peak.place.clone(), title).help(help)
    } else {
        return;
    };
    let label = format!("{:.0} % of the CPU of {replicas} replicas", busy * 100.0);
    let problem = match plan.ends_early() {
        true => problem.help("requests that a policy answers early take less"),
        false => problem,
    };
    reader.note(Problem { of_load: true, ..problem.label(label) });
}

/// The rate in a burst over the mean rate; 1 if there are no bursts.
fn burst(plan: &Plan) -> f64 {
    match &plan.traffic {
        Traffic::Process(process) => process.scatter.peak(),
        Traffic::Replay(_) => 1.0,
    }
}

/// Memory for the requests of one replication that wait from which it is doubted that they are
/// meant.
const MEMORY_DOUBT: Bytes = Bytes(1 << 30);

/// How much memory requests take that come faster than they are served, if it is much.
fn memory(plan: &Plan) -> Option<String> {
    let waiting = plan.backlog();
    let bytes = Bytes((waiting * plan.bytes_held() as f64) as u64);
    let millions = waiting / 1e6;
    let much =
        format!("up to {millions:.1} million requests wait at once, in about {bytes} of memory");
    (bytes > MEMORY_DOUBT).then_some(much)
}

/// From how many requests on a replica is killed.
fn killed(memory: Memory) -> String {
    let holds = memory.holds();
    format!("a replica is killed for its memory when it has more than {holds} requests at once")
}

/// Warns of a run that would take years.
pub(crate) fn size(reader: &Reader<'_>, plan: &Plan, peak: Option<&Parsed<Rate>>) {
    let Some(peak) = peak else { return };
    let requests = peak.value.0 / burst(plan) * plan.run.horizon.as_secs();
    if requests > REQUEST_DOUBT {
        let title = format!("a replication would have about {requests:.0e} requests");
        let help = "a machine simulates some 1e7 a second; shorten `run.horizon` or lower the rate";
        let problem = Problem::warning(peak.place.clone(), title).help(help);
        reader.note(Problem { of_load: true, ..problem });
    }
}

/// Notes objectives that nothing can meet, or that demand the opposite of what is usual.
pub(crate) fn objectives(
    reader: &Reader<'_>,
    plan: &Plan,
    objectives: &[(Objective, Place)],
    ingress_sound: bool,
) {
    for (objective, place) in objectives {
        let problem = impossible(plan, objective, place, ingress_sound)
            .or_else(|| unanswerable(plan, objective, place))
            .or_else(|| contrary(objective, place))
            .or_else(|| too_few(plan, objective, place));
        problem.into_iter().for_each(|problem| reader.note(problem));
    }
}

fn impossible(
    plan: &Plan,
    objective: &Objective,
    place: &Place,
    ingress_sound: bool,
) -> Option<Problem> {
    let Objective { metric, relation, .. } = objective;
    let of_regions = metric.restored().is_some_and(Restored::is_of_regions);
    match objective.bound {
        _ if of_regions && !any_left(plan, objective.window) => {
            let title = "no region is lost or left in this time, so no clients come back";
            let help = "add a [[fault]] of a region, or name one with \"during\"";
            Some(of_faults(plan, objective, Problem::error(place.clone(), title).help(help)))
        }
        _ if metric.restored().is_some() && plan.faults.is_empty() => {
            let problem = Problem::error(place.clone(), "there is nothing to recover from");
            let help = "the scenario has no [[fault]]; add one or drop the objective";
            Some(of_faults(plan, objective, problem.help(help)))
        }
        _ if metric.restored().is_some() && !any_injected(plan, objective.window) => {
            let problem = Problem::error(place.clone(), "no fault is injected in this time");
            Some(problem.help("recovery is that of the faults that are injected between its ends"))
        }
        Bound::Share(share) if share.0 >= 1.0 && *relation == Relation::Above => {
            let title = format!("no {} is above 100 %", metric.demand()?.noun);
            Some(Problem::error(place.clone(), title).help("lower the bound"))
        }
        Bound::Share(share)
            if share.0 >= 1.0
                && *relation == Relation::AtLeast
                && *metric == Metric::Availability =>
        {
            let harmless = |fault: &&FaultPlan| matches!(fault.fault, Fault::ControlPlaneOutage(_));
            let harmful = plan.faults.iter().find(|fault| !harmless(fault))?;
            let title = format!("one lost request misses this, and {:?} loses some", harmful.name);
            Some(Problem::warning(place.clone(), title).help("allow for some, such as 99.9%"))
        }
        Bound::Span(bound) if ingress_sound && metric.is_of_requests() => {
            let floor = least_latency(plan);
            let missed = match relation {
                Relation::Below => bound <= floor,
                Relation::AtMost => bound < floor,
                _ => false,
            };
            let title = format!("no request is served within {bound}");
            let help = "`ingress.delay`, `ingress.hop` and the least CPU of a request add up to";
            let problem = Problem::error(place.clone(), title).help(format!("{help} {floor}"));
            missed.then_some(problem)
        }
        _ => None,
    }
}

/// A demand that the system comes back, of one that has nothing to come back from.
fn unanswerable(plan: &Plan, objective: &Objective, place: &Place) -> Option<Problem> {
    let metric = objective.metric;
    if !metric.is_of_replications() {
        return None;
    }
    let calm = plan.faults.is_empty() && !rises(plan);
    let title = format!("`{}`: there is no trigger to come back from", metric.name());
    let help = "add a [[fault]], or a [[traffic.change]] to a higher rate and back";
    calm.then(|| of_faults(plan, objective, Problem::error(place.clone(), title).help(help)))
}

/// A problem that is one of the scenario's own faults, if it is of the whole run.
pub(crate) fn of_faults(plan: &Plan, objective: &Objective, problem: Problem) -> Problem {
    let of_run = plan.windows[objective.window].extent == Extent::Run;
    Problem { of_faults: of_run, ..problem }
}

/// Whether the rate ever exceeds what it is at first.
fn rises(plan: &Plan) -> bool {
    let Traffic::Process(process) = &plan.traffic else { return false };
    let first = process.corners.first().map_or(0.0, |(_, rate)| rate.0);
    process.corners.iter().any(|(_, rate)| rate.0 > first)
}

/// Warns if even without any miss the replications could not show a probability. With n of n the
/// other probability is below b with 95 % confidence if (1 − b)^n ≤ 5 %.
fn too_few(plan: &Plan, objective: &Objective, place: &Place) -> Option<Problem> {
    let Bound::Share(bound) = objective.bound else { return None };
    if !objective.metric.is_of_replications() {
        return None;
    }
    let room = if objective.metric.is_better_high() { 1.0 - bound.0 } else { bound.0 };
    let needed = (0.05_f64.ln() / (1.0 - room).ln()).ceil();
    let few = room > 0.0 && (plan.run.replications as f64) < needed;
    let title = format!("{} replications cannot show this", plan.run.replications);
    let help = match needed <= REPLICATIONS_MOST as f64 {
        true => format!("write replications = {needed} or more in [run], or relax the bound"),
        false => format!("relax the bound: it takes more than {REPLICATIONS_MOST} replications"),
    };
    few.then(|| Problem::warning(place.clone(), title).help(help))
}

/// Whether a region may be lost or left in a window.
fn any_left(plan: &Plan, window: usize) -> bool {
    let of_region = |fault: &FaultPlan| {
        !matches!(fault.fault.reach(), Reach::Shared | Reach::Manager) && plan.regions.is_some()
    };
    match plan.windows[window].extent {
        Extent::During(fault) => of_region(&plan.faults[fault]),
        _ => plan.faults.iter().any(of_region),
    }
}

/// Whether a fault may be injected in a window with fixed ends.
fn any_injected(plan: &Plan, window: usize) -> bool {
    let Extent::Between(from, to) = plan.windows[window].extent else { return true };
    plan.faults.iter().any(|fault| match fault.schedule {
        Schedule::At(at) => from <= at && at < to,
        Schedule::Elsewhere => false,
        Schedule::Random(_) | Schedule::After(_) => true,
    })
}

/// What the fastest request takes. Recorded demands and those of APIs are left out.
fn least_latency(plan: &Plan) -> Span {
    let drawn = matches!(plan.traffic, Traffic::Process(_)) && plan.is_open_loop();
    let demand = if drawn { plan.gateway.demand.least_secs() } else { 0.0 };
    plan.ingress.delay + plan.ingress.hop + Span::from_secs(demand)
}

fn contrary(objective: &Objective, place: &Place) -> Option<Problem> {
    let upward = matches!(objective.relation, Relation::Above | Relation::AtLeast);
    if upward == objective.metric.is_better_high() {
        return None;
    }
    let title = format!("this demands {}", objective.metric.demand()?.contrary);
    let usual = match objective.metric {
        Metric::Recovered => ">",
        metric if metric.is_better_high() => ">=",
        _ => "<",
    };
    Some(Problem::warning(place.clone(), title).help(format!("did you mean {usual:?}?")))
}

/// Warns of the outage of a zone that has every ingress instance.
pub(crate) fn only_ingress(
    reader: &Reader<'_>,
    topology: &TopologyPart,
    ingress: &Ingress,
    faults: &[(&FaultPlan, &Place)],
) {
    let Some(Some(home)) = ingress.instances.first() else { return };
    let zones = &topology.plan.zones;
    if zones.len() == 1 || ingress.instances.iter().any(|zone| *zone != Some(*home)) {
        return;
    }
    let hits = |fault: &FaultPlan| match fault.fault {
        Fault::ZoneOutage(zone, _) => zone.is_none_or(|zone| zone == *home),
        _ => false,
    };
    for (_, place) in faults.iter().filter(|(fault, _)| hits(fault)) {
        let title = format!("zone {} has the only ingress instance", zones[*home].show());
        let problem = Problem::warning((*place).clone(), title)
            .label("its outage cuts off every client")
            .help("raise ingress.instances, or write in-zones = false in [ingress]");
        reader.note(problem);
    }
}

/// Warns of a rollout that never finds room for its first replica.
pub(crate) fn rollout(reader: &Reader<'_>, plan: &Plan) {
    let mut here = plan.faults.iter().filter(|fault| fault.schedule != Schedule::Elsewhere);
    let rolls = here.find(|fault| fault.fault.release().is_some());
    let (Some(rollout), Some(per_zone)) = (rolls, plan.nodes.per_zone) else { return };
    let room = per_zone * plan.nodes.room * plan.topology.zones.len();
    let stuck = plan.upgrade.least(plan.gateway.replicas) == plan.gateway.replicas
        && plan.nodes.provisioning.is_none();
    if stuck && room <= plan.gateway.replicas {
        let title = format!("the fault {:?} finds no room for a further replica", rollout.name);
        let help = "raise nodes.per-zone or nodes.room, or write unavailable = 1 in [upgrade]";
        reader.warn(Place::Whole, title, help);
    }
}

/// Warns of replicas that may keep more connections than an upstream accepts, and of workers that
/// no connection reaches.
pub(crate) fn upstreams(reader: &Reader<'_>, plan: &Plan) {
    for upstream in &plan.dependencies.upstreams {
        if let Some(title) = upstream.idle_workers() {
            let help = "lower `workers`, or raise `host-connections`";
            reader.warn(Place::Whole, title, help);
        }
        let leaving = plan.most_leaving();
        let replicas = plan.gateway.replicas;
        let Some(excess) = upstream.excess(replicas, plan.most_replicas(), leaving) else {
            continue;
        };
        let problem = Problem::warning(Place::Whole, excess).help(upstream.remedy());
        reader
            .note(problem.help("a connection that is kept idle is one that nobody else can have"));
    }
}

/// Warns of clients that are to keep their replica and are not told apart.
pub(crate) fn sticky(reader: &Reader<'_>, plan: &Plan) {
    let clients = &plan.dependencies.clients;
    let told_apart = clients.population != Population::Open || clients.popularity.keys > 1;
    if plan.ingress.is_sticky() && !told_apart {
        let place = reader.place_of(&ingress::key::SPEC, &ingress::key::BALANCING);
        let title = "nobody keeps a replica: clients are not told apart";
        let help = "write count = 1000 in [clients], or loop = \"closed\" or \"sessions\"";
        reader.warn(place, title, help);
    }
}

/// Warns of clients that are to leave a lost ingress instance one by one and are not told apart.
pub(crate) fn failover(reader: &Reader<'_>, plan: &Plan) {
    let Dependencies { clients, .. } = &plan.dependencies;
    let Failover { after, by } = &plan.ingress.failover;
    let several = clients.popularity.keys > 1;
    let told_apart = clients.population != Population::Open || several && !plan.is_open_loop();
    let varies = *by == FailoverBy::Clients && !matches!(after, Law::Constant(_));
    // Where nobody asks for it the share that fails declines in the same line.
    let is_asked = reader.writes(&ingress::key::SPEC, &ingress::key::FAILOVER);
    if told_apart || !varies || !is_asked || !plan.loses_instances() {
        return;
    }
    let place = reader.place_of(&ingress::key::SPEC, &ingress::key::FAILOVER);
    let title = "each request leaves a lost ingress instance after a time of its own";
    let label = match several {
        true => "`clients.count` alone tells no clients apart",
        false => "clients are not told apart",
    };
    let help = "write loop = \"closed\" or \"sessions\" in [clients], or count and a timeout";
    reader.note(Problem::warning(place, title).label(label).help(help));
}

/// Warns of retries of the ingress that are never made, since clients have given up before.
pub(crate) fn retries(reader: &Reader<'_>, plan: &Plan) {
    let Ingress { delay, retry, read_timeout, connect_timeout, .. } = &plan.ingress;
    let Some(patience) = plan.dependencies.clients.patience.filter(|_| plan.ingress.retries > 0)
    else {
        return;
    };
    let hangs =
        retry.ends_waiting().then_some(("a replica that hangs", "read-timeout", *read_timeout));
    let drops = plan.ingress.dead_address == DeadAddress::Drops && retry.on_connect_failure;
    let silent = ("an address that is silent", "connect-timeout", *connect_timeout);
    for (what, key, lasts) in hangs.into_iter().chain(drops.then_some(silent)) {
        if patience <= *delay + lasts {
            let title = format!("clients give up before the ingress gives up {what}");
            let place = reader.place_of(&ingress::key::SPEC, &ingress::key::RETRIES);
            let problem = Problem::warning(place, title);
            let problem = problem.label(format!("no retry is made: {key} is {lasts}"));
            reader.note(problem.help(format!("clients.timeout is {patience}: lower `{key}`")));
        }
    }
}

/// Warns of admission control that never turns anything away, since less is answered than it asks
/// for.
pub(crate) fn admission(reader: &Reader<'_>, plan: &Plan, peak: Option<&Parsed<Rate>>) {
    let Some(peak) = peak else { return };
    let upstreams = plan.dependencies.upstreams.iter().map(|upstream| {
        let (whose, places) =
            (format!("a replica asks upstream {}", upstream.name), plan.gateway.replicas);
        (whose, places, upstream.admission)
    });
    let ingress = plan.ingress.instances.len();
    let instances = ("an ingress instance answers".to_owned(), ingress, plan.ingress.admission);
    for (whose, places, spec) in upstreams.chain([instances]) {
        let each = Rate(peak.value.0 / places.max(1) as f64);
        if spec.is_some_and(|spec| spec.least > each) {
            let title = format!("admission control never acts: {whose} {each} at most");
            reader.warn(Place::Whole, title, "lower `admission-least`");
        }
    }
}

/// Warns of replicas that are killed for their memory before they see that it is used up.
pub(crate) fn overload(reader: &Reader<'_>, plan: &Plan, peak: Option<&Parsed<Rate>>) {
    let (Some(peak), Some(memory)) = (peak, plan.gateway.memory) else { return };
    let Some(overload) = plan.gateway.overload else { return };
    let Some(trigger) = overload.memory else { return };
    let room = (1.0 - trigger.full.0) * memory.holds() as f64;
    let each = peak.value.0 / plan.gateway.replicas.max(1) as f64;
    let come = each * overload.refresh.as_secs();
    if come > room {
        let title =
            format!("a replica may be killed before it sheds: it looks every {}", overload.refresh);
        let come = format!("up to {come:.0} requests come meanwhile, and {room:.0} have room");
        let problem = Problem::warning(Place::Whole, title).help(come);
        reader.note(problem.help("lower `gateway.shed-memory` or `gateway.shed-refresh`"));
    }
}

/// Warns of replicas that have too little CPU for requests when they have become ready.
pub(crate) fn starved_start(reader: &Reader<'_>, plan: &Plan, peak: Option<&Parsed<Rate>>) {
    let Some(starved) = peak.and_then(|peak| plan.starved_start(peak.value)) else { return };
    let section = reader.section(&startup::key::SPEC);
    let place = section.key_place(&startup::key::AFTER_READY_CPU);
    reader.warn(place, starved.message(), starved.remedy());
}

/// Warns of boots that outlast the probes of their container.
pub(crate) fn boot(reader: &Reader<'_>, plan: &Plan) {
    let Some(slow) = plan.slow_boot() else { return };
    let place = reader.place_of(&startup::key::SPEC, &startup::key::BOOT);
    let problem = Problem::warning(place, slow.title()).label(slow.takes());
    reader.note(problem.help(slow.remedy()).help(slow.effect()));
}

/// Warns of an outage of the only zone.
pub(crate) fn only_zone(reader: &Reader<'_>, topology: &TopologyPart, outage: Option<&Place>) {
    if let (Some(place), [zone]) = (outage, topology.plan.zones.as_slice()) {
        let title = format!("{} is the only zone: its outage leaves nothing", zone.show());
        reader.warn(place.clone(), title, "name further zones in `topology.zones`");
    }
}
