//! Tests of the heat map.

use super::*;
use crate::plot::canvas::Primitive;
use crate::plot::layout::Rect;
use crate::plot::tests::{assert_sound, assert_tells, blocks, count, count_texts, find};
use proptest::prelude::*;

fn cell(value: f64, verdict: Overall) -> HeatmapCell {
    HeatmapCell { value: Some(value), text: format!("{value} ms"), verdict }
}

fn input(columns: usize, rows: usize, cells: Vec<HeatmapCell>) -> HeatmapInput<'static> {
    HeatmapInput {
        title: "Title",
        subtitle: "Sample",
        x_label: "load (requests/s)",
        x: (1..=columns).map(|i| format!("{}", 100 * i)).collect(),
        y_label: "replicas",
        y: (1..=rows).map(|j| format!("{j}")).collect(),
        quantity: "p99 latency",
        cells,
        log: true,
    }
}

/// Three loads with one replica (below) and two.
fn six() -> HeatmapInput<'static> {
    use Overall::{Met, Missed, Undecided};
    let cells =
        [(10.0, Met), (40.0, Missed), (160.0, Missed), (10.0, Met), (20.0, Met), (40.0, Undecided)];
    input(3, 2, cells.map(|(value, verdict)| cell(value, verdict)).into())
}

/// How many lines the crosses have.
fn crosses(figure: &Figure) -> usize {
    figure.shapes.iter().filter(|mark| matches!(mark, Primitive::Line { .. })).count()
}

/// The level of the cell that holds a place.
fn level_at(figure: &Figure, at: Point) -> u8 {
    let holds = |level: &u8| {
        let at = Rect::around(at, 1.0);
        blocks(figure, Role::Scale(*level)).iter().any(|block| block.holds(&at))
    };
    (0..=Role::LEVELS).find(holds).expect("a cell is there")
}

#[test]
fn cells_lie_at_their_settings_from_the_lower_left() {
    let figure = heatmap(&six());
    let below = |name| find(&figure, name).unwrap().0;
    let beside = |name| find(&figure, name).unwrap().1;
    let at = |x, y| level_at(&figure, (below(x), beside(y) - 10.0));
    assert_eq!([at("100", "1"), at("200", "1"), at("300", "1")], [0, 16, 32]);
    assert_eq!([at("100", "2"), at("200", "2"), at("300", "2")], [0, 8, 16]);
    assert!(beside("2") < beside("1"));
    let text = find(&figure, "160 ms").unwrap();
    assert!((text.0 - below("300")).abs() < 1e-6 && (text.1 - beside("1")).abs() < 2.0);
    assert_sound(&figure);
}

#[test]
fn colours_are_spread_evenly_over_values_or_over_factors() {
    let mut input = six();
    input.cells[1] = cell(85.0, Overall::Missed);
    input.log = false;
    let colours = HeatScale::of(&input);
    assert_eq!([10.0, 85.0, 160.0].map(|value| colours.level(value)), [0, 16, 32]);
    input.log = true;
    input.cells[0].value = Some(0.0);
    let colours = HeatScale::of(&input);
    assert_eq!([0.0, 10.0, 40.0, 160.0].map(|value| colours.level(value)), [0, 0, 16, 32]);
}

#[test]
fn the_bar_is_labelled_with_words_of_cells_at_their_values() {
    let input = six();
    let named = HeatScale::of(&input).named(&input, 200.0);
    let shares: Vec<(f64, &str)> =
        named.iter().map(|(share, text)| ((share * 100.0).round(), *text)).collect();
    assert_eq!(shares, [(0.0, "10 ms"), (100.0, "160 ms"), (50.0, "40 ms"), (25.0, "20 ms")]);
    assert_eq!(HeatScale::of(&input).named(&input, 60.0).len(), 3);
}

#[test]
fn verdicts_are_marked_and_the_edge_of_the_met_region_is_drawn() {
    let figure = heatmap(&six());
    let crosses = crosses(&figure);
    assert_eq!(crosses, 2 * 2 + 2, "two cells and the key");
    assert_eq!(count(&figure, "?"), 2, "one cell and the key");
    // One side of the first column below, one between rows, one side above; and the key.
    assert_eq!(blocks(&figure, Role::Text).len(), 3 + 1);
    for words in ["an objective is missed", "undecided", "edge of where all objectives are met"] {
        assert!(find(&figure, words).is_some(), "{words}");
    }
    assert!(find(&figure, "no data").is_none());
}

