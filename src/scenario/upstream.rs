//! The sections `[[upstream]]`.

use crate::diagnostic::Problem;
use crate::plan::Upstream;
use crate::policy::breaker::BreakerSpec;
use crate::policy::outlier::OutlierSpec;
use crate::random::Law;
use crate::scenario::around::{self, Named};
use crate::scenario::book::{Book, Section};
use crate::scenario::ingress::not_tiny;
use crate::scenario::keys::{Key, upstream as key};
use crate::units::{Share, Span};

const UPSTREAM_LIMIT: usize = 1_000;
const HOST_LIMIT: u64 = 1_000;
const COUNT_LIMIT: u64 = 1_000_000;

/// Reads every `[[upstream]]`, in the order of the file.
pub(crate) fn read<'a>(book: &mut Book<'a>, top: &Section<'a>) -> Vec<Named<Upstream>> {
    let sections = book.elements(top, "upstream", UPSTREAM_LIMIT);
    let mut upstreams: Vec<Named<Upstream>> = Vec::new();
    for section in &sections {
        let used: Vec<&str> = upstreams.iter().map(|one| one.plan.name.as_str()).collect();
        let name = book.require(section, key::NAME, "name = \"orders\"");
        let name = around::name(book, name, "upstream", "upstreams", &used);
        let plan = upstream(book, section, name);
        upstreams.push(Named { plan, place: section.place.clone() });
    }
    upstreams
}

fn upstream<'a>(book: &mut Book<'a>, section: &Section<'a>, name: String) -> Upstream {
    let hosts = book.count(section, key::HOSTS, 1..=HOST_LIMIT).value as usize;
    let latency = book.require(section, key::LATENCY, "latency = \"log-normal(50ms, cv=1)\"");
    let workers = book.find(section, key::WORKERS);
    let workers = workers.map(|found| book.within(section, key::WORKERS, 1..=COUNT_LIMIT, found));
    let timeout = book.get(section, key::TIMEOUT);
    not_tiny(book, &timeout, "upstream.timeout");
    let idle = book.get(section, key::IDLE_TIMEOUT);
    not_tiny(book, &idle, "upstream.idle-timeout");
    // An answer comes as a whole: until then nothing does.
    let timeout = if idle.value < timeout.value { idle } else { timeout };
    let latency = latency.map_or(Law::ZERO, |latency| latency.value);
    if Span::from_secs(latency.least_secs()) >= timeout.value {
        let help = "lengthen `timeout` or lower `latency`".to_owned();
        book.error(timeout.place, "no answer of this upstream comes in time", help);
    }
    Upstream {
        name,
        hosts,
        latency,
        per_request: book.get(section, key::PER_REQUEST).value,
        workers: workers.map(|workers| workers.value as usize),
        errors: book.get(section, key::ERRORS).value,
        timeout: timeout.value,
        cancels: book.get(section, key::CANCELS).value,
        retries: book.count(section, key::RETRIES, 0..=100).value as u32,
        breaker: breaker(book, section),
        outliers: outliers(book, section, hosts),
    }
}

fn breaker<'a>(book: &mut Book<'a>, section: &Section<'a>) -> BreakerSpec {
    let keys = [key::CONNECTIONS, key::PENDING, key::REQUESTS, key::MAX_RETRIES];
    if !book.get(section, key::BREAKER).value {
        for key in keys {
            book.idle(section, key, "only with breaker = true");
        }
        return BreakerSpec::NONE;
    }
    let mut count =
        |key: Key<u64>, least| Some(book.count(section, key, least..=COUNT_LIMIT).value as u32);
    BreakerSpec {
        connections: count(key::CONNECTIONS, 1),
        pending: count(key::PENDING, 0),
        requests: count(key::REQUESTS, 1),
        retries: count(key::MAX_RETRIES, 0),
    }
}

fn outliers<'a>(book: &mut Book<'a>, section: &Section<'a>, hosts: usize) -> Option<OutlierSpec> {
    let on = book.get(section, key::OUTLIERS);
    if !on.value {
        let reason = "only with outlier-detection = true";
        for key in [key::INTERVAL, key::BASE_EJECTION, key::MAX_EJECTION] {
            book.idle(section, key, reason);
        }
        book.idle(section, key::MAX_EJECTED, reason);
        book.idle(section, key::CONSECUTIVE, reason);
        book.idle(section, key::PANIC, reason);
        return None;
    }
    let interval = book.get(section, key::INTERVAL);
    not_tiny(book, &interval, "upstream.interval");
    let consecutive = book.count(section, key::CONSECUTIVE, 1..=COUNT_LIMIT).value as u32;
    let panic = book.get(section, key::PANIC).value;
    if hosts == 1 && panic > Share::ZERO {
        let problem = Problem::warning(on.place, "`upstream.outlier-detection` has no effect");
        let problem = problem.label("with its only host out, all are used (panic)");
        book.problems.push(problem.help("raise `hosts`, or write panic = \"0%\""));
    }
    Some(OutlierSpec {
        interval: interval.value,
        base_ejection: book.get(section, key::BASE_EJECTION).value,
        max_ejection: book.get(section, key::MAX_EJECTION).value,
        max_ejected: book.get(section, key::MAX_EJECTED).value,
        consecutive_5xx: Some(consecutive),
        panic,
        ..OutlierSpec::default()
    })
}
