//! What was given, by file, environment and command line: later layers win, unknown names are
//! refused with the name that was probably meant. Knows no option by name, except the root key.

use super::problem::Problem;
use super::reference::{Kind, REFERENCE, ROOT_KEY_VARIABLE, Setting};
use std::collections::BTreeMap;
use std::path::PathBuf;

/// Where the values come from.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    /// The configuration file and its text.
    pub(crate) file: Option<(PathBuf, String)>,
    /// The environment, all of it.
    pub(crate) environment: Vec<(String, String)>,
    /// Values that a command sets itself, by key: over everything else.
    pub(crate) overrides: Vec<(&'static str, String)>,
}

impl Sources {
    /// A file, with this process's environment over it.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(crate) fn read(path: &std::path::Path) -> Result<Self, Problem> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::error(
                path.display().to_string(),
                format!("the configuration file cannot be read ({error})"),
                "the server has no settings without it",
                "check the path after --config and that the server's user may read it",
            )
        })?;
        Ok(Self { file: Some((path.to_owned(), text)), ..Self::process() })
    }

    /// This process's environment alone.
    pub(crate) fn process() -> Self {
        let text = |os: std::ffi::OsString| os.to_string_lossy().into_owned();
        let environment = std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect();
        Self { environment, ..Self::default() }
    }
}

/// One value as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A text or a number.
    Text(String),
    /// A list.
    List(Vec<String>),
    /// The file that holds the value.
    File(PathBuf),
}

/// The values that win, by key, and where a value was written into the configuration file itself.
#[derive(Default)]
pub(super) struct Layers {
    pub(super) given: BTreeMap<&'static str, Given>,
    pub(super) secrets_inline: Vec<&'static str>,
    pub(super) problems: Vec<Problem>,
}

/// Variables of the same prefix that belong to others: tests and their tools.
const OTHER_VARIABLES: &[&str] = &["KEYWARD_BLESS", "KEYWARD_VECTORS", "KEYWARD_CONFIG"];

impl Layers {
    /// Puts the layers over each other.
    pub(super) fn of(sources: &Sources) -> Self {
        let mut layers = Self::default();
        if let Some((path, text)) = &sources.file {
            layers.file(&path.display().to_string(), text);
        }
        layers.environment(&sources.environment);
        for (key, value) in &sources.overrides {
            if let Some(setting) = setting(key) {
                layers.given.insert(setting.key, given(setting, value.clone()));
            }
        }
        layers
    }

    fn file(&mut self, path: &str, text: &str) {
        let table = match text.parse::<toml::Table>() {
            Ok(table) => table,
            Err(error) => {
                // Only the message: the parser's own excerpt could show a secret.
                let line = error
                    .span()
                    .map_or(1, |span| 1 + text.bytes().take(span.start).filter(|b| *b == b'\n').count());
                self.problems.push(Problem::error(
                    format!("{path}:{line}"),
                    format!("not valid TOML: {}", error.message().lines().next().unwrap_or_default()),
                    "nothing of the file can be used",
                    "correct this line; text needs quotes",
                ));
                return;
            }
        };
        for (section, content) in table {
            match content {
                toml::Value::Table(options) => {
                    for (name, value) in options {
                        self.file_option(format!("{section}.{name}"), value);
                    }
                }
                _ => self.problems.push(unknown(&section, &section)),
            }
        }
    }

    fn file_option(&mut self, name: String, value: toml::Value) {
        let Some((setting, by_file)) = find(&name) else {
            self.problems.push(unknown(&name, &name));
            return;
        };
        let value = match (value, setting.kind) {
            (toml::Value::String(path), _) if by_file => Given::File(path.into()),
            (
                toml::Value::String(text),
                Kind::Text | Kind::Address | Kind::Path | Kind::Choice(_) | Kind::Secret,
            ) => Given::Text(text),
            (toml::Value::Integer(number), Kind::Number(..)) => Given::Text(number.to_string()),
            (toml::Value::Array(items), Kind::List) if items.iter().all(toml::Value::is_str) => {
                Given::List(items.iter().filter_map(toml::Value::as_str).map(str::to_owned).collect())
            }
            _ => {
                self.problems.push(wrong_kind(name, if by_file { Kind::Path } else { setting.kind }));
                return;
            }
        };
        if setting.kind == Kind::Secret && holds_secret(setting.key, &value) {
            self.secrets_inline.push(setting.key);
        }
        if self.given.insert(setting.key, value).is_some() {
            self.problems.push(twice(setting.key));
        }
    }

