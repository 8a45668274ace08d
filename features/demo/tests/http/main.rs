//! The routes in process: one file for each part of the address.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod dev_mail;
#[cfg(test)]
mod support;
