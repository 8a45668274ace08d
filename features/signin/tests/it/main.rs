//! The sign-in in process: the real router, a database for each test, a clock that stands still
//! until it is moved. On PostgreSQL too where `KEYWARD_TEST_POSTGRES` names a server.

#[cfg(test)]
mod account;
#[cfg(test)]
mod browser;
#[cfg(test)]
mod codes;
#[cfg(test)]
mod enumeration;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod logo;
#[cfg(test)]
mod recover;
#[cfg(test)]
mod register;
#[cfg(test)]
mod signin;
#[cfg(test)]
mod throttle;
#[cfg(test)]
mod world;
