use super::reference::{EXAMPLE, REFERENCE, markdown};
use super::*;
use std::os::unix::fs::PermissionsExt as _;

const KEY: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";

/// A configuration without problems; each test changes one thing. The folder of the database is one that
/// every machine has.
const GOOD: &str = r#"
[server]
issuer = "https://id.example.com"
[database]
url = "sqlite:/var/lib/keyward.db"
[mail]
host = "smtp.example.com"
from = "Example <no-reply@example.com>"
"#;

fn sources(file: &str, environment: &[(&str, &str)]) -> Sources {
    let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Sources {
        file: Some(("keyward.toml".into(), file.to_owned())),
        environment: environment.iter().map(own).collect(),
        overrides: Vec::new(),
    }
}

fn load(file: &str, environment: &[(&str, &str)]) -> Result<Config, Vec<Problem>> {
    Config::load(&sources(file, environment))
}

/// The options that are refused or complained about.
fn complaints(file: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let problems = match load(file, environment) {
        Ok(config) => config.check(),
        Err(problems) => problems,
    };
    problems.iter().map(|problem| problem.option.clone()).collect()
}

fn good_with(environment: &[(&str, &str)]) -> Vec<String> {
    complaints(GOOD, &[&[("KEYWARD_ROOT_KEY", KEY)], environment].concat())
}

