//! What limits the figures, in words, and what to do about it.

use crate::metric::Statistic;
use crate::metric::evidence::ENOUGH;
use crate::plan::{Asks, REPLICATIONS_MOST, SlowBoot, StarvedStart};
use crate::report::caveats::turned_away::TurnedAway;
use crate::report::format::words::{grouped, plural, share_of, shown, whole};
use crate::units::{Bytes, Instant, Share, Span};

/// The least memory that the vendor's sizing guide gives a node of a self-managed gateway.
pub(super) const NODE: Bytes = Bytes(2 << 30);
/// What Envoy buffers of a connection by default, at most (`per_connection_buffer_limit_bytes`).
pub(super) const BUFFER: Bytes = Bytes(1 << 20);

/// Something that limits the figures.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)] // each variant says what its fields are
pub enum Caveat {
    /// The run was stopped: so many replications of those asked for were kept; `partial` = they
    /// end early.
    Interrupted { kept: usize, asked: usize, partial: bool },
    /// There is only one replication; the mean latency after warm-up in seconds, from batches
    /// within it, if they say; `until` = the first incident, where there is one.
    OneReplication { mean: Option<Statistic>, until: Option<Instant> },
    /// The initial transient lasts `until` a moment after `warm_up`, or no steady state is seen in
    /// the time that is `seen`: `means` of the latency after warm-up and after the transient, or in
    /// the second half of that time.
    WarmUpShort { until: Option<Instant>, warm_up: Instant, seen: Instant, means: (Span, Span) },
    /// A percentile of a window rests on so few slower requests; `needed` replications would do.
    FewSamples { window: String, percentile: String, beyond: f64, needed: u64 },
    /// The interval of p99 of a window reaches this share of the point to each side.
    WideInterval { window: String, reach: f64, needed: u64 },
    /// A fault that strikes at random struck so often in all replications; `needed` replications
    /// would do, if that can be said.
    FewStrikes { fault: String, struck: u64, needed: Option<u64> },
    /// The greatest load is this share of the capacity of all replicas; `load` names it.
    Overload { load: String, utilisation: f64 },
    /// The greatest load is this share of the capacity that is left with one replica less than run
    /// at it.
    NoSpare { utilisation: f64, left: usize },
    /// If one region is lost, another one gets this share of what all replicas that it may have can
    /// carry.
    RegionSpare { lost: String, left: String, utilisation: f64 },
    /// Requests of a region failed, and no health check of it did.
    Unnoticed { fault: String, region: String, asks: Option<Asks> },
    /// A replica's part of the greatest load is this share of what a slow-down leaves it.
    SlowOverload { fault: String, utilisation: f64 },
    /// Ingress instances prefer their zones, and these are uneven: the share of the requests that
    /// the busiest of the replicas at the greatest load gets, and of what it can carry.
    UnevenZones { share: Share, replicas: usize, utilisation: f64 },
    /// Every replication replays the same recorded arrivals, some with their `demands`, each sent
    /// at random within `spread` of its time; the recording begins `again` after so much.
    Replayed { demands: bool, spread: Span, again: Option<Span> },
    /// Traffic comes from a file: how it was read.
    ReadFrom { said: Vec<String> },
    /// So many replicas were killed per replication because they had more requests than their
    /// memory holds.
    OutOfMemory { killed: f64, limit: Bytes, holds: usize },
    /// A replica had so many requests at once and no memory is given: what each of them could take
    /// of the memory of a small node, and how many would fill it with whole buffers.
    MemoryUnknown { peak: u64, each: Bytes, holds: u64 },
    /// So many requests of a replication found no connection to an upstream whose hosts accept so
    /// many; whether replicas may keep more than that, in words; and what helps.
    UpstreamFull {
        requests: f64,
        share: f64,
        accepts: String,
        excess: Option<String>,
        remedy: &'static str,
    },
    /// Requests were turned away to protect who would have taken them on.
    TurnedAway(TurnedAway),
    /// Probes ask upstreams, in words, and failed for them so often in a replication, of which so
    /// often no replica was left.
    ProbesAsk { asks: String, failed: f64, emptied: f64 },
    /// So many requests of a replication were tried again by the ingress, which takes all to be
    /// idempotent, or does not ask.
    TriedAgain { requests: f64, asks: bool },
    /// A container may be killed while it boots.
    SlowBoot { slow: SlowBoot },
    /// Replicas have too little CPU for requests when they have become ready.
    StarvedStart { starved: StarvedStart },
    /// Incidents were not over at the end of the run.
    Unrecovered { incidents: u64 },
    /// So many requests of a replication, a share of all, were in flight at the end and would not
    /// have been answered soon.
    Unanswered { requests: f64, share: f64 },
    /// A fault found nothing to hit, in the replication that is told.
    FaultMissed { fault: String, at: Instant, reason: String },
    /// Only the first of the changes of state are in the file of events.
    EventsCut { kept: usize, beyond: u64 },
    /// The gateway cannot be had: how its tier is sold, and what it is instead.
    NotForSale { what_if: String },
    /// Settings that nobody publishes.
    Assumed { settings: Vec<Assumption> },
}

