//! One entry of a work file: a gzip member that says what it is before it is opened.
//!
//! Members after one another are a gzip file (RFC 1952, 2.2), which `zcat` shows. The extra field
//! of each, which readers of gzip pass over, has the kind of the entry, its key, when it was
//! written and how long the member is, so that a file is looked through without being
//! decompressed; blocked gzip files of genomes are found in the same way. The field has a checksum
//! of its own and of the bytes after it: that of gzip holds for what they decompress to, and some
//! alterations of what is compressed lightly do not change that.

use std::io::{self, Read, Write};

use flate2::read::GzDecoder;
use flate2::{Compression, GzBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::experiment::store::ReplicationKey;

/// Bytes before the extra field: magic, method, flags, time, system, and the length of the field.
const FIXED: usize = 12;
/// Bytes of the extra field: its name and length, then kind, plan, replication, milliseconds,
/// length of the member, checksum of what follows the field, checksum of the field.
const EXTRA: usize = 4 + 1 + 8 + 8 + 8 + 4 + 4 + 4;
/// Bytes of all that comes before what is compressed.
pub(super) const HEADER: usize = FIXED + EXTRA;
/// Bytes at the end: the checksum and the length of what is compressed.
pub(super) const TRAILER: usize = 8;
/// How every member begins: gzip, deflate, with an extra field.
pub(super) const MAGIC: [u8; 4] = [0x1f, 0x8b, 8, 4];
/// The name of our extra field.
const NAME: [u8; 2] = *b"BO";

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// Who writes the file, as a part of which study: the first.
    Head = 0,
    /// How much there is to do, as far as is known.
    Amount = 1,
    /// A replication.
    Replication = 2,
    /// Nothing is left to do here for now.
    End = 3,
}

impl EntryKind {
    const ALL: [EntryKind; 4] =
        [EntryKind::Head, EntryKind::Amount, EntryKind::Replication, EntryKind::End];
}

/// What is known of an entry before it is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryHeader {
    pub(super) kind: EntryKind,
    /// Of a replication; else zeros.
    pub(super) key: ReplicationKey,
    /// Since the file was begun, in milliseconds.
    pub(super) elapsed: u64,
    /// Bytes of the whole member.
    pub(super) length: u32,
    /// Checksum (CRC-32) of all that follows the header.
    pub(super) sum: u32,
}

impl EntryHeader {
    fn bytes(&self) -> [u8; EXTRA] {
        let EntryHeader { kind, key, elapsed, length, sum } = *self;
        let mut all = [0; EXTRA];
        let size = (EXTRA - 4) as u16;
        let parts: [&[u8]; 8] = [
            &NAME,
            &size.to_le_bytes(),
            &[kind as u8],
            &key.plan.to_le_bytes(),
            &key.replication.to_le_bytes(),
            &elapsed.to_le_bytes(),
            &length.to_le_bytes(),
            &sum.to_le_bytes(),
        ];
        all[..EXTRA - 4].copy_from_slice(&parts.concat());
        let own = crc32fast::hash(&all[..EXTRA - 4]);
        all[EXTRA - 4..].copy_from_slice(&own.to_le_bytes());
        all
    }

    /// Reads what a member begins with; `None` = this is none of ours, or it was altered.
    pub(super) fn read(bytes: &[u8; HEADER]) -> Option<EntryHeader> {
        let (fixed, extra) = bytes.split_at(FIXED);
        let number = |at: usize| u64::from_le_bytes(std::array::from_fn(|index| extra[at + index]));
        let half = |at: usize| u32::from_le_bytes(std::array::from_fn(|index| extra[at + index]));
        let kind = EntryKind::ALL.into_iter().find(|kind| *kind as u8 == extra[4])?;
        let key = ReplicationKey { plan: number(5), replication: number(13) };
        let header =
            EntryHeader { kind, key, elapsed: number(21), length: half(29), sum: half(33) };
        let is_ours = *fixed == first_bytes()
            && header.bytes() == extra
            && header.length as usize >= HEADER + TRAILER;
        is_ours.then_some(header)
    }
}