/// A file that only this test uses.
fn file(name: &str, text: &str, mode: u32) -> String {
    let folder = std::env::temp_dir().join(format!("keyward-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn a_good_configuration_has_no_problem() {
    assert_eq!(good_with(&[]), Vec::<String>::new());
}

#[test]
fn outward_exceptions_and_authorities_are_checked() {
    let pem = rcgen::generate_simple_self_signed(["keys.internal".to_owned()]).unwrap().cert.pem();
    let (good, empty) = (file("outbound-ca.pem", &pem, 0o644), file("outbound-none.pem", "nothing\n", 0o644));
    let config = load(GOOD, &[("KEYWARD_OUTBOUND_ALLOW", "keys.internal:8443, 10.2.0.0/16")]).unwrap();
    let allowed: Vec<String> = config.outbound.allow.iter().map(ToString::to_string).collect();
    assert_eq!(allowed, ["keys.internal:8443", "10.2.0.0/16"]);
    assert!(!config.outbound.allow_http);
    assert_eq!(good_with(&[("KEYWARD_OUTBOUND_CA_FILE", &good)]), [""; 0]);
    for file in [empty.as_str(), "/nowhere/ca.pem"] {
        assert_eq!(good_with(&[("KEYWARD_OUTBOUND_CA_FILE", file)]), ["outbound.ca_file"]);
    }
    for allow in ["0.0.0.0/0", "https://keys.internal", "keys.internal:0", "a b"] {
        assert_eq!(good_with(&[("KEYWARD_OUTBOUND_ALLOW", allow)]), ["outbound.allow"], "{allow}");
    }
    let problems = load(GOOD, &[("KEYWARD_ROOT_KEY", KEY), ("KEYWARD_OUTBOUND_ALLOW", "169.254.0.0/16")]);
    let problems = problems.unwrap().check();
    assert!(problems.iter().all(|problem| problem.option == "outbound.allow" && !problem.is_error()));
    assert_eq!(problems.len(), 1, "where clouds keep their secrets");
}

#[test]
fn the_environment_goes_over_the_file() {
    let config = load(
        "[server]\nlisten = \"127.0.0.1:1\"\nmax_connections = 99\n",
        &[
            ("KEYWARD_SERVER_LISTEN", "127.0.0.1:2"),
            ("KEYWARD_SERVER_PROXIES", "10.0.0.0/8, ::1"),
            ("OTHER", "x"),
        ],
    )
    .unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.server.max_connections, 99);
    assert_eq!(config.server.proxies.len(), 2);
}

#[test]
fn overrides_go_over_everything() {
    let mut sources = sources(GOOD, &[("KEYWARD_SERVER_LISTEN", "127.0.0.1:2")]);
    sources.overrides.push(("server.listen", "127.0.0.1:3".to_owned()));
    assert_eq!(Config::load(&sources).unwrap().server.listen.port(), 3);
}

#[test]
fn defaults_are_those_of_the_reference() {
    let config = Config::load(&Sources::default()).unwrap();
    assert_eq!(config.server.listen, "127.0.0.1:8080".parse().unwrap());
    assert_eq!(config.server.shutdown, Duration::from_secs(20));
    assert_eq!(config.server.shutdown_delay, Duration::ZERO);
    assert_eq!((config.mail.port, config.mail.security), (587, MailSecurity::StartTls));
    assert_eq!(config.log, Log { level: tracing::Level::INFO, json: true });
    assert_eq!(config.passwords, Passwords { threads: 0, queue: Duration::from_millis(500) });
    assert!(
        config.root_key.is_none() && config.server.tls.is_none() && config.server.metrics_listen.is_none()
    );
}

#[test]
fn an_unknown_option_is_refused_with_a_suggestion() {
    let table = [
        ("[server]\nlissten = \"x\"", "server.lissten", "server.listen"),
        ("[server]\nissuer_url = \"x\"", "server.issuer_url", "server.issuer"),
        ("[sever]\nissuer = \"x\"", "sever.issuer", "server.issuer"),
        ("[mail]\nroot_key = \"x\"", "mail.root_key", "secrets.root_key"),
        ("listen = \"x\"", "listen", "server.listen"),
    ];
    for (file, option, meant) in table {
        let problems = load(file, &[]).unwrap_err();
        assert_eq!(problems[0].option, option);
        assert!(
            problems[0].is_error() && problems[0].fix.contains(&format!("did you mean `{meant}`")),
            "{problems:?}"
        );
    }
    assert!(load("[colour]\nof_the_pages = 1", &[]).unwrap_err()[0].fix.starts_with("remove it"));
}

#[test]
fn an_unknown_variable_of_our_sections_is_refused_another_is_mentioned() {
    let problems = load("", &[("KEYWARD_SERVER_LISTN", "x")]).unwrap_err();
    assert!(problems[0].fix.contains("KEYWARD_SERVER_LISTEN"), "{problems:?}");
    let config = load("", &[("KEYWARD_LISTEN", "x"), ("KEYWARD_VECTORS", "x")]).unwrap();
    let notes: Vec<_> = config.check().into_iter().filter(|problem| !problem.is_error()).collect();
    assert_eq!(notes.len(), 1);
    assert!(
        notes[0].option == "KEYWARD_LISTEN" && notes[0].fix.contains("KEYWARD_SERVER_LISTEN"),
        "{notes:?}"
    );
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = complaints(
        "[server]\nlisten = \"here\"\nshutdown_seconds = 0\nproxies = \"10.0.0.0/8\"\n[log]\nlevel = \"loud\"\n[mail]\nport = \"25\"\nsecurity = 1",
        &[],
    );
    for option in [
        "server.listen",
        "server.shutdown_seconds",
        "server.proxies",
        "log.level",
        "mail.port",
        "mail.security",
    ] {
        assert!(problems.contains(&option.to_owned()), "{option} in {problems:?}");
    }
}

#[test]
fn a_syntax_error_names_its_line_and_shows_no_secret() {
    let problems = load("[mail]\n\npassword = hunter2 canary", &[]).unwrap_err();
    assert_eq!(problems[0].option, "keyward.toml:3");
    assert!(!problems[0].to_string().contains("canary"), "{}", problems[0]);
}

#[test]
fn secrets_come_from_files_too() {
    let path = file("password", "two words \r\n", 0o600);
    let config = load(
        &format!("[mail]\npassword_file = \"{path}\""),
        &[("KEYWARD_ROOT_KEY_FILE", &file("root", &format!("{KEY}\n"), 0o600))],
    )
    .unwrap();
    assert_eq!(config.mail.password.unwrap().expose(), "two words ");
    assert_eq!(config.root_key.unwrap().expose()[..2], [0x00, 0x11]);
    assert_eq!(complaints("[mail]\npassword_file = \"/nowhere/at/all\"", &[]), ["mail.password_file"]);
    assert_eq!(
        complaints(&format!("[mail]\npassword_file = \"{}\"", file("empty", "\n", 0o600)), &[]),
        ["mail.password_file"]
    );
    assert_eq!(
        complaints(&format!("[mail]\npassword = \"x\"\npassword_file = \"{path}\""), &[]),
        ["mail.password"]
    );
    assert_eq!(complaints("[mail]\nhost_file = \"x\"", &[]), ["mail.host_file"]);
}

#[test]
fn a_root_key_is_32_bytes_in_base64_or_hex() {
    let bytes: [u8; 32] = std::array::from_fn(|i| u8::try_from(i).unwrap().wrapping_mul(251));
    for text in [
        BASE64_STANDARD_NO_PAD.encode(bytes) + "=\n",
        BASE64_URL_SAFE_NO_PAD.encode(bytes),
        bytes.map(|byte| format!("{byte:02X}")).concat(),
    ] {
        assert_eq!(root_key(&text).unwrap().expose(), &bytes, "{text}");
    }
    for bad in [
        "",
        "short",
        &"0".repeat(64),
        &"zz".repeat(32),
        &BASE64_STANDARD_NO_PAD.encode([7; 32]),
        &BASE64_STANDARD_NO_PAD.encode([1; 31]),
    ] {
        assert!(root_key(bad).is_none(), "{bad}");
    }
}

/// The environment over a good file, and the options then complained about.
type Row = (&'static [(&'static str, &'static str)], &'static [&'static str]);

#[test]
fn unsafe_settings_are_refused() {
    let table: &[Row] = &[
        (&[("KEYWARD_SERVER_ISSUER", "http://id.example.com")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_ISSUER", "http://localhost.example.com")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_ISSUER", "http://localhost:8080")], &[]),
        (&[("KEYWARD_SERVER_ISSUER", "http://[::1]:8080/")], &[]),
        (&[("KEYWARD_SERVER_ISSUER", "https://id.example.com/?x")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_ISSUER", "https://localhost@id.example.com")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_ISSUER", "id.example.com")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_ISSUER", "")], &["server.issuer"]),
        (&[("KEYWARD_SERVER_LISTEN", "0.0.0.0:80")], &["server.listen"]),
        (&[("KEYWARD_SERVER_LISTEN", "0.0.0.0:80"), ("KEYWARD_SERVER_PROXIES", "10.0.0.0/8")], &[]),
        (&[("KEYWARD_SERVER_PROXIES", "0.0.0.0/0")], &["server.proxies"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "0.0.0.0:9000")], &["server.metrics_listen"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "0.0.0.0:9000"), ("KEYWARD_SERVER_METRICS_TOKEN", "t")], &[]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "127.0.0.1:8080")], &["server.metrics_listen"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "0.0.0.0:8080")], &["server.metrics_listen"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "[::]:8080")], &["server.metrics_listen"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "[::ffff:127.0.0.1]:8080")], &["server.metrics_listen"]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "[::1]:8080")], &[]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "127.0.0.2:8080")], &[]),
        (&[("KEYWARD_SERVER_METRICS_LISTEN", "127.0.0.1:9000")], &[]),
        (&[("KEYWARD_SERVER_TLS_CERT", "/nowhere")], &["server.tls_key"]),
        (&[("KEYWARD_MAIL_HOST", "")], &["mail.host"]),
        (&[("KEYWARD_MAIL_FROM", "nobody")], &["mail.from"]),
        (&[("KEYWARD_MAIL_SECURITY", "none")], &["mail.security"]),
        (&[("KEYWARD_MAIL_SECURITY", "none"), ("KEYWARD_MAIL_HOST", "127.0.0.1")], &[]),
        (&[("KEYWARD_MAIL_USERNAME", "u")], &["mail.password"]),
        (&[("KEYWARD_MAIL_PASSWORD", "p")], &["mail.username"]),
        (&[("KEYWARD_DATABASE_URL", "sqlite:/run/x.db")], &["database.url"]),
        (&[("KEYWARD_DATABASE_URL", "sqlite::memory:")], &["database.url"]),
        (&[("KEYWARD_DATABASE_URL", "mysql://x")], &["database.url"]),
        (&[("KEYWARD_DATABASE_URL", "")], &["database.url"]),
        (&[("KEYWARD_DATABASE_URL", "postgres://u@localhost/kw")], &[]),
    ];
    for (environment, expected) in table {
        assert_eq!(good_with(environment), *expected, "{environment:?}");
    }
    assert_eq!(complaints(GOOD, &[]), ["secrets.root_key"]);
}

