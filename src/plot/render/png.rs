//! Figures as PNG. The bitmap back end does not smooth edges, so the picture is drawn three times
//! too large in each direction and every 3 × 3 pixels are averaged.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::surface::{PlotError, Surface};
use crate::plot::canvas::theme::Theme;
use crate::plot::canvas::{Figure, Point, Primitive, Role, Text, fonts};

/// Pixels of the file for each logical pixel.
const ZOOM: usize = 2;
/// Pixels drawn for each pixel of the file, in each direction.
const OVER: usize = 3;
/// Reach of the rim around text, in logical pixels.
const RIM: f64 = 1.5;

type Bitmap<'a, 'b> = Surface<'a, BitMapBackend<'b>>;

/// The figure as PNG, with two pixels for each logical one.
///
/// # Errors
/// If the back end refuses a mark or the encoder fails.
pub fn png(figure: &Figure, theme: Theme) -> Result<Vec<u8>, PlotError> {
    let (width, height) = figure.size();
    let (width, height) = (width.ceil() as usize * ZOOM, height.ceil() as usize * ZOOM);
    let large = paint(figure, theme, (width * OVER, height * OVER))?;
    encode(figure, &shrink(&large, width * OVER, height * OVER), width, height)
}

/// Red, green and blue of every pixel that is drawn.
fn paint(
    figure: &Figure,
    theme: Theme,
    (wide, high): (usize, usize),
) -> Result<Vec<u8>, PlotError> {
    let mut pixels = vec![0; wide * high * 3];
    let back_end = BitMapBackend::with_buffer(&mut pixels, (wide as u32, high as u32));
    let area = back_end.into_drawing_area();
    let surface = Surface { area: &area, scale: (ZOOM * OVER) as f64, theme };
    for primitive in figure.visible() {
        match &primitive {
            Primitive::Line { points, role, width } => line(&surface, points, *role, *width)?,
            Primitive::Text(text) => words(&surface, text)?,
            filled => surface.fill(filled)?,
        }
    }
    area.present()?;
    drop(area);
    Ok(pixels)
}

/// A thick line with a disc for each bend: the back end's own thick lines have ragged joints.
fn line(surface: &Bitmap, points: &[Point], role: Role, width: f64) -> Result<(), PlotError> {
    for ends in points.windows(2) {
        segment(surface, ends[0], ends[1], role, width / 2.0)?;
    }
    let radius = (width / 2.0 * surface.scale).floor().max(1.0) as u32;
    for bend in points.windows(3).filter(|ends| bends(ends)) {
        surface.draw(&Circle::new(surface.at(bend[1]), radius, surface.colour(role).filled()))?;
    }
    Ok(())
}

/// Whether a path turns at its middle point so that a gap would be seen: by a fair angle, or from
/// rather level to rather steep.
fn bends(ends: &[Point]) -> bool {
    let (a, b) = (direction(ends[0], ends[1]), direction(ends[1], ends[2]));
    let level = |way: Point| way.0.abs() >= way.1.abs();
    a.0 * b.0 + a.1 * b.1 < 0.98 || level(a) != level(b)
}

fn direction(from: Point, to: Point) -> Point {
    let length = (to.0 - from.0).hypot(to.1 - from.1).max(1e-9);
    ((to.0 - from.0) / length, (to.1 - from.1) / length)
}

/// A thick segment, column by column if it is rather level and row by row if it is rather steep.
/// The back end's polygons would leave seams between segments.
fn segment(surface: &Bitmap, a: Point, b: Point, role: Role, half: f64) -> Result<(), PlotError> {
    let level = (b.0 - a.0).abs() >= (b.1 - a.1).abs();
    let along = |point: Point| if level { point } else { (point.1, point.0) };
    let scaled = |point: Point| (point.0 * surface.scale, point.1 * surface.scale);
    let (mut from, mut to) = (scaled(along(a)), scaled(along(b)));
    if from.0 > to.0 {
        (from, to) = (to, from);
    }
    if to.0 - from.0 < 1e-6 {
        return Ok(());
    }
    let slope = (to.1 - from.1) / (to.0 - from.0);
    let thick = (2.0 * half * surface.scale * slope.hypot(1.0)).round().max(1.0);
    for column in from.0.round() as i32..=to.0.round() as i32 {
        let middle = from.1 + slope * (f64::from(column).clamp(from.0, to.0) - from.0);
        let low = (middle - thick / 2.0).round() as i32;
        let (next, high) = (column + 1, low + thick as i32);
        let corners =
            [(column, low), (next, high)].map(|(u, v)| if level { (u, v) } else { (v, u) });
        surface.draw(&Rectangle::new(corners, surface.colour(role).filled()))?;
    }
    Ok(())
}

/// Text, one character at a time: the back end loses the room that glyphs have on their left.
fn words(surface: &Bitmap, text: &Text) -> Result<(), PlotError> {
    if text.halo {
        for (dx, dy) in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)] {
            let reach = if dx != 0 && dy != 0 { RIM * 0.7 } else { RIM };
            glyphs(
                surface,
                text,
                (f64::from(dx) * reach, f64::from(dy) * reach),
                Role::Background,
            )?;
        }
    }
    glyphs(surface, text, (0.0, 0.0), text.role)
}

