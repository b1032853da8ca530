//! The embedded typeface: measuring text, and handing it to the back ends.

use ab_glyph::{Font, FontRef, ScaleFont};
use plotters::style::{FontStyle, register_font};
use std::sync::LazyLock;

/// Name of the typeface, and what replaces it where an SVG is shown without its style sheet.
pub(crate) const FAMILY: &str = "Inter, Helvetica Neue, Arial, sans-serif";

static REGULAR: &[u8] = include_bytes!("../../../assets/Inter-Regular.ttf");
static SEMI_BOLD: &[u8] = include_bytes!("../../../assets/Inter-SemiBold.ttf");
static WEB_REGULAR: &[u8] = include_bytes!("../../../assets/Inter-Regular.woff2");
static WEB_SEMI_BOLD: &[u8] = include_bytes!("../../../assets/Inter-SemiBold.woff2");

/// Regular and semi-bold, once parsed and known to the plotting library.
static FACES: LazyLock<Option<[FontRef<'static>; 2]>> = LazyLock::new(|| {
    register_font(FAMILY, FontStyle::Normal, REGULAR).ok()?;
    register_font(FAMILY, FontStyle::Bold, SEMI_BOLD).ok()?;
    Some([FontRef::try_from_slice(REGULAR).ok()?, FontRef::try_from_slice(SEMI_BOLD).ok()?])
});

/// A character placed on its line: where its glyph starts.
pub(crate) struct Placed {
    /// The character.
    pub(crate) character: char,
    /// Left edge of its glyph, from the start of the text.
    pub(crate) left: f64,
}

/// Places the characters of `text` at `size` pixels per em; also gives the width of the whole.
pub(crate) fn place(text: &str, size: f64, bold: bool) -> (Vec<Placed>, f64) {
    let Some(faces) = &*FACES else {
        return (Vec::new(), 0.6 * size * text.chars().count() as f64);
    };
    let face = &faces[usize::from(bold)];
    let per_em = f64::from(face.units_per_em().unwrap_or(2048.0));
    let unscaled = face.as_scaled(face.height_unscaled());
    let mut pen = 0.0;
    let mut placed = Vec::new();
    for character in text.chars() {
        let glyph = unscaled.glyph_id(character);
        let bearing = f64::from(unscaled.h_side_bearing(glyph));
        placed.push(Placed { character, left: pen + bearing * size / per_em });
        pen += f64::from(unscaled.h_advance(glyph)) * size / per_em;
    }
    (placed, pen)
}

/// Width of `text` at `size` pixels per em.
pub(crate) fn width(text: &str, size: f64, bold: bool) -> f64 {
    place(text, size, bold).1
}

/// Shortens `text` with an ellipsis until it is no wider than `room`.
pub(crate) fn fit(text: &str, size: f64, bold: bool, room: f64) -> String {
    if width(text, size, bold) <= room {
        return text.to_owned();
    }
    let characters: Vec<char> = text.chars().collect();
    let shortened = (0..characters.len()).rev().map(|length| {
        let kept: String = characters[..length].iter().collect();
        format!("{}…", kept.trim_end())
    });
    shortened.into_iter().find(|text| width(text, size, bold) <= room).unwrap_or_default()
}

/// `text` as the typeface can show it, shortened to `room`.
pub(crate) fn shorten(text: &str, size: f64, room: f64) -> String {
    // No chart has room for more, and measuring again and again takes its time.
    let start: String = text.chars().take(400).collect();
    fit(&spell(&start), size, false, room)
}

/// The end of `text` that has this room: what tells names apart that begin alike.
pub(crate) fn fit_end(text: &str, size: f64, room: f64) -> String {
    let all = spell(text);
    if width(&all, size, false) <= room {
        return all;
    }
    let ends = all.char_indices().skip(1).map(|(at, _)| format!("…{}", &all[at..]));
    ends.into_iter().find(|end| width(end, size, false) <= room).unwrap_or_default()
}

/// The width of the widest of `texts` as the typeface can show them, or `least`.
pub(crate) fn widest<'a>(
    texts: impl IntoIterator<Item = &'a String>,
    size: f64,
    least: f64,
) -> f64 {
    texts.into_iter().map(|text| width(&spell(text), size, false)).fold(least, f64::max)
}