/// What comes before the extra field, the same in every member: no time, nothing said of the effort
/// of the compressor or of the system, so that the same content is the same bytes.
fn first_bytes() -> [u8; FIXED] {
    let mut bytes = [0; FIXED];
    bytes[..MAGIC.len()].copy_from_slice(&MAGIC);
    (bytes[8], bytes[9]) = (0, 255);
    bytes[10..].copy_from_slice(&(EXTRA as u16).to_le_bytes());
    bytes
}

/// Writes an entry.
///
/// # Errors
/// Its content is no JSON, or longer than 4 GiB.
pub(super) fn write(
    kind: EntryKind,
    key: ReplicationKey,
    elapsed: u64,
    content: &impl Serialize,
) -> io::Result<Vec<u8>> {
    let builder = GzBuilder::new().extra(vec![0; EXTRA]);
    // In one go: the compressor pays for each time that it is given something.
    let mut json = serde_json::to_vec(content)?;
    json.push(b'\n');
    // Lightly: a file is read once or twice, and more effort costs more than the bytes it saves.
    let mut member = builder.write(Vec::new(), Compression::fast());
    member.write_all(&json)?;
    let mut member = member.finish()?;
    let length = u32::try_from(member.len()).map_err(io::Error::other)?;
    let sum = crc32fast::hash(&member[HEADER..]);
    let header = EntryHeader { kind, key, elapsed, length, sum };
    member[..FIXED].copy_from_slice(&first_bytes());
    member[FIXED..HEADER].copy_from_slice(&header.bytes());
    Ok(member)
}

/// The content of an entry; `None` if it is not as it was written.
pub(super) fn content<T: DeserializeOwned>(member: &[u8]) -> Option<T> {
    let (header, rest) = member.split_first_chunk()?;
    let header = EntryHeader::read(header)?;
    (crc32fast::hash(rest) == header.sum).then(|| decompressed(member))?
}

/// The content of a member as any version of this program writes it: one whose extra field is
/// another can still say which version that was.
pub(super) fn decompressed<T: DeserializeOwned>(member: impl Read) -> Option<T> {
    let mut json = Vec::new();
    GzDecoder::new(member).read_to_end(&mut json).ok()?;
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ReplicationKey = ReplicationKey { plan: u64::MAX - 1, replication: 7 };

    fn entry(text: &str) -> Vec<u8> {
        write(EntryKind::Replication, KEY, 1_234, &text).unwrap()
    }

    fn header(member: &[u8]) -> Option<EntryHeader> {
        EntryHeader::read(member[..HEADER].try_into().unwrap())
    }

    #[test]
    fn an_entry_says_what_it_is_and_comes_back() {
        let member = entry("a text");
        let found = header(&member).unwrap();
        assert_eq!((found.kind, found.key), (EntryKind::Replication, KEY));
        assert_eq!((found.elapsed, found.length as usize), (1_234, member.len()));
        assert_eq!(content::<String>(&member).unwrap(), "a text");
        assert_eq!(member, entry("a text"));
    }

    #[test]
    fn entries_after_one_another_are_a_file_that_gzip_reads() {
        let file = [entry("one"), entry("two")].concat();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(&file[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, "\"one\"\n\"two\"\n");
    }

    #[test]
    fn nothing_that_was_altered_goes_unnoticed() {
        let text = "a text that is long enough to be compressed, and again: a text";
        let member = entry(text);
        assert_eq!(content::<String>(&member).as_deref(), Some(text));
        for at in 0..member.len() {
            for bit in 0..8 {
                let mut altered = member.clone();
                altered[at] ^= 1 << bit;
                assert_eq!(content::<String>(&altered), None, "byte {at}, bit {bit}");
            }
        }
    }
}
