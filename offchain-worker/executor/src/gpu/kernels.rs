//! The kernels: their sources, their bindings and their numbers of workgroups.

use super::{
    device::{Buffer, Gpu},
    lower::Activation,
    plan::WINDOW_BYTES,
};
use crate::ExecutorError;
use rayon::prelude::*;

/// Most workgroups in a dimension.
const MOST_GROUPS: u32 = 65_535;
/// Most positions for which a linear layer reads its weights as few times as possible.
const FEW: u32 = 8;

pub(crate) const INT64: &str = include_str!("wgsl/int64.wgsl");
pub(crate) const EXP2: &str = include_str!("wgsl/exp2.wgsl");
const WINDOW: &str = include_str!("wgsl/window.wgsl");
const MANTISSA: &str = include_str!("wgsl/mantissa.wgsl");
const BLOCKS: &str = include_str!("wgsl/blocks.wgsl");
const CACHE: &str = include_str!("wgsl/cache.wgsl");
const GATED: &str = include_str!("wgsl/swiglu.wgsl");
const SUMS: &str = include_str!("wgsl/sums.wgsl");
const LINEAR: &str = include_str!("wgsl/linear.wgsl");
const LINEAR_FEW: &str = include_str!("wgsl/linear_few.wgsl");

/// A compiled kernel and its bindings.
#[derive(Debug)]
pub(crate) struct Kernel {
    pipeline: wgpu::ComputePipeline,
    layout: wgpu::BindGroupLayout,
}

/// All kernels of a device.
#[derive(Debug)]
pub(crate) struct Kernels {
    pub(crate) embedding: Kernel,
    pub(crate) norm: Kernel,
    pub(crate) quantise: Kernel,
    pub(crate) swiglu: Kernel,
    pub(crate) geglu: Kernel,
    pub(crate) add: Kernel,
    pub(crate) bias: Kernel,
    pub(crate) head_norm: Kernel,
    pub(crate) rope: Kernel,
    pub(crate) attention: Kernel,
    pub(crate) route: Kernel,
    pub(crate) experts: Kernel,
    pub(crate) mix: Kernel,
    linear_one: Kernel,
    linear_four: Kernel,
    linear_many: Kernel,
    window: wgpu::BindGroupLayout,
}

/// How a kernel uses a buffer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Access {
    Read,
    Write,
}

use Access::{Read, Write};

