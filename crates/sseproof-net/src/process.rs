//! Reads the processes of a server on this machine: connections, descriptors, threads, memory.

use std::collections::HashSet;
use std::net::SocketAddr;

use url::{Host, Url};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Vitals {
    /// Connections of clients that the processes hold, also of clients that disconnected.
    pub connections: u64,
    pub descriptors: u64,
    pub threads: u64,
    /// Private memory, in bytes.
    pub memory: u64,
}

/// Reads the processes that listen on a port, any number of times.
///
/// The kernel forgets a connection that was reset while the process still holds its descriptor, so
/// every connection that was read once is kept until its descriptor is closed.
#[derive(Debug, Default)]
pub struct Watcher {
    known: HashSet<u64>,
}

impl Watcher {
    /// The resources of the processes that listen on the port, or of the one with that id.
    ///
    /// # Errors
    /// Why nothing can be read: no such process with readable /proc, or a system other than Linux.
    pub fn look(&mut self, port: u16, process: Option<u32>) -> Result<Vitals, String> {
        linux::look(port, process, &mut self.known)
    }
}

/// How many bytes lie in the buffers of the kernel between the two ends of a TCP connection, on the
/// way to us.
///
/// # Errors
/// Why it is not known: the other end is not on this machine, or the system is not Linux.
pub(crate) fn unread(ours: SocketAddr, theirs: SocketAddr) -> Result<u64, String> {
    linux::unread(ours, theirs)
}

/// The processes of a group that serve a port: they listen on it, or hold connections to it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Serving {
    pub all: Vec<i32>,
    /// Those that none of the others has started: they pass a signal on to their workers.
    pub first: Vec<i32>,
}

/// The processes of the process group that serve the port; none if they cannot be read.
pub fn serving(port: u16, group: i32) -> Serving {
    linux::serving(port, group).unwrap_or_default()
}

/// Whether the process exists and has not exited; a zombie has.
pub fn is_running(process: i32) -> bool {
    linux::is_running(process)
}

/// The private memory of the processes of a process group, in bytes.
///
/// # Errors
/// Why it is not known: no such group with readable /proc, or a system other than Linux.
pub fn group_memory(group: u32) -> Result<u64, String> {
    linux::group_memory(group)
}

