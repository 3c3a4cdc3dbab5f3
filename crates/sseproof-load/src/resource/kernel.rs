//! The kernel: `/proc/net/sockstat`, `/proc/meminfo` and, if it may be read, `/sys/kernel/slab`.
//!
//! `/proc/slabinfo` has the same, but the kernel counts every slab of the machine for it, which takes
//! milliseconds. Receive queues are read from `/proc/net/tcp`, for at most one percent of the time,
//! so that the engine asks no socket.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, ErrorKind};
use std::path::{Path, PathBuf};

use procfs::{Current as _, Meminfo};
use sseproof_load_model::Kernel;

use super::LookError;

/// The slabs that contain objects of a TCP connection, at either end.
const SLABS: [&str; 13] = [
    "TCP",
    "TCPv6",
    "tw_sock_TCP",
    "tw_sock_TCPv6",
    "request_sock_TCP",
    "request_sock_TCPv6",
    "sock_inode_cache",
    "skbuff_head_cache",
    "skbuff_small_head",
    "filp",
    "ep_head",
    "eventpoll_epi",
    "eventpoll_pwq",
];

/// The memory of the sockets of all processes, and of all slabs, in the kernel.
///
/// # Errors
/// [`LookError::Unreadable`] if `/proc` does not have it.
pub fn kernel() -> Result<Kernel, LookError> {
    let path = "/proc/net/sockstat";
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let page = procfs::page_size();
    let tcp = charged(&text, page)
        .ok_or_else(|| unreadable(path, "there is no line `TCP:` with a number after `mem`"))?;
    let memory =
        Meminfo::current().map_err(|error| unreadable("/proc/meminfo", &error.to_string()))?;
    Ok(Kernel {
        tcp,
        slab: memory.slab,
        unreclaimable: memory.s_unreclaim.unwrap_or_default(),
        sockets: slabs(Path::new("/sys/kernel/slab"), page),
    })
}

/// The bytes that have arrived and were not read yet, of all sockets of this machine whose other end
/// has that port.
///
/// The kernel writes a line for each socket of the machine, so it takes milliseconds for thousands.
///
/// # Errors
/// [`LookError::Unreadable`] if `/proc` does not have it.
pub fn waiting(port: u16) -> Result<u64, LookError> {
    let mut sum = 0;
    for path in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = match File::open(path) {
            Ok(file) => BufReader::new(file),
            // The machine may lack IPv6.
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(error) => return Err(unreadable(path, &error.to_string())),
        };
        sum += queued(table, port).map_err(|error| unreadable(path, &error.to_string()))?;
    }
    Ok(sum)
}

/// The sum of `rx_queue` in the lines whose `rem_address` has that port.
///
/// A line at a time: the whole has megabytes, which would look like the generator's own.
fn queued(mut table: impl BufRead, port: u16) -> io::Result<u64> {
    let end = format!(":{port:04X}");
    let of = |line: &str| {
        let mut words = line.split_ascii_whitespace().skip(2);
        let is_ours = words.next()?.ends_with(&end);
        // After the state there is `tx_queue:rx_queue`, in hexadecimal.
        let queues = words.nth(1).filter(|_| is_ours)?;
        u64::from_str_radix(queues.split_once(':')?.1, 16).ok()
    };
    let (mut sum, mut line) = (0, String::new());
    while table.read_line(&mut line)? > 0 {
        sum += of(&line).unwrap_or_default();
        line.clear();
    }
    Ok(sum)
}

/// The memory charged by TCP: pages after `mem`. The kernel adds up by processor, and so it is late by
/// up to a MiB for each.
fn charged(sockstat: &str, page: u64) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace();
    words.find(|word| *word == "mem")?;
    Some(words.next()?.parse::<u64>().ok()? * page)
}

/// The memory of the slabs of sockets, in bytes: all their pages, used or not.
///
/// Slabs whose objects have the same size may be one, of several names, and are counted once.
fn slabs(directory: &Path, page: u64) -> Option<u64> {
    let found = SLABS.iter().filter_map(|name| fs::canonicalize(directory.join(name)).ok());
    let found: BTreeSet<PathBuf> = found.collect();
    let each = found.iter().map(|slab| {
        let read = |file: &str| fs::read_to_string(slab.join(file)).ok();
        held(&read("slabs")?, &read("order")?, page)
    });
    let sum: Option<u64> = each.sum();
    sum.filter(|_| !found.is_empty())
}

/// The bytes of so many slabs, each of two to the `order` pages: `10 N0=10` and `3`.
fn held(slabs: &str, order: &str, page: u64) -> Option<u64> {
    let slabs: u64 = slabs.split_whitespace().next()?.parse().ok()?;
    let order: u32 = order.trim().parse().ok()?;
    slabs.checked_mul(page.checked_shl(order)?)
}

fn unreadable(path: &str, why: &str) -> LookError {
    LookError::Unreadable { path: PathBuf::from(path), why: why.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_kernel_is_read() {
        let kernel = kernel().unwrap();
        assert!(
            kernel.slab >= kernel.unreclaimable && kernel.unreclaimable > 1 << 16,
            "{kernel:?}"
        );
        assert!(kernel.sockets.is_none_or(|sockets| sockets > 0 && sockets < kernel.slab));
    }

    #[test]
    fn unread_bytes_wait() {
        use std::io::Write as _;

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let _client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert_eq!(waiting(port).unwrap(), 0);
        server.write_all(&[0; 1234]).unwrap();
        // On loopback it has arrived when it was written.
        assert_eq!(waiting(port).unwrap(), 1234);
    }

    #[test]
    fn a_table_is_read_by_its_columns() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when\n   0: 0100007F:A000 0100007F:1F90 01 00000007:000000FF 00:00000000\n   1: 0100007F:1F90 0100007F:A000 01 00000000:00000001 00:00000000\n";
        let of = |port| queued(table.as_bytes(), port).unwrap();
        assert_eq!((of(0x1F90), of(0xA000), of(1)), (255, 1, 0));
        assert_eq!(queued(&b"sl\nno line\n"[..], 1).unwrap(), 0);
    }

    #[test]
    fn pages_become_bytes() {
        let text =
            "sockets: used 14\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 18\nUDP: inuse 0 mem 3\n";
        assert_eq!(charged(text, 4096), Some(18 * 4096));
        assert_eq!(charged(text, 16_384), Some(18 * 16_384));
        assert_eq!(charged("UDP: inuse 0 mem 3\n", 4096), None);
        assert_eq!(charged("TCP: inuse 1 mem many\n", 4096), None);
    }

    #[test]
    fn slabs_have_pages() {
        assert_eq!(held("10 N0=4 N1=6\n", "3\n", 4096), Some(10 * 8 * 4096));
        assert_eq!(held("0\n", "0\n", 4096), Some(0));
        for (slabs, order) in [("", "3"), ("ten", "3"), ("10", ""), ("10", "99")] {
            assert_eq!(held(slabs, order, 4096), None, "{slabs:?} {order:?}");
        }
        assert_eq!(slabs(Path::new("/nowhere"), 4096), None);
    }
}
