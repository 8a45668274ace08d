//! Every option there is: the one table that the parser, the checks of unknown names and
//! `docs/configuration.md` are made from.

use std::fmt::Write as _;

/// What kind of value an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// An IP address and a port.
    Address,
    /// The path of a file.
    Path,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number between two bounds, both included.
    Number(u64, u64),
    /// Several texts: an array in the file, separated by commas in the environment.
    List,
    /// A text that must not be seen: also taken from the file that `<option>_file` names.
    Secret,
}

/// One option.
#[derive(Debug)]
pub(crate) struct Setting {
    /// Section and name, such as `server.listen`.
    pub(crate) key: &'static str,
    /// What values it takes.
    pub(crate) kind: Kind,
    /// The value when nothing is given, as it would be written in the environment; empty if none.
    pub(crate) default: &'static str,
    /// What it does, in Markdown.
    pub(crate) doc: &'static str,
}

/// The environment variable of the root key, apart from `KEYWARD_SECRETS_ROOT_KEY`.
pub(crate) const ROOT_KEY_VARIABLE: &str = "KEYWARD_ROOT_KEY";

/// All options, in the order of the documentation.
pub(crate) static REFERENCE: &[Setting] = &[
    Setting {
        key: "server.listen",
        kind: Kind::Address,
        default: "127.0.0.1:8080",
        doc: "Address and port to listen on. `0.0.0.0:443` or `[::]:443` is every interface.",
    },
    Setting {
        key: "server.issuer",
        kind: Kind::Text,
        default: "",
        doc: "The public address of the first tenant, such as `https://id.example.com`: the issuer in its tokens and the start of every link in its mails. Never taken from a request. Required.",
    },
    Setting {
        key: "server.tls_cert",
        kind: Kind::Path,
        default: "",
        doc: "PEM file with the certificate and its chain. With `tls_key` the server speaks TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2, itself. `SIGHUP` reads both files anew.",
    },
    Setting {
        key: "server.tls_key",
        kind: Kind::Path,
        default: "",
        doc: "PEM file with the private key of the certificate. Readable by the server's user, and by nobody outside of its group.",
    },
    Setting {
        key: "server.proxies",
        kind: Kind::List,
        default: "",
        doc: "Networks of the reverse proxies in front, such as `10.0.0.0/8`. Only their `X-Forwarded-For` and `X-Request-Id` are believed; a malformed one is refused.",
    },
    Setting {
        key: "server.shutdown_delay_seconds",
        kind: Kind::Number(0, 300),
        default: "0",
        doc: "How long a server that was told to stop goes on as before, while `/health/ready` answers 503 already. Behind a load balancer set it to a little more than that needs to notice.",
    },
    Setting {
        key: "server.shutdown_seconds",
        kind: Kind::Number(1, 600),
        default: "20",
        doc: "How long a stopping server lets requests under way finish. A second signal ends it at once. Whoever stops it must wait [longer than both](upgrade.md).",
    },
    Setting {
        key: "server.max_connections",
        kind: Kind::Number(16, 1_000_000),
        default: "10000",
        doc: "Connections open at the same time; further ones wait to be accepted. Each needs a file descriptor (`ulimit -n`).",
    },
    Setting {
        key: "server.metrics_listen",
        kind: Kind::Address,
        default: "",
        doc: "A second address that serves only `/metrics`, without TLS: to everybody where it is one of this machine alone (127.0.0.1), else to whoever has `metrics_token`. With or without it `/metrics` stands beside the pages, too, and answers whoever has `metrics_token`, or, when there is none, this machine itself, if no proxy of yours runs on it.",
    },
    Setting {
        key: "server.metrics_token",
        kind: Kind::Secret,
        default: "",
        doc: "What a reader of `/metrics` beside the pages sends as `Authorization: Bearer …`.",
    },
    Setting {
        key: "database.url",
        kind: Kind::Secret,
        default: "",
        doc: "`sqlite:PATH` (one server) or `postgres://user:password@host/name` (any number of servers). Required.",
    },
    Setting {
        key: "database.erasure_list",
        kind: Kind::Path,
        default: "",
        doc: "Where the people who were deleted are listed, by id, so that a restore deletes them again. Best on another disk than the database. Without it the list stands beside an embedded database (`keyward.db.erased`), and there is none for PostgreSQL.",
    },
    Setting {
        key: "secrets.root_key",
        kind: Kind::Secret,
        default: "",
        doc: "The key that everything secret in the database is sealed under: 32 random bytes in base64 or hex, also from `KEYWARD_ROOT_KEY` or `KEYWARD_ROOT_KEY_FILE`. Keep a copy apart from the backups: without it they cannot be read. Required.",
    },
    Setting {
        key: "mail.host",
        kind: Kind::Text,
        default: "",
        doc: "Name of the SMTP server that takes our mails. Required: codes and links go by mail.",
    },
    Setting {
        key: "mail.port",
        kind: Kind::Number(0, 65_535),
        default: "0",
        doc: "Its port. 0 is the usual one: 587 for `starttls`, 465 for `tls`, 25 for `none`.",
    },
    Setting {
        key: "mail.security",
        kind: Kind::Choice(&["starttls", "tls", "none"]),
        default: "starttls",
        doc: "`starttls` and `tls` check the server's certificate and never fall back. `none` is accepted on this machine only.",
    },
    Setting {
        key: "mail.username",
        kind: Kind::Text,
        default: "",
        doc: "User name at the SMTP server, if it wants one.",
    },
    Setting { key: "mail.password", kind: Kind::Secret, default: "", doc: "Password at the SMTP server." },
    Setting {
        key: "mail.from",
        kind: Kind::Text,
        default: "",
        doc: "Sender, such as `Example <no-reply@example.com>`. Required.",
    },
    Setting {
        key: "mail.ca_file",
        kind: Kind::Path,
        default: "",
        doc: "PEM file of the authority that signed the SMTP server's certificate, where it is not a public one.",
    },
    Setting {
        key: "outbound.allow",
        kind: Kind::List,
        default: "",
        doc: "Hosts and networks that may be asked although they are private: keys of applications by URL, lists of their addresses, back-channel logout. As `keys.internal`, `keys.internal:8443`, `10.2.0.0/16` or `[fd00::1]:8443`. A name may lead to this machine and to private networks, to the own link only a network. Always over https. Each use is logged.",
    },
    Setting {
        key: "outbound.ca_file",
        kind: Kind::Path,
        default: "",
        doc: "PEM file of authorities whose certificates are trusted there besides this machine's.",
    },
    Setting {
        key: "log.level",
        kind: Kind::Choice(&["error", "warn", "info", "debug"]),
        default: "info",
        doc: "What is logged. One line a request at `info`. No level logs secrets, codes, tokens or query strings.",
    },
    Setting {
        key: "log.format",
        kind: Kind::Choice(&["json", "text"]),
        default: "json",
        doc: "`json` for programs, `text` for people. Both go to stderr.",
    },
    Setting {
        key: "traces.endpoint",
        kind: Kind::Text,
        default: "",
        doc: "An OpenTelemetry collector that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; `/v1/traces` is put behind it. Without it nothing is traced.",
    },
    Setting {
        key: "traces.service_name",
        kind: Kind::Text,
        default: "keyward",
        doc: "The name of this service in its traces.",
    },
    Setting {
        key: "traces.sample_percent",
        kind: Kind::Number(0, 100),
        default: "100",
        doc: "Of a hundred requests how many are traced. A proxy of yours that sends `traceparent` decides for itself.",
    },
    Setting {
        key: "passwords.threads",
        kind: Kind::Number(0, 256),
        default: "0",
        doc: "Threads that hash passwords, beside one for known devices. 0 is one a core.",
    },
    Setting {
        key: "passwords.queue_ms",
        kind: Kind::Number(10, 10_000),
        default: "500",
        doc: "How much hashing may wait, in milliseconds of work; beyond that a sign-in is answered 503 with `Retry-After`.",
    },
];

