//! Requests that were turned away to protect who would have taken them on: by admission control, or
//! by replicas that shed load.

use crate::experiment::Experiment;
use crate::experiment::summary::Summary;
use crate::metric::Metric;
use crate::observe::ledger::Failure;
use crate::plan::{Plan, Upstream};
use crate::policy::admission::AdmissionSpec;
use crate::policy::overload::{LoadTrigger, OverloadSpec};
use crate::report::format::words::{grouped, share_of};
use crate::units::Instant;

/// What turned requests away, how many of a replication and how often, and since when.
#[derive(Clone, Debug, PartialEq)]
pub struct TurnedAway {
    /// [`Failure::NotAdmitted`] or [`Failure::Overloaded`].
    pub kind: Failure,
    /// From which thresholds on, in words.
    pub thresholds: String,
    /// Requests of a replication that failed so in the end, and which share of all that is.
    pub requests: f64,
    /// Of all.
    pub share: f64,
    /// How often a try of one was turned away; no less than `requests`.
    pub tries: f64,
    /// The replication that is told, and when the first failed so in it.
    pub since: Option<(u64, Instant)>,
}

/// What turned requests away, if anything did.
pub(super) fn turned_away(plan: &Plan, run: &Experiment, summary: &Summary) -> Vec<TurnedAway> {
    let of = |kind, thresholds| one(kind, thresholds, run, summary);
    let found = [
        of(Failure::NotAdmitted, of_plans(plan, admission)),
        of(Failure::Overloaded, of_plans(plan, shedding)),
    ];
    found.into_iter().flatten().collect()
}

fn one(
    kind: Failure,
    thresholds: String,
    run: &Experiment,
    summary: &Summary,
) -> Option<TurnedAway> {
    let whole = summary.windows.first()?;
    let requests = whole.get(Metric::FailedBy(kind))?.point;
    let share = requests / whole.get(Metric::Offered)?.point;
    let tries: u64 = run.outcomes.iter().map(|one| one.windows[0].attempts.failed_by(kind)).sum();
    let tries = (tries as f64 / run.outcomes.len().max(1) as f64).max(requests);
    let since = run.told().and_then(|told| {
        let mut rows = told.timeline.as_ref()?.total.iter();
        let first = rows.find(|row| row.failures[kind as usize] > 0)?;
        Some((told.replication, first.start))
    });
    (tries > 0.0).then_some(TurnedAway { kind, thresholds, requests, share, tries, since })
}

