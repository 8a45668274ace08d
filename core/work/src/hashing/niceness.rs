//! How a thread steps behind those that serve requests. The only unsafe code of this crate: std has no
//! name for it.
#![expect(unsafe_code, reason = "a call of the C library that takes a number and gives one")]

/// Makes this thread give way to the program's others. Where the system does not let it, or counts for
/// the whole program and not by thread (all but Linux), everything stays as it is.
pub(super) fn give_way() {
    #[cfg(target_os = "linux")]
    {
        /// A tenth of the weight of others, says the Linux scheduler.
        const BEHIND: std::ffi::c_int = 10;
        unsafe extern "C" {
            safe fn nice(increment: std::ffi::c_int) -> std::ffi::c_int;
        }
        let _ = nice(BEHIND);
    }
}
