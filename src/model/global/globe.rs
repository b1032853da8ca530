//! The regions, and in which order things happen.
//!
//! The next event of any region is taken when all requests before it are; of simultaneous events
//! those of regions come first, in their order, then what they share. Requests are handed out
//! before regions take them, by where their client groups send: that changes at events alone.

use super::crowd::Crowd;
use super::health::Health;
use super::manager::Manager;
use crate::engine::calendar::Calendar;
use crate::engine::digest::Digest;
use crate::engine::progress::Progress;
use crate::model::sample_clock::Sampling;
use crate::model::traffic::arrivals::{Arrivals, BLOCK, RequestBlock};
use crate::model::world::{End, World};
use crate::observe::listener::Listener;
use crate::observe::listener::audience::Audience;
use crate::observe::listener::relay::{Relay, RelayPlace, Turn};
use crate::observe::{Observation, Observer, Reading, Sent};
use crate::plan::{Extent, Fault, FaultPlan, Plan, RegionPlan, RegionRole, Regions, Schedule};
use crate::random::{Seed, Stream};
use crate::units::Instant;

/// What happens to what regions share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shared {
    /// All replicas are sampled.
    Sampled,
    /// Warm-up or a window ends or begins.
    Boundary,
    /// A location asks a region.
    Asked { region: usize, location: usize },
    /// It knows what came of that.
    Known { region: usize, location: usize, good: bool },
    /// What was decided on the health of a region takes effect.
    Decided { region: usize, change: u32 },
    /// The control plane has recovered after the loss of its region.
    ControlPlaneRecovers,
    /// All groups learn what is answered.
    AllLook,
    /// The answer of a group expires.
    Looks { group: usize },
    /// The connection of a group ends.
    Moves { group: usize },
    /// A fault of what is shared begins.
    Strikes { fault: usize },
    /// It is over.
    Over { fault: usize, incident: usize },
}

impl Shared {
    fn rank(self) -> u8 {
        match self {
            Shared::Sampled => 0,
            Shared::Boundary => 1,
            Shared::Over { .. } | Shared::ControlPlaneRecovers => 2,
            Shared::Known { .. } | Shared::Asked { .. } => 3,
            Shared::Decided { .. } => 4,
            Shared::AllLook | Shared::Looks { .. } | Shared::Moves { .. } => 5,
            Shared::Strikes { .. } => 6,
        }
    }
}

/// Several regions, and what they share.
pub(in crate::model) struct Globe<'a> {
    pub(super) plan: &'a Plan,
    pub(super) regions: &'a Regions,
    pub(super) worlds: Vec<World<'a>>,
    /// The listener, when it is no region's turn.
    turn: Option<Turn<'a>>,
    pub(super) now: Instant,
    calendar: Calendar<Shared>,
    arrivals: Arrivals,
    /// Requests on the way to each region, and the regions of those that are handed out.
    handed: Vec<RequestBlock>,
    places: Vec<usize>,
    /// Which regions are farther from the clients of others than from their own.
    far: Vec<bool>,
    /// Whether requests are alike in a region and in the plan of all: one draw serves both.
    same_demand: Vec<bool>,
    /// Decides the group of each request.
    choices: Stream,
    pub(super) crowd: Crowd,
    pub(super) health: Option<Health>,
    pub(super) manager: Manager,
    /// Regions of which something runs.
    pub(super) deployed: Vec<bool>,
    /// Whether the control plane is up, which regions were cut off from it here, and whether its
    /// home is lost or it has not recovered from that yet.
    pub(super) control_plane: bool,
    pub(super) cut_off: Vec<bool>,
    pub(super) home_is_lost: bool,
    pub(super) home_recovers: bool,
    sampling: Sampling,
    readings: Vec<Reading>,
    progress: &'a Progress,
    /// The clocks of faults of what is shared, and their incidents so far.
    pub(super) faults: Vec<Stream>,
    pub(super) incidents: usize,
    digest: Digest,
    pub(super) draws: Stream,
}

