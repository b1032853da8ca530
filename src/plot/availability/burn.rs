//! What fails requests: a bar for each cause, over the error budget if there is one.

use crate::plot::canvas::fonts::{fit, width};
use crate::plot::canvas::{Anchor, Figure, LABEL, MARGIN, Role, SMALL, WIDTH};

/// What the chart of causes shows.
#[derive(Clone, Debug)]
pub struct BurnInput<'a> {
    /// The finding.
    pub title: &'a str,
    /// What the bars are shares of.
    pub subtitle: &'a str,
    /// The causes from the top, each with its share and what is said of it.
    pub causes: Vec<(String, f64, String)>,
}

const PITCH: f64 = 26.0;
const NAMES: f64 = 190.0;

/// Lays out the chart of causes.
pub fn burn(input: &BurnInput) -> Figure {
    let (mut figure, head) = Figure::new(WIDTH, input.title, input.subtitle);
    let top = head + 12.0;
    figure.height = top + PITCH * input.causes.len().max(1) as f64 + 18.0;
    let most = input.causes.iter().map(|(_, share, _)| *share).fold(0.0, f64::max);
    let said = input.causes.iter().map(|(.., said)| width(said, SMALL, false)).fold(0.0, f64::max);
    let (left, right) = (MARGIN + NAMES, WIDTH - MARGIN - said - 10.0);
    figure.alt = format!("{}: ", input.subtitle);
    for (index, (name, share, said)) in input.causes.iter().enumerate() {
        let y = top + PITCH * index as f64;
        let part = if most > 0.0 { share / most } else { 0.0 };
        let end = left + part * (right - left);
        let name = fit(name, LABEL, false, NAMES - 12.0);
        figure.text((left - 10.0, y + 14.0), &name, Anchor::End, Role::Text, LABEL);
        figure.block((left, y + 3.0), (end.max(left + 1.0), y + 19.0), Role::Failure, 1.0);
        figure.remark((end.max(left + 1.0) + 8.0, y + 14.0), said);
        figure.alt += &format!("{name} {said}. ");
    }
    figure.upright(left, (top, top + PITCH * input.causes.len() as f64), Role::Axis, 1.0);
    figure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::tests::{assert_tells, blocks, find};

    #[test]
    fn bars_are_as_long_as_their_shares() {
        let cause = |name: &str, share: f64| (name.to_owned(), share, format!("{share} of it"));
        let causes = vec![cause("node", 0.5), cause("crash", 0.25), cause("zone", 0.0)];
        let figure = burn(&BurnInput { title: "t", subtitle: "shares", causes });
        let bars = blocks(&figure, Role::Failure);
        let length = |index: usize| bars[index].right - bars[index].left;
        assert!((length(0) / length(1) - 2.0).abs() < 1e-9 && length(2) == 1.0);
        assert!(find(&figure, "crash").is_some_and(|at| at.1 > bars[1].top));
        assert_tells(&figure, &["node 0.5 of it"]);
    }
}