pub fn local_port(url: &str) -> Option<u16> {
    let url = Url::parse(url).ok()?;
    let is_local = match url.host()? {
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    url.port_or_known_default().filter(|_| is_local)
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeSet, HashSet};
    use std::net::SocketAddr;
    use std::sync::{Mutex, PoisonError};

    use procfs::net::{TcpNetEntry, TcpState, tcp, tcp6};
    use procfs::process::{FDTarget, Process, all_processes};
    use procfs::{Current as _, Uptime};

    use super::{Serving, Vitals};

    /// The processes that held no socket that listens on a port when they were last asked. They are
    /// asked again only if such a socket has no other holder: to ask all processes of a machine takes
    /// longer than all else that a reading does.
    static OTHERS: Mutex<BTreeSet<(u16, i32)>> = Mutex::new(BTreeSet::new());

    /// The age, in seconds, from which on a process is not expected to get a socket any more.
    const SETTLED: u64 = 2;

    struct Holder {
        process: Process,
        sockets: HashSet<u64>,
        descriptors: u64,
    }

    pub(super) fn look(
        port: u16,
        process: Option<u32>,
        known: &mut HashSet<u64>,
    ) -> Result<Vitals, String> {
        let entries: Vec<TcpNetEntry> = table()?
            .filter(|entry| entry.local_address.port() == port && entry.inode != 0)
            .collect();
        let listens: HashSet<u64> = entries
            .iter()
            .filter(|entry| entry.state == TcpState::Listen)
            .map(|entry| entry.inode)
            .collect();
        let holders = match process {
            Some(wanted) => holders(|process| u32::try_from(process) == Ok(wanted), |_| true)?,
            None => listeners(port, &listens)?,
        };
        if let (true, Some(process)) = (holders.is_empty(), process) {
            return Err(format!("no such process: {process}, or /proc is not readable"));
        }
        if holders.is_empty() {
            return Err(format!(
                "no process with readable /proc listens on port {port} of this machine"
            ));
        }
        let connected = entries.iter().filter(|entry| entry.state != TcpState::Listen);
        known.extend(connected.map(|entry| entry.inode));
        let mut vitals = Vitals::default();
        let mut held = HashSet::new();
        for holder in &holders {
            held.extend(holder.sockets.intersection(known).copied());
            vitals.descriptors += holder.descriptors;
            vitals.threads += threads(&holder.process)?;
            vitals.memory += memory(&holder.process)?;
        }
        known.retain(|inode| held.contains(inode));
        vitals.connections = held.len() as u64;
        Ok(vitals)
    }

    pub(super) fn serving(port: u16, group: i32) -> Result<Serving, String> {
        let sockets: HashSet<u64> = table()?
            .filter(|entry| entry.local_address.port() == port && entry.inode != 0)
            .map(|entry| entry.inode)
            .collect();
        let processes: Vec<_> = holders(|_| true, |holder| !holder.sockets.is_disjoint(&sockets))?
            .into_iter()
            .filter_map(|holder| holder.process.stat().ok())
            .filter(|stat| stat.pgrp == group)
            .map(|stat| (stat.pid, stat.ppid))
            .collect();
        let all: Vec<i32> = processes.iter().map(|(process, _)| *process).collect();
        let first = processes.iter().filter(|(_, parent)| !all.contains(parent));
        Ok(Serving { first: first.map(|(process, _)| *process).collect(), all })
    }

    pub(super) fn is_running(process: i32) -> bool {
        let stat = Process::new(process).and_then(|process| process.stat());
        stat.is_ok_and(|stat| !matches!(stat.state, 'Z' | 'X'))
    }

    fn table() -> Result<impl Iterator<Item = TcpNetEntry>, String> {
        let entries = tcp().map_err(|error| format!("cannot read /proc/net/tcp: {error}"))?;
        // A system without IPv6 has no table for it.
        Ok(entries.into_iter().chain(tcp6().unwrap_or_default()))
    }

    pub(super) fn unread(ours: SocketAddr, theirs: SocketAddr) -> Result<u64, String> {
        // A server that listens on both families has an IPv4 client in the table of IPv6.
        let end = |address: SocketAddr| (address.ip().to_canonical(), address.port());
        let ends = |from: SocketAddr, to: SocketAddr| (end(from), end(to));
        let (mut here, mut there) = (None, None);
        for entry in table()? {
            let between = ends(entry.local_address, entry.remote_address);
            if between == ends(ours, theirs) {
                here = Some(entry);
            } else if between == ends(theirs, ours) {
                there = Some(entry);
            }
        }
        let Some(here) = here else {
            // A reset throws away what was not read.
            return Ok(0);
        };
        let sent = match there {
            Some(there) => there.tx_queue,
            // The server has closed the connection, and all of what it sent has arrived.
            None if here.state == TcpState::CloseWait => 0,
            None => {
                return Err("the other end of the connection is not on this machine, so its buffer cannot be read".to_owned());
            }
        };
        Ok(u64::from(here.rx_queue) + u64::from(sent))
    }

    /// The processes that hold one of these sockets, which listen on the port.
    fn listeners(port: u16, listens: &HashSet<u64>) -> Result<Vec<Holder>, String> {
        if listens.is_empty() {
            return Ok(Vec::new());
        }
        let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = |others: &mut BTreeSet<(u16, i32)>| {
            let mut more = Vec::new();
            let holds = |holder: &Holder| {
                let holds = !holder.sockets.is_disjoint(listens);
                if !holds && is_settled(&holder.process) {
                    more.push((port, holder.process.pid));
                }
                holds
            };
            let found = holders(|process| !others.contains(&(port, process)), holds);
            others.extend(more);
            found
        };
        let found = ask(&mut others)?;
        let is_held = |socket| found.iter().any(|holder| holder.sockets.contains(socket));
        if listens.iter().all(is_held) {
            return Ok(found);
        }
        others.retain(|(of, _)| *of != port);
        ask(&mut others)
    }

    fn is_settled(process: &Process) -> bool {
        let (Ok(stat), Ok(uptime)) = (process.stat(), Uptime::current()) else { return false };
        uptime.uptime >= (stat.starttime / procfs::ticks_per_second() + SETTLED) as f64
    }

    /// Those of the wanted processes that hold what is asked for.
    fn holders(
        wants: impl Fn(i32) -> bool,
        mut holds: impl FnMut(&Holder) -> bool,
    ) -> Result<Vec<Holder>, String> {
        let processes = all_processes().map_err(|error| format!("cannot read /proc: {error}"))?;
        let mut holders = Vec::new();
        // Processes of others, and those that end meanwhile, cannot be read.
        for process in processes.flatten().filter(|process| wants(process.pid)) {
            let Ok(descriptors) = process.fd() else { continue };
            let mut holder = Holder { process, sockets: HashSet::new(), descriptors: 0 };
            for descriptor in descriptors.flatten() {
                holder.descriptors += 1;
                if let FDTarget::Socket(inode) = descriptor.target {
                    holder.sockets.insert(inode);
                }
            }
            if !holds(&holder) {
                continue;
            }
            if u32::try_from(holder.process.pid) == Ok(std::process::id()) {
                return Err("the server is a part of sseproof itself".to_owned());
            }
            holders.push(holder);
        }
        Ok(holders)
    }

    pub(super) fn group_memory(group: u32) -> Result<u64, String> {
        let processes = all_processes().map_err(|error| format!("cannot read /proc: {error}"))?;
        // Processes of others, and those that end meanwhile, cannot be read.
        let mut members = processes.flatten().filter(|process| {
            let stat = process.stat();
            stat.is_ok_and(|stat| u32::try_from(stat.pgrp).is_ok_and(|found| found == group))
        });
        let first = members.next().ok_or_else(|| format!("no such process group: {group}"))?;
        let rest: u64 = members.filter_map(|process| memory(&process).ok()).sum();
        Ok(memory(&first)? + rest)
    }

    fn threads(process: &Process) -> Result<u64, String> {
        let stat = process.stat().map_err(|error| gone(process, &error))?;
        Ok(u64::try_from(stat.num_threads).unwrap_or_default())
    }

    fn memory(process: &Process) -> Result<u64, String> {
        let rollup = process.smaps_rollup().map_err(|error| gone(process, &error))?;
        let maps = rollup.memory_map_rollup.iter();
        let private = maps.flat_map(|map| {
            ["Private_Clean", "Private_Dirty", "Swap"]
                .into_iter()
                .filter_map(|name| map.extension.map.get(name).copied())
        });
        Ok(private.sum())
    }

    fn gone(process: &Process, error: &procfs::ProcError) -> String {
        format!("cannot read process {}: {error}", process.pid)
    }
}

