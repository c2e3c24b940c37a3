//! What is run on arbitrary bytes.

mod evidence;
mod forged;
mod game;
mod manifest;
mod multiproof;
mod receipt;
mod session;
mod sides;
mod update;

/// A function of bytes from strangers, with the properties that have to hold for all bytes.
pub struct Target {
    /// Its name.
    pub name: &'static str,
    /// Runs it, and returns how far the bytes were read. Panics where a property does not hold.
    pub run: fn(&[u8]) -> String,
    /// Inputs that are right, or nearly.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// How many changed inputs the tests run.
    pub runs: u32,
}

macro_rules! targets {
    ($($name:ident: $runs:literal,)*) => {
        /// All of them.
        pub static TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $name::run, seeds: $name::seeds, runs: $runs },)*
        ];
    };
}

targets! {
    evidence: 30_000,
    forged: 2_000,
    multiproof: 30_000,
    game: 30_000,
    receipt: 20_000,
    session: 300_000,
    sides: 200_000,
    manifest: 200_000,
    update: 50_000,
}
