//! Figures as PNG. The bitmap back end does not smooth edges, so the picture is drawn three times
//! too large in each direction and every 3 × 3 pixels are averaged.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::error::PlotError;
use super::figure::{Anchor, Figure, Point, Shape, Text};
use super::fonts;
use super::stage::{Stage, drawable};
use super::theme::{Ink, Theme};

/// Pixels of the file for each logical pixel.
const ZOOM: usize = 2;
/// Pixels drawn for each pixel of the file, in each direction.
const OVER: usize = 3;
/// Reach of the rim around text, in logical pixels.
const RIM: f64 = 1.5;

/// The figure in `theme`, encoded.
pub(super) fn encoded(figure: &Figure, theme: Theme) -> Result<Vec<u8>, PlotError> {
    let (width, height) = (figure.width.ceil() as usize, figure.height.ceil() as usize);
    let (wide, high) = (width * ZOOM * OVER, height * ZOOM * OVER);
    let mut large = vec![0; wide * high * 3];
    paint(figure, theme, &mut large, (wide as u32, high as u32))?;
    let small = shrink(&large, wide, high);
    encode(figure, &small, width * ZOOM, height * ZOOM)
}

fn paint(
    figure: &Figure,
    theme: Theme,
    pixels: &mut [u8],
    size: (u32, u32),
) -> Result<(), PlotError> {
    let area = BitMapBackend::with_buffer(pixels, size).into_drawing_area();
    let stage = Stage { area: &area, scale: (ZOOM * OVER) as f64, theme };
    stage.block([(0.0, 0.0), (figure.width, figure.height)], Ink::Background, 1.0)?;
    for shape in figure.shapes.iter().filter(|shape| drawable(shape)) {
        mark(&stage, shape)?;
    }
    area.present().map_err(|error| PlotError::Drawing(error.to_string()))
}

fn mark<DB: DrawingBackend>(stage: &Stage<DB>, shape: &Shape) -> Result<(), PlotError> {
    match shape {
        Shape::Line { points, ink, width } => line(stage, points, *ink, *width),
        Shape::Fill { points, ink, opacity } => stage.fill(points, *ink, *opacity),
        Shape::Block { from, to, ink, opacity } => stage.block([*from, *to], *ink, *opacity),
        Shape::Text(text) => words(stage, text),
    }
}

