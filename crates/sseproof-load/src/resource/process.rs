//! Processes: `/proc/<pid>/stat`, `/proc/<pid>/smaps_rollup` and `/proc/<pid>/fd`.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::PathBuf;

use procfs::process::{Process, Stat, all_processes};
use procfs::{ProcError, ProcResult};
use sseproof_load_model::Usage;

use super::LookError;

/// `ESRCH`, for which there is no kind.
const NO_SUCH_PROCESS: i32 = rustix::io::Errno::SRCH.raw_os_error();

const SECOND: u64 = 1_000_000_000;

/// The usage of a process and its descendants, of which none may be of the generator.
///
/// Processor time is that of all of them, and of those of their children that have ended and were
/// waited for. A child that ends while we look is left out.
///
/// # Errors
/// [`LookError`], also if a child may not be read: a part would look like the whole.
pub fn tree(root: u32, generator: &[u32]) -> Result<Usage, LookError> {
    let family = family(root)?;
    if let Some(&generator) = generator.iter().find(|id| family.contains(id)) {
        return Err(LookError::Ancestor { server: root, generator });
    }
    let mut usage = Usage { root, ..Usage::default() };
    for id in family {
        match of(id, Children::Reaped) {
            Ok(process) if id == root && process.processes == 0 => {
                return Err(LookError::Gone(root));
            }
            Ok(process) => usage += process,
            Err(LookError::Gone(gone)) if gone != root => {}
            Err(error) => return Err(error),
        }
    }
    Ok(usage)
}

/// The usage of exactly these processes, without their children.
///
/// # Errors
/// [`LookError`] if one of them has ended or may not be read.
pub fn processes(ids: &[u32]) -> Result<Usage, LookError> {
    let root = ids.first().copied().unwrap_or_default();
    let mut usage = Usage { root, ..Usage::default() };
    for id in ids {
        let process = of(*id, Children::None)?;
        if process.processes == 0 {
            return Err(LookError::Gone(*id));
        }
        usage += process;
    }
    Ok(usage)
}

/// Whose processor time counts beside that of the process itself.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Children {
    None,
    Reaped,
}

/// The process and its descendants: by the lists of children, or by the parent of every process.
fn family(root: u32) -> Result<BTreeSet<u32>, LookError> {
    if let Some(family) = descendants(root, children) {
        return Ok(family);
    }
    let all = all_processes().map_err(|error| wrong(root, &error))?;
    let mut known: HashMap<u32, Vec<u32>> = HashMap::new();
    for stat in all.flatten().filter_map(|process| process.stat().ok()) {
        if let (Ok(id), Ok(parent)) = (u32::try_from(stat.pid), u32::try_from(stat.ppid)) {
            known.entry(parent).or_default().push(id);
        }
    }
    let children = |id| Some(known.remove(&id).unwrap_or_default());
    Ok(descendants(root, children).unwrap_or_default())
}

fn descendants(
    root: u32,
    mut children: impl FnMut(u32) -> Option<Vec<u32>>,
) -> Option<BTreeSet<u32>> {
    let (mut family, mut rest) = (BTreeSet::new(), vec![root]);
    while let Some(id) = rest.pop() {
        if family.insert(id) {
            rest.extend(children(id)?);
        }
    }
    Some(family)
}

/// The children of a process, if the kernel was built to list them.
fn children(id: u32) -> Option<Vec<u32>> {
    let process = Process::new(i32::try_from(id).ok()?).ok()?;
    let mut children = Vec::new();
    for task in process.tasks().ok()?.flatten() {
        children.extend(task.children().ok()?);
    }
    Some(children)
}

/// The usage of one process. One that has ended, and that its parent has not waited for, has nothing
/// left but its processor time, and does not count as a process.
fn of(id: u32, children: Children) -> Result<Usage, LookError> {
    let wrong = |error: ProcError| wrong(id, &error);
    let known = i32::try_from(id).map_err(|_| LookError::Gone(id))?;
    let process = Process::new(known).map_err(wrong)?;
    let stat = process.stat().map_err(wrong)?;
    let mut usage = Usage { cpu: cpu(&stat, children), ..Usage::default() };
    if matches!(stat.state, 'Z' | 'X') {
        return Ok(usage);
    }
    memory(&process, &mut usage).map_err(wrong)?;
    usage.processes = 1;
    usage.threads = u64::try_from(stat.num_threads).unwrap_or_default();
    usage.descriptors = process.fd_count().map_err(wrong)? as u64;
    Ok(usage)
}

/// Processor time in nanoseconds; the kernel counts it in ticks, mostly of 10 ms.
fn cpu(stat: &Stat, children: Children) -> u64 {
    let mut ticks = stat.utime + stat.stime;
    if children == Children::Reaped {
        let reaped = stat.cutime + stat.cstime;
        ticks += u64::try_from(reaped).unwrap_or_default();
    }
    ticks * (SECOND / procfs::ticks_per_second())
}

