//! What a file must not hold: named by its place, with what to do.

use crate::place::problems;

fn application(fields: &str) -> String {
    format!("tenants: [{{slug: default, applications: [{{client_id: web, client_secret: x, {fields}}}]}}]")
}

fn user(fields: &str) -> String {
    format!("tenants: [{{slug: default, users: [{{email: a@example.com, {fields}}}]}}]")
}

#[test]
fn an_unknown_key_is_refused_with_the_one_that_was_meant() {
    for (yaml, message) in [
        ("tenant: []", r#"tenant is unknown. Did you mean "tenants"?"#.to_owned()),
        (
            &application("redirect_uri: []"),
            r#"tenants[0].applications[0].redirect_uri is unknown. Did you mean "redirect_uris"?"#.to_owned(),
        ),
        (
            &application("lifetimes: {acces_token: 60}"),
            r#"tenants[0].applications[0].lifetimes.acces_token is unknown. Did you mean "access_token"?"#
                .to_owned(),
        ),
        (
            "tenants: [{slug: default, settings: {registraton: true}}]",
            r#"tenants[0].settings.registraton is unknown. Did you mean "registration"?"#.to_owned(),
        ),
        (
            &user("claims: {address: {city: Berlin}}"),
            "tenants[0].users[0].claims.address.city is unknown. Known here: formatted, street_address, \
             locality, region, postal_code, country."
                .to_owned(),
        ),
    ] {
        assert_eq!(problems(yaml), [message]);
    }
}

#[test]
fn every_mistake_is_named_at_once() {
    let found = problems(
        "tenants:\n  - slug: Bad Slug\n    applications:\n      - {client_id: 'a b', first_party: maybe}\n      \
         - {client_id: web, scopes: [1, 'a\"b'], grant_types: [pasword]}\n    users:\n      - {password: ''}\n",
    );
    let places: Vec<_> =
        found.iter().filter_map(|line| line.split_once(' ')).map(|(place, _)| place).collect();
    assert_eq!(
        places,
        [
            "tenants[0].slug",
            "tenants[0].applications[0].client_id",
            "tenants[0].applications[0].first_party",
            "tenants[0].applications[1].grant_types[0]",
            "tenants[0].applications[1].scopes[0]",
            "tenants[0].applications[1].scopes[1]",
            "tenants[0].users[0]",
            "tenants[0].users[0].password",
        ],
        "{found:#?}"
    );
}

#[test]
fn abuse_37_only_allowed_schemes_at_every_address() {
    let schemes = [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "http://shop.example.com/",
        "https://shop.example.com@evil.example/",
        "https://",
        "//evil.example/",
        "blob:https://a.example/x",
        "  javascript:x",
    ];
    for scheme in schemes {
        for field in ["redirect_uris", "post_logout_redirect_uris"] {
            let found = problems(&application(&format!("{field}: [{scheme:?}]")));
            assert!(
                found.len() == 1 && found[0].contains(&format!("{field}[0] ")),
                "{field} {scheme}: {found:?}"
            );
        }
        for field in ["client_uri", "logo_uri", "policy_uri", "tos_uri"] {
            let found = problems(&application(&format!("{field}: {scheme:?}")));
            assert!(found.len() == 1 && found[0].contains(field), "{field} {scheme}: {found:?}");
        }
        for field in ["picture", "profile", "website"] {
            let found = problems(&user(&format!("claims: {{{field}: {scheme:?}}}")));
            assert!(found.len() == 1 && found[0].contains(field), "{field} {scheme}: {found:?}");
        }
        for field in ["privacy_url", "terms_url"] {
            let found = problems(&format!("tenants: [{{slug: default, settings: {{{field}: {scheme:?}}}}}]"));
            assert!(found.len() == 1 && found[0].contains(field), "{field} {scheme}: {found:?}");
        }
        let found = problems(&format!("tenants: [{{slug: default, issuer: {scheme:?}}}]"));
        assert!(found.len() == 1 && found[0].contains("issuer"), "issuer {scheme}: {found:?}");
    }
}

#[test]
fn what_stands_twice_is_refused() {
    for (yaml, place) in [
        ("tenants: [{slug: default, slug: other}]", "tenants[0].slug"),
        ("tenants: [{slug: a}, {slug: a}]", "tenants[1].slug"),
        (
            "tenants: [{slug: a, applications: [{client_id: w, public: true}, {client_id: w, public: true}]}]",
            "tenants[0].applications[1].client_id",
        ),
        (
            "tenants: [{slug: a, users: [{email: A@example.com}, {email: a@EXAMPLE.com}]}]",
            "tenants[0].users[1].email",
        ),
        ("tenants: [{slug: a, users: [{username: Bo}, {username: bo}]}]", "tenants[0].users[1].username"),
        (&application("redirect_uris: ['https://a.example/', 'https://a.example/']"), "redirect_uris[1]"),
    ] {
        let found = problems(yaml);
        assert!(found.iter().any(|line| line.contains(place) && line.contains("twice")), "{yaml}: {found:?}");
    }
}

#[test]
fn a_long_text_repeated_by_aliases_and_a_long_key_over_many_values_are_limited() {
    let text = "x".repeat(400_000);
    for yaml in [
        format!("a: &a {text}\nb: [{}]", "*a,".repeat(90_000)),
        format!("? {text}\n: [{}]", "1,".repeat(90_000)),
    ] {
        let found = problems(&yaml);
        assert!(found.len() == 1 && found[0].contains("64 MiB"), "{:.300}", found[0]);
    }
}

#[test]
fn size_depth_and_aliases_are_limited() {
    assert!(problems(&" ".repeat(1024 * 1024 + 1))[0].contains("1 MiB"));
    let deep = format!("{}x{}", "[".repeat(100), "]".repeat(100));
    assert!(problems(&deep)[0].contains("nested too deeply"));
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for n in 1..9 {
        let list = format!("*a{}, ", n - 1).repeat(10);
        bomb.push_str(&format!("a{n}: &a{n} [{list}]\n"));
    }
    let found = problems(&bomb);
    assert!(found[0].contains("limit") || found[0].contains("more than 100000"), "{found:?}");
    for odd in ["a: *nowhere", "a: !!binary x\nb: [", "---\na: 1\n---\nb: 2\n", "? [a]\n: b", "a: .nan", ""] {
        assert!(!problems(odd).is_empty(), "{odd}");
    }
}

#[test]
fn claims_have_their_types_and_reserved_ones_are_refused() {
    for claims in [
        "sub: x",
        "email: b@example.com",
        "preferred_username: x",
        "phone_number: '0151 234'",
        "phone_number: 4915112345678",
        "birthdate: 31.12.1990",
        "birthdate: 1990-13-01",
        "address: Berlin",
        "name: 'two\n\n lines'",
        "'a b': x",
        "locale: 'en_US!'",
    ] {
        assert_eq!(problems(&user(&format!("claims: {{{claims}}}"))).len(), 1, "{claims}");
    }
    crate::place::read(&user(
        "claims: {birthdate: 1990-12-31, own: {a: [1, true]}, 'https://a.example/x': 1}",
    ));
}

#[test]
fn the_deepest_attribute_that_the_store_takes_is_read() {
    let nested = |depth: usize| format!("{}x{}", "[".repeat(depth), "]".repeat(depth));
    crate::place::read(&user(&format!("claims: {{own: {}}}", nested(16))));
    let found = problems(&user(&format!("claims: {{own: {}}}", nested(17))));
    assert!(found.len() == 1 && found[0].contains("claims.own is nested more than 16 deep"), "{found:?}");
}

#[test]
fn abuse_50_a_mistake_never_repeats_a_secret() {
    for yaml in [
        application("client_secret: canary"),
        "tenants: [{slug: a, applications: [{client_id: w, public: true, client_secret: \"canary\"}]}]"
            .to_owned(),
        "tenants: [{slug: a, applications: [{client_id: w, client_secret: \"canary\u{e4}\"}]}]".to_owned(),
        user(&format!("password: \"{}\"", "canary".repeat(300))),
        user("password: [canary]"),
        "tenants: [{slug: a, users: [{email: a@example.com, password: canary}".to_owned(),
    ] {
        let found = problems(&yaml);
        assert!(!found.is_empty() && !format!("{found:?}").contains("canary"), "{found:?}");
    }
}

#[test]
fn a_secret_may_stand_in_a_file_that_not_everybody_reads() {
    use std::os::unix::fs::PermissionsExt;
    let file = std::env::temp_dir().join(format!("keyward-secret-{}", std::process::id()));
    std::fs::write(&file, "s3cret\n").unwrap();
    let yaml = format!(
        "tenants: [{{slug: a, applications: [{{client_id: w, client_secret_file: {}, redirect_uris: ['https://a.example/']}}]}}]",
        file.display()
    );
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(problems(&yaml)[0].contains("readable by everybody; run: chmod 600"));
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    crate::place::read(&yaml);
    std::fs::remove_file(&file).unwrap();
    assert!(problems(&yaml)[0].contains("tenants[0].applications[0].client_secret_file cannot be read"));
}
