//! The account portal in process: the real router, a database for each test, a clock that stands
//! still. On PostgreSQL too where `KEYWARD_TEST_POSTGRES` names a server.

#[cfg(test)]
mod account;
#[cfg(test)]
mod activity;
#[cfg(test)]
mod applications;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod world;
