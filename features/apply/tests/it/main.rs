//! Documents applied to a database of their own, on SQLite, and on PostgreSQL where
//! `KEYWARD_TEST_POSTGRES` names a server whose role may create databases. (`cfg(test)` tells clippy
//! what it is looking at.)

#[cfg(test)]
mod applications;
#[cfg(test)]
mod catalogue;
#[cfg(test)]
mod control;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod export;
#[cfg(test)]
mod place;
#[cfg(test)]
mod random;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod users;

/// A test on every engine: `on_each!(name, |place| { … })`.
macro_rules! on_each {
    ($(#[$meta:meta])* $name:ident, |$place:ident| $body:block) => {
        $(#[$meta])*
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            for engine in store::scratch::engines() {
                let $place = $crate::place::Place::new(engine).await;
                $body
                $place.remove().await;
            }
        }
    };
}
pub(crate) use on_each;

/// The document of the outside contract.
pub(crate) const CONTRACT: &str = r#"
tenants:
  - slug: default
    applications:
      - {client_id: web, name: Web shop, client_secret: s3cret, redirect_uris: ["http://127.0.0.1:9000/cb"], post_logout_redirect_uris: ["http://127.0.0.1:9000/"]}
      - {client_id: partner, name: Partner, client_secret: s3cret3, redirect_uris: ["http://127.0.0.1:9002/cb"], first_party: false}
      - {client_id: spa, public: true, redirect_uris: ["http://127.0.0.1:9001/cb"]}
      - {client_id: robot, client_secret: s3cret2, grant_types: [client_credentials], scopes: [orders.read]}
    users:
      - {email: alice@example.com, email_verified: true, username: alice, password: "correct horse battery", claims: {name: Alice Example, given_name: Alice, phone_number: "+4915112345678", address: {locality: Berlin}}}
"#;