/// Breaks `text` between words into at most `lines` lines of width `room`, of much the same length;
/// if it is too long, the last ends in "…".
pub(crate) fn wrap(text: &str, size: f64, bold: bool, room: f64, lines: usize) -> Vec<String> {
    let greedy = fill(text, size, bold, room, lines);
    let narrower = (1..=40).map(|step| room * (1.0 - 0.0125 * f64::from(step)));
    let tries = narrower.map(|room| fill(text, size, bold, room, lines));
    let whole = |broken: &Vec<String>| broken.len() == greedy.len() && !cut(broken);
    tries.take_while(whole).last().filter(|_| !cut(&greedy)).unwrap_or(greedy)
}

fn cut(broken: &[String]) -> bool {
    broken.iter().any(|line| line.ends_with('…'))
}

/// Breaks `text` between words, each line as long as `room` allows.
fn fill(text: &str, size: f64, bold: bool, room: f64, lines: usize) -> Vec<String> {
    let mut broken: Vec<String> = vec![String::new()];
    for word in text.split_whitespace() {
        let full = broken.len() == lines;
        let line = broken.last_mut().expect("never empty");
        let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if full || line.is_empty() || width(&longer, size, bold) <= room {
            *line = longer;
        } else {
            broken.push(word.to_owned());
        }
    }
    broken.iter().map(|line| fit(line, size, bold, room)).collect()
}

/// Replaces characters that the embedded typeface lacks by words or signs that it has.
pub(crate) fn spell(text: &str) -> String {
    let mut spelled = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '≤' => spelled.push_str("<="),
            '≥' => spelled.push_str(">="),
            '≈' => spelled.push('~'),
            '→' => spelled.push_str("->"),
            '✓' => spelled.push_str("met"),
            '✗' => spelled.push_str("missed"),
            '\u{202f}' | '\u{2009}' => spelled.push('\u{a0}'),
            control if control.is_control() => spelled.push(' '),
            other => spelled.push(other),
        }
    }
    spelled
}

/// CSS that carries the typeface inside the document.
pub(crate) fn face_rules() -> String {
    let rule = |weight: u32, data: &[u8]| {
        format!(
            "@font-face{{font-family:Inter;font-weight:{weight};\
             src:url(data:font/woff2;base64,{})}}",
            base64(data)
        )
    };
    rule(400, WEB_REGULAR) + &rule(600, WEB_SEMI_BOLD)
}

fn base64(data: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let byte = |i: usize| u32::from(*group.get(i).unwrap_or(&0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place)) as usize & 63];
            text.push(if place > group.len() { '=' } else { char::from(digit) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_agrees_with_the_standard_vectors() {
        let vectors =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain.as_bytes()), encoded);
        }
    }

    #[test]
    fn both_faces_load_and_know_the_characters_that_charts_use() {
        let faces = FACES.as_ref().expect("the embedded faces are sound");
        for face in faces {
            for character in "09 AZaz%/×–—…·µ".chars() {
                assert_ne!(face.glyph_id(character).0, 0, "{character}");
            }
        }
    }

    #[test]
    fn widths_are_those_of_the_typeface() {
        let ten = width("0000000000", 10.0, false);
        assert!((55.0..70.0).contains(&ten), "{ten}");
        assert!(width("mm", 12.0, true) > width("ii", 12.0, true) * 2.0);
    }

    #[test]
    fn text_is_shortened_and_wrapped_to_the_room_there_is() {
        let long = "one replica of three is lost and the others carry on";
        assert!(width(&fit(long, 12.0, false, 100.0), 12.0, false) <= 100.0);
        assert_eq!(fit("short", 12.0, false, 100.0), "short");
        let lines = wrap(long, 12.0, false, 120.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…'), "{lines:?}");
        let lines = wrap(long, 12.0, false, 270.0, 2);
        let widths: Vec<f64> = lines.iter().map(|line| width(line, 12.0, false)).collect();
        assert!(widths.len() == 2 && (widths[0] - widths[1]).abs() < 50.0, "{lines:?}");
    }

    #[test]
    fn long_names_are_shortened_to_their_room() {
        assert_eq!(shorten("p99 ≤ 250ms", 12.0, 200.0), "p99 <= 250ms");
        let name = shorten(&"very ".repeat(100_000), 12.0, 80.0);
        assert!(name.ends_with('…') && width(&name, 12.0, false) <= 80.0);
    }
}
