//! The plan of several regions.

use crate::diagnostic::{Place, Problem};
use crate::plan::{Plan, Population, RegionPlan, RegionRole, Regions, Run};
use crate::scenario::assemble::{self, Assembled};
use crate::scenario::reader::Reader;
use crate::scenario::reader::setting::Setting;
use crate::scenario::region::section::{self, RegionKeys};
use crate::units::{Rate, Share};

/// Regions as read.
pub(crate) struct RegionParts {
    pub(crate) keys: Vec<RegionKeys>,
    pub(crate) gateways: Vec<Assembled>,
}

/// Reads the gateway of every region; a file of its own is read for each.
pub(crate) fn read(
    reader: &Reader<'_>,
    files: &[Reader<'_>],
    run: Option<Run>,
) -> Option<RegionParts> {
    let keys = section::read_regions(reader);
    if keys.len() != files.len() {
        return None;
    }
    let gateways = files.iter().zip(&keys);
    let gateways: Vec<Assembled> =
        gateways.map(|(file, one)| assemble::read(file, run, first_part(&keys, one))).collect();
    refuse_shared(reader, &gateways);
    Some(RegionParts { keys, gateways })
}

/// The part of the traffic that a region gets while all are healthy.
fn first_part(all: &[RegionKeys], region: &RegionKeys) -> Share {
    let active = all.iter().filter(|one| one.role == RegionRole::Active);
    let weights: f64 = active.map(|one| one.weight).sum();
    match region.role == RegionRole::Active && weights > 0.0 {
        true => Share(region.weight / weights),
        false => Share::ZERO,
    }
}

/// Refuses what would couple regions between two events, and says at what rate such users ask.
fn refuse_shared(reader: &Reader<'_>, gateways: &[Assembled]) {
    let closed = |gateway: &Assembled| match &gateway.plan.dependencies.clients.population {
        Population::Closed { users, think } => Some((*users, think.mean_secs())),
        _ => None,
    };
    let Some((users, think)) = gateways.iter().find_map(closed) else { return };
    let title = "users who wait for their answers cannot be led from region to region";
    let help = "leave out loop and users in [clients], and write in [traffic] the rate at which \
                they ask";
    let at_most = match think > 0.0 {
        true => format!(": at most {}, of {users} who think", Rate(users as f64 / think)),
        false => String::new(),
    };
    reader.note(Problem::error(Place::Whole, title).help(help.to_owned() + &at_most));
}

impl RegionParts {
    /// Puts the plan of all regions together: `plan` has what they share.
    pub(crate) fn join(
        &self,
        reader: &Reader<'_>,
        plan: Plan,
        of_fault: Vec<Option<usize>>,
    ) -> Plan {
        let (manager, steering) = section::read_manager(reader);
        let (control_plane, data_loss) = section::read_home(reader, &self.keys);
        if !self.keys.iter().any(|one| one.role == RegionRole::Active) {
            return plan;
        }
        let region = |(one, gateway): (&RegionKeys, &Assembled)| RegionPlan {
            name: one.name.clone(),
            role: one.role,
            weight: one.weight,
            round_trip: one.round_trip,
            gateway: gateway.plan.clone(),
        };
        // Standbys are taken in their order, after active ones.
        let all = self.keys.iter().zip(&self.gateways).map(region).collect();
        let regions = Regions { all, steering, manager, control_plane, data_loss, of_fault };
        Plan::of_regions(plan, regions)
    }

    /// Checks every region with the part of the traffic that it gets: of one that stands by, all.
    pub(crate) fn check(&self, files: &[Reader<'_>], plan: &Plan, faults_sound: bool) {
        let Some(regions) = &plan.regions else { return };
        let all = self.gateways.iter().zip(files).zip(&regions.all).zip(&self.keys);
        for (((gateway, file), region), keys) in all {
            let part = match keys.role {
                RegionRole::Active => first_part(&self.keys, keys),
                RegionRole::Standby | RegionRole::Cold => Share::ONE,
            };
            gateway.check(file, &region.gateway, part, faults_sound);
        }
    }

    /// What some of them are instead of what is sold.
    pub(crate) fn what_if(&self) -> Option<String> {
        let named = self.keys.iter().zip(&self.gateways);
        let named = named.filter_map(|(one, gateway)| Some((&one.name, gateway.what_if.as_ref()?)));
        let all: Vec<String> = named.map(|(name, what)| format!("{name}: {what}")).collect();
        let same = self.gateways.iter().all(|one| one.what_if == self.gateways[0].what_if);
        match same {
            true => self.gateways[0].what_if.clone(),
            false => Some(all.join("; ")).filter(|all| !all.is_empty()),
        }
    }
}

/// Puts what was noted of the regions' files to what was noted of the file: what is so of all of
/// them once, the rest with their names.
pub(crate) fn absorb(
    (problems, settings): (&mut Vec<Problem>, &mut Vec<Setting>),
    regions: Vec<(String, Vec<Problem>, Vec<Setting>)>,
) {
    let count = regions.len();
    for (name, noted, _) in &regions {
        for problem in noted {
            if problems.contains(problem) {
                continue;
            }
            let of = regions.iter().filter(|(_, other, _)| other.contains(problem)).count();
            let is_of_one = of < count;
            let said = problem.clone().helps(is_of_one.then(|| format!("in region {name}")));
            problems.push(if is_of_one { said } else { problem.clone() });
        }
    }
    for (name, _, own) in &regions {
        for setting in own {
            let of_all = regions.iter().all(|(.., other)| other.contains(setting));
            if !of_all {
                let path = format!("region.{name}.{}", setting.path);
                settings.push(Setting { path, ..setting.clone() });
            } else if !settings.contains(setting) {
                settings.push(setting.clone());
            }
        }
    }
}

/// Notes sections that several regions alone have.
pub(crate) fn check_alone(reader: &Reader<'_>) {
    for spec in [&section::global::SPEC, &section::control_plane::SPEC] {
        if reader.has_any(&[spec]) {
            let section = reader.section(spec);
            let title = format!("[{}] needs several regions", spec.name);
            section.error(&section, title, "write [[region]] for each of them, or leave it out");
        }
    }
    // Whatever stands there is no list of regions.
    section::read_regions_if_any(reader);
}
