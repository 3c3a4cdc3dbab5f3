//! What a run costs, each with its definition; `specs/metrics.md` is made from here.

use sseproof_units::Dimension;

/// A figure that is made of the readings of processes and of the kernel, by [`Cost`](crate::Cost).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    /// Memory of the server.
    MemoryServer,
    /// Its base.
    MemoryServerBase,
    /// The same of its proportional set size.
    MemoryServerPss,
    /// All of its memory.
    MemoryServerAllIn,
    /// What events add.
    MemoryServerFirstEvent,
    /// What it kept.
    MemoryServerKept,
    /// Memory of the generator.
    MemoryGenerator,
    /// Its base.
    MemoryGeneratorBase,
    /// The same of its proportional set size.
    MemoryGeneratorPss,
    /// All of its memory.
    MemoryGeneratorAllIn,
    /// What events add.
    MemoryGeneratorFirstEvent,
    /// Memory of the kernel.
    MemoryKernel,
    /// What TCP has charged.
    MemoryKernelTcp,
    /// Slabs of sockets.
    MemoryKernelSockets,
    /// Processor time of the server.
    CpuServer,
    /// Its share of a core.
    CpuServerShare,
    /// What an idle connection takes.
    CpuServerIdle,
    /// Processor time of the generator.
    CpuGenerator,
    /// Its share of a core.
    CpuGeneratorShare,
    /// What an idle connection takes.
    CpuGeneratorIdle,
}

impl Figure {
    /// All, in the order of reports.
    pub const ALL: [Self; 20] = [
        Self::MemoryServer,
        Self::MemoryServerBase,
        Self::MemoryServerPss,
        Self::MemoryServerAllIn,
        Self::MemoryServerFirstEvent,
        Self::MemoryServerKept,
        Self::MemoryGenerator,
        Self::MemoryGeneratorBase,
        Self::MemoryGeneratorPss,
        Self::MemoryGeneratorAllIn,
        Self::MemoryGeneratorFirstEvent,
        Self::MemoryKernel,
        Self::MemoryKernelTcp,
        Self::MemoryKernelSockets,
        Self::CpuServer,
        Self::CpuServerShare,
        Self::CpuServerIdle,
        Self::CpuGenerator,
        Self::CpuGeneratorShare,
        Self::CpuGeneratorIdle,
    ];

    /// The name in thresholds and results.
    pub fn key(self) -> &'static str {
        match self {
            Self::MemoryServer => "memory.server",
            Self::MemoryServerBase => "memory.server.base",
            Self::MemoryServerPss => "memory.server.pss",
            Self::MemoryServerAllIn => "memory.server.all-in",
            Self::MemoryServerFirstEvent => "memory.server.first-event",
            Self::MemoryServerKept => "memory.server.kept",
            Self::MemoryGenerator => "memory.generator",
            Self::MemoryGeneratorBase => "memory.generator.base",
            Self::MemoryGeneratorPss => "memory.generator.pss",
            Self::MemoryGeneratorAllIn => "memory.generator.all-in",
            Self::MemoryGeneratorFirstEvent => "memory.generator.first-event",
            Self::MemoryKernel => "memory.kernel",
            Self::MemoryKernelTcp => "memory.kernel.tcp",
            Self::MemoryKernelSockets => "memory.kernel.sockets",
            Self::CpuServer => "cpu.server",
            Self::CpuServerShare => "cpu.server.share",
            Self::CpuServerIdle => "cpu.server.idle",
            Self::CpuGenerator => "cpu.generator",
            Self::CpuGeneratorShare => "cpu.generator.share",
            Self::CpuGeneratorIdle => "cpu.generator.idle",
        }
    }

    /// The figure of that key.
    pub fn of(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.key() == key)
    }

    /// What it is measured in.
    pub fn dimension(self) -> Dimension {
        match self {
            Self::CpuServer | Self::CpuServerIdle | Self::CpuGenerator | Self::CpuGeneratorIdle => {
                Dimension::Time
            }
            Self::CpuServerShare | Self::CpuGeneratorShare => Dimension::Share,
            _ => Dimension::Bytes,
        }
    }

    /// Whether it tells of the server's processes, which somebody has to name.
    pub fn is_of_server(self) -> bool {
        let of = self.key().split('.').nth(1);
        of == Some("server")
    }

    /// What it means.
    pub fn definition(self) -> &'static str {
        match self {
            Self::MemoryServer => {
                "private memory of the server's processes for each connection: the slope of a line (least squares) through the last reading of each plateau of the ramp, with its 95 % confidence interval; through one reading for each number of connections where there are no three plateaus; only readings before the first event where the ramp was silent; none where the process had memory from an earlier run"
            }
            Self::MemoryServerBase => {
                "private memory of the server's processes without connections: the intercept of that line"
            }
            Self::MemoryServerPss => {
                "the slope of the proportional set size (PSS) instead, in which a page that several processes share counts in parts"
            }
            Self::MemoryServerAllIn => {
                "PSS of the server's processes at the peak ÷ connections then: the base is in it, so it shrinks with more connections"
            }
            Self::MemoryServerFirstEvent => {
                "private memory of the server's processes at the end of the peak − that before the first event arrived, for each connection; where events came only after all clients were there, and each can have had one"
            }
            Self::MemoryServerKept => {
                "private memory of the server's processes when all clients have left − that before the first came, for each stream that there was; what an allocator keeps for the next ones is in it, so only what grows from run to run is a leak"
            }
            Self::MemoryGenerator => "the slope of `memory.server`, of the generator's processes",
            Self::MemoryGeneratorBase => "the intercept of that line",
            Self::MemoryGeneratorPss => {
                "the slope of `memory.server.pss`, of the generator's processes"
            }
            Self::MemoryGeneratorAllIn => {
                "PSS of the generator's processes at the peak ÷ connections then, the base included"
            }
            Self::MemoryGeneratorFirstEvent => {
                "as `memory.server.first-event`, of the generator's processes"
            }
            Self::MemoryKernel => {
                "the slope of `Slab` of `/proc/meminfo`, for each connection and not for each socket: where the server runs on this machine, too, a connection has both its ends here; other programs of the machine are in it, and it shrinks with what the kernel kept from earlier connections"
            }
            Self::MemoryKernelTcp => {
                "the slope of `mem` of TCP in `/proc/net/sockstat`, times the page size, for each connection; the smaller part of it lies in slabs, so it must not be added to `memory.kernel`; the kernel adds it up late, by up to 1 MiB for each processor"
            }
            Self::MemoryKernelSockets => {
                "the slope of the slabs of TCP, sockets, files and epoll of `/sys/kernel/slab`, for each connection; a part of `memory.kernel`, with less of other programs and of what earlier connections left in it; only root may read it"
            }
            Self::CpuServer => {
                "processor time (user and system) of the server's processes ÷ events delivered, both while as many clients were there as ever; the kernel tells it in ticks of 10 ms, and the interval is what that leaves open"
            }
            Self::CpuServerShare => {
                "processor time of the server's processes ÷ the time that passed, while as many clients were there as ever; 100% is one core"
            }
            Self::CpuServerIdle => {
                "processor time of the server's processes ÷ (connections × seconds), in the longest stretch in which clients were there and no event came"
            }
            Self::CpuGenerator => "as `cpu.server`, of the generator's processes",
            Self::CpuGeneratorShare => "as `cpu.server.share`, of the generator's processes",
            Self::CpuGeneratorIdle => "as `cpu.server.idle`, of the generator's processes",
        }
    }
}