/// A setting that nobody publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assumption {
    /// Its path, such as `startup.boot`.
    pub path: String,
    /// The value that is assumed, as a scenario writes it.
    pub value: String,
    /// Whence the value comes.
    pub source: String,
}

/// So many replications as a remedy, or what else helps if they are too many.
fn replications(needed: u64) -> String {
    match needed <= REPLICATIONS_MOST {
        true => format!("--replications {needed}"),
        false => "raise run.horizon: no number of replications would do".to_owned(),
    }
}

impl Caveat {
    /// One word for programs.
    pub fn key(&self) -> &'static str {
        self.key_and_remedy().0
    }

    /// What to do about it, if anything can be done.
    pub fn remedy(&self) -> Option<String> {
        Some(self.key_and_remedy().1).filter(|remedy| !remedy.is_empty())
    }

    fn key_and_remedy(&self) -> (&'static str, String) {
        let more = "choose a larger gateway.tier, or more replicas where they can be had";
        let (key, remedy) = match self {
            Caveat::Interrupted { .. } => ("interrupted", "let the run finish"),
            Caveat::OneReplication { .. } => ("one_replication", "--replications 10"),
            Caveat::WarmUpShort { until: Some(until), .. } => {
                return ("warm_up_short", format!("raise run.warm-up to {}s", until.as_secs()));
            }
            Caveat::WarmUpShort { until: None, .. } => {
                ("warm_up_short", "raise run.horizon and run.warm-up")
            }
            Caveat::FewSamples { needed, .. } => return ("few_samples", replications(*needed)),
            Caveat::WideInterval { needed, .. } => return ("wide_interval", replications(*needed)),
            Caveat::FewStrikes { fault, needed, .. } => {
                let on_purpose = format!("give {fault} a time (at = …)");
                let more = needed.map(|needed| format!("{}, or ", replications(needed)));
                return ("few_strikes", more.unwrap_or_default() + &on_purpose);
            }
            Caveat::Overload { .. } => ("overload", more),
            Caveat::NoSpare { .. } => ("no_spare", more),
            Caveat::RegionSpare { .. } => ("region_spare", more),
            Caveat::Unnoticed { asks, .. } => ("unnoticed", notices(*asks)),
            Caveat::SlowOverload { .. } => ("slow_overload", more),
            Caveat::UnevenZones { .. } => {
                ("uneven_zones", "leave out ingress.prefer-zone, or have as many in each zone")
            }
            Caveat::Replayed { .. } => ("replayed", ""),
            Caveat::ReadFrom { .. } => ("read_from", ""),
            Caveat::OutOfMemory { .. } => {
                ("out_of_memory", "raise gateway.memory or gateway.replicas")
            }
            Caveat::MemoryUnknown { .. } => {
                ("memory_unknown", "write gateway.memory and gateway.memory-per-request")
            }
            Caveat::UpstreamFull { remedy, .. } => ("upstream_full", *remedy),
            Caveat::TurnedAway(away) => (away.key(), away.remedy()),
            Caveat::ProbesAsk { .. } => {
                ("probes_ask", "let probes ask for their own replica only: leave out the setting")
            }
            Caveat::TriedAgain { asks: true, .. } => {
                ("tried_again", "write ingress.idempotent, the share of GET, HEAD, PUT and DELETE")
            }
            Caveat::TriedAgain { asks: false, .. } => {
                ("tried_again", "write retry-non-idempotent = false if requests change data")
            }
            Caveat::SlowBoot { slow } => return ("slow_boot", slow.remedy()),
            Caveat::StarvedStart { starved } => ("starved_start", starved.remedy()),
            Caveat::Unrecovered { .. } => ("unrecovered", "raise run.horizon"),
            Caveat::Unanswered { .. } => ("unanswered", "raise run.horizon"),
            Caveat::FaultMissed { .. } => ("fault_missed", "check the fault's time and target"),
            Caveat::NotForSale { .. } => ("not_for_sale", ""),
            Caveat::EventsCut { .. } => ("events_cut", "shorten run.horizon to see the rest"),
            Caveat::Assumed { .. } => {
                ("assumed", "write down your own; brownout check --settings says more")
            }
        };
        (key, remedy.to_owned())
    }

    /// Why the figures depend on how long the run is, if they do for this.
    pub fn unsettles(&self) -> Option<&'static str> {
        match self {
            Caveat::Overload { .. } => Some("the load is more than all replicas can carry"),
            Caveat::Unanswered { .. } => Some("requests were never answered"),
            Caveat::WarmUpShort { .. } => Some("latency still grew after warm-up"),
            Caveat::Unrecovered { .. } => Some("an incident was not over at the end"),
            _ => None,
        }
    }

    /// What is the matter, and what to do about it.
    pub fn text(&self) -> String {
        let remedy = self.remedy().map(|remedy| format!(" → {remedy}")).unwrap_or_default();
        self.message() + &remedy
    }

    /// What is the matter.
    pub fn message(&self) -> String {
        match self {
            Caveat::Interrupted { kept, asked, partial } => {
                interrupted_message(*kept, *asked, *partial)
            }
            Caveat::OneReplication { mean, until } => one_replication_message(mean, *until),
            Caveat::WarmUpShort { until, warm_up, seen, means } => {
                warm_up_message(*until, (*warm_up, *seen), *means)
            }
            Caveat::FewSamples { window, percentile, beyond, .. } => format!(
                "{window}: {percentile} rests on {} slower requests; 10 are the least",
                grouped(*beyond, 1)
            ),
            Caveat::WideInterval { window, reach, .. } => {
                let percent = grouped(reach * 100.0, 0);
                format!("{window}: p99 is known only to ±{percent} %")
            }
            Caveat::FewStrikes { fault, struck, .. } => few_strikes_message(fault, *struck),
            Caveat::Overload { load, utilisation } => format!(
                "{load} is {} % of what all replicas can carry: latency grows for as long as it \
                 lasts",
                grouped(utilisation * 100.0, 0)
            ),
            Caveat::NoSpare { utilisation, left } => no_spare_message(*utilisation, *left),
            Caveat::RegionSpare { lost, left, utilisation } => {
                region_spare_message((lost, left), *utilisation)
            }
            Caveat::Unnoticed { fault, region, asks } => unnoticed_message((fault, region), *asks),
            Caveat::SlowOverload { fault, utilisation } => {
                slow_overload_message(fault, *utilisation)
            }
            Caveat::UnevenZones { share, replicas, utilisation } => {
                uneven_zones_message(*share, *replicas, *utilisation)
            }
            Caveat::ReadFrom { said } => format!("the traffic was read from {}", said.join("; ")),
            Caveat::Replayed { demands, spread, again } => {
                replayed_message(*demands, *spread, *again)
            }
            Caveat::OutOfMemory { killed, limit, holds } => {
                out_of_memory_message(*killed, *limit, *holds as u64)
            }
            Caveat::MemoryUnknown { peak, each, holds } => memory_message(*peak, *each, *holds),
            Caveat::UpstreamFull { requests, share, accepts, excess, .. } => {
                upstream_full_message(*requests, *share, accepts, excess.as_deref())
            }
            Caveat::TurnedAway(away) => away.message(),
            Caveat::ProbesAsk { asks, failed, emptied } => {
                probes_ask_message(asks, *failed, *emptied)
            }
            Caveat::TriedAgain { requests, asks } => tried_again_message(*requests, *asks),
            Caveat::SlowBoot { slow } => slow_boot_message(slow),
            Caveat::StarvedStart { starved } => starved.message(),
            Caveat::Unrecovered { incidents } => unrecovered_message(*incidents),
            Caveat::Unanswered { requests, share } => unanswered_message(*requests, *share),
            Caveat::EventsCut { kept, beyond } => {
                let all = whole(*kept as u64 + beyond);
                format!("events.csv has the first {} of {all} events", whole(*kept as u64))
            }
            Caveat::FaultMissed { fault, at, reason } => {
                format!("fault {fault} had no effect at {at}: {reason}")
            }
            Caveat::NotForSale { what_if } => format!("not for sale: {what_if}"),
            Caveat::Assumed { settings } => assumed_message(settings),
        }
    }
}