    fn environment(&mut self, variables: &[(String, String)]) {
        let mut seen = BTreeMap::new();
        for (variable, value) in variables {
            let Some(rest) = variable.strip_prefix("KEYWARD_") else { continue };
            if OTHER_VARIABLES.contains(&variable.as_str()) {
                continue;
            }
            let Some((setting, by_file)) = by_variable(rest) else {
                self.problems.push(unknown_variable(variable, rest));
                continue;
            };
            let value = if by_file { Given::File(value.into()) } else { given(setting, value.clone()) };
            if seen.insert(setting.key, ()).is_some() {
                self.problems.push(twice(setting.key));
            }
            self.secrets_inline.retain(|key| *key != setting.key);
            self.given.insert(setting.key, value);
        }
    }
}

fn given(setting: &Setting, value: String) -> Given {
    match setting.kind {
        Kind::List => Given::List(
            value.split(',').map(|item| item.trim().to_owned()).filter(|item| !item.is_empty()).collect(),
        ),
        _ => Given::Text(value),
    }
}

/// Whether a value of a secret option shows a secret where it stands. A database address does only
/// with a password in it.
fn holds_secret(key: &str, value: &Given) -> bool {
    let Given::Text(text) = value else { return false };
    let user = text.split_once("://").and_then(|(_, rest)| rest.split_once('@'));
    key != "database.url" || text.contains("password=") || user.is_some_and(|(user, _)| user.contains(':'))
}

/// The option of this key.
pub(super) fn setting(key: &str) -> Option<&'static Setting> {
    REFERENCE.iter().find(|setting| setting.key == key)
}

/// The option that a name in the file means, and whether the name ends in `_file`.
fn find(name: &str) -> Option<(&'static Setting, bool)> {
    if let Some(setting) = setting(name) {
        return Some((setting, false));
    }
    let secret = setting(name.strip_suffix("_file")?)?;
    (secret.kind == Kind::Secret).then_some((secret, true))
}

/// The same for a variable, without `KEYWARD_`.
fn by_variable(rest: &str) -> Option<(&'static Setting, bool)> {
    let whole = format!("KEYWARD_{rest}");
    if whole.strip_suffix("_FILE").unwrap_or(&whole) == ROOT_KEY_VARIABLE {
        return Some((setting("secrets.root_key")?, rest.ends_with("_FILE")));
    }
    let (section, name) = rest.split_once('_')?;
    if rest != rest.to_ascii_uppercase() {
        return None;
    }
    find(&format!("{}.{}", section.to_ascii_lowercase(), name.to_ascii_lowercase()))
}

/// The option whose name is nearest, if one is near at all.
fn nearest(name: &str) -> Option<&'static str> {
    let last = |key: &str| key.rsplit('.').next().unwrap_or_default().to_owned();
    let same_name = REFERENCE.iter().find(|setting| last(setting.key) == last(name));
    let near = || {
        let distance = |setting: &&Setting| strsim::osa_distance(setting.key, name);
        REFERENCE.iter().min_by_key(distance).filter(|setting| distance(setting) <= 1 + name.len() / 5)
    };
    same_name.or_else(near).map(|setting| setting.key)
}

fn unknown(option: &str, name: &str) -> Problem {
    let fix = match nearest(name) {
        Some(key) => format!("did you mean `{key}`? Otherwise remove it"),
        None => "remove it; docs/configuration.md lists every option".to_owned(),
    };
    Problem::error(
        option,
        "there is no such option",
        "a setting that is silently ignored would surprise you later",
        fix,
    )
}

/// A variable whose first word is one of our sections is meant for us; others may not be.
fn unknown_variable(variable: &str, rest: &str) -> Problem {
    let section = rest.split('_').next().unwrap_or_default().to_ascii_lowercase();
    let ours = REFERENCE.iter().any(|setting| setting.key.split('.').next() == Some(section.as_str()));
    let name = rest.to_ascii_lowercase().replacen('_', ".", 1);
    let fix = match nearest(&name).or_else(|| nearest(&rest.to_ascii_lowercase())) {
        Some(key) => format!(
            "did you mean `KEYWARD_{}`? Otherwise unset it",
            key.to_ascii_uppercase().replace('.', "_")
        ),
        None => "unset it; docs/configuration.md lists every option".to_owned(),
    };
    let (what, why) =
        ("there is no such option", "a setting that is silently ignored would surprise you later");
    if ours { Problem::error(variable, what, why, fix) } else { Problem::warning(variable, what, why, fix) }
}

fn wrong_kind(option: String, kind: Kind) -> Problem {
    let fix = match kind {
        Kind::Number(least, most) => format!("write a number from {least} to {most}, without quotes"),
        Kind::List => "write a list of texts: [\"…\", \"…\"]".to_owned(),
        _ => "write a text in quotes".to_owned(),
    };
    Problem::error(option, "this kind of value does not fit here", "the option cannot be read from it", fix)
}

fn twice(key: &str) -> Problem {
    Problem::error(
        key,
        "given twice",
        "it is not clear which value counts",
        format!("keep either `{key}` or `{key}_file`"),
    )
}