impl<'a> Globe<'a> {
    pub fn new(
        plan: &'a Plan,
        regions: &'a Regions,
        replication: u64,
        (audience, progress): (Audience<'a>, &'a Progress),
    ) -> Self {
        let seed = Seed { seed: plan.run.seed, replication };
        let runs: Vec<bool> = regions.all.iter().map(|one| one.role != RegionRole::Cold).collect();
        let check = regions.manager.check.as_ref();
        let same_demand = |one: &RegionPlan| one.gateway.gateway.demand == plan.gateway.demand;
        let is_far = |one: &RegionPlan| one.round_trip.others != one.round_trip.own;
        let stream = |fault: &FaultPlan| seed.stream(&format!("fault {}", fault.name), 0);
        let mut globe = Globe {
            plan,
            regions,
            worlds: Vec::new(),
            turn: Some(Turn::new(audience)),
            now: Instant::ZERO,
            calendar: Calendar::default(),
            arrivals: Arrivals::new(&plan.traffic, &plan.gateway.demand, seed, plan.run.horizon),
            handed: vec![RequestBlock::default(); regions.all.len()],
            places: Vec::with_capacity(BLOCK),
            far: regions.all.iter().map(is_far).collect(),
            same_demand: regions.all.iter().map(same_demand).collect(),
            choices: seed.stream("client group of a request", 0),
            crowd: Crowd::new(regions, seed),
            health: check.map(|check| Health::new(check, &runs, seed)),
            manager: Manager::new(&runs, seed),
            deployed: runs,
            control_plane: true,
            cut_off: vec![false; regions.all.len()],
            home_is_lost: false,
            home_recovers: false,
            sampling: Sampling::new(&plan.run),
            readings: Vec::new(),
            progress,
            faults: plan.faults.iter().map(stream).collect(),
            incidents: 0,
            digest: Digest::default(),
            draws: seed.stream("regions", 0),
        };
        globe.begin(replication);
        globe.tell_clients();
        globe.schedule_all(seed);
        globe
    }

    /// Every region begins, in its turn.
    fn begin(&mut self, replication: u64) {
        let mut zones_before = 0;
        for (index, region) in self.regions.all.iter().enumerate() {
            let gateway = &region.gateway;
            assert_eq!(gateway.run.horizon, self.plan.run.horizon, "regions end together");
            assert!(gateway.regions.is_none(), "{} is one region", region.name);
            let place = RelayPlace {
                region: index,
                regions: self.regions.all.len(),
                name: region.name.clone(),
                zones_before,
                own: gateway.ingress.hop + region.round_trip.own,
                others: gateway.ingress.hop + region.round_trip.others,
            };
            zones_before += gateway.topology.zones.len();
            let mut relay = Relay::new(place);
            relay.take(self.turn.take().expect("no region has the turn"));
            let listener = Listener::Relay(Box::new(relay));
            let with = (self.progress, self.deployed[index]);
            let mut world = World::of_region(gateway, replication, listener, with);
            self.turn = Some(relay_of(&mut world).give());
            self.worlds.push(world);
        }
    }

    /// How many groups of clients each region has at the beginning.
    fn tell_clients(&mut self) {
        let of = self.crowd.len();
        for region in 0..self.worlds.len() {
            let groups = self.crowd.count_in(region);
            self.tell(&Observation::ClientsGiven { region, groups, of });
        }
    }

    fn schedule_all(&mut self, seed: Seed) {
        let plan = self.plan;
        self.schedule(Instant::ZERO + self.sampling.interval, Shared::Sampled);
        self.schedule(plan.run.warm_up, Shared::Boundary);
        for window in &plan.windows {
            if let Extent::Between(from, to) = window.extent {
                self.schedule(from, Shared::Boundary);
                self.schedule(to, Shared::Boundary);
            }
        }
        for (fault, entry) in plan.faults.iter().enumerate() {
            if matches!(entry.fault, Fault::ManagerFrozen(_) | Fault::PlannedFailover(_)) {
                self.await_fault(fault, Instant::ZERO);
            }
        }
        if let Some(check) = &self.regions.manager.check {
            assert!(check.timeout <= check.interval, "a check is over before the next one");
            let phases = Health::phases(check, self.worlds.len(), seed);
            for (region, phases) in phases.into_iter().enumerate() {
                for (location, at) in phases.into_iter().enumerate() {
                    self.schedule(at, Shared::Asked { region, location });
                }
            }
        }
    }

    /// When a fault of what is shared strikes next, from `since` on.
    pub(super) fn await_fault(&mut self, fault: usize, since: Instant) {
        let at = match &self.plan.faults[fault].schedule {
            Schedule::At(at) if *at >= since => *at,
            Schedule::Random(law) => since + law.draw(&mut self.faults[fault]),
            Schedule::At(_) | Schedule::After(_) | Schedule::Elsewhere => return,
        };
        self.schedule(at, Shared::Strikes { fault });
    }

    pub(super) fn schedule(&mut self, at: Instant, what: Shared) {
        assert!(at >= self.now, "{what:?} at {at}, before {}", self.now);
        self.calendar.insert(at, what.rank(), what);
    }

