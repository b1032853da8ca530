//! The failure modes, and why one may mean nothing.

/// What a gateway must get through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Nothing fails.
    Healthy,
    /// A replica crashes.
    ReplicaLoss,
    /// A zone vanishes.
    ZoneLoss,
    /// A replica crashes while the control plane cannot be reached.
    WithoutControlPlane,
    /// A region is lost, and with it the control plane if that is at home there.
    RegionLoss,
    /// The load climbs to the peak of a day.
    DailyPeak,
}

impl Mode {
    /// All of them, in the order of reports.
    pub const ALL: [Mode; 6] = [
        Mode::Healthy,
        Mode::ReplicaLoss,
        Mode::ZoneLoss,
        Mode::WithoutControlPlane,
        Mode::RegionLoss,
        Mode::DailyPeak,
    ];

    /// The word by which it is asked for.
    pub fn key(self) -> &'static str {
        match self {
            Mode::Healthy => "healthy",
            Mode::ReplicaLoss => "replica-loss",
            Mode::ZoneLoss => "zone-loss",
            Mode::WithoutControlPlane => "control-plane-loss",
            Mode::RegionLoss => "region-loss",
            Mode::DailyPeak => "daily-peak",
        }
    }

    /// How reports call it.
    pub fn label(self) -> &'static str {
        match self {
            Mode::Healthy => "healthy",
            Mode::ReplicaLoss => "a replica is lost",
            Mode::ZoneLoss => "a zone is lost",
            Mode::WithoutControlPlane => "a replica is lost, control plane down",
            Mode::RegionLoss => "a region is lost",
            Mode::DailyPeak => "the peak of a day",
        }
    }

    /// Whether something is lost in it.
    pub fn loses(self) -> bool {
        match self {
            Mode::ReplicaLoss | Mode::ZoneLoss | Mode::WithoutControlPlane | Mode::RegionLoss => {
                true
            }
            Mode::Healthy | Mode::DailyPeak => false,
        }
    }
}

/// Why a mode means nothing for a gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moot {
    /// Its replicas start without the control plane.
    ControlPlane,
    /// It has one zone, which takes everything along.
    OnlyZone,
    /// It has one region, which takes everything along.
    OnlyRegion,
    /// No objective of the scenario can be judged in it.
    NoObjective,
    /// Nothing in it follows the load: a constant load is harder than one that climbs to it.
    NothingFollows,
}
