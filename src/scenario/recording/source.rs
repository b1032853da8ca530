//! A file of any size, compressed or not, line by line in bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Cursor, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::StreamingDecoder;

use crate::diagnostic::Flaw;
use crate::scenario::text::file;
use crate::units::Bytes;

/// The longest line that is read.
const LINE_LIMIT: Bytes = Bytes(1 << 20);
/// So much is looked at to know what a file is: also behind a line that is too long.
const HEAD: u64 = 4 << 20;
const BUFFER: usize = 1 << 17;
const WHOLE: &str = "copy it once more, and see whether it can be unpacked as a whole";
/// A file may be compressed so many times.
const LAYERS: usize = 3;

/// A file while it is read.
pub(crate) struct LineSource {
    reader: Box<dyn BufRead>,
    /// How it is compressed.
    pub(crate) compression: Option<&'static str>,
    /// Its first bytes, without a mark of the byte order.
    pub(crate) head: Vec<u8>,
    line: Vec<u8>,
    number: usize,
}

/// A line as text, and what is wrong with it as such.
pub(crate) struct TextLine<'s> {
    /// Its number, from 1.
    pub(crate) number: usize,
    /// The text, or what can be shown of it.
    pub(crate) text: std::borrow::Cow<'s, str>,
    /// Why it is no text.
    pub(crate) flaw: Option<Flaw>,
}

impl LineSource {
    /// Opens a file, or says why it cannot be read.
    pub(crate) fn open(path: &Path) -> Result<LineSource, Flaw> {
        let help = "the path starts from the scenario's folder";
        let file = file::open(path).map_err(|why| Flaw::new(why).help(help))?;
        let damaged = |error: io::Error| Flaw::new(error.to_string()).help(WHOLE);
        let (mut reader, compression) = uncompressed(file).map_err(damaged)?;
        let mut source = LineSource {
            reader: Box::new(io::empty()),
            compression,
            head: Vec::new(),
            line: Vec::new(),
            number: 0,
        };
        let read = (&mut reader).take(HEAD).read_to_end(&mut source.head);
        read.map_err(|error| source.why(&error))?;
        if source.head.starts_with(b"\xef\xbb\xbf") {
            source.head.drain(..3);
        }
        let again = Cursor::new(source.head.clone());
        source.reader = Box::new(BufReader::with_capacity(BUFFER, again.chain(reader)));
        Ok(source)
    }

    /// What the first lines are: whole, not empty, at most so many.
    pub(crate) fn first_lines(&self, most: usize) -> Vec<&str> {
        let whole = match self.head.iter().rposition(|byte| *byte == b'\n') {
            Some(end) if self.head.len() as u64 == HEAD => &self.head[..end],
            _ => &self.head[..],
        };
        let lines = whole.split(|byte| *byte == b'\n');
        let texts = lines.filter_map(|line| std::str::from_utf8(line).ok());
        let texts = texts.map(|line| line.trim_end_matches('\r'));
        texts.filter(|line| !line.trim().is_empty()).take(most).collect()
    }