    /// Lets a region do something in its turn.
    pub(super) fn with<R>(&mut self, region: usize, act: impl FnOnce(&mut World<'a>) -> R) -> R {
        let world = &mut self.worlds[region];
        relay_of(world).take(self.turn.take().expect("no region has the turn"));
        let result = act(world);
        self.turn = Some(relay_of(world).give());
        result
    }

    fn audience(&mut self) -> &mut Audience<'a> {
        &mut self.turn.as_mut().expect("no region has the turn").audience
    }

    pub(super) fn tell(&mut self, observation: &Observation) {
        let now = self.now;
        self.audience().observe(now, observation);
    }

    fn next_at(&self) -> Instant {
        let regions = self.worlds.iter().map(|world| world.cx.next_event_at());
        regions.fold(self.calendar.next_at(), Instant::min)
    }

    fn is_cut(&self) -> bool {
        self.worlds.iter().any(|world| world.cx.is_cut)
    }

    pub fn run(mut self) -> End {
        let horizon = self.plan.run.horizon;
        loop {
            let next = self.next_at().min(horizon);
            if self.worlds[0].cx.is_stopped() {
                break;
            }
            self.take_requests_until(next);
            // A replica may have run out of memory meanwhile.
            let next = self.next_at().min(horizon);
            if self.is_cut() || next == horizon {
                break;
            }
            assert!(next >= self.now, "time goes back from {} to {next}", self.now);
            self.now = next;
            match self.worlds.iter().position(|world| world.cx.next_event_at() == next) {
                Some(region) => self.take_event_of(region),
                None => {
                    let (_, what) = self.calendar.pop().expect("something happens next");
                    self.handle(what);
                }
            }
        }
        let end = if self.is_cut() { self.now } else { horizon };
        self.finish(end)
    }

    fn take_event_of(&mut self, region: usize) {
        self.with(region, World::take_event);
        self.follow_control_plane();
    }

    /// Hands out the requests that are sent before `until`, and lets every region take its own.
    fn take_requests_until(&mut self, mut until: Instant) {
        loop {
            let handed = self.hand_out(until);
            assert!(handed <= until, "requests are handed out until {handed}, not {until}");
            for region in 0..self.worlds.len() {
                self.with(region, |world| world.take_requests_until(handed));
                // Whoever runs out of memory does so before anything else happens.
                until = until.min(self.worlds[region].cx.next_event_at());
            }
            if handed >= until || self.is_cut() {
                return;
            }
        }
    }

    /// Hands out requests that are sent before `until`, some blocks at most; gives until when all
    /// are.
    fn hand_out(&mut self, until: Instant) -> Instant {
        let Globe { arrivals, choices, crowd, handed, places, far, worlds, now, .. } = self;
        let (mut count, mut last) = (0, None);
        while count < BLOCKS_AT_ONCE * BLOCK && arrivals.next_sent().is_some_and(|at| at < until.0)
        {
            let requests = arrivals.take_before(until.0, usize::MAX);
            assert!(requests.sent[0] >= now.0, "a request of the past is handed out");
            places.clear();
            let group = |_| choices.below(crowd.len());
            places.extend(requests.sent.iter().map(group));
            for (group, sent) in places.iter_mut().zip(requests.sent) {
                let region = crowd.region(*group);
                if far[region] && crowd.is_away(*group) {
                    relay_of(&mut worlds[region]).note_away(Instant(*sent));
                }
                *group = region;
            }
            for (region, handed) in handed.iter_mut().enumerate() {
                handed.extend_where(requests, places, region);
            }
            (count, last) = (count + places.len(), requests.sent.last().copied());
        }
        for (region, requests) in self.handed.iter_mut().enumerate() {
            self.worlds[region].arrivals.feed(requests, self.same_demand[region]);
        }
        match last {
            Some(last) if self.arrivals.next_sent().is_some_and(|at| at < until.0) => {
                Instant(last + 1)
            }
            _ => until,
        }
    }

    fn handle(&mut self, what: Shared) {
        for world in &mut self.worlds {
            world.cx.now = self.now;
        }
        match what {
            Shared::Sampled => return self.sample(),
            Shared::Boundary => return self.pass_boundary(),
            Shared::Asked { region, location } => self.ask(region, location),
            Shared::Known { region, location, good } => self.learn(region, location, good),
            Shared::Decided { region, change } => {
                if self.manager.decide(region, change) {
                    self.act();
                }
            }
            Shared::ControlPlaneRecovers => {
                (self.home_is_lost, self.home_recovers) = (false, false);
                self.follow_control_plane();
            }
            Shared::AllLook => (0..self.crowd.len()).for_each(|group| self.look(group)),
            Shared::Looks { group } => self.expire(group),
            Shared::Moves { group } => self.look(group),
            Shared::Strikes { fault } => self.strike(fault),
            Shared::Over { fault, incident } => self.end(fault, incident),
        }
        self.digest.in_order(self.now.0, u64::from(what.rank()), self.crowd.count_in(0) as u64);
    }
}