fn unnoticed_message((fault, region): (&str, &str), asks: Option<Asks>) -> String {
    let asks = match asks {
        None => "there are none",
        Some(Asks::Ingress) => "they ask the ingress alone",
        Some(Asks::Replica) => "they ask whether a replica answers",
        Some(Asks::Api) => "they ask an API",
    };
    format!(
        "requests failed in {region} ({fault}), none of its health checks did, and nobody was led \
         elsewhere: {asks}"
    )
}

fn slow_overload_message(fault: &str, utilisation: f64) -> String {
    if utilisation.is_infinite() {
        return format!("fault {fault} stops a replica: its backlog grows for as long as it lasts");
    }
    format!(
        "a replica's part of the peak load is {} % of what fault {fault} leaves it: its backlog \
         grows for as long as it is slow",
        grouped(utilisation * 100.0, 0)
    )
}

fn uneven_zones_message(share: Share, replicas: usize, utilisation: f64) -> String {
    format!(
        "with prefer-zone the busiest of {replicas} replicas gets {share} of the requests, {} % of \
         what it can carry: its backlog grows beside others that have room",
        grouped(utilisation * 100.0, 0)
    )
}

fn slow_boot_message(slow: &SlowBoot) -> String {
    format!("{}, and {}: {}", slow.title(), slow.takes(), slow.effect())
}