#[test]
fn a_database_in_a_folder_that_is_cleaned_up_is_a_warning() {
    let environment = [("KEYWARD_ROOT_KEY", KEY), ("KEYWARD_DATABASE_URL", "sqlite:/tmp/x.db")];
    let problems = load(GOOD, &environment).unwrap().check();
    assert!(problems.iter().any(|problem| problem.option == "database.url" && !problem.is_error()));
}

#[test]
fn a_database_in_a_folder_that_does_not_exist_is_a_warning_that_says_how_to_make_it() {
    let environment =
        [("KEYWARD_ROOT_KEY", KEY), ("KEYWARD_DATABASE_URL", "sqlite:/var/lib/keyward-of-nobody/x.db")];
    let problems = load(GOOD, &environment).unwrap().check();
    let [problem] = problems.as_slice() else { panic!("{problems:?}") };
    assert!(problem.option == "database.url" && !problem.is_error());
    assert!(problem.fix.contains("install -d -m 0700 -o keyward /var/lib/keyward-of-nobody"), "{problem}");
}

#[test]
fn a_database_over_the_network_is_a_warning_that_hides_the_password() {
    let config = load(
        GOOD,
        &[("KEYWARD_ROOT_KEY", KEY), ("KEYWARD_DATABASE_URL", "postgres://kw:canary@db.example.com:5432/kw")],
    )
    .unwrap();
    let problems = config.check();
    assert_eq!(problems.len(), 1);
    assert!(!problems[0].is_error() && problems[0].what.contains("db.example.com"));
    assert!(!format!("{config:?} {problems:?}").contains("canary"));
}