/// What is said of a gateway, or of those of all regions, once.
fn of_plans(plan: &Plan, said: fn(&Plan) -> Vec<String>) -> String {
    let regions = plan.regions.iter().flat_map(|regions| &regions.all);
    let of_regions = regions.flat_map(|region| said(&region.gateway));
    let mut all: Vec<String> = Vec::new();
    for one in said(plan).into_iter().chain(of_regions) {
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all.join(", ")
}

/// Who turns away by what it has seen fail.
fn admission(plan: &Plan) -> Vec<String> {
    let instances = plan.ingress.admission.map(|spec| ("an ingress instance".to_owned(), spec));
    let upstreams = plan.dependencies.upstreams.iter().filter_map(|upstream: &Upstream| {
        Some((format!("a replica towards {}", upstream.name), upstream.admission?))
    });
    let one = |(who, spec): (String, AdmissionSpec)| {
        let AdmissionSpec { window, success, most, .. } = spec;
        format!(
            "{who} does while less than {success} of its answers of {window} are good, {most} at \
             most"
        )
    };
    instances.into_iter().chain(upstreams).map(one).collect()
}

/// From what on replicas shed.
fn shedding(plan: &Plan) -> Vec<String> {
    let Some(OverloadSpec { requests, memory, cpu, refresh }) = plan.gateway.overload else {
        return Vec::new();
    };
    let requests = requests.map(|most| format!("from {most} requests in flight on"));
    let trigger = |what, trigger: Option<LoadTrigger>| {
        let LoadTrigger { from, full } = trigger?;
        Some(match from < full {
            true => format!("from {from} of its {what} on, all from {full} on"),
            false => format!("from {full} of its {what} on"),
        })
    };
    let all = [requests, trigger("memory", memory), trigger("CPU", cpu)];
    let all = all.into_iter().flatten().collect::<Vec<_>>().join(" or ");
    let looks = memory.is_some() || cpu.is_some();
    let seen = if looks { format!(" (it looks every {refresh})") } else { String::new() };
    vec![format!("a replica does {all}{seen}")]
}

impl TurnedAway {
    /// One word for programs.
    pub(super) fn key(&self) -> &'static str {
        if self.sheds() { "shed" } else { "not_admitted" }
    }

    fn sheds(&self) -> bool {
        self.kind == Failure::Overloaded
    }

    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self.sheds() {
            true => "choose more replicas or a larger gateway.tier, or see what it spares without",
            false => "see what it spares: compare with admission-control = false",
        }
    }

    /// What happened, from when on, why, and what it means.
    pub(super) fn message(&self) -> String {
        let number = |count: f64| grouped(count, usize::from(count < 10.0));
        let who = if self.sheds() { "load shedding" } else { "admission control" };
        let mut message = format!(
            "{who} turned {} requests of a replication away with 503, {}",
            number(self.requests),
            share_of(self.share)
        );
        if self.tries > self.requests {
            message += &format!(", in {} tries", number(self.tries));
        }
        if let Some((replication, since)) = self.since {
            message += &format!(", from {since} on in replication {replication}");
        }
        message += &format!(": {}", self.thresholds);
        message
            + match self.sheds() {
                true => {
                    "; who is turned away waits for nothing, and latencies are those of the others"
                }
                false => {
                    "; they load nothing behind it, and some still are turned away for as long \
                     after the cause is over"
                }
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::summary::summarize;
    use crate::experiment::tests::with_clients;
    use crate::units::{Share, Span};

    /// What is told where each replication turned so many requests away in so many tries, the first
    /// in the third bin.
    fn told(
        change: impl Fn(&mut Plan),
        kind: Failure,
        requests: u64,
        tries: u64,
    ) -> Vec<TurnedAway> {
        let (mut plan, mut run) = (with_clients::plan(), with_clients::experiment());
        change(&mut plan);
        for outcome in &mut run.outcomes {
            let window = &mut outcome.windows[0];
            window.ledger.failures[kind as usize] = requests;
            window.ledger.served -= requests;
            window.attempts.failures[kind as usize] = tries;
            let rows = outcome.timeline.iter_mut().flat_map(|timeline| &mut timeline.total);
            rows.skip(2).for_each(|row| row.failures[kind as usize] = 1);
        }
        let summary = summarize(&plan, &run.outcomes, run.confidence);
        turned_away(&plan, &run, &summary)
    }

    #[test]
    fn admission_control_is_told_with_its_count_beginning_and_threshold() {
        let admits = |plan: &mut Plan| {
            plan.dependencies.upstreams[0].admission = Some(AdmissionSpec::default());
        };
        assert_eq!(told(admits, Failure::NotAdmitted, 0, 0), []);
        let found = told(admits, Failure::NotAdmitted, 30, 90);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].key(), "not_admitted");
        let message = found[0].message();
        let expected = "admission control turned 30.0 requests of a replication away with 503, ";
        let expected = expected.replace("30.0", "30");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.contains(", in 90 tries, from "), "{message}");
        assert!(message.contains(" on in replication 0: a replica towards backend does"));
        assert!(message.contains("less than 95 % of its answers of 30 s are good, 80 % at most"));
        // Two places, and each once.
        let both = |plan: &mut Plan| {
            admits(plan);
            plan.ingress.admission =
                Some(AdmissionSpec { success: Share(0.5), ..Default::default() });
        };
        let message = told(both, Failure::NotAdmitted, 30, 30)[0].message();
        assert!(message.contains("an ingress instance does while less than 50 %"), "{message}");
        assert!(message.contains(", a replica towards backend does"), "{message}");
        assert!(!message.contains("tries"), "{message}");
    }

    #[test]
    fn shedding_is_told_with_what_it_goes_by() {
        let sheds = |plan: &mut Plan| {
            plan.gateway.overload = Some(OverloadSpec {
                requests: Some(200),
                memory: Some(LoadTrigger { from: Share(0.8), full: Share(0.95) }),
                cpu: Some(LoadTrigger { from: Share(0.9), full: Share(0.9) }),
                refresh: Span::from_secs(0.25),
            });
        };
        let found = told(sheds, Failure::Overloaded, 5, 5);
        assert_eq!((found.len(), found[0].key()), (1, "shed"));
        let message = found[0].message();
        assert!(message.contains("turned 5.0 requests of a replication away"), "{message}");
        let by = "a replica does from 200 requests in flight on or from 80 % of its memory on, all \
                  from 95 % on or from 90 % of its CPU on (it looks every 250 ms);";
        assert!(message.contains(by), "{message}");
    }
}
