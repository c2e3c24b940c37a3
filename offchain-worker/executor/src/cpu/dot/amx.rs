//! The sums with AMX: dot products of whole tiles of bytes.
//!
//! `tdpbssd` multiplies 16 rows of 32 bytes (the high bytes of eight positions, then their low bytes) with a
//! weight tile, whose stored order is the one it reads, and produces 16 × 16 sums. They go through memory to
//! the vector registers, which combine high and low bytes and apply scales and shifts as in
//! [`super::avx512`]. The tile unit works some blocks ahead of them.
//!
//! Stable Rust has no intrinsics for it, hence the assembly. Linux requires a process to request the
//! registers' state before it uses them, as it enlarges every thread's context.

use super::{
    avx512::{self, add_scaled, factors, join, shifted},
    prefetch_line, Layer, TOGETHER,
};
use crate::cpu::panel::{Panel, Panels};
use noema_numerics::{
    tile::{Tile, TILE_ROWS},
    BLOCK,
};
use std::{
    arch::{asm, x86_64::*},
    ops::Range,
    sync::OnceLock,
};

/// Fewest positions for the tile unit; below, the vector registers alone are as fast.
const FEWEST: usize = 5;
/// Blocks by which the tile unit is ahead: with two, a sum over 48 blocks took a tenth longer.
const AHEAD: usize = 4;
/// Distance of the prefetches, one line for each position: all lines of a tile at once took longer. Also those of
/// further groups of positions, whose weights are there already: prefetching for the first alone took as long.
const PREFETCH_BYTES: usize = 6_144;
/// Buffers for the sums of the tile unit.
const BUFFERS: usize = 16;

/// Sums of a block: high bytes of each position, then low bytes; by row.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Products([[i32; TILE_ROWS]; 2 * TOGETHER]);

/// The shape of each tile register, as `ldtilecfg` reads it.
#[repr(C, align(64))]
struct Configuration {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    bytes_per_row: [u16; 16],
    rows: [u8; 16],
}

/// Register 0 holds the sums, 1 the activations and 2 the weights.
static CONFIGURATION: Configuration = {
    let mut bytes_per_row = [0; 16];
    let mut rows = [0; 16];
    (rows[0], bytes_per_row[0]) = (2 * TOGETHER as u8, 4 * TILE_ROWS as u16);
    (rows[1], bytes_per_row[1]) = (2 * TOGETHER as u8, BLOCK as u16);
    (rows[2], bytes_per_row[2]) = (BLOCK as u8 / 4, 4 * TILE_ROWS as u16);
    Configuration {
        palette: 1,
        start_row: 0,
        reserved: [0; 14],
        bytes_per_row,
        rows,
    }
};

/// Whether the machine has the tile unit and the system lets this process use it.
pub(in crate::cpu) fn available() -> bool {
    static AVAILABLE: OnceLock<bool> = OnceLock::new();
    *AVAILABLE.get_or_init(|| {
        const TILES_AND_INT8: u32 = 0b11 << 24;
        __cpuid_count(7, 0).edx & TILES_AND_INT8 == TILES_AND_INT8 && permitted()
    })
}

/// Requests the state of the tile registers for this process.
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    /// `ARCH_REQ_XCOMP_PERM` of Linux' `asm/prctl.h`.
    const REQUEST: libc::c_long = 0x1023;
    /// The state component of the tile registers' contents.
    const TILE_DATA: libc::c_long = 18;
    // SAFETY: takes two integers and changes nothing but the permission.
    unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST, TILE_DATA) == 0 }
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// # Safety
/// The features below and the tile unit are present, and no other thread computes the same groups
/// at the same time.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
pub(super) unsafe fn compute(layer: &Layer<'_>, panels: &Panels<TOGETHER>, groups: Range<usize>) {
    if panels.positions() < FEWEST {
        // SAFETY: guaranteed by the caller.
        return unsafe { avx512::compute_many(layer, panels, groups) };
    }
    // SAFETY: the tile unit is present; its palette allows this configuration.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &CONFIGURATION, options(nostack, readonly)) };
    let mut products = [Products([[0; TILE_ROWS]; 2 * TOGETHER]); BUFFERS];
    for group in groups {
        // SAFETY: the unit is configured; no other thread uses the group.
        unsafe { row_group(layer, panels, group, &mut products) };
    }
    // SAFETY: the tile unit is present. Once its registers are released, switching threads costs no more.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}

/// The outputs of one row group for all positions; `products` may have any values.
///
/// # Safety
/// The tile unit is configured, and no other thread computes the same group at the same time.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
unsafe fn row_group(
    layer: &Layer<'_>,
    panels: &Panels<TOGETHER>,
    group: usize,
    products: &mut [Products; BUFFERS],
) {
    let tiles = layer.tiles(group);
    // Every block of every group of positions, in order.
    let steps = panels.all();
    // The next step of the tile unit, and its tile.
    let (mut next, mut next_tile) = (0, 0);
    let mut advance = |products: &mut [Products; BUFFERS]| {
        if next < steps.len() {
            // SAFETY: the unit is configured.
            unsafe {
                multiply(
                    &steps[next],
                    &tiles[next_tile],
                    &mut products[next % BUFFERS],
                );
            }
            next += 1;
            next_tile = if next_tile + 1 == tiles.len() {
                0
            } else {
                next_tile + 1
            };
        }
    };
    for _ in 0..AHEAD {
        advance(products);
    }
    let mut step = 0;
    for (together, blocks) in steps.chunks_exact(tiles.len()).enumerate() {
        let mut totals = [[_mm512_setzero_si512(); 2]; TOGETHER];
        for (tile, panel) in tiles.iter().zip(blocks) {
            advance(products);
            let factors = factors(tile);
            let (high, low) = products[step % BUFFERS].0.split_at(TOGETHER);
            for_each_position!(AT < TOGETHER, {
                prefetch_line(tile, PREFETCH_BYTES, AT);
                let dots = join(load(&high[AT]), load(&low[AT]));
                add_scaled(&mut totals[AT], dots, shifted(factors, panel.shifts[AT]));
            });
            prefetch_line(tile, PREFETCH_BYTES, TOGETHER);
            step += 1;
        }
        let first = together * TOGETHER;
        // SAFETY: no other thread uses the group.
        unsafe { avx512::set(layer, panels, (first, group), &totals) };
    }
}

/// The sums of one block.
///
/// # Safety
/// The tile unit is configured by [`CONFIGURATION`].
#[inline(always)]
unsafe fn multiply(panel: &Panel<TOGETHER>, tile: &Tile, products: &mut Products) {
    // SAFETY: reads 512 bytes each from the high and low bytes of the panel, which lie one after
    // the other, and from the quants of the tile, and writes 1,024 bytes: all of `products`.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tileloadd tmm1, [{activations} + {block}*1]",
            "tileloadd tmm2, [{weights} + {row}*1]",
            "tdpbssd tmm0, tmm1, tmm2",
            "tilestored [{sums} + {row}*1], tmm0",
            activations = in(reg) std::ptr::from_ref(panel),
            weights = in(reg) tile.as_ptr(),
            sums = in(reg) products.0.as_mut_ptr(),
            block = in(reg) BLOCK,
            row = in(reg) 4 * TILE_ROWS,
            out("tmm0") _,
            out("tmm1") _,
            out("tmm2") _,
            options(nostack),
        );
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(row: &[i32; TILE_ROWS]) -> __m512i {
    // SAFETY: reads 64 bytes, which `row` holds; no alignment is required.
    unsafe { _mm512_loadu_si512(row.as_ptr().cast()) }
}
