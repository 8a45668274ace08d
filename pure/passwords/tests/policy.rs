//! Rules for new passwords, in several scripts.
#![expect(clippy::unwrap_used, reason = "what is not there fails the test")]

use passwords::{Policy, Prepared, Problem};

const COMMON: Problem = Problem::Common;
const SHORT: Problem = Problem::TooShort { min: 8 };

fn check_with(policy: &Policy, password: &str, own: &[&str]) -> Vec<Problem> {
    let password = Prepared::new(password).unwrap();
    policy.check(&password, own).err().unwrap_or_default()
}

fn check(password: &str, own: &[&str]) -> Vec<Problem> {
    check_with(&Policy::default(), password, own)
}

#[test]
fn length_counts_code_points() {
    for (password, problems) in [
        ("kq7 vbz", vec![SHORT]),
        ("kq7 vbzm", vec![]),
        ("", vec![SHORT]),
        ("grünöäß", vec![SHORT]),
        ("grünöäßx", vec![]),
        ("مفتاحبي", vec![SHORT]),
        ("مفتاح بيتي", vec![]),
        ("🐢🌵🎻🍉🧭🪁🛶", vec![SHORT]),
        ("🐢🌵🎻🍉🧭🪁🛶🔑", vec![]),
        ("        q", vec![]),
        ("         ", vec![Problem::Common]),
    ] {
        assert_eq!(check(password, &[]), problems, "{password}");
    }
}

#[test]
fn accents_sent_apart_and_ligatures_do_not_lengthen() {
    assert_eq!(check("gru\u{308}no\u{308}a\u{308}x", &[]), [SHORT]);
    assert_eq!(check("\u{fdfa}", &[]), [SHORT]);
}

#[test]
fn profiles_move_the_limits() {
    let nist = Policy::nist_aal2();
    let short = [Problem::TooShort { min: 15 }];
    assert_eq!(check_with(&nist, "eine lange Zeit", &[]), []);
    assert_eq!(check_with(&nist, "ein lange Zeit", &[]), short);
    let tight = Policy { max_chars: 12, ..Policy::default() };
    assert_eq!(check_with(&tight, "zwölf Bäume!", &[]), []);
    let long = [Problem::TooLong { max: 12 }];
    assert_eq!(check_with(&tight, "dreizehn Bäume", &[]), long);
}

#[test]
fn common_passwords_are_refused_in_every_dress() {
    for password in [
        "password",
        "PassWord",
        " password ",
        "password1!",
        "Password2026",
        "p@ssw0rd",
        "iloveyou",
        "qwertyuiop",
        "1234567890",
        "ｐａｓｓｗｏｒｄ",
        "passwordpassword",
        "password password",
        "aaaaaaaaaaaa",
        "123123123123123",
        "ababababa",
    ] {
        assert_eq!(check(password, &[]), [COMMON], "{password}");
    }
}

#[test]
fn no_composition_is_asked_for() {
    for password in [
        "correct horse battery",
        "nurkleinebuchstaben",
        "Der Hase läuft im Schnee",
        "القمر فوق البحر الليلة",
        "password is a poor start",
        "48213977120",
        "مرحبا يا صديقي",
    ] {
        assert_eq!(check(password, &["alice", "Keyward"]), [], "{password}");
    }
}

#[test]
fn own_data_is_refused_when_little_else_is_there() {
    let own = ["alice.example", "rabbit_hole", "Jürgen Großmann", "محمود"];
    for (password, to) in [
        ("aliceexample", 0),
        ("Alice-Example", 0),
        ("4l1c3 3x4mpl3", 0),
        ("elpmaxeecila", 0),
        ("alice1990", 0),
        ("alice19900412", 0),
        ("rabbit_hole!", 1),
        ("hole rabbit", 1),
        ("grossmann7", 2),
        ("JURGEN-GROSSMANN", 2),
        ("rabbitGroßmann", 2),
        ("محمود١٢٣٤", 3),
    ] {
        let problems = check(password, &own);
        assert_eq!(problems, [Problem::Similar { to }], "{password}");
    }
}

#[test]
fn own_data_within_a_real_password_is_allowed() {
    let own = ["alice", "ann", "", "li"];
    for password in ["alice kauft Brot im Mai", "annliannli", "xq-alice-mrvt"] {
        assert_eq!(check(password, &own), [], "{password}");
    }
}

#[test]
fn every_problem_is_told_at_once_and_each_rule_can_be_off() {
    let own = ["passwords", "princess"];
    let both = [COMMON, Problem::Similar { to: 1 }];
    assert_eq!(check("princess", &own), both);
    let nist = check_with(&Policy::nist_aal2(), "princess", &own);
    let all = [Problem::TooShort { min: 15 }, COMMON, both[1]];
    assert_eq!(nist, all);
    let lax = Policy { block_list: false, similarity: false, ..Policy::default() };
    assert_eq!(check_with(&lax, "princess", &own), []);
}
