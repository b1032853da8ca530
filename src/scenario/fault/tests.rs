//! What faults of upstreams, storage and contracts mean.

use crate::plan::{Down, Fault, HostTarget};
use crate::random::Law;
use crate::scenario::request::tests::{LEAST, read};
use crate::scenario::tests::{with_written_replicas, written};
use crate::units::Span;

#[test]
fn faults_of_dependencies_find_their_targets() {
    let text = r#"
gateway.contracts = true
clients = { count = 9 }
policy = [{ name = "r", kind = "rate-limit", quotas = ["9/10s"] }]
[[upstream]]
name = "u"
hosts = 2
latency = "5ms"
[[fault]]
kind = "upstream-outage"
at = "2m"
for = "1m"
target = "u/2"
silent = true
[[fault]]
kind = "upstream-slow"
every = "exponential(5m)"
for = "1m"
factor = 10
[[fault]]
kind = "storage-outage"
at = "4m"
for = "1m"
[[fault]]
kind = "contract-revoked"
at = "5m"
target = "9"
"#;
    let (plan, settings, shown) = read(&format!("{LEAST}{text}"));
    assert_eq!(shown, "");
    let faults: Vec<Fault> = plan.faults.iter().map(|fault| fault.fault.clone()).collect();
    let minute = Law::Constant(Span::from_secs(60.0));
    let host = HostTarget { upstream: 0, host: Some(1) };
    let all = HostTarget { upstream: 0, host: None };
    let expected = [
        Fault::UpstreamOutage(host, Down::Silent, minute.clone()),
        Fault::UpstreamSlow(all, 10.0, minute.clone()),
        Fault::StorageOutage(minute),
        Fault::ContractRevoked(8),
    ];
    assert_eq!(faults, expected);
    assert_eq!(read(&written(&settings)).0, with_written_replicas(plan));
}
