//! What traffic managers do that people use, where a scenario says nothing else. Facts from the
//! documentation of each (2026).

use crate::plan::Asks;
use crate::random::Law;
use crate::scenario::text::words;
use crate::units::{SECOND, Share, Span};

words! {
    /// How clients learn of a change.
    enum RoutingKind { Dns = "dns", Proxied = "proxied", Anycast = "anycast" }
    /// A traffic manager whose defaults hold.
    enum ManagerPreset {
        Route53 = "route53", Route53Fast = "route53-fast", Azure = "azure-traffic-manager",
        AzureFast = "azure-traffic-manager-fast", CloudflareProxied = "cloudflare-proxied",
        CloudflareDns = "cloudflare-dns", Manual = "manual",
    }
}

/// What a preset says instead of the table of the section.
pub(crate) struct ManagerValues {
    pub(crate) routing: RoutingKind,
    pub(crate) ttl: Span,
    pub(crate) asks: Asks,
    pub(crate) interval: Span,
    pub(crate) timeout: Span,
    pub(crate) failures: u64,
    pub(crate) successes: u64,
    pub(crate) locations: u64,
    pub(crate) quorum: Share,
    pub(crate) decision: Law,
    /// Whether clients are led back by the manager itself.
    pub(crate) fails_back: bool,
}

const fn secs(seconds: u64) -> Span {
    Span(seconds * SECOND)
}

/// Sixteen checkers, each every half minute; an endpoint is healthy while more than 18 % of them
/// say so.
const ROUTE53: ManagerValues = ManagerValues {
    routing: RoutingKind::Dns,
    ttl: secs(60),
    asks: Asks::Replica,
    interval: secs(30),
    timeout: secs(4),
    failures: 3,
    successes: 3,
    locations: 16,
    quorum: Share(0.18),
    decision: Law::ZERO,
    fails_back: true,
};

/// One probe of each endpoint, every half minute, with three failures that are tolerated.
const AZURE: ManagerValues =
    ManagerValues { timeout: secs(10), successes: 1, locations: 1, quorum: Share::ZERO, ..ROUTE53 };

/// A monitor every minute, with two tries more at once, each of 5 s.
const CLOUDFLARE: ManagerValues = ManagerValues {
    routing: RoutingKind::Proxied,
    ttl: secs(30),
    interval: secs(60),
    timeout: secs(15),
    failures: 1,
    ..AZURE
};

impl ManagerPreset {
    /// What it says.
    pub(crate) fn values(self) -> ManagerValues {
        match self {
            ManagerPreset::Route53 => ROUTE53,
            ManagerPreset::Route53Fast => ManagerValues { interval: secs(10), ..ROUTE53 },
            ManagerPreset::Azure => AZURE,
            ManagerPreset::AzureFast => {
                ManagerValues { interval: secs(10), timeout: secs(5), failures: 2, ..AZURE }
            }
            ManagerPreset::CloudflareProxied => CLOUDFLARE,
            ManagerPreset::CloudflareDns => {
                ManagerValues { routing: RoutingKind::Dns, ..CLOUDFLARE }
            }
            // Somebody is called and has to find out what is wrong, and dares to change it.
            ManagerPreset::Manual => ManagerValues {
                timeout: secs(10),
                interval: secs(60),
                successes: 3,
                decision: Law::Uniform(secs(600), secs(3_600)),
                fails_back: false,
                ..AZURE
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::text::word::Word;

    /// The least and the greatest time until one location finds a silent region out.
    fn detection(preset: ManagerPreset) -> (f64, f64) {
        let ManagerValues { interval, timeout, failures, .. } = preset.values();
        let [interval, timeout] = [interval, timeout].map(Span::as_secs);
        ((failures - 1) as f64 * interval + timeout, failures as f64 * interval + timeout)
    }

    #[test]
    fn presets_detect_within_the_times_that_are_published() {
        assert_eq!(detection(ManagerPreset::Route53), (64.0, 94.0));
        assert_eq!(detection(ManagerPreset::Route53Fast), (24.0, 34.0));
        assert_eq!(detection(ManagerPreset::Azure), (70.0, 100.0));
        assert_eq!(detection(ManagerPreset::AzureFast), (15.0, 25.0));
        assert_eq!(detection(ManagerPreset::CloudflareProxied), (15.0, 75.0));
    }

    #[test]
    fn a_check_of_every_preset_ends_before_the_next() {
        for (word, preset) in ManagerPreset::WORDS {
            let values = preset.values();
            assert!(values.timeout < values.interval, "{word}");
        }
    }
}