/// Name, sources in order, and storage buffers from binding 1 on.
type Source = (&'static str, &'static [&'static str], &'static [Access]);

const LINEAR_ACCESS: &[Access] = &[Read, Read, Read, Write];

const SOURCES: [Source; 16] = [
    (
        "embedding",
        &[INT64, WINDOW, include_str!("wgsl/embedding.wgsl")],
        &[Write, Read],
    ),
    (
        "norm",
        &[
            INT64,
            WINDOW,
            MANTISSA,
            BLOCKS,
            include_str!("wgsl/norm.wgsl"),
        ],
        &[Write, Write, Read, Write, Read],
    ),
    (
        "quantise",
        &[
            INT64,
            WINDOW,
            MANTISSA,
            BLOCKS,
            include_str!("wgsl/quantise.wgsl"),
        ],
        &[Write, Write, Read],
    ),
    (
        "swiglu",
        &[
            INT64,
            EXP2,
            WINDOW,
            MANTISSA,
            BLOCKS,
            include_str!("wgsl/silu.wgsl"),
            GATED,
        ],
        &[Write, Write, Read, Write, Read],
    ),
    (
        "geglu",
        &[
            INT64,
            EXP2,
            WINDOW,
            MANTISSA,
            BLOCKS,
            include_str!("wgsl/gelu.wgsl"),
            GATED,
        ],
        &[Write, Write, Read, Write, Read],
    ),
    (
        "add",
        &[INT64, WINDOW, include_str!("wgsl/add.wgsl")],
        &[Write, Read],
    ),
    (
        "bias",
        &[INT64, WINDOW, include_str!("wgsl/bias.wgsl")],
        &[Write, Read],
    ),
    (
        "head norm",
        &[INT64, WINDOW, MANTISSA, include_str!("wgsl/head_norm.wgsl")],
        &[Write, Read],
    ),
    (
        "rope",
        &[INT64, WINDOW, CACHE, include_str!("wgsl/rope.wgsl")],
        &[Write, Read, Write],
    ),
    (
        "attention",
        &[
            INT64,
            EXP2,
            WINDOW,
            MANTISSA,
            CACHE,
            include_str!("wgsl/attention.wgsl"),
        ],
        &[Read, Read, Read, Write, Write],
    ),
    (
        "route",
        &[INT64, EXP2, WINDOW, include_str!("wgsl/route.wgsl")],
        &[Write, Read, Read],
    ),
    (
        "experts",
        &[INT64, WINDOW, SUMS, include_str!("wgsl/experts.wgsl")],
        &[Read, Read, Read, Read, Write],
    ),
    (
        "mix",
        &[INT64, WINDOW, include_str!("wgsl/mix.wgsl")],
        &[Write, Read, Read],
    ),
    (
        "linear, one position",
        &[
            INT64,
            WINDOW,
            SUMS,
            LINEAR,
            "const POSITIONS = 1u;\n",
            LINEAR_FEW,
        ],
        LINEAR_ACCESS,
    ),
    (
        "linear, four positions",
        &[
            INT64,
            WINDOW,
            SUMS,
            LINEAR,
            "const POSITIONS = 4u;\n",
            LINEAR_FEW,
        ],
        LINEAR_ACCESS,
    ),
    (
        "linear, many positions",
        &[
            INT64,
            WINDOW,
            SUMS,
            LINEAR,
            include_str!("wgsl/linear_many.wgsl"),
        ],
        LINEAR_ACCESS,
    ),
];

impl Kernels {
    /// Compiles every kernel, on all threads: some drivers take seconds for it.
    pub(crate) fn new(gpu: &Gpu) -> Result<Self, ExecutorError> {
        let window = gpu.expected(|| window_layout(gpu.raw()))?;
        let compiled: Result<Vec<Kernel>, ExecutorError> = SOURCES
            .par_iter()
            .map(|(name, sources, access)| Kernel::new(gpu, &window, name, sources, access))
            .collect();
        let mut compiled = compiled?.into_iter();
        let mut next = || {
            compiled
                .next()
                .expect("there are as many sources as kernels; qed")
        };
        Ok(Self {
            embedding: next(),
            norm: next(),
            quantise: next(),
            swiglu: next(),
            geglu: next(),
            add: next(),
            bias: next(),
            head_norm: next(),
            rope: next(),
            attention: next(),
            route: next(),
            experts: next(),
            mix: next(),
            linear_one: next(),
            linear_four: next(),
            linear_many: next(),
            window,
        })
    }

    /// Binds a buffer of windows, which has room for a whole window after its last one.
    pub(crate) fn bind_windows(
        &self,
        gpu: &Gpu,
        windows: &Buffer,
    ) -> Result<wgpu::BindGroup, ExecutorError> {
        gpu.expected(|| {
            gpu.raw().create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &self.window,
                entries: &[wgpu::BindGroupEntry {
                    binding: 0,
                    resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding {
                        buffer: windows.raw(),
                        offset: 0,
                        size: wgpu::BufferSize::new(WINDOW_BYTES),
                    }),
                }],
            })
        })
    }

    /// Layout of the windows.
    #[cfg(test)]
    pub(crate) fn window(&self) -> &wgpu::BindGroupLayout {
        &self.window
    }

    /// All variants of the linear kernel.
    #[cfg(test)]
    pub(crate) fn every_linear(&self, count: u32, groups: u32) -> [(&Kernel, [u32; 3]); 3] {
        [
            (&self.linear_one, [groups, count, 1]),
            (&self.linear_four, [groups, count.div_ceil(4), 1]),
            (
                &self.linear_many,
                [count.div_ceil(32), groups.div_ceil(4), 1],
            ),
        ]
    }

    /// The kernel that gates by this function.
    pub(crate) fn gated(&self, activation: Activation) -> &Kernel {
        match activation {
            Activation::Silu => &self.swiglu,
            Activation::Gelu => &self.geglu,
        }
    }

    /// One of the linear kernels, for binding a matrix: their layouts are the same.
    pub(crate) fn linear(&self) -> &Kernel {
        &self.linear_one
    }

    /// The linear kernel for `count` positions, and its workgroups for `groups` row groups.
    pub(crate) fn linear_for(&self, count: u32, groups: u32) -> (&Kernel, [u32; 3]) {
        let (kernel, positions) = match count {
            1 => (&self.linear_one, 1),
            2..=FEW => (&self.linear_four, 4),
            _ => {
                let (y, z) = over_two(groups.div_ceil(4));
                return (&self.linear_many, [count.div_ceil(32), y, z]);
            }
        };
        let (x, z) = over_two(groups);
        (kernel, [x, count.div_ceil(positions), z])
    }
}

