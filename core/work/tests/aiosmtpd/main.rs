//! The mail hand-over against an SMTP server that others wrote: aiosmtpd, with TLS and
//! authentication. `KEYWARD_TEST_PYTHON` names a Python that has it.

#[cfg(test)]
mod delivery;
#[cfg(test)]
mod server;
