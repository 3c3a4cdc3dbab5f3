//! What a run costs, each with its definition; `specs/metrics.md` is made from here.

use crate::Dimension;

/// A figure that is made of the readings of processes and of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Memory of the server.
    MemoryServer,
    /// Its base.
    MemoryServerBase,
    /// What it kept.
    MemoryServerKept,
    /// Memory of the generator.
    MemoryGenerator,
    /// Memory of the kernel.
    MemoryKernel,
    /// Processor time of the server.
    CpuServer,
    /// Its share of a core.
    CpuServerShare,
    /// Processor time of the generator.
    CpuGenerator,
    /// Its share of a core.
    CpuGeneratorShare,
}

impl Figure {
    /// All, in the order of reports.
    pub const ALL: [Self; 9] = [
        Self::MemoryServer,
        Self::MemoryServerBase,
        Self::MemoryServerKept,
        Self::MemoryGenerator,
        Self::MemoryKernel,
        Self::CpuServer,
        Self::CpuServerShare,
        Self::CpuGenerator,
        Self::CpuGeneratorShare,
    ];

    /// The name in thresholds and results.
    pub fn key(self) -> &'static str {
        match self {
            Self::MemoryServer => "memory.server",
            Self::MemoryServerBase => "memory.server.base",
            Self::MemoryServerKept => "memory.server.kept",
            Self::MemoryGenerator => "memory.generator",
            Self::MemoryKernel => "memory.kernel",
            Self::CpuServer => "cpu.server",
            Self::CpuServerShare => "cpu.server.share",
            Self::CpuGenerator => "cpu.generator",
            Self::CpuGeneratorShare => "cpu.generator.share",
        }
    }

    /// The figure of that key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.key() == key)
    }

    /// What it is measured in.
    pub fn dimension(self) -> Dimension {
        match self {
            Self::MemoryServer
            | Self::MemoryServerBase
            | Self::MemoryServerKept
            | Self::MemoryGenerator
            | Self::MemoryKernel => Dimension::Bytes,
            Self::CpuServer | Self::CpuGenerator => Dimension::Time,
            Self::CpuServerShare | Self::CpuGeneratorShare => Dimension::Share,
        }
    }

    /// What it means.
    pub fn definition(self) -> &'static str {
        match self {
            Self::MemoryServer => {
                "private memory of the server's processes for each connection: the slope of a line through the readings at the plateaus of the ramp"
            }
            Self::MemoryServerBase => {
                "private memory of the server's processes without connections: the intercept of that line"
            }
            Self::MemoryServerKept => {
                "private memory that the server's processes have more than before the ramp when all clients have left, for each connection that there was"
            }
            Self::MemoryGenerator => "the same slope, of the generator's processes",
            Self::MemoryKernel => {
                "the same slope, of the kernel's slabs and TCP memory on this machine, so for both ends where the server runs here, too"
            }
            Self::CpuServer => "processor time of the server's processes for each event delivered",
            Self::CpuServerShare => {
                "processor time of the server's processes ÷ the time that passed; 100% is one core"
            }
            Self::CpuGenerator => "processor time of the generator for each event delivered",
            Self::CpuGeneratorShare => {
                "processor time of the generator ÷ the time that passed; 100% is one core"
            }
        }
    }
}