/// `count` workgroups over two dimensions, of which the first is the inner one.
pub(crate) fn over_two(count: u32) -> (u32, u32) {
    (count.min(MOST_GROUPS), count.div_ceil(MOST_GROUPS))
}

impl Kernel {
    /// Compiles the concatenation of `sources`.
    pub(crate) fn new(
        gpu: &Gpu,
        window: &wgpu::BindGroupLayout,
        name: &str,
        sources: &[&str],
        access: &[Access],
    ) -> Result<Self, ExecutorError> {
        gpu.expected(|| {
            let device = gpu.raw();
            let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
                label: Some(name),
                source: wgpu::ShaderSource::Wgsl(sources.concat().into()),
            });
            let layout = layout(device, name, access);
            let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
                label: Some(name),
                bind_group_layouts: &[Some(window), Some(&layout)],
                immediate_size: 0,
            });
            let pipeline = device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
                label: Some(name),
                layout: Some(&pipeline_layout),
                module: &module,
                entry_point: Some("main"),
                compilation_options: wgpu::PipelineCompilationOptions {
                    constants: &[],
                    // The kernels write before they read.
                    zero_initialize_workgroup_memory: false,
                },
                cache: None,
            });
            Self { pipeline, layout }
        })
    }

    /// The kernel, ready to dispatch.
    pub(crate) fn pipeline(&self) -> &wgpu::ComputePipeline {
        &self.pipeline
    }

    /// Binds parameters and storage buffers, in the order of the kernel's bindings.
    pub(crate) fn bind(
        &self,
        gpu: &Gpu,
        parameters: &[u32],
        buffers: &[&Buffer],
    ) -> Result<Bound, ExecutorError> {
        let parameters = gpu.uniform(parameters)?;
        let bindings = std::iter::once(&parameters).chain(buffers.iter().copied());
        let entries: Vec<wgpu::BindGroupEntry<'_>> = bindings
            .zip(0..)
            .map(|(buffer, binding)| wgpu::BindGroupEntry {
                binding,
                resource: buffer.binding(),
            })
            .collect();
        let group = gpu.expected(|| {
            gpu.raw().create_bind_group(&wgpu::BindGroupDescriptor {
                label: None,
                layout: &self.layout,
                entries: &entries,
            })
        })?;
        Ok(Bound {
            group,
            _parameters: parameters,
        })
    }
}

/// The bindings of a dispatch.
#[derive(Debug)]
pub(crate) struct Bound {
    pub(crate) group: wgpu::BindGroup,
    /// Kept so that its bytes are counted.
    _parameters: Buffer,
}

fn window_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some("window"),
        entries: &[wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty: wgpu::BufferBindingType::Uniform,
                has_dynamic_offset: true,
                min_binding_size: None,
            },
            count: None,
        }],
    })
}

fn layout(device: &wgpu::Device, name: &str, access: &[Access]) -> wgpu::BindGroupLayout {
    let storages = access
        .iter()
        .map(|access| wgpu::BufferBindingType::Storage {
            read_only: matches!(access, Read),
        });
    let entries: Vec<_> = std::iter::once(wgpu::BufferBindingType::Uniform)
        .chain(storages)
        .zip(0..)
        .map(|(ty, binding)| wgpu::BindGroupLayoutEntry {
            binding,
            visibility: wgpu::ShaderStages::COMPUTE,
            ty: wgpu::BindingType::Buffer {
                ty,
                has_dynamic_offset: false,
                min_binding_size: None,
            },
            count: None,
        })
        .collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: Some(name),
        entries: &entries,
    })
}