    /// The next line that is not empty, or why there is none to be had.
    pub(crate) fn next_line(&mut self) -> Result<Option<TextLine<'_>>, Flaw> {
        loop {
            self.line.clear();
            let limit = LINE_LIMIT.0 + 1;
            let read = (&mut self.reader).take(limit).read_until(b'\n', &mut self.line);
            match read {
                Ok(0) => return Ok(None),
                Ok(_) => self.number += 1,
                Err(error) => return Err(self.why(&error)),
            }
            let long = self.line.len() as u64 == limit && self.line.last() != Some(&b'\n');
            if long {
                self.line.truncate(1_000);
                self.pass_line().map_err(|error| self.why(&error))?;
            }
            if long || !self.line.trim_ascii().is_empty() {
                return Ok(Some(text_line(self.number, &self.line, long)));
            }
        }
    }

    /// Everything that is left as one text of at most so many bytes.
    pub(crate) fn rest(&mut self, limit: Bytes) -> Result<String, Flaw> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(limit.0 + 1).read_to_end(&mut bytes);
        read.map_err(|error| self.why(&error))?;
        if bytes.len() as u64 > limit.0 {
            return Err(Flaw::new(format!("it is larger than {limit}"))
                .help("ask for fewer series, or for a longer step"));
        }
        String::from_utf8(bytes).map_err(|_| Flaw::new("it is not UTF-8 text"))
    }

    /// Passes over the rest of a line.
    fn pass_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let (passed, over) = (end.map_or(buffer.len(), |end| end + 1), end.is_some());
            let over = over || buffer.is_empty();
            self.reader.consume(passed);
            if over {
                return Ok(());
            }
        }
    }

    fn why(&self, error: &io::Error) -> Flaw {
        let after = match self.number {
            0 => String::new(),
            number => format!(" after line {number}"),
        };
        let title = match (self.compression, error.kind()) {
            (Some(kind), ErrorKind::UnexpectedEof) => format!("it is a {kind} that is cut{after}"),
            (Some(kind), _) => format!("it is a {kind} that is damaged{after}: {error}"),
            (None, _) => format!("{error}{after}"),
        };
        Flaw::new(title).help(WHOLE)
    }
}

fn text_line(number: usize, line: &[u8], long: bool) -> TextLine<'_> {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let text = std::str::from_utf8(line);
    let flaw = match &text {
        _ if long => Some(Flaw::new(format!("this line is longer than {LINE_LIMIT}"))),
        Ok(_) => None,
        Err(error) => {
            let title = format!("this line is not UTF-8 text at byte {}", error.valid_up_to() + 1);
            Some(Flaw::new(title).help("write the log as UTF-8, such as with iconv"))
        }
    };
    TextLine { number, text: text.map_or_else(|_| String::from_utf8_lossy(line), Into::into), flaw }
}

/// The file's bytes, and how they were compressed, which their first bytes say.
fn uncompressed(file: File) -> io::Result<(Box<dyn BufRead>, Option<&'static str>)> {
    let mut reader: Box<dyn BufRead> = Box::new(BufReader::with_capacity(BUFFER, file));
    let mut compression = None;
    for _ in 0..LAYERS {
        let begins = |reader: &mut Box<dyn BufRead>, magic: &[u8]| {
            reader.fill_buf().map(|bytes| bytes.starts_with(magic))
        };
        if begins(&mut reader, b"\x1f\x8b").unwrap_or(false) {
            compression = Some("gzip");
            reader = Box::new(BufReader::with_capacity(BUFFER, MultiGzDecoder::new(reader)));
        } else if begins(&mut reader, b"\x28\xb5\x2f\xfd").unwrap_or(false) {
            compression = Some("Zstandard file");
            let frames = ZstdFrames { open: None, next: Some(reader) };
            reader = Box::new(BufReader::with_capacity(BUFFER, frames));
        } else {
            break;
        }
    }
    Ok((reader, compression))
}

/// Zstandard frames, one after the other.
struct ZstdFrames {
    open: Option<Box<StreamingDecoder<Box<dyn BufRead>, ruzstd::decoding::FrameDecoder>>>,
    next: Option<Box<dyn BufRead>>,
}

impl Read for ZstdFrames {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(mut reader) = self.next.take() {
                if reader.fill_buf()?.is_empty() {
                    return Ok(0);
                }
                let decoder = StreamingDecoder::new(reader).map_err(io::Error::other)?;
                self.open = Some(Box::new(decoder));
            }
            let Some(open) = &mut self.open else { return Ok(0) };
            let read = open.read(out)?;
            if read > 0 || out.is_empty() {
                return Ok(read);
            }
            self.next = self.open.take().map(|open| open.into_inner());
        }
    }
}
