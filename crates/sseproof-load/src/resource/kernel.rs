//! The kernel: `/proc/net/sockstat`, `/proc/meminfo` and, where it may be read, `/proc/slabinfo`.

use std::fs;
use std::path::PathBuf;

use procfs::{Current as _, Meminfo};
use sseproof_measure::Kernel;

use super::LookError;

/// Which slabs a TCP connection has something of, on any of its ends.
const SLABS: [&str; 15] = [
    "TCP",
    "TCPv6",
    "tw_sock_TCP",
    "tw_sock_TCPv6",
    "request_sock_TCP",
    "request_sock_TCPv6",
    "sock_inode_cache",
    "skbuff_head_cache",
    "skbuff_fclone_cache",
    "skbuff_small_head",
    "filp",
    "ep_head",
    "eventpoll_epi",
    "eventpoll_pwq",
    "tcp_bind_bucket",
];

/// What the kernel uses for the sockets of all processes, and in all slabs.
///
/// # Errors
/// [`LookError::Unreadable`], where `/proc` does not tell.
pub fn kernel() -> Result<Kernel, LookError> {
    let path = "/proc/net/sockstat";
    let text = fs::read_to_string(path).map_err(|error| unreadable(path, &error.to_string()))?;
    let page = procfs::page_size();
    let tcp = charged(&text, page)
        .ok_or_else(|| unreadable(path, "there is no line `TCP:` with a number behind `mem`"))?;
    let memory =
        Meminfo::current().map_err(|error| unreadable("/proc/meminfo", &error.to_string()))?;
    Ok(Kernel {
        tcp,
        slab: memory.slab,
        unreclaimable: memory.s_unreclaim.unwrap_or_default(),
        sockets: fs::read_to_string("/proc/slabinfo").ok().and_then(|text| slabs(&text, page)),
    })
}

/// What TCP has charged: pages behind `mem`. The kernel adds up by processor, and so it is late by
/// up to a MiB for each.
fn charged(sockstat: &str, page: u64) -> Option<u64> {
    let line = sockstat.lines().find_map(|line| line.strip_prefix("TCP:"))?;
    let mut words = line.split_whitespace();
    words.find(|word| *word == "mem")?;
    Some(words.next()?.parse::<u64>().ok()? * page)
}

/// What the slabs of sockets hold, in bytes: as many pages as they have, whatever is used of them.
fn slabs(slabinfo: &str, page: u64) -> Option<u64> {
    let mut sum = None;
    for line in slabinfo.lines() {
        let words: Vec<_> = line.split_whitespace().collect();
        // name active_objs num_objs objsize objperslab pagesperslab : tunables 3 numbers : slabdata
        // active_slabs num_slabs sharedavail
        let &[name, _, _, _, _, pages, _, _, _, _, _, _, _, _, count, _] = words.as_slice() else {
            continue;
        };
        if SLABS.contains(&name) {
            let pages = pages.parse::<u64>().ok()? * count.parse::<u64>().ok()?;
            *sum.get_or_insert(0) += pages * page;
        }
    }
    sum
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
    fn pages_become_bytes() {
        let text =
            "sockets: used 14\nTCP: inuse 1 orphan 0 tw 0 alloc 1 mem 18\nUDP: inuse 0 mem 3\n";
        assert_eq!(charged(text, 4096), Some(18 * 4096));
        assert_eq!(charged(text, 16_384), Some(18 * 16_384));
        assert_eq!(charged("UDP: inuse 0 mem 3\n", 4096), None);
        assert_eq!(charged("TCP: inuse 1 mem many\n", 4096), None);
    }

    #[test]
    fn only_the_slabs_of_sockets_count() {
        let text = "slabinfo - version: 2.1
# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>
dentry            984320 984333    192   21    1 : tunables    0    0    0 : slabdata  46873  46873      0
TCP                  117    117   2368   13    8 : tunables    0    0    0 : slabdata      9      9      0
eventpoll_epi        323    416    128   32    1 : tunables    0    0    0 : slabdata     11     13      0
";
        assert_eq!(slabs(text, 4096), Some((9 * 8 + 13) * 4096));
        assert_eq!(slabs("slabinfo - version: 2.1\n", 4096), None);
    }
}
