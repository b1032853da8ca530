//! The kinds of faults in words: what goes wrong, what a target may be, how long it lasts.

use super::kind::{Aim, FaultKind, Lasts};

/// What names replicas, and the nodes that hold them.
const REPLICAS: &str = "any, all, zone b, b-1";
const HOSTS: &str = "orders, its second host orders/2";

/// Each kind with what goes wrong, and what its target may be where it has one.
#[rustfmt::skip]
static WORDS: [(&str, &str, &str); 23] = [
    ("replica-crash", "A replica's process ends at once, with what it had in flight.", REPLICAS),
    ("replica-hang",
     "A replica answers nothing more and keeps its connections, until its liveness probe ends it.",
     REPLICAS),
    ("replica-slow", "A replica keeps only the share `cpu` of its CPU.", REPLICAS),
    ("gray-failure",
     "All replicas fail a share of the requests, or are slow, and pass every probe.", ""),
    ("zone-outage",
     "A zone vanishes with its nodes, or with a `share` of them.", "any, b"),
    ("control-plane-outage",
     "The product's control plane, where configuration and contracts come from, is away.", ""),
    ("metrics-outage",
     "The autoscaler is given no `metrics`: \"all\", \"resource\" or \"custom\".", ""),
    ("ingress-loss",
     "An ingress instance vanishes with what it had in flight, or the whole ingress of a region.",
     "any, 1, 2, all"),
    ("node-loss",
     "The node that holds a replica vanishes without a word; with the name of a replica whether \
      that is ready or not.", REPLICAS),
    ("node-shutdown",
     "A node is taken away after a `notice` that a handler, the kubelet or nobody heeds.",
     REPLICAS),
    ("provisioning-outage", "No new node can be had there.", "all, zone b"),
    ("api-server-outage",
     "Kubernetes' API server is away: nothing is decided or published, kubelets go on.", ""),
    ("rollout",
     "Every replica is replaced by one of a new version; a bad one is as its keys say.", ""),
    ("drain-node", "A node is emptied on purpose and comes back.", REPLICAS),
    ("maintenance",
     "Every node with replicas is emptied and comes back, one after the other.", ""),
    ("upstream-outage", "A host that is down refuses connections, or is `silent`.", HOSTS),
    ("upstream-slow", "A host takes `factor` times as long.", HOSTS),
    ("storage-outage", "The storage in which replicas share limits cannot be reached.", ""),
    ("contract-revoked",
     "A client's contract ends; each replica learns of it at its next refresh.",
     "a client, counted from 1"),
    ("region-outage", "A region is lost with all that is in it.", ""),
    ("planned-failover", "Clients are led away from a region on purpose, and back.", ""),
    ("traffic-manager-outage",
     "The traffic manager changes nothing any more: clients stay where they are led.", ""),
    ("cache-purge", "Every cache is emptied.", ""),
];

impl FaultKind {
    fn words(&self) -> &'static (&'static str, &'static str, &'static str) {
        WORDS.iter().find(|(word, ..)| *word == self.word).expect("a test looks for every kind")
    }

    /// What goes wrong.
    pub fn about(&self) -> &'static str {
        self.words().1
    }

    /// What its target may be.
    pub fn targets(&self) -> String {
        match self.target {
            Aim::Nothing(reason) => format!("–: {reason}"),
            Aim::Any | Aim::Host | Aim::Client | Aim::Everywhere => self.words().2.to_owned(),
        }
    }

    /// How long it lasts.
    pub fn lasting(&self) -> &'static str {
        match self.lasts {
            Lasts::For => "`for`",
            Lasts::Optional => "`for`, or for good",
            Lasts::Emptied => "until it is empty, and away `for` (3 minutes)",
            Lasts::Until(reason) => reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::scenario::fault::KINDS;

    #[test]
    fn every_kind_has_words_and_a_target_or_a_reason_why_not() {
        for kind in &KINDS {
            assert!(kind.about().ends_with('.'), "{}", kind.word);
            assert!(kind.targets().chars().count() > 2, "{}", kind.word);
        }
    }
}