#[test]
fn cells_without_data_are_grey_and_said_so() {
    let mut input = six();
    input.cells[1].value = Some(f64::NAN);
    (input.cells[2].value, input.cells[2].text) = (None, String::new());
    input.cells.truncate(5);
    let figure = heatmap(&input);
    assert_eq!(blocks(&figure, Role::Grid).len(), 3 + 1, "three cells and the key");
    assert!(find(&figure, "no data").is_some() && find(&figure, "–").is_some());
    assert!(figure.alt.contains("no data, objective missed at 300"), "{}", figure.alt);
    assert!(figure.alt.contains("no data at 300."), "{}", figure.alt);
    assert_sound(&figure);
}

#[test]
fn the_words_tell_every_cell() {
    assert_tells(
        &heatmap(&six()),
        &[
            "Heat map of p99 latency by load (requests/s) and replicas.",
            " With replicas 1: 10 ms, objectives met at 100; 40 ms, objective missed at 200;",
            " 40 ms, undecided at 300.",
        ],
    );
    let many = (0..1_000).map(|i| cell(f64::from(i), Overall::Met)).collect();
    let alt = heatmap(&input(50, 20, many)).alt;
    let row =
        " With replicas 2: from 50 ms to 99 ms, objectives met in 50 of 50 cells, missed in 0.";
    assert!(alt.contains(row), "{alt}");
}

#[test]
fn text_is_left_out_where_it_does_not_fit() {
    let many = |columns: usize, rows: usize| {
        let cells = (0..columns * rows).map(|i| cell(1.0 + i as f64, Overall::Missed));
        heatmap(&input(columns, rows, cells.collect()))
    };
    assert!(find(&many(8, 8), "1 ms").is_some());
    let written = |figure: &Figure| count_texts(figure, |text| text.ends_with("ms"));
    assert!(written(&many(40, 30)) <= 5, "only the bar has words");
    assert_sound(&many(8, 8));
    assert_sound(&many(40, 30));
    let huge = many(300, 200);
    let crosses = crosses(&huge);
    assert!((200..9_000).contains(&crosses), "every few cells have a cross: {crosses}");
    assert!(find(&huge, "180 columns and 100 rows are not drawn").is_some());
    assert_sound(&huge);
}

#[test]
fn no_cell_one_cell_and_equal_cells_are_drawn() {
    assert_sound(&heatmap(&input(0, 0, vec![])));
    assert_sound(&heatmap(&input(3, 0, vec![])));
    assert!(find(&heatmap(&input(0, 3, vec![])), "no combination of settings").is_some());
    assert_sound(&heatmap(&input(2, 2, vec![])));
    assert_sound(&heatmap(&input(1, 1, vec![cell(5.0, Overall::NoObjectives)])));
    let ends = [f64::MIN_POSITIVE, 1e300, -1e300, f64::MAX].map(|v| cell(v, Overall::Met));
    assert_sound(&heatmap(&input(2, 2, ends.clone().into())));
    assert_sound(&heatmap(&HeatmapInput { log: false, ..input(2, 2, ends.into()) }));
    let equal = heatmap(&input(2, 2, vec![cell(5.0, Overall::Met); 4]));
    assert_eq!(blocks(&equal, Role::Scale(16)).len(), 4 + 1, "the cells and the bar");
    assert_sound(&equal);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_values_make_a_sound_picture(
        (columns, rows, log) in (0..30_usize, 0..30_usize, any::<bool>()),
        values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 0..900),
        text in "[a-z0-9. ]{0,12}", name in "[a-z]{8}[a-z ]{0,82}", label in "[a-z]{4}[a-z ]{0,86}",
        verdict in 0..4_usize
    ) {
        use Overall::{Met, Missed, NoObjectives, Undecided};
        let verdicts = [Met, Missed, NoObjectives, Undecided];
        let cells = values.into_iter().enumerate().map(|(index, value)| {
            HeatmapCell { value, text: text.clone(), verdict: verdicts[(index + verdict) % 4] }
        });
        let plain = input(columns, rows, cells.collect());
        let mut input = HeatmapInput { x_label: &name, y_label: &label, quantity: &name, ..plain };
        input.x.iter_mut().chain(&mut input.y).for_each(|other| *other += &name);
        input.log = log;
        assert_sound(&heatmap(&input));
    }
}
