//! The costs of a run, each with its definition; `specs/metrics.md` is generated from here.

use crate::table::table;
use sseproof_units::Dimension;

table! {
    /// A figure that is computed from the readings of processes and of the kernel, by [`Cost`](crate::Cost).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Figure of &str { key: &'static str, definition: &'static str }

    MemoryServer = "memory.server",
        "private memory of the server's processes for each connection: the slope of a line (least squares) through the last reading of each plateau of the ramp, with its 95 % confidence interval; through one reading for each number of connections if there are fewer than three plateaus; only readings before the first event if the ramp was silent; no value if the process had memory from an earlier run";
    MemoryServerBase = "memory.server.base",
        "private memory of the server's processes without connections: the intercept of that line";
    MemoryServerPss = "memory.server.pss",
        "the slope of the proportional set size (PSS) instead, in which a page that several processes share counts in parts";
    MemoryServerAllIn = "memory.server.all-in",
        "PSS of the server's processes at the peak ÷ connections then: it includes the base, so it shrinks with more connections";
    MemoryServerFirstEvent = "memory.server.first-event",
        "private memory of the server's processes at the end of the peak − that before the first event arrived, for each connection; only if all events came after all clients had connected, and each client can have received one";
    MemoryServerKept = "memory.server.kept",
        "private memory of the server's processes after all clients have disconnected − that before the first connected, for each stream; it includes memory that an allocator keeps for later ones, so only growth from run to run is a leak";
    MemoryGenerator = "memory.generator",
        "the slope of `memory.server`, of the generator's processes";
    MemoryGeneratorBase = "memory.generator.base",
        "the intercept of that line";
    MemoryGeneratorPss = "memory.generator.pss",
        "the slope of `memory.server.pss`, of the generator's processes";
    MemoryGeneratorAllIn = "memory.generator.all-in",
        "PSS of the generator's processes at the peak ÷ connections then, the base included";
    MemoryGeneratorFirstEvent = "memory.generator.first-event",
        "as `memory.server.first-event`, of the generator's processes";
    MemoryKernel = "memory.kernel",
        "the slope of `Slab` of `/proc/meminfo`, for each connection and not for each socket: if the server runs on this machine, too, a connection has both its ends here; it includes other programs of the machine, and memory that the kernel kept from earlier connections makes it smaller";
    MemoryKernelTcp = "memory.kernel.tcp",
        "the slope of `mem` of TCP in `/proc/net/sockstat`, times the page size, for each connection; a smaller part of it is in slabs, so it must not be added to `memory.kernel`; the kernel adds it up late, by up to 1 MiB for each processor";
    MemoryKernelSockets = "memory.kernel.sockets",
        "the slope of the slabs of TCP, sockets, files and epoll of `/sys/kernel/slab`, for each connection; a part of `memory.kernel`, less affected by other programs and earlier connections; only root may read it";
    CpuServer = "cpu.server",
        "processor time (user and system) of the server's processes ÷ events delivered, both while the number of clients was highest; the kernel counts it in ticks of 10 ms, and the interval is the error of these";
    CpuServerShare = "cpu.server.share",
        "processor time of the server's processes ÷ the time that passed, while the number of clients was highest; 100% is one core";
    CpuServerIdle = "cpu.server.idle",
        "processor time of the server's processes ÷ (connections × seconds), in the longest period in which clients were connected and no event came";
    CpuGenerator = "cpu.generator",
        "as `cpu.server`, of the generator's processes";
    CpuGeneratorShare = "cpu.generator.share",
        "as `cpu.server.share`, of the generator's processes";
    CpuGeneratorIdle = "cpu.generator.idle",
        "as `cpu.server.idle`, of the generator's processes";
}

impl Figure {
    pub fn dimension(self) -> Dimension {
        match self {
            Self::CpuServer | Self::CpuServerIdle | Self::CpuGenerator | Self::CpuGeneratorIdle => {
                Dimension::Time
            }
            Self::CpuServerShare | Self::CpuGeneratorShare => Dimension::Share,
            _ => Dimension::Bytes,
        }
    }

    /// Whether it is about the server's processes, which the user has to name.
    pub fn is_of_server(self) -> bool {
        let of = self.key().split('.').nth(1);
        of == Some("server")
    }
}
