//! The division of a pass: chunks of rows that go through the layers together, and their windows, each for a
//! single dispatch. No device is involved.

use super::pages::Place;
use noema_numerics::BLOCK;

/// One position of one sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) token: u32,
    pub(crate) position: u32,
    pub(crate) place: Place,
    /// Whether its hidden vector and logits are requested.
    pub(crate) wanted: bool,
}

/// Rows that go through the layers together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) rows: Vec<Row>,
}

impl Chunk {
    /// Indices of the requested rows.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = u32> + '_ {
        let indices = (0..).zip(&self.rows);
        indices.filter_map(|(index, row)| row.wanted.then_some(index))
    }
}

/// Cuts rows into chunks of at most `most` rows, of which at most `most_wanted` are requested.
pub(crate) fn chunks(
    rows: impl Iterator<Item = Row>,
    most: usize,
    most_wanted: usize,
) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::new();
    let mut wanted = 0;
    for row in rows {
        let full = |chunk: &Chunk| {
            chunk.rows.len() >= most || (row.wanted && wanted >= most_wanted.max(1))
        };
        if chunks.last().is_none_or(full) {
            chunks.push(Chunk::default());
            wanted = 0;
        }
        wanted += usize::from(row.wanted);
        if let Some(chunk) = chunks.last_mut() {
            chunk.rows.push(row);
        }
    }
    chunks
}

/// A window: its place in the buffer of windows, and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Window {
    /// Dynamic offset in bytes.
    pub(crate) offset: u32,
    pub(crate) count: u32,
}

/// Most rows of a chunk: as many as a window has entries for.
pub(crate) const MOST_ROWS: usize = 512;

/// Bytes of a window as it is bound, for any number of rows.
pub(crate) const WINDOW_BYTES: u64 = window_bytes(MOST_ROWS as u64);

/// Bytes of a window of `rows` rows.
const fn window_bytes(rows: u64) -> u64 {
    (1 + rows) * 16
}

/// The windows of one chunk, as `wgsl/window.wgsl` describes them.
#[derive(Debug)]
pub(crate) struct Windows {
    words: Vec<u32>,
    /// Words to which an offset is aligned.
    alignment: usize,
    /// All rows.
    pub(crate) all: Window,
    /// The requested rows, by index; there may be none.
    pub(crate) wanted: Window,
    /// Of the requested rows, as many as the buffer of logits holds at a time.
    pub(crate) heads: Vec<Window>,
    /// Of all rows, as many as the buffer of scores holds at a time.
    pub(crate) scores: Vec<Window>,
}

/// How many rows fit into some buffers of a pass.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Room {
    /// Words to which an offset of a window is aligned.
    pub(crate) alignment: usize,
    /// Rows of logits.
    pub(crate) logits: u32,
    /// Positions of one head's scores, of all heads and rows together.
    pub(crate) scores: u64,
    /// Query heads.
    pub(crate) heads: u64,
}

impl Windows {
    /// The windows on `chunk`.
    pub(crate) fn new(chunk: &Chunk, room: Room) -> Self {
        let none = Window {
            offset: 0,
            count: 0,
        };
        let mut windows = Self {
            words: Vec::new(),
            alignment: room.alignment,
            all: none,
            wanted: none,
            heads: Vec::new(),
            scores: Vec::new(),
        };
        windows.all = windows.push(0, 0, chunk.rows.len(), chunk.rows.iter().map(entry));
        let wanted: Vec<u32> = chunk.wanted().collect();
        let entries = wanted.iter().map(|&index| [index, 0, 0, 0]);
        windows.wanted = windows.push(0, 0, wanted.len(), entries);
        for first in (0..wanted.len()).step_by(room.logits.max(1) as usize) {
            let count = (wanted.len() - first).min(room.logits.max(1) as usize);
            let window = windows.push(first, 0, count, std::iter::empty());
            windows.heads.push(window);
        }
        let mut first = 0;
        while first < chunk.rows.len() {
            let (count, stride) = score_rows(&chunk.rows[first..], room);
            let rows = chunk.rows[first..first + count].iter().map(entry);
            let window = windows.push(first, stride, count, rows);
            windows.scores.push(window);
            first += count;
        }
        windows
    }

    /// Bytes to write to the buffer of windows.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        super::device::bytes_of(&self.words)
    }

    fn push(
        &mut self,
        first: usize,
        stride: u32,
        count: usize,
        entries: impl Iterator<Item = [u32; 4]>,
    ) -> Window {
        self.words
            .resize(self.words.len().next_multiple_of(self.alignment), 0);
        let offset = (self.words.len() * 4) as u32;
        self.words.extend([count as u32, first as u32, stride, 0]);
        self.words.extend(entries.flatten());
        Window {
            offset,
            count: count as u32,
        }
    }
}

/// Bytes of the windows of any chunk of `rows` rows, including the reach of a binding behind them.
pub(crate) fn most_window_bytes(rows: u64, alignment: u64) -> u64 {
    // The two big ones, and at worst one of scores and one of logits for each row.
    let big = window_bytes(rows).next_multiple_of(alignment);
    let small = window_bytes(1).next_multiple_of(alignment);
    2 * big + 2 * rows * small + WINDOW_BYTES
}

/// A row in the layout of the kernels.
fn entry(row: &Row) -> [u32; 4] {
    [row.token, row.position, row.place.page, row.place.slab]
}

/// How many of the first rows fit into the scores' buffer together, and the stride that they need. At least
/// one is taken: the buffer has room for one with the whole context.
fn score_rows(rows: &[Row], room: Room) -> (usize, u32) {
    let mut taken = (0, 0);
    for (index, row) in rows.iter().enumerate() {
        let stride = (row.position as usize + 1).next_multiple_of(BLOCK) as u32;
        let stride = stride.max(taken.1);
        let needed = (index as u64 + 1) * room.heads * u64::from(stride);
        if index > 0 && needed > room.scores {
            break;
        }
        taken = (index + 1, stride);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(position: u32, wanted: bool) -> Row {
        let place = Place {
            slab: 0,
            page: 7,
            pages: 1,
        };
        Row {
            token: 5,
            position,
            place,
            wanted,
        }
    }

    #[test]
    fn chunks_are_cut_by_rows_and_by_wanted_rows() {
        let rows = (0..10).map(|p| row(p, p >= 4));
        let chunks: Vec<usize> = chunks(rows, 5, 2).iter().map(|c| c.rows.len()).collect();
        assert_eq!(chunks, [5, 2, 2, 1]);
    }

    #[test]
    fn windows_are_aligned_and_cover_every_row_once() {
        let chunk = Chunk {
            rows: (0..40).map(|p| row(p, p % 3 == 0)).collect(),
        };
        let room = Room {
            alignment: 64,
            logits: 5,
            scores: 2 * 32 * 9,
            heads: 2,
        };
        let windows = Windows::new(&chunk, room);
        let counts = |windows: &[Window]| windows.iter().map(|w| w.count).collect::<Vec<_>>();
        assert_eq!(counts(&windows.heads), [5, 5, 4]);
        // Nine rows of stride 32, then four of stride 64.
        assert_eq!(counts(&windows.scores), [9, 9, 9, 5, 4, 4]);
        let all = windows.scores.iter().chain(&windows.heads);
        assert!(all.into_iter().all(|window| window.offset % 256 == 0));
        assert!((windows.words.len() * 4) as u64 <= most_window_bytes(40, 256));
    }
}
