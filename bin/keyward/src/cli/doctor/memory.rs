//! How much memory there is: what the machine has left, and what this process may have of it.

use std::{fs, path::Path};

/// MiB that the machine has left.
pub(super) fn left() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib >> 10)
}

/// MiB that this process may have, if that is limited: by its control group, as in a container or a
/// unit with `MemoryMax=`, or by `ulimit -v`.
pub(super) fn limit() -> Option<u64> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let groups = groups(&read("/proc/self/cgroup"), Path::new("/sys/fs/cgroup"));
    let least = groups.into_iter().chain(address_space(&read("/proc/self/limits"))).min()?;
    Some(least >> 20)
}

/// The limit of the address space in bytes, of the text of `/proc/self/limits`.
fn address_space(limits: &str) -> Option<u64> {
    let line = limits.lines().find_map(|line| line.strip_prefix("Max address space"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// The least limit of these control groups and those around them, in bytes: of version 2 in
/// `memory.max`, of version 1 in `memory.limit_in_bytes`, where no limit is a huge number.
fn groups(text: &str, root: &Path) -> Option<u64> {
    const NONE: u64 = 1 << 50;
    let limits = text.lines().filter_map(|line| {
        let (kinds, group) = line.split_once(':')?.1.split_once(':')?;
        let (root, file) = match kinds {
            "" => (root.to_owned(), "memory.max"),
            kinds if kinds.split(',').any(|kind| kind == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let own = root.join(group.trim_start_matches('/'));
        let around = own.ancestors().take_while(|folder| folder.starts_with(&root));
        around
            .filter_map(|folder| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<u64>().ok())
            .min()
    });
    limits.filter(|limit| *limit < NONE).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_limit_of_all_groups_counts() {
        let root = std::env::temp_dir().join(format!("keyward-groups-{}", std::process::id()));
        for (path, text) in [
            ("system.slice/keyward.service/memory.max", "max\n"),
            ("system.slice/memory.max", "536870912\n"),
            ("memory/box/memory.limit_in_bytes", "9223372036854771712\n"),
            ("memory/small/memory.limit_in_bytes", "104857600\n"),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        for (text, limit) in [
            ("0::/system.slice/keyward.service\n", Some(512 << 20)),
            ("0::/other.slice\n", None),
            ("12:cpu,cpuacct:/small\n7:memory:/small\n0::/\n", Some(100 << 20)),
            ("7:memory:/box\n", None),
            ("nonsense", None),
        ] {
            assert_eq!(groups(text, &root), limit, "{text}");
        }
        fs::remove_dir_all(&root).unwrap();
    }

    #[test]
    fn the_limit_of_the_address_space_is_read() {
        let text = "Limit                     Soft Limit           Hard Limit           Units\n\
                    Max address space         1073741824           unlimited            bytes\n";
        assert_eq!(address_space(text), Some(1 << 30));
        assert_eq!(address_space(&text.replace("1073741824", "unlimited ")), None);
    }
}
