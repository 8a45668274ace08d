//! How a thread steps behind those that serve requests.

/// Makes this thread give way to the program's others. Where the system does not let it, or counts for
/// the whole program and not by thread (all but Linux), everything stays as it is.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        /// A tenth of the weight of others, says the Linux scheduler.
        const BEHIND: i32 = 10;
        let _refused = rustix::process::nice(BEHIND);
    }
}