fn memory(process: &Process, usage: &mut Usage) -> ProcResult<()> {
    let rollup = process.smaps_rollup()?;
    for map in rollup.memory_map_rollup.iter() {
        let bytes = |name: &str| map.extension.map.get(name).copied().unwrap_or_default();
        usage.pss += bytes("Pss");
        usage.private += bytes("Private_Clean") + bytes("Private_Dirty");
        usage.swapped += bytes("SwapPss");
    }
    Ok(())
}

fn wrong(id: u32, error: &ProcError) -> LookError {
    match error {
        ProcError::NotFound(_) => LookError::Gone(id),
        ProcError::PermissionDenied(_) => LookError::Forbidden(id),
        // A process that ends between two reads gives "no such process".
        ProcError::Io(error, _) if error.raw_os_error() == Some(NO_SUCH_PROCESS) => {
            LookError::Gone(id)
        }
        ProcError::Io(error, _) if error.kind() == io::ErrorKind::PermissionDenied => {
            LookError::Forbidden(id)
        }
        error => LookError::Unreadable {
            path: PathBuf::from(format!("/proc/{id}")),
            why: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader};
    use std::process::{Child, Command, Stdio};

    use super::*;

    /// A shell that runs this, prints "ready", and waits until its input ends.
    fn shell(first: &str) -> (Child, String) {
        let mut child = Command::new("sh")
            .args(["-c", &format!("{first}; echo ready $!; read line")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // If a test fails, its children must not keep our output open.
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        (child, line.trim().to_owned())
    }

    fn end(mut child: Child) {
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn what_this_process_holds_is_seen() {
        let id = std::process::id();
        let before = processes(&[id]).unwrap();
        assert!(before.pss >= before.private && before.private > 1 << 16, "{before:?}");
        assert!(before.threads >= 2 && before.descriptors >= 3, "{before:?}");
        // Other tests run beside this one, and so it takes more than they do.
        let held = vec![1_u8; 64 << 20];
        let after = processes(&[id]).unwrap();
        assert!(after.private >= before.private + (48 << 20), "{before:?} {after:?}");
        assert_eq!(held[4096], 1);
        assert_eq!(processes(&[id, id]).unwrap().processes, 2);
    }

    #[test]
    fn descendants_are_found_anew_and_the_dead_are_named() {
        let (parent, alone) = shell("true");
        assert_eq!(alone, "ready");
        let id = parent.id();
        assert_eq!(tree(id, &[]).unwrap().processes, 1);
        end(parent);
        assert_eq!(tree(id, &[]), Err(LookError::Gone(id)));

        let (parent, said) = shell("sleep 20 & :");
        assert!(said.starts_with("ready "), "{said}");
        let id = parent.id();
        let family = family(id).unwrap();
        assert_eq!(family.len(), 2, "{family:?}");
        let child = family.into_iter().find(|member| *member != id).unwrap();
        // Until `exec`, it has the memory of its shell.
        for _ in 0..5000 {
            if std::fs::read_to_string(format!("/proc/{child}/comm")).unwrap() == "sleep\n" {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        let both = tree(id, &[]).unwrap();
        let apart = (processes(&[id]).unwrap(), processes(&[child]).unwrap());
        assert_eq!((both.processes, both.threads), (2, 2));
        assert_eq!(both.descriptors, apart.0.descriptors + apart.1.descriptors);
        assert_eq!(
            tree(id, &[7, child]),
            Err(LookError::Ancestor { server: id, generator: child })
        );
        rustix::process::kill_process(
            rustix::process::Pid::from_raw(i32::try_from(child).unwrap()).unwrap(),
            rustix::process::Signal::KILL,
        )
        .unwrap();
        end(parent);
    }

    #[test]
    fn time_of_children_that_ended_is_kept() {
        let burn = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";
        let (parent, _) = shell(&format!("sh -c '{burn}'"));
        let (with, without) = (tree(parent.id(), &[]), processes(&[parent.id()]));
        assert!(with.unwrap().cpu > without.unwrap().cpu);
        end(parent);
    }

    #[test]
    fn one_that_was_not_waited_for_has_no_memory() {
        let mut child = Command::new("true").stdout(Stdio::piped()).spawn().unwrap();
        // Its output ends when it does.
        let mut output = String::new();
        io::Read::read_to_string(child.stdout.as_mut().unwrap(), &mut output).unwrap();
        let id = child.id();
        let said = loop {
            let said = tree(id, &[]);
            if said.is_err() {
                break said;
            }
        };
        assert_eq!(said, Err(LookError::Gone(id)));
        assert_eq!(processes(&[id]), Err(LookError::Gone(id)));
        child.wait().unwrap();
    }

    #[test]
    fn errors_say_which_process_and_what_to_do() {
        let denied = ProcError::PermissionDenied(None);
        let said = wrong(4711, &denied).to_string();
        assert!(said.contains("4711") && said.contains("CAP_SYS_PTRACE"), "{said}");
        let gone = ProcError::Io(io::Error::from_raw_os_error(NO_SUCH_PROCESS), None);
        assert_eq!(wrong(4711, &gone), LookError::Gone(4711));
        assert_eq!(processes(&[u32::MAX]), Err(LookError::Gone(u32::MAX)));
    }
}