/// A configuration that passes every check, shown in the documentation.
pub(crate) const EXAMPLE: &str = r#"[server]
listen = "127.0.0.1:8080"
issuer = "https://id.example.com"
proxies = ["127.0.0.1"]

[database]
url = "sqlite:/var/lib/keyward/keyward.db"

[secrets]
root_key_file = "/etc/keyward/root.key"

[mail]
host = "smtp.example.com"
username = "keyward"
password_file = "/etc/keyward/mail.password"
from = "Example <no-reply@example.com>"
"#;

const HEAD: &str = "# Configuration

<!-- Made from bin/keyward/src/config/reference.rs; `KEYWARD_BLESS=1 cargo test -p keyward reference` writes it anew. -->

`keyward serve --config keyward.toml` reads one file in TOML. An environment variable goes over the
file: `KEYWARD_` and the option in capitals with `_` for the dot, so `server.listen` is
`KEYWARD_SERVER_LISTEN`. Lists are separated by commas there.

Secrets can also stand in a file of their own: name it with `_file` (`mail.password_file`,
`KEYWARD_MAIL_PASSWORD_FILE`). Such a file must be readable by the server's user, as its owner
or by its group, and others must have no right to it: mode 0400 or 0440, say. So must a configuration file that holds a
secret itself. A line end at its end does not count. Paths are relative to the working directory.

An unknown option is refused, with the name that was probably meant. `keyward config check --config
keyward.toml` lists everything that is wrong, each with why and how to fix it. `serve` does the same
first and starts only when no error is left. Make a root key with

```sh
(umask 077; head -c 32 /dev/urandom | base64 > root.key)
```

## Example

```toml
";

/// The text of `docs/configuration.md`.
pub(crate) fn markdown() -> String {
    let mut text = format!("{HEAD}{EXAMPLE}```\n");
    let mut section = "";
    for setting in REFERENCE {
        let (this, name) = setting.key.split_once('.').unwrap_or(("", setting.key));
        if this != section {
            section = this;
            let _ = write!(text, "\n## [{section}]\n");
        }
        let _ = write!(text, "\n### `{name}`\n\n{}\n\n{}", setting.doc, value(setting.kind));
        if !setting.default.is_empty() {
            let _ = write!(text, " Default: `{}`.", setting.default);
        }
        text.push('\n');
    }
    text
}

fn value(kind: Kind) -> String {
    match kind {
        Kind::Text => "Text.".to_owned(),
        Kind::Address => "Address and port.".to_owned(),
        Kind::Path => "Path of a file.".to_owned(),
        Kind::Choice(words) => format!("One of `{}`.", words.join("`, `")),
        Kind::Number(least, most) => format!("Number from {least} to {most}."),
        Kind::List => "List of texts.".to_owned(),
        Kind::Secret => "Secret; also by `_file`.".to_owned(),
    }
}