/// Requests that are handed out at a time, in blocks.
const BLOCKS_AT_ONCE: usize = 8;

/// Who tells what a region does.
fn relay_of<'w, 'a>(world: &'w mut World<'a>) -> &'w mut Relay<'a> {
    match &mut world.cx.listener {
        Listener::Relay(relay) => relay,
        _ => unreachable!("a region among several has a relay"),
    }
}

impl Globe<'_> {
    /// Every replica of every region is read.
    fn read_all(&mut self, bin_ends: bool) {
        let mut connecting = 0;
        self.readings.clear();
        for region in 0..self.worlds.len() {
            connecting += self.with(region, World::read);
            let world = &mut self.worlds[region];
            let readings = std::mem::take(&mut world.sampling.readings);
            let relay = relay_of(world);
            self.readings.extend(readings.iter().map(|reading| relay.reading(reading)));
            world.sampling.readings = readings;
        }
        self.readings.sort_by_key(|reading| reading.replica);
        let twice = self.readings.windows(2).any(|pair| pair[0].replica == pair[1].replica);
        assert!(!twice, "two replicas have one number");
        let (now, readings) = (self.now, std::mem::take(&mut self.readings));
        self.audience().sampled(now, &readings, connecting);
        if bin_ends {
            self.audience().bin_ended(now, &readings);
            self.worlds.iter_mut().for_each(|world| world.region.cluster.fleet.reap());
        }
        self.readings = readings;
    }

    fn sample(&mut self) {
        self.read_all(self.now.0.is_multiple_of(self.plan.run.bin.0));
        self.note_progress();
        let held = |world: &World| match world.cx.feeds_back() {
            true => world.cx.in_flight.attempts.len(),
            false => world.region.cluster.fleet.count_kept(),
        };
        for world in &mut self.worlds {
            world.cx.note_held(held(world));
        }
        self.schedule(self.now + self.sampling.interval, Shared::Sampled);
    }

    fn note_progress(&mut self) {
        let offered = self.worlds.iter_mut().map(|world| world.cx.take_offered()).sum();
        self.sampling.note_progress(self.now, offered, self.progress);
    }

    fn pass_boundary(&mut self) {
        if self.now == self.plan.run.warm_up {
            for region in 0..self.worlds.len() {
                self.with(region, World::end_warm_up);
            }
        }
        self.tell(&Observation::Boundary);
    }

    /// The end: the last bin, the requests in flight, and what began before it.
    fn finish(mut self, end: Instant) -> End {
        self.take_requests_until(end);
        self.now = end;
        let mut under_way = Vec::new();
        for region in 0..self.worlds.len() {
            let left = self.with(region, |world| {
                world.cx.now = end;
                let left = world.still_under_way(end);
                relay_of(world).all_sent(&left)
            });
            under_way.extend(left);
        }
        self.read_all(true);
        self.note_progress();
        let (mut in_flight, mut attempts): (Vec<Sent>, Vec<Sent>) = (Vec::new(), Vec::new());
        for world in &mut self.worlds {
            let open = world.still_open();
            in_flight.extend(relay_of(world).all_sent(&open.0));
            attempts.extend(relay_of(world).all_sent(&open.1));
        }
        if self.worlds.iter().any(|world| world.cx.feeds_back()) {
            self.audience().attempts_left(&attempts);
            self.audience().attempts_left(&under_way);
        }
        in_flight.sort_unstable();
        let twice = in_flight.windows(2).find(|pair| pair[0] == pair[1]);
        assert!(self.is_cut() || twice.is_none(), "a request is in two places: {twice:?}");
        self.audience().horizon(end, &in_flight, &under_way);
        for region in 0..self.worlds.len() {
            self.with(region, World::finish_what_began);
        }
        assert!(self.turn.is_some(), "a region kept the turn");
        for (region, world) in self.worlds.iter().enumerate() {
            self.digest.in_order(end.0, region as u64, world.cx.digest.value());
        }
        End { at: end, interrupted: self.is_cut(), digest: self.digest.value() }
    }
}