/// A thick line with a disc for each bend: the back end's own thick lines have ragged joints.
fn line<DB: DrawingBackend>(
    stage: &Stage<DB>,
    points: &[Point],
    ink: Ink,
    width: f64,
) -> Result<(), PlotError> {
    for ends in points.windows(2) {
        segment(stage, ends[0], ends[1], ink, width / 2.0)?;
    }
    let radius = (width / 2.0 * stage.scale).floor().max(1.0) as u32;
    for bend in points.windows(3).filter(|ends| bends(ends)) {
        stage.draw(&Circle::new(stage.at(bend[1]), radius, stage.colour(ink).filled()))?;
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
fn segment<DB: DrawingBackend>(
    stage: &Stage<DB>,
    a: Point,
    b: Point,
    ink: Ink,
    half: f64,
) -> Result<(), PlotError> {
    let level = (b.0 - a.0).abs() >= (b.1 - a.1).abs();
    let along = |point: Point| if level { point } else { (point.1, point.0) };
    let scaled = |point: Point| (point.0 * stage.scale, point.1 * stage.scale);
    let (mut from, mut to) = (scaled(along(a)), scaled(along(b)));
    if from.0 > to.0 {
        (from, to) = (to, from);
    }
    if to.0 - from.0 < 1e-6 {
        return Ok(());
    }
    let slope = (to.1 - from.1) / (to.0 - from.0);
    let thick = (2.0 * half * stage.scale * slope.hypot(1.0)).round().max(1.0);
    for column in from.0.round() as i32..=to.0.round() as i32 {
        let middle = from.1 + slope * (f64::from(column).clamp(from.0, to.0) - from.0);
        let low = (middle - thick / 2.0).round() as i32;
        let (next, high) = (column + 1, low + thick as i32);
        let corners =
            [(column, low), (next, high)].map(|(u, v)| if level { (u, v) } else { (v, u) });
        stage.draw(&Rectangle::new(corners, stage.colour(ink).filled()))?;
    }
    Ok(())
}

/// Text, one character at a time: the back end loses the room that glyphs have on their left.
fn words<DB: DrawingBackend>(stage: &Stage<DB>, text: &Text) -> Result<(), PlotError> {
    if text.halo {
        for (dx, dy) in [(-1, -1), (-1, 0), (-1, 1), (0, -1), (0, 1), (1, -1), (1, 0), (1, 1)] {
            let reach = if dx != 0 && dy != 0 { RIM * 0.7 } else { RIM };
            glyphs(stage, text, (f64::from(dx) * reach, f64::from(dy) * reach), Ink::Background)?;
        }
    }
    glyphs(stage, text, (0.0, 0.0), text.ink)
}

fn glyphs<DB: DrawingBackend>(
    stage: &Stage<DB>,
    text: &Text,
    offset: Point,
    ink: Ink,
) -> Result<(), PlotError> {
    let (placed, width) = fonts::place(&text.text, text.size, text.bold);
    let start = match text.anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -width / 2.0,
        Anchor::End => -width,
    };
    let weight = if text.bold { FontStyle::Bold } else { FontStyle::Normal };
    // The back end counts 1.24 em from the top of a line to its bottom, the baseline half way.
    let size = text.size * 1.24;
    let font = (fonts::FAMILY, size * stage.scale, weight).into_font();
    let style = font.color(&stage.colour(ink)).pos(Pos::new(HPos::Left, VPos::Top));
    let origin = (text.at.0 + start + offset.0, text.at.1 - size / 2.0 + offset.1);
    for glyph in placed.iter().filter(|glyph| glyph.character != ' ') {
        let at = stage.at((origin.0 + glyph.left, origin.1));
        let drawn = stage.area.draw_text(glyph.character.encode_utf8(&mut [0; 4]), &style, at);
        drawn.map_err(|error| PlotError::Drawing(error.to_string()))?;
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
    let mut encoder = png::Encoder::new(&mut bytes, w as u32, h as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.add_itxt_chunk("Title".to_owned(), figure.title.clone())?;
    encoder.add_itxt_chunk("Description".to_owned(), figure.alt.clone())?;
    // 96 logical pixels an inch, ZOOM times as many here.
    let per_metre = (96.0 * ZOOM as f64 / 0.0254) as u32;
    let unit = png::Unit::Meter;
    encoder.set_pixel_dims(Some(png::PixelDimensions { xppu: per_metre, yppu: per_metre, unit }));
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::tests::sample;

    #[test]
    fn the_picture_has_twice_the_logical_size_and_the_colours_of_its_theme() {
        for theme in [Theme::Light, Theme::Dark] {
            let figure = sample();
            let bytes = encoded(&figure, theme).unwrap();
            let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().unwrap();
            let info = reader.info();
            assert_eq!(f64::from(info.width), figure.width * 2.0);
            assert_eq!(f64::from(info.height), figure.height * 2.0);
            let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
            reader.next_frame(&mut pixels).unwrap();
            let (red, green, blue) = Ink::Background.colour(theme);
            assert_eq!(&pixels[..3], &[red, green, blue]);
            let ready = Ink::Ready.colour(theme);
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
        figure.line((0..=60).map(arc).collect(), Ink::Text, 2.2);
        let size = 100 * ZOOM * OVER;
        let mut pixels = vec![0; size * size * 3];
        paint(&figure, Theme::Light, &mut pixels, (size as u32, size as u32)).unwrap();
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