fn tried_again_message(requests: f64, asks: bool) -> String {
    let requests = grouped(requests, usize::from(requests < 10.0));
    let again = format!("the ingress made {requests} further tries per replication");
    match asks {
        true => format!(
            "{again}, and all requests are taken to be idempotent: others would not be sent again, \
             and fail"
        ),
        false => format!(
            "{again}, also of requests that are not idempotent: what they do may be done twice"
        ),
    }
}

fn out_of_memory_message(killed: f64, limit: Bytes, holds: u64) -> String {
    format!(
        "replicas were killed {} times per replication (OOMKilled): {limit} hold {} requests in \
         flight",
        grouped(killed, usize::from(killed < 10.0)),
        whole(holds)
    )
}

fn warm_up_message(
    until: Option<Instant>,
    (warm_up, seen): (Instant, Instant),
    (after, later): (Span, Span),
) -> String {
    match until {
        Some(until) => format!(
            "MSER-5 finds that the initial transient lasts until {until}, warm-up ends at \
             {warm_up}: mean latency {after} after warm-up, {later} after the transient"
        ),
        None => format!(
            "MSER-5 sees no steady state before {seen}: mean latency {after} after warm-up, \
             {later} in the second half"
        ),
    }
}

fn unrecovered_message(incidents: u64) -> String {
    let incidents = plural(incidents, "incident");
    format!("{incidents} in which clients were still hit at the end of the run")
}

fn unanswered_message(requests: f64, share: f64) -> String {
    format!(
        "{} requests of a replication, {}, were in flight at the end and would not have been \
         answered soon: their latency is in no figure",
        grouped(requests, usize::from(requests < 10.0)),
        share_of(share)
    )
}

