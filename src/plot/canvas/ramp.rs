//! The colours of heat maps: more of a quantity stands out more from the background, in either
//! theme. The colours are those of viridis (Smith and van der Walt 2015), whose steps look equally
//! large, also to people who do not tell red from green.

/// The highest level; the lowest is 0.
pub(crate) const LEVELS: u8 = 32;

/// Viridis from dark to bright.
const STOPS: [u32; 9] =
    [0x440154, 0x472D7B, 0x3B528B, 0x2C728E, 0x21918C, 0x28AE80, 0x5EC962, 0xADDC30, 0xFDE725];

/// The level of a share of the whole range; out of range is the end that it is beyond.
pub(crate) fn level(share: f64) -> u8 {
    (share.clamp(0.0, 1.0) * f64::from(LEVELS)).round() as u8
}

/// The colours of a level on a light and on a dark background, as 0xRRGGBB.
pub(crate) fn pair(level: u8) -> (u32, u32) {
    let level = level.min(LEVELS);
    (colour(LEVELS - level), colour(level))
}

/// The `step`-th colour from dark to bright.
fn colour(step: u8) -> u32 {
    let between = LEVELS / (STOPS.len() as u8 - 1);
    let below = usize::from(step / between);
    let above = (below + 1).min(STOPS.len() - 1);
    let part = f64::from(step % between) / f64::from(between);
    let (from, to) = (split(STOPS[below]), split(STOPS[above]));
    let mix = |a: u8, b: u8| (f64::from(a) + part * (f64::from(b) - f64::from(a))).round() as u32;
    mix(from.0, to.0) << 16 | mix(from.1, to.1) << 8 | mix(from.2, to.2)
}

/// Black or white, whichever is more legible on a level. A light colour must tell its dark
/// counterpart, so there are two blacks and two whites; no eye sees a difference.
pub(crate) fn text(level: u8) -> (u32, u32) {
    let bright = |colour: u32| luminance(split(colour)) > 0.18;
    let (light, dark) = pair(level);
    match (bright(light), bright(dark)) {
        (true, true) => (0x000001, 0x000001),
        (true, false) => (0x000002, 0xFFFFFE),
        (false, true) => (0xFFFFFE, 0x000001),
        (false, false) => (0xFFFFFD, 0xFFFFFD),
    }
}

/// Red, green and blue of 0xRRGGBB.
pub(crate) fn split(colour: u32) -> (u8, u8, u8) {
    ((colour >> 16) as u8, (colour >> 8) as u8, colour as u8)
}

/// How bright a colour looks, from 0 for black to 1 for white (WCAG 2).
fn luminance(colour: (u8, u8, u8)) -> f64 {
    let linear = |channel: u8| match f64::from(channel) / 255.0 {
        low if low <= 0.040_45 => low / 12.92,
        high => ((high + 0.055) / 1.055).powf(2.4),
    };
    0.2126 * linear(colour.0) + 0.7152 * linear(colour.1) + 0.0722 * linear(colour.2)
}

/// The contrast of two colours, from 1 to 21 (WCAG 2).
#[cfg(test)]
pub(crate) fn contrast(a: (u8, u8, u8), b: (u8, u8, u8)) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::theme::{Role, Theme};

    #[test]
    fn every_level_is_as_much_lighter_than_the_one_before() {
        let lightness = |step| 116.0 * luminance(split(colour(step))).cbrt() - 16.0;
        let steps: Vec<f64> = (1..=LEVELS).map(|i| lightness(i) - lightness(i - 1)).collect();
        assert!(steps.iter().all(|step| (2.0..3.3).contains(step)), "{steps:?}");
    }

    #[test]
    fn more_is_further_from_the_background() {
        for theme in [Theme::Light, Theme::Dark] {
            let background = Role::Background.colour(theme);
            let at = |level| contrast(Role::Scale(level).colour(theme), background);
            assert!((1..=LEVELS).all(|level| at(level) > at(level - 1)), "{theme:?}");
        }
    }

    #[test]
    fn text_is_legible_on_every_level_in_both_themes() {
        for theme in [Theme::Light, Theme::Dark] {
            for level in 0..=LEVELS {
                let text = Role::OnScale(level).colour(theme);
                let reached = contrast(text, Role::Scale(level).colour(theme));
                assert!(reached >= 4.5, "{level} {theme:?}: {reached}");
            }
        }
    }

    #[test]
    fn shares_beyond_the_range_have_the_level_of_its_end() {
        let shares = [-3.0, 0.0, 0.5, 1.0, f64::INFINITY];
        assert_eq!(shares.map(level), [0, 0, 16, 32, 32]);
    }
}