fn glyphs(surface: &Bitmap, text: &Text, offset: Point, role: Role) -> Result<(), PlotError> {
    let (placed, width) = fonts::place(&text.text, text.size, text.bold);
    let start = text.anchor.start(width);
    let weight = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    // The back end counts 1.24 em from the top of a line to its bottom, the baseline half way.
    let size = text.size * 1.24;
    let font = (fonts::FAMILY, size * surface.scale, weight).into_font();
    let style = font.color(&surface.colour(role)).pos(Pos::new(HPos::Left, VPos::Top));
    let origin = (text.at.0 + start + offset.0, text.at.1 - size / 2.0 + offset.1);
    for glyph in placed.iter().filter(|glyph| glyph.character != ' ') {
        let at = surface.at((origin.0 + glyph.left, origin.1));
        surface.area.draw_text(glyph.character.encode_utf8(&mut [0; 4]), &style, at)?;
    }
    Ok(())
}

/// Averages squares of pixels: the rows of a square are added up, then its columns.
fn shrink(large: &[u8], wide: usize, high: usize) -> Vec<u8> {
    let mut small = Vec::with_capacity(large.len() / (OVER * OVER));
    let mut sums = vec![0_u16; 3 * wide];
    for rows in large.chunks_exact(3 * wide * OVER).take(high / OVER) {
        sums.fill(0);
        for row in rows.chunks_exact(3 * wide) {
            sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += u16::from(*value));
        }
        sums.chunks_exact(3 * OVER).for_each(|square| small.extend_from_slice(&average(square)));
    }
    small
}

/// Red, green and blue of a square of pixels, given the sums of its columns.
fn average(square: &[u16]) -> [u8; 3] {
    const COUNT: u16 = (OVER * OVER) as u16;
    let mut sums = [COUNT / 2; 3];
    for column in square.chunks_exact(3) {
        sums.iter_mut().zip(column).for_each(|(sum, value)| *sum += value);
    }
    [sums[0] / COUNT, sums[1] / COUNT, sums[2] / COUNT].map(|value| value as u8)
}

fn encode(figure: &Figure, pixels: &[u8], w: usize, h: usize) -> Result<Vec<u8>, PlotError> {
    let mut bytes = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut bytes, w as u32, h as u32);
    encoder.set_color(::png::ColorType::Rgb);
    encoder.set_depth(::png::BitDepth::Eight);
    encoder.set_filter(::png::Filter::NoFilter);
    encoder.add_itxt_chunk("Title".to_owned(), figure.title.clone())?;
    encoder.add_itxt_chunk("Description".to_owned(), figure.alt.clone())?;
    // 96 logical pixels an inch, ZOOM times as many here.
    let per_metre = (96.0 * ZOOM as f64 / 0.0254) as u32;
    let unit = ::png::Unit::Meter;
    encoder.set_pixel_dims(Some(::png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::canvas::figure::tests::sample;

    #[test]
    fn the_picture_has_twice_the_logical_size_and_the_colours_of_its_theme() {
        for theme in [Theme::Light, Theme::Dark] {
            let figure = sample();
            let bytes = super::png(&figure, theme).unwrap();
            assert_eq!(bytes, super::png(&figure, theme).unwrap(), "the same bytes each time");
            let mut reader = ::png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
            let info = reader.info();
            assert_eq!(f64::from(info.width), figure.size().0 * 2.0);
            assert_eq!(f64::from(info.height), figure.size().1 * 2.0);
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let (red, green, blue) = Role::Background.colour(theme);
            assert_eq!(&pixels[..3], &[red, green, blue]);
            let ready = Role::Ready.colour(theme);
            let inside = (160 * 800 + 340) * 3;
            assert_eq!((pixels[inside], pixels[inside + 1], pixels[inside + 2]), ready);
        }
    }

    #[test]
    fn shrinking_averages() {
        let mut large = vec![0_u8; 6 * 3 * 3];
        large[..3 * 3].fill(90);
        assert_eq!(shrink(&large, 6, 3), [30, 30, 30, 0, 0, 0]);
    }

    #[test]
    fn thick_lines_have_no_seams() {
        let (mut figure, _) = Figure::new(100.0, "", "");
        figure.height = 100.0;
        let arc = |i: u32| {
            let angle = f64::from(i) * std::f64::consts::FRAC_PI_2 / 60.0;
            (10.0 + 80.0 * angle.sin(), 90.0 - 80.0 * angle.cos())
        };
        figure.line((0..=60).map(arc).collect(), Role::Text, 2.2);
        let size = 100 * ZOOM * OVER;
        let pixels = paint(&figure, Theme::Light, (size, size)).unwrap();
        let scale = (ZOOM * OVER) as f64;
        for i in 0..2_000 {
            let angle = f64::from(i) * std::f64::consts::FRAC_PI_2 / 2_000.0;
            for radius in [79.3, 80.0, 80.7] {
                let x = ((10.0 + radius * angle.sin()) * scale) as usize;
                let y = ((90.0 - radius * angle.cos()) * scale) as usize;
                assert!(pixels[(y * size + x) * 3] < 100, "a seam at step {i}");
            }
        }
    }
}
