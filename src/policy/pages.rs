//! A table with one row per key, of which only the parts in use take memory.
//!
//! Rows lie in pages of [`KEYS`] keys; a page is allocated when one of its rows is first written.

/// Keys of one page.
const KEYS: usize = 128;

/// The rows of all keys.
#[derive(Clone, Debug)]
pub(super) struct Pages<T> {
    /// Cells of a row.
    width: usize,
    pages: Vec<Option<Box<[T]>>>,
}

impl<T: Clone + Default> Pages<T> {
    /// Rows of `width` cells for the keys from 0 to `keys`, all at their default.
    pub(super) fn new(keys: u32, width: usize) -> Self {
        assert!(width > 0, "a row has cells");
        Pages { width, pages: vec![None; (keys as usize).div_ceil(KEYS)] }
    }

    /// The row of a key, to be written.
    pub(super) fn row(&mut self, key: u32) -> &mut [T] {
        let (page, from) = (key as usize / KEYS, key as usize % KEYS * self.width);
        let fresh = || vec![T::default(); KEYS * self.width].into_boxed_slice();
        let page = self.pages[page].get_or_insert_with(fresh);
        debug_assert!(from + self.width <= page.len(), "rows lie within their page");
        &mut page[from..from + self.width]
    }

    /// The row of a key; `None` if no key of its page was ever written.
    pub(super) fn get(&self, key: u32) -> Option<&[T]> {
        let (page, from) = (key as usize / KEYS, key as usize % KEYS * self.width);
        self.pages[page].as_ref().map(|page| &page[from..from + self.width])
    }

    /// Puts all rows back to their default and gives their memory back.
    pub(super) fn clear(&mut self) {
        self.pages.fill(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_apart_and_only_pages_in_use_exist() {
        let mut pages = Pages::<u64>::new(1_000_000, 2);
        assert_eq!(pages.get(999_999), None);
        pages.row(999_999).copy_from_slice(&[7, 8]);
        pages.row(999_998)[1] = 9;
        assert_eq!(pages.get(999_999), Some(&[7, 8][..]));
        assert_eq!(pages.get(999_998), Some(&[0, 9][..]));
        assert_eq!(pages.pages.iter().flatten().count(), 1);
        pages.clear();
        assert_eq!(pages.get(999_999), None);
        assert_eq!(pages.row(999_999), [0, 0]);
    }
}