#[test]
fn files_with_secrets_must_not_be_open_to_everybody() {
    let open = file("open-root", KEY, 0o644);
    assert_eq!(complaints(GOOD, &[("KEYWARD_ROOT_KEY_FILE", &open)]), ["secrets.root_key_file"]);
    let (cert, key) = (file("cert.pem", "", 0o644), file("key.pem", "", 0o644));
    assert_eq!(
        good_with(&[("KEYWARD_SERVER_TLS_CERT", &cert), ("KEYWARD_SERVER_TLS_KEY", &key)]),
        ["server.tls_key"]
    );
    let from_file = |text: String| {
        let path = file("keyward.toml", &text, 0o644);
        let sources = Sources { file: Some((path.into(), text)), ..Sources::default() };
        let problems = Config::load(&sources).unwrap().check();
        problems.iter().filter(|problem| problem.fix.starts_with("chmod 600")).count()
    };
    assert_eq!(from_file(format!("{GOOD}[secrets]\nroot_key = \"{KEY}\"\n")), 1);
    assert_eq!(from_file("[database]\nurl = \"postgres://u:canary@localhost/kw\"".to_owned()), 1);
    assert_eq!(from_file(GOOD.to_owned()), 0);
}

#[test]
fn every_problem_says_what_why_and_how_to_fix_it() {
    let problems = load("", &[]).unwrap().check();
    assert!(problems.len() >= 4);
    for problem in problems {
        assert!(!problem.what.is_empty() && !problem.why.is_empty() && !problem.fix.is_empty());
        assert!(problem.to_string().starts_with("error: "), "{problem}");
    }
}

#[test]
fn the_reference_is_complete_and_its_defaults_are_valid() {
    let environment: Vec<_> = REFERENCE
        .iter()
        .filter(|setting| !setting.default.is_empty())
        .map(|setting| {
            (format!("KEYWARD_{}", setting.key.to_uppercase().replace('.', "_")), setting.default.to_owned())
        })
        .collect();
    Config::load(&Sources { environment, ..Sources::default() }).unwrap();
    assert!(REFERENCE.iter().all(|setting| !setting.doc.is_empty() && setting.key.matches('.').count() == 1));
}

#[test]
fn the_example_of_the_documentation_is_safe() {
    let here = EXAMPLE
        .replace("/var/lib/keyward/keyward.db", "/var/lib/keyward.db")
        .replace("/etc/keyward/root.key", &file("example-root", KEY, 0o600))
        .replace("/etc/keyward/mail.password", &file("example-mail", "p", 0o600));
    assert_eq!(complaints(&here, &[]), Vec::<String>::new());
}

/// `KEYWARD_BLESS=1` writes the file anew.
#[test]
fn the_reference_in_the_documentation_is_made_from_the_code() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    if std::env::var_os("KEYWARD_BLESS").is_some() {
        std::fs::write(path, markdown()).unwrap();
    }
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == markdown(),
        "docs/configuration.md is out of date: KEYWARD_BLESS=1 cargo test -p keyward reference"
    );
}
