//! Colours with a fixed meaning, light and dark. The hues are those of Okabe and Ito, which people
//! with any kind of colour vision can tell apart.

use super::ramp::{self, split};

/// Light or dark background.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Theme {
    /// Dark marks on white.
    #[default]
    Light,
    /// Light marks on near-black.
    Dark,
}

/// Red, green, blue.
pub type Rgb = (u8, u8, u8);

/// Defines the colour roles, and for each its light and its dark colour as 0xRRGGBB. Roles of one
/// light colour share a line, and so the dark one, because the style sheet knows roles by their
/// light colour.
macro_rules! roles {
    ($($($role:ident)|+ => ($light:literal, $dark:literal),)+) => {
        /// A colour role: what a mark stands for. The colour follows from it.
        #[allow(missing_docs)] // the names say it
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Role {
            $($($role,)+)+
            /// The n-th of several things compared.
            Compared(usize),
            /// A level of a heat map, from 0 for the least to [`Role::LEVELS`].
            Scale(u8),
            /// Text on that level.
            OnScale(u8),
        }

        impl Role {
            /// Every role with a colour of its own, but those of heat maps.
            const PLAIN: &[Role] = &[$($(Role::$role,)+)+];

            /// Light and dark, as 0xRRGGBB.
            fn pair(self) -> (u32, u32) {
                match self {
                    $($(Role::$role)|+ => ($light, $dark),)+
                    Role::Compared(index) => Role::compared(index).pair(),
                    Role::Scale(level) => ramp::pair(level),
                    Role::OnScale(level) => ramp::text(level),
                }
            }
        }
    };
}

roles! {
    Background => (0xFFFFFF, 0x0D1117),
    Text | Monitored => (0x1F242B, 0xE6E8EB),
    Muted => (0x5B6470, 0x9BA3AE),
    Grid => (0xE7E9EE, 0x262C34),
    Axis => (0xB9BFC9, 0x4A525D),
    Shade => (0xF2F3F6, 0x1A2028),
    Offered => (0x56606C, 0xB4BBC5),
    Capacity => (0xA9B0BB, 0x67707C),
    Run | Served | Cpu | Blue => (0x0072B2, 0x3FA2DB),
    During | Failure | Broken | Vermilion => (0xD55E00, 0xF07A22),
    Lost => (0x7A2E00, 0xFFC9A0),
    TimedOut => (0x6A51A3, 0xA08BDD),
    Median => (0x868BB5, 0x7F86B8),
    P95 => (0xC76FA1, 0xC76FA2),
    P99 => (0x8A2A66, 0xF7A6D3),
    Ready => (0x33B18F, 0x0F8F6C),
    Joining => (0xB5E2D5, 0x1F5647),
    Slow => (0xCC79A7, 0xA65B85),
    Starting => (0xE69F00, 0xD99A14),
    Unready => (0x9AA1AC, 0x6A727D),
    FaultText => (0xB04A00, 0xFF9A55),
    RecoveredText => (0x00755A, 0x37C9A4),
    Orange => (0xD08F00, 0xE6A620),
    Before | Green => (0x009E73, 0x1FB48A),
    Purple => (0xB7659A, 0xD78ABB),
    Sky => (0x4AA5DA, 0x6BC0F0),
}

impl Role {
    /// The highest level of a heat map.
    pub const LEVELS: u8 = ramp::LEVELS;

    /// Every role, for the style sheet.
    pub fn all() -> impl Iterator<Item = Role> {
        let levels = || 0..=Role::LEVELS;
        let scale = levels().map(Role::Scale).chain(levels().map(Role::OnScale));
        Role::PLAIN.iter().copied().chain(scale)
    }

    /// The role of the n-th of several things compared, by its colour.
    pub fn compared(index: usize) -> Role {
        use Role::{Blue, Green, Orange, Purple, Sky, Vermilion};
        [Blue, Vermilion, Green, Purple, Orange, Sky][index % 6]
    }

    /// The colour in a theme.
    pub fn colour(self, theme: Theme) -> Rgb {
        let (light, dark) = self.pair();
        split(if theme == Theme::Light { light } else { dark })
    }
}

/// A colour as SVG and CSS write it.
pub(crate) fn hex((red, green, blue): Rgb) -> String {
    format!("#{red:02X}{green:02X}{blue:02X}")
}

/// CSS rules that turn the light colours into dark ones where the reader prefers dark, on a medium
/// such as `screen and `.
pub(crate) fn dark_rules(medium: &str) -> String {
    let mut pairs: Vec<(u32, u32)> = Role::all().map(Role::pair).collect();
    pairs.sort_unstable();
    pairs.dedup();
    let rule = |(light, dark): (u32, u32)| {
        format!(
            "[fill=\"#{light:06X}\"]{{fill:#{dark:06X}}}\
             [stroke=\"#{light:06X}\"]{{stroke:#{dark:06X}}}"
        )
    };
    let rules: String = pairs.into_iter().map(rule).collect();
    format!("@media {medium}(prefers-color-scheme:dark){{{rules}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contrast(role: Role, theme: Theme) -> f64 {
        ramp::contrast(role.colour(theme), Role::Background.colour(theme))
    }

    #[test]
    fn text_reaches_the_contrast_that_the_accessibility_guidelines_ask_for() {
        for theme in [Theme::Light, Theme::Dark] {
            for role in [Role::Text, Role::Muted, Role::FaultText, Role::RecoveredText] {
                assert!(
                    contrast(role, theme) >= 4.5,
                    "{role:?} {theme:?}: {}",
                    contrast(role, theme)
                );
            }
        }
    }

    #[test]
    fn lines_stand_out_from_the_background() {
        let lines =
            [Role::Offered, Role::Served, Role::Median, Role::P95, Role::P99, Role::Failure];
        let bars = [Role::Lost, Role::TimedOut];
        for theme in [Theme::Light, Theme::Dark] {
            for role in lines.into_iter().chain(bars) {
                assert!(
                    contrast(role, theme) >= 3.0,
                    "{role:?} {theme:?}: {}",
                    contrast(role, theme)
                );
            }
        }
    }

    #[test]
    fn a_light_colour_has_one_dark_counterpart() {
        for a in Role::all() {
            for b in Role::all() {
                assert!(a.pair().0 != b.pair().0 || a.pair().1 == b.pair().1, "{a:?} {b:?}");
            }
        }
    }
}
