//! Instruction sets, and which of them this machine has.

#[cfg(target_arch = "x86_64")]
use super::dot::amx;

/// An instruction set that the machine has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// Available on any machine.
    Portable,
    /// x86 with AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// x86 with AVX-512 and its byte dot product.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// The same with AMX, the unit that multiplies tiles of bytes.
    #[cfg(target_arch = "x86_64")]
    Amx,
    /// 64-bit Arm.
    #[cfg(target_arch = "aarch64")]
    Neon,
    /// 64-bit Arm with its byte dot product.
    #[cfg(target_arch = "aarch64")]
    NeonDot,
}

impl Level {
    /// Name of the instruction set.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "AVX2",
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            Self::Amx => "AMX",
            #[cfg(target_arch = "aarch64")]
            Self::Neon => "NEON",
            #[cfg(target_arch = "aarch64")]
            Self::NeonDot => "NEON with dot product",
        }
    }

    /// Every level that this machine can run, slowest first.
    pub(crate) fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512cd")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni")
            {
                levels.push(Self::Avx512);
                if amx::available() {
                    levels.push(Self::Amx);
                }
            }
        }
        #[cfg(target_arch = "aarch64")]
        {
            levels.push(Self::Neon);
            if std::arch::is_aarch64_feature_detected!("dotprod") {
                levels.push(Self::NeonDot);
            }
        }
        levels
    }

    /// The fastest level that this machine can run.
    pub(crate) fn best() -> Self {
        Self::available().pop().unwrap_or(Self::Portable)
    }

    /// Runs `work` compiled with the instructions of this level.
    pub(crate) fn run(self, work: impl Work) {
        match self {
            Self::Portable => work.run(),
            // Every program for this architecture is compiled with these instructions.
            #[cfg(target_arch = "aarch64")]
            Self::Neon | Self::NeonDot => work.run(),
            // SAFETY: `available` offers the level only if the features are present.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => unsafe { avx2(work) },
            // SAFETY: as above.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512 | Self::Amx => unsafe { avx512(work) },
        }
    }
}

/// Plain code that the compiler turns into the instructions of each level.
///
/// Not a closure: `run` and its callees must be marked `#[inline(always)]`, which a closure cannot be. Code
/// that is not inlined uses the baseline instructions.
pub(crate) trait Work {
    /// Does the work.
    fn run(self);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
fn avx2(work: impl Work) {
    work.run();
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512cd,avx512dq,avx512vl,avx512vnni")]
fn avx512(work: impl Work) {
    work.run();
}
