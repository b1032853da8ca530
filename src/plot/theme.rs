//! Colours with a fixed meaning, light and dark. The hues are those of Okabe and Ito, which people
//! with any kind of colour vision can tell apart.

use super::ramp::{self, split};

/// Light or dark background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark ink on white.
    #[default]
    Light,
    /// Light ink on near-black.
    Dark,
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// What a mark stands for. The colour follows from it.
#[allow(missing_docs)] // the names say it
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ink {
    Background,
    Text,
    Muted,
    Grid,
    Axis,
    Shade,
    Offered,
    Served,
    Capacity,
    Failure,
    Lost,
    TimedOut,
    Median,
    P95,
    P99,
    Cpu,
    Monitored,
    Ready,
    Joining,
    Slow,
    Starting,
    Broken,
    Unready,
    FaultText,
    RecoveredText,
    Blue,
    Orange,
    Green,
    Vermilion,
    Purple,
    Sky,
    /// A level of a heat map, from 0 for the least to [`Ink::LEVELS`].
    Scale(u8),
    /// Text on that level.
    OnScale(u8),
}

impl Ink {
    /// The highest level of a heat map.
    pub const LEVELS: u8 = ramp::LEVELS;

    /// Every ink but those of heat maps.
    const PLAIN: [Ink; 31] = [
        Ink::Background,
        Ink::Text,
        Ink::Muted,
        Ink::Grid,
        Ink::Axis,
        Ink::Shade,
        Ink::Offered,
        Ink::Served,
        Ink::Capacity,
        Ink::Failure,
        Ink::Lost,
        Ink::TimedOut,
        Ink::Median,
        Ink::P95,
        Ink::P99,
        Ink::Cpu,
        Ink::Monitored,
        Ink::Ready,
        Ink::Joining,
        Ink::Slow,
        Ink::Starting,
        Ink::Broken,
        Ink::Unready,
        Ink::FaultText,
        Ink::RecoveredText,
        Ink::Blue,
        Ink::Orange,
        Ink::Green,
        Ink::Vermilion,
        Ink::Purple,
        Ink::Sky,
    ];

    /// Every ink, for the style sheet.
    pub fn all() -> impl Iterator<Item = Ink> {
        let levels = || 0..=Ink::LEVELS;
        let scale = levels().map(Ink::Scale).chain(levels().map(Ink::OnScale));
        Ink::PLAIN.into_iter().chain(scale)
    }

    /// The ink of the n-th of several things compared.
    pub fn compared(index: usize) -> Ink {
        const COMPARED: [Ink; 6] =
            [Ink::Blue, Ink::Vermilion, Ink::Green, Ink::Purple, Ink::Orange, Ink::Sky];
        COMPARED[index % COMPARED.len()]
    }

    /// The colour in a theme.
    pub fn colour(self, theme: Theme) -> Rgb {
        let (light, dark) = self.pair();
        match theme {
            Theme::Light => split(light),
            Theme::Dark => split(dark),
        }
    }

    /// Light and dark, as 0xRRGGBB. Inks of one light colour share the dark one, because the style
    /// sheet knows inks by their light colour.
    fn pair(self) -> (u32, u32) {
        match self {
            Ink::Background => (0xFFFFFF, 0x0D1117),
            Ink::Text | Ink::Monitored => (0x1F242B, 0xE6E8EB),
            Ink::Muted => (0x5B6470, 0x9BA3AE),
            Ink::Grid => (0xE7E9EE, 0x262C34),
            Ink::Axis => (0xB9BFC9, 0x4A525D),
            Ink::Shade => (0xF2F3F6, 0x1A2028),
            Ink::Offered => (0x56606C, 0xB4BBC5),
            Ink::Capacity => (0xA9B0BB, 0x67707C),
            Ink::Served | Ink::Cpu | Ink::Blue => (0x0072B2, 0x3FA2DB),
            Ink::Failure | Ink::Broken | Ink::Vermilion => (0xD55E00, 0xF07A22),
            Ink::Lost => (0x7A2E00, 0xFFC9A0),
            Ink::TimedOut => (0x6A51A3, 0xA08BDD),
            Ink::Median => (0x868BB5, 0x7F86B8),
            Ink::P95 => (0xC76FA1, 0xC76FA2),
            Ink::P99 => (0x8A2A66, 0xF7A6D3),
            Ink::Ready => (0x33B18F, 0x0F8F6C),
            Ink::Joining => (0xB5E2D5, 0x1F5647),
            Ink::Slow => (0xCC79A7, 0xA65B85),
            Ink::Starting => (0xE69F00, 0xD99A14),
            Ink::Unready => (0x9AA1AC, 0x6A727D),
            Ink::FaultText => (0xB04A00, 0xFF9A55),
            Ink::RecoveredText => (0x00755A, 0x37C9A4),
            Ink::Orange => (0xD08F00, 0xE6A620),
            Ink::Green => (0x009E73, 0x1FB48A),
            Ink::Purple => (0xB7659A, 0xD78ABB),
            Ink::Sky => (0x4AA5DA, 0x6BC0F0),
            Ink::Scale(level) => ramp::pair(level),
            Ink::OnScale(level) => ramp::text(level),
        }
    }
}

/// CSS rules that turn the light colours into dark ones where the reader prefers dark.
pub(crate) fn dark_rules() -> String {
    let mut pairs: Vec<(u32, u32)> = Ink::all().map(Ink::pair).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let rule = |(light, dark): (u32, u32)| {
        format!(
            "[fill=\"#{light:06X}\"]{{fill:#{dark:06X}}}\
             [stroke=\"#{light:06X}\"]{{stroke:#{dark:06X}}}"
        )
    };
    let rules: String = pairs.into_iter().map(rule).collect();
    format!("@media (prefers-color-scheme:dark){{{rules}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(ink: Ink, theme: Theme) -> f64 {
        ramp::contrast(ink.colour(theme), Ink::Background.colour(theme))
    }

    #[test]
    fn text_reaches_the_contrast_that_the_accessibility_guidelines_ask_for() {
        for theme in [Theme::Light, Theme::Dark] {
            for ink in [Ink::Text, Ink::Muted, Ink::FaultText, Ink::RecoveredText] {
                assert!(contrast(ink, theme) >= 4.5, "{ink:?} {theme:?}: {}", contrast(ink, theme));
            }
        }
    }

    #[test]
    fn lines_stand_out_from_the_background() {
        let lines = [Ink::Offered, Ink::Served, Ink::Median, Ink::P95, Ink::P99, Ink::Failure];
        let bars = [Ink::Lost, Ink::TimedOut];
        for theme in [Theme::Light, Theme::Dark] {
            for ink in lines.into_iter().chain(bars) {
                assert!(contrast(ink, theme) >= 3.0, "{ink:?} {theme:?}: {}", contrast(ink, theme));
            }
        }
    }

    #[test]
    fn a_light_colour_has_one_dark_counterpart() {
        for a in Ink::all() {
            for b in Ink::all() {
                assert!(a.pair().0 != b.pair().0 || a.pair().1 == b.pair().1, "{a:?} {b:?}");
            }
        }
    }
}
