//! The admin API in process: the real router, a database for each test, a clock that stands still.
//! On PostgreSQL too where `KEYWARD_TEST_POSTGRES` names a server.

#[cfg(test)]
mod api_keys;
#[cfg(test)]
mod applications;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod conventions;
#[cfg(test)]
mod cors;
#[cfg(test)]
mod events;
#[cfg(test)]
mod every_endpoint;
#[cfg(test)]
mod initial_tokens;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod power;
#[cfg(test)]
mod templates;
#[cfg(test)]
mod tenant;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod users;
#[cfg(test)]
mod values;
#[cfg(test)]
mod world;
