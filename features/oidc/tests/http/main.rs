//! The real router in process, over a database of its own, with a clock that the tests move. The
//! modules mirror the URLs. (`cfg(test)` tells clippy what it is looking at.)

#[cfg(test)]
mod assertion;
#[cfg(test)]
mod authorize;
#[cfg(test)]
mod consent;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod introspect;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod logout;
#[cfg(test)]
mod logout_frames;
#[cfg(test)]
mod logout_notices;
#[cfg(test)]
mod logout_receiver;
#[cfg(test)]
mod logout_session;
#[cfg(test)]
mod moved;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod refresh;
#[cfg(test)]
mod register;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod resources;
#[cfg(test)]
mod revoke;
#[cfg(test)]
mod token;
#[cfg(test)]
mod userinfo;
#[cfg(test)]
mod world;