#[cfg(not(target_os = "linux"))]
mod linux {
    use std::collections::HashSet;
    use std::net::SocketAddr;

    pub(super) fn look(
        _port: u16,
        _process: Option<u32>,
        _known: &mut HashSet<u64>,
    ) -> Result<super::Vitals, String> {
        Err("processes can only be read on Linux".to_owned())
    }

    pub(super) fn serving(_port: u16, _group: i32) -> Result<super::Serving, String> {
        Err("processes can only be read on Linux".to_owned())
    }

    pub(super) fn is_running(_process: i32) -> bool {
        false
    }

    pub(super) fn group_memory(_group: u32) -> Result<u64, String> {
        Err("processes can only be read on Linux".to_owned())
    }

    pub(super) fn unread(_ours: SocketAddr, _theirs: SocketAddr) -> Result<u64, String> {
        Err("the buffers of a connection can only be read on Linux".to_owned())
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use std::io::{BufRead as _, BufReader};
    use std::net::TcpStream;
    use std::process::{Command, Stdio};

    const SERVER: &str = "
import socket, sys, time
server = socket.create_server(('127.0.0.1', 0))
print(server.getsockname()[1], flush=True)
held = [server.accept() for _ in range(2)]
print('held', flush=True)
sys.stdin.read()
";

    #[test]
    fn connections_are_held_until_the_server_lets_go() {
        let server = Command::new("python3")
            .args(["-c", SERVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut server) = server else {
            eprintln!("python3 is not installed");
            return;
        };
        let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let port: u16 = lines.next().unwrap().unwrap().parse().unwrap();
        let mut watcher = Watcher::default();
        let before = watcher.look(port, None).unwrap();
        assert_eq!(before.connections, 0);
        assert!(before.threads >= 1 && before.memory > 1 << 20, "{before:?}");

        let clients = [(); 2].map(|()| TcpStream::connect(("127.0.0.1", port)).unwrap());
        assert_eq!(lines.next().unwrap().unwrap(), "held");
        let during = watcher.look(port, None).unwrap();
        assert_eq!(during.connections, 2);
        assert_eq!(Watcher::default().look(port, Some(server.id())).unwrap().connections, 2);
        assert_eq!(during.descriptors, before.descriptors + 2);
        let [closing, resetting] = clients;
        drop(closing);
        let resetting = socket2::Socket::from(resetting);
        resetting.set_linger(Some(std::time::Duration::ZERO)).unwrap();
        drop(resetting);
        assert_eq!(watcher.look(port, None).unwrap().connections, 2);

        drop(server.stdin.take());
        server.wait().unwrap();
        assert!(watcher.look(port, None).is_err());
    }

    #[test]
    fn what_belongs_to_ourselves_is_not_looked_into() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let said = Watcher::default().look(port, None).unwrap_err();
        assert_eq!(said, "the server is a part of sseproof itself");
    }
}
