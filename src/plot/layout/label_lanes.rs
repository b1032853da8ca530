//! Where labels go so that none covers another or is crossed by a rule.

/// A label that starts at its rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Flag {
    /// Where the rule is.
    pub(crate) x: f64,
    /// Room that the label takes to the right of it.
    pub(crate) width: f64,
}

/// Lanes for flags: 0 is the lowest. A rule reaches up to the lane of its label, so a label lies
/// above every rule that it would meet. `None` where more than `most` lanes were needed.
pub(crate) fn lanes(flags: &[Flag], most: usize) -> Vec<Option<usize>> {
    let mut order: Vec<usize> = (0..flags.len()).collect();
    order.sort_by(|a, b| flags[*b].x.total_cmp(&flags[*a].x).then(b.cmp(a)));
    let mut lanes = vec![None; flags.len()];
    let mut placed: Vec<(f64, usize)> = Vec::new();
    for index in order {
        let flag = flags[index];
        let met = placed.iter().filter(|(x, _)| *x < flag.x + flag.width).map(|(_, lane)| lane + 1);
        let lane = met.max().unwrap_or(0);
        if lane < most {
            lanes[index] = Some(lane);
            placed.push((flag.x, lane));
        }
    }
    lanes
}

/// Moves positions apart until they are `gap` from each other and between `low` and `high`, each as
/// little as possible. The result is in the order of the input.
pub(crate) fn spread(wanted: &[f64], gap: f64, low: f64, high: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by(|a, b| wanted[*a].total_cmp(&wanted[*b]));
    let mut groups: Vec<(f64, usize)> = Vec::new();
    for (rank, index) in order.iter().enumerate() {
        groups.push((wanted[*index] - gap * rank as f64, 1));
        while let [.., a, b] = groups[..]
            && a.0 > b.0
        {
            let size = a.1 + b.1;
            let mean = (a.0 * a.1 as f64 + b.0 * b.1 as f64) / size as f64;
            groups.truncate(groups.len() - 2);
            groups.push((mean, size));
        }
    }
    let ceiling = (high - gap * wanted.len().saturating_sub(1) as f64).max(low);
    let moved = groups.iter().flat_map(|group| std::iter::repeat_n(group.0, group.1));
    let mut places = vec![0.0; wanted.len()];
    for (rank, (index, place)) in order.iter().zip(moved).enumerate() {
        places[*index] = place.clamp(low, ceiling) + gap * rank as f64;
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_label_climbs_over_the_rules_to_its_right() {
        let flags = [(100.0, 60.0), (130.0, 60.0), (300.0, 60.0)];
        let flags = flags.map(|(x, width)| Flag { x, width });
        assert_eq!(lanes(&flags, 4), [Some(1), Some(0), Some(0)]);
        assert_eq!(lanes(&flags, 1), [None, Some(0), Some(0)]);
    }

    #[test]
    fn close_positions_part_symmetrically() {
        assert_eq!(spread(&[50.0, 50.0], 10.0, 0.0, 100.0), [45.0, 55.0]);
        assert_eq!(spread(&[99.0, 10.0], 10.0, 0.0, 95.0), [95.0, 10.0]);
        assert!(spread(&[], 10.0, 0.0, 1.0).is_empty());
    }

    proptest! {
        #[test]
        fn labels_meet_neither_labels_nor_rules(
            raw in prop::collection::vec((0.0..700.0_f64, 10.0..150.0_f64), 0..30),
            most in 1..6_usize
        ) {
            let flag = |(x, width): &(f64, f64)| Flag { x: *x, width: *width };
            let flags: Vec<Flag> = raw.iter().map(flag).collect();
            let lanes = lanes(&flags, most);
            for (i, a) in flags.iter().enumerate() {
                for (j, b) in flags.iter().enumerate() {
                    let (Some(here), Some(there)) = (lanes[i], lanes[j]) else { continue };
                    let inside = a.x <= b.x && b.x < a.x + a.width;
                    prop_assert!(i == j || !inside || there < here, "{flags:?} {lanes:?}");
                }
            }
        }

        #[test]
        fn spread_positions_keep_their_distance(
            wanted in prop::collection::vec(-50.0..250.0_f64, 0..8)
        ) {
            let mut places = spread(&wanted, 14.0, 0.0, 200.0);
            places.sort_by(f64::total_cmp);
            prop_assert!(places.windows(2).all(|pair| pair[1] - pair[0] >= 14.0 - 1e-9));
            prop_assert!(places.iter().all(|place| (-1e-9..=200.0 + 1e-9).contains(place)));
        }
    }
}
