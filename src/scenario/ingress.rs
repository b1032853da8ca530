//! The section `[ingress]`.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Balancing, Ingress};
use crate::scenario::Mark;
use crate::scenario::book::{Book, Found, Section};
use crate::scenario::gateway::GatewayPart;
use crate::scenario::keys::{Key, ingress as key};
use crate::scenario::value::Value;
use crate::scenario::word::{Choice, Platform, Preset, Tls};
use crate::units::Span;

/// Reads `[ingress]`.
pub(crate) fn read<'a>(
    book: &mut Book<'a>,
    top: &Section<'a>,
    gateway: &GatewayPart,
    zones: usize,
) -> Ingress {
    let section = book.section(top, "ingress");
    let preset = book.find(&section, key::PRESET).map(|preset| preset.value);
    let defaults = Defaults { preset };
    check_tls(book, &section, &gateway.platform);
    let count = book.count(&section, key::INSTANCES, 1..=1_000).value as usize;
    let in_zones = book.get(&section, key::IN_ZONES).value;
    let home = |instance: usize| in_zones.then_some(instance % zones.max(1));
    let balancing = balancing(book, &section, &defaults);
    let retries = defaults.get(book, &section, key::RETRIES, |preset| match preset {
        Preset::IngressNginx => 2,
    });
    if retries.value > 100 {
        let title = "`ingress.retries` is out of range";
        book.problems.push(Problem::error(retries.place, title).label("0 to 100"));
    }
    let read_timeout = defaults.get(book, &section, key::READ_TIMEOUT, |preset| match preset {
        Preset::IngressNginx => Span::from_secs(60.0),
    });
    not_tiny(book, &read_timeout, "ingress.read-timeout");
    Ingress {
        instances: (0..count).map(home).collect(),
        balancing,
        delay: book.get(&section, key::DELAY).value,
        hop: book.get(&section, key::HOP).value,
        connect_timeout: book.get(&section, key::CONNECT_TIMEOUT).value,
        read_timeout: read_timeout.value,
        retries: retries.value.min(100) as u32,
        dead_address: book.get(&section, key::DEAD_ADDRESS).value,
        failover: book.get(&section, key::FAILOVER).value,
        propagation: book.get(&section, key::PROPAGATION).value,
    }
}

/// Notes an error if a span is under a millisecond; what repeats more often only takes time.
pub(crate) fn not_tiny(book: &mut Book<'_>, span: &Found<Span>, path: &str) {
    if span.value < Span(1_000_000) {
        let help = "write \"1ms\" or more".to_owned();
        book.error(span.place.clone(), format!("`{path}` is too short"), help);
    }
}

/// Defaults that a preset may change.
struct Defaults {
    preset: Option<Preset>,
}

impl Defaults {
    fn get<'a, T: Value>(
        &self,
        book: &mut Book<'a>,
        section: &Section<'a>,
        key: Key<T>,
        of: fn(Preset) -> T,
    ) -> Found<T> {
        match self.preset {
            Some(preset) => {
                let source = format!("preset {}", preset.show());
                book.get_or(section, key, of(preset), Mark::Documented, &source)
            }
            None => book.get(section, key),
        }
    }
}

fn balancing<'a>(book: &mut Book<'a>, section: &Section<'a>, defaults: &Defaults) -> Balancing {
    let plain = match book.get(section, key::BALANCING).value {
        Choice::RoundRobin => Balancing::RoundRobin,
        Choice::ZoneThenReplica => Balancing::ZoneThenReplica,
        Choice::Random => Balancing::Random,
        Choice::PerConnection => return per_connection(book, section, defaults),
    };
    let reason = "only with balancing = \"per-connection\"";
    book.idle(section, key::CONNECTIONS, reason);
    book.idle(section, key::PER_CONNECTION, reason);
    plain
}

fn per_connection<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    defaults: &Defaults,
) -> Balancing {
    let connections = book.count(section, key::CONNECTIONS, 1..=1_000_000).value as usize;
    let requests = match defaults.preset {
        Some(_) => {
            let requests =
                defaults.get(book, section, key::PER_CONNECTION, |preset| match preset {
                    Preset::IngressNginx => 1_000,
                });
            Some(requests)
        }
        None => book.find(section, key::PER_CONNECTION),
    };
    let requests = requests.map(|requests| {
        if !(1..=u64::from(u32::MAX)).contains(&requests.value) {
            let title = "`ingress.requests-per-connection` is out of range";
            let problem = Problem::error(requests.place, title).label("1 to 4294967295");
            book.problems.push(problem.help("leave it out if connections never close"));
        }
        u32::try_from(requests.value).unwrap_or(u32::MAX).max(1)
    });
    Balancing::PerConnection { connections, requests }
}

/// Refuses an ingress that does not terminate TLS where it must.
fn check_tls<'a>(book: &mut Book<'a>, section: &Section<'a>, platform: &Found<Platform>) {
    match platform.value {
        Platform::CloudHub2 => {
            let source = key::TLS.source;
            let default = Tls::Terminates;
            let tls = book.get_or(section, key::TLS, default, Mark::Documented, source);
            if tls.value == Tls::PassesThrough {
                let title = "the ingress of CloudHub 2.0 always terminates TLS";
                let help = "write tls = \"terminates\", or leave it out".to_owned();
                book.error(tls.place, title, help);
            }
        }
        Platform::RuntimeFabric => {
            let tls = book.find(section, key::TLS);
            let terminates = tls.as_ref().is_some_and(|tls| tls.value == Tls::Terminates);
            let misread = section.has(&key::TLS) && tls.is_none();
            if !terminates && !misread {
                no_termination(book, section, tls.map(|tls| tls.place), platform);
            }
        }
    }
}

fn no_termination<'a>(
    book: &mut Book<'a>,
    section: &Section<'a>,
    tls: Option<Place>,
    platform: &Found<Platform>,
) {
    let place = match (tls, &section.place) {
        (Some(place), _) => place,
        (None, Place::Whole) => platform.place.clone(),
        (None, header) => header.clone(),
    };
    let title = "on Runtime Fabric the ingress must terminate TLS";
    let problem = Problem::error(place, title)
        .label("this gateway would receive TLS")
        .help("Runtime Fabric brings no ingress: yours decrypts before it forwards to the gateway")
        .help("write tls = \"terminates\" in [ingress] once it does");
    book.problems.push(problem);
}
