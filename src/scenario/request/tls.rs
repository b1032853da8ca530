//! The section `[tls]`.

use crate::diagnostic::Problem;
use crate::plan::{Balancing, Ingress, Tls, TlsEnd};
use crate::scenario::reader::{Reader, keys};
use crate::scenario::text::words;
use crate::units::{Cores, Share, Span};

words! {
    /// Where TLS connections end.
    enum TlsTermination { Ingress = "ingress", Replica = "replica" }
}

keys! { key "tls" {
    AT: TlsTermination = "at", "ingress", Documented, "CloudHub 2.0 networking guide",
        "Where TLS connections of clients end; \"replica\" is last-mile security.";
    INGRESS_CORES: Cores = "ingress-cores", "2", Assumed, "not published",
        "Cores that an ingress instance has for handshakes (at the ingress only).",
        If("at", &["\"ingress\""]);
    CONNECTIONS: u64 = "connections", "100", Assumed, "a small fleet of clients",
        "Client connections open at any time (at the ingress only).", If("at", &["\"ingress\""]);
    PER_CONNECTION: u64 = "requests-per-connection", "", Assumed, "connections never close",
        "Requests after which a connection closes (at the ingress only).",
        If("at", &["\"ingress\""]);
    HANDSHAKE: Span = "handshake", "0.9ms", Inferred,
        "ECDSA P-256 in Runtime Fabric's tables: messages with and without reuse",
        "CPU time of a full handshake.";
    RESUMPTION: Span = "resumption", "0.1ms", Assumed, "no asymmetric cryptography",
        "CPU time of a handshake that resumes a session.";
    RESUMED: Share = "resumed", "0%", Assumed, "the worse case",
        "Share of the handshakes that resume a session.";
}}

/// Reads `[tls]`; `None` if the file has none.
pub(crate) fn read(reader: &Reader<'_>, ingress: &Ingress) -> Option<Tls> {
    let section = reader.section(&key::SPEC);
    if !section.is_there() {
        return None;
    }
    let at = section.parsed(key::AT);
    let by_connection = matches!(ingress.balancing, Balancing::PerConnection { .. });
    if at.value == TlsTermination::Replica && !by_connection {
        let problem = Problem::error(at.place, "TLS at the replica needs balancing by connection")
            .label("each connection begins with a handshake, at its replica")
            .help("write balancing = \"per-connection\" in [ingress]");
        section.note(problem);
    }
    let at = match at.value {
        TlsTermination::Replica => TlsEnd::Replica,
        TlsTermination::Ingress => {
            let cores = section.parsed(key::INGRESS_CORES);
            if cores.value.0 <= 0.0 {
                let help = "write a number above 0";
                section.error(&cores, "an ingress without cores ends no handshake", help);
            }
            let connections = section.count(key::CONNECTIONS, 1..=1_000_000).value as usize;
            let requests = key::PER_CONNECTION;
            let limit = 1..=u64::from(u32::MAX);
            let requests = section.bounded(requests, limit, section.find(requests));
            let requests = requests.map(|requests| requests as u32);
            TlsEnd::Ingress { cores: cores.value.0, connections, requests }
        }
    };
    Some(Tls {
        at,
        handshake: section.get(key::HANDSHAKE),
        resumption: section.get(key::RESUMPTION),
        resumed: section.get(key::RESUMED),
    })
}