/// What upstreams did to replicas whose probes ask them.
fn probes_ask_message(asks: &str, failed: f64, emptied: f64) -> String {
    let number = |count: f64| grouped(count, usize::from(count.fract() != 0.0));
    let mut message = format!(
        "{asks}: for that alone replicas failed their probes ({} per replication)",
        number(failed)
    );
    if emptied > 0.0 {
        let emptied = number(emptied);
        message += &format!(
            ", until every replica had left rotation ({emptied} per replication) and requests for \
             all APIs were refused"
        );
    }
    message
}

fn upstream_full_message(requests: f64, share: f64, accepts: &str, excess: Option<&str>) -> String {
    let requests = format!(
        "{} requests of a replication, {}, found no connection to their upstream",
        grouped(requests, usize::from(requests < 10.0)),
        share_of(share)
    );
    let why = excess.map(|excess| format!("; {excess}")).unwrap_or_default();
    format!("{requests}: {accepts}{why}")
}

fn memory_message(peak: u64, each: Bytes, holds: u64) -> String {
    format!(
        "a replica held up to {} requests and no memory is given, so none was killed for it: \
         {NODE} are enough for {each} each, or for {} with {BUFFER} each, a whole buffer of Envoy",
        whole(peak),
        whole(holds),
    )
}

fn interrupted_message(kept: usize, asked: usize, partial: bool) -> String {
    let what = if partial { "unfinished replications" } else { "replications" };
    format!("stopped early: the figures rest on {kept} of {asked} {what}")
}

fn one_replication_message(mean: &Option<Statistic>, until: Option<Instant>) -> String {
    let all = "one replication shows no spread between replications: no figure has an interval";
    match mean {
        Some(mean) => {
            let steady = until.map(|until| format!(" before {until}")).unwrap_or_default();
            let (mean, batches) = (shown(Some(mean)), mean.n);
            format!(
                "{all}; within it, batch means give mean latency {mean}{steady} from {batches} \
                 batches"
            )
        }
        None => all.to_owned(),
    }
}

fn no_spare_message(utilisation: f64, left: usize) -> String {
    format!(
        "with one replica less, the peak load is {} % of what {} can carry: a backlog builds up \
         until the replacement serves",
        grouped(utilisation * 100.0, 0),
        plural(left as u64, "replica")
    )
}

fn region_spare_message((lost, left): (&str, &str), utilisation: f64) -> String {
    format!(
        "with region {lost} lost, {left} gets {} % of what all replicas that it may have can \
         carry: a backlog builds up until the region is back",
        grouped(utilisation * 100.0, 0)
    )
}

/// Which health checks would notice what these did not.
fn notices(asks: Option<Asks>) -> &'static str {
    match asks {
        None => "write a traffic manager that checks, such as global.preset = \"route53-fast\"",
        Some(Asks::Api) => "shorten global.check-interval, or lower global.check-failures",
        Some(_) => "global.check-asks = \"api\" asks what clients ask for",
    }
}

fn few_strikes_message(fault: &str, struck: u64) -> String {
    match struck {
        0 => format!(
            "fault {fault} never struck: nothing is known of its effect, and intervals leave room \
             for the worst"
        ),
        _ => format!(
            "fault {fault} struck {} in all replications together, {ENOUGH} times are the least: \
             intervals leave room for worse than was seen",
            if struck == 1 { "once".to_owned() } else { format!("{struck} times") }
        ),
    }
}

fn replayed_message(demands: bool, spread: Span, again: Option<Span>) -> String {
    let mut message = "every replication replays the same arrivals: the intervals show the chance \
                       in everything else, not how traffic varies"
        .to_owned();
    if spread > Span::ZERO {
        let seconds = format!("; requests of the same {spread} are spread over it at random");
        message.push_str(&seconds.replace(" 1 s ", " second "));
    }
    if let Some(period) = again {
        message.push_str(&format!("; the recording begins again every {period}"));
    }
    if demands {
        message.push_str("; the recorded demands replace gateway.cpu-per-request");
    }
    message
}

fn assumed_message(settings: &[Assumption]) -> String {
    let one = |s: &Assumption| format!("{} = {}", s.path, s.value);
    let list: Vec<_> = settings.iter().map(one).collect();
    format!("assumed by default, because nothing is published: {}", list.join(", "))
}
