//! Owns the language that tenants write mails in: the one of the pages without all that could reach
//! further than the mail itself. There is nothing to include, to import or to define, and nothing
//! that makes a value longer than it is, so that no template can use up the memory of the server;
//! the engine's fuel ends what would run for ever, and [`draw`] what would write for ever.

use std::fmt;
use std::io::{self, Write};
use std::sync::LazyLock;

use minijinja::value::{Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, filters, tests};

use crate::locale::Locale;
use crate::render::engine;

const STATEMENTS: &[&str] = &["if", "elif", "else", "endif", "for", "endfor"];
const FUNCTIONS: &[&str] = &["t", "say", "rich", "say_rich"];
const FILTERS: &[&str] = &["upper", "lower", "title", "capitalize", "trim", "default"];
const TESTS: &[&str] = &["defined", "undefined", "none"];
const WORDS: &[&str] =
    &["in", "not", "and", "or", "is", "if", "else", "true", "false", "none", "True", "False", "None", "loop"];
const SIGNS: &str = ".|(),=!<>-";

/// The longest output, in bytes.
const LONGEST: usize = 256 * 1024;

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    line: usize,
    message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.message),
            line => write!(f, "line {line}: {}", self.message),
        }
    }
}

impl Fault {
    /// One of the template as a whole.
    pub(super) fn whole(message: impl Into<String>) -> Self {
        Self { line: 0, message: message.into() }
    }

    fn at(line: usize, message: String) -> Self {
        Self { line, message }
    }

    fn of(error: &Error) -> Self {
        let message = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => "it does not come to an end".to_owned(),
            (ErrorKind::WriteFailure, _) => format!("it writes more than {LONGEST} bytes"),
            (_, Some(detail)) => detail.to_owned(),
            (kind, None) => kind.to_string(),
        };
        Self { line: error.line().unwrap_or(0), message }
    }
}

/// Draws a tenant's template, whose name says whether it is HTML, if it keeps to the language and to
/// the variables that `known` names.
pub(super) fn draw(
    locale: Locale,
    (name, source): (&str, &str),
    known: &[&str],
    context: Value,
) -> Result<String, Fault> {
    inspect(source, known)?;
    let template = environment(locale).template_from_named_str(name, source).map_err(|e| Fault::of(&e))?;
    let mut output = Bounded(Vec::new());
    template.render_captured_to(context, &mut output).map_err(|error| Fault::of(&error))?;
    String::from_utf8(output.0).map_err(|error| Fault::whole(error.to_string()))
}

/// The environment in which mails of a language are drawn, our own and the tenants'.
pub(super) fn environment(locale: Locale) -> &'static Environment<'static> {
    static EN: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::En));
    static DE: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::De));
    static AR: LazyLock<Environment<'static>> = LazyLock::new(|| build(Locale::Ar));
    match locale {
        Locale::En => &EN,
        Locale::De => &DE,
        Locale::Ar => &AR,
    }
}

fn build(locale: Locale) -> Environment<'static> {
    let mut environment = Environment::empty();
    engine::prepare(&mut environment, locale);
    environment.set_auto_escape_callback(|name| match name.ends_with(".html") {
        true => AutoEscape::Html,
        false => AutoEscape::None,
    });
    environment.set_formatter(|out, state, value| match value.kind() {
        ValueKind::String | ValueKind::Number => engine::write(out, state, value),
        ValueKind::None | ValueKind::Undefined => {
            Err(refused("this has no value in some mails; ask for it by {% if … %}"))
        }
        _ => Err(refused("this is no text")),
    });
    environment.add_filter("upper", filters::upper);
    environment.add_filter("lower", filters::lower);
    environment.add_filter("title", filters::title);
    environment.add_filter("capitalize", filters::capitalize);
    environment.add_filter("trim", filters::trim);
    environment.add_filter("default", |value: Value, other: Value| match value.kind() {
        ValueKind::None | ValueKind::Undefined => other,
        _ => value,
    });
    environment.add_test("defined", tests::is_defined);
    environment.add_test("undefined", tests::is_undefined);
    environment.add_test("none", tests::is_none);
    environment
}

fn refused(message: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, message)
}

/// Output that ends.
struct Bounded(Vec<u8>);

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST {
            return Err(io::Error::other(format!("it writes more than {LONGEST} bytes")));
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A piece of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Word(&'a str),
    Constant,
    Sign(char),
}

/// Whether the template keeps to the language and to these variables.
fn inspect(source: &str, known: &[&str]) -> Result<(), Fault> {
    let mut declared: Vec<&str> = known.to_vec();
    let (mut rest, mut line) = (source, 1);
    while let Some(start) = ["{{", "{%", "{#"].iter().filter_map(|open| rest.find(open)).min() {
        let (before, tag) = rest.split_at(start);
        line += newlines(before);
        let length = if let Some(comment) = tag.strip_prefix("{#") {
            comment.find("#}").map_or(tag.len(), |end| end + 4)
        } else {
            let (tokens, length) = tokens(tag, line)?;
            judge(&tokens, tag.starts_with("{%"), &mut declared)
                .map_err(|message| Fault::at(line, message))?;
            length
        };
        let (tag, after) = tag.split_at(length.min(tag.len()));
        line += newlines(tag);
        rest = after;
    }
    Ok(())
}

fn newlines(text: &str) -> usize {
    text.matches('\n').count()
}

/// The pieces of the tag that the text begins with, and its length.
fn tokens(tag: &str, line: usize) -> Result<(Vec<Token<'_>>, usize), Fault> {
    let close = if tag.starts_with("{{") { "}}" } else { "%}" };
    let mut tokens = Vec::new();
    let mut at = 2;
    while let Some(rest) = tag.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(close) {
            // Whitespace control is not part of the expression.
            let ends = [tokens.first().copied(), tokens.last().copied()];
            if ends[1] == Some(Token::Sign('-')) {
                tokens.pop();
            }
            if ends[0] == Some(Token::Sign('-')) && !tokens.is_empty() {
                tokens.remove(0);
            }
            return Ok((tokens, at + 2));
        }
        let first = rest.chars().next().unwrap_or_default();
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let length = match first {
            '"' | '\'' => {
                let end =
                    closing(rest, first).ok_or_else(|| Fault::at(line, "a text is not closed".into()))?;
                tokens.push(Token::Constant);
                end
            }
            c if c.is_whitespace() => c.len_utf8(),
            c if word(c) => {
                let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
                let text = rest.get(..end).unwrap_or_default();
                tokens.push(if c.is_ascii_digit() { Token::Constant } else { Token::Word(text) });
                end
            }
            c if SIGNS.contains(c) => {
                tokens.push(Token::Sign(c));
                1
            }
            c => return Err(Fault::at(line, format!("\"{c}\" cannot be used in a mail"))),
        };
        at += length;
    }
    Err(Fault::at(line, "a tag is not closed".to_owned()))
}

/// The length of the text that begins with this quotation mark.
fn closing(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Judges one tag; a loop declares its variables for what follows.
fn judge<'a>(tokens: &[Token<'a>], statement: bool, declared: &mut Vec<&'a str>) -> Result<(), String> {
    let mut tokens = tokens;
    if statement {
        let Some((Token::Word(word), rest)) = tokens.split_first() else {
            return Err("a tag begins with a word".to_owned());
        };
        if !STATEMENTS.contains(word) {
            return Err(format!("\"{word}\" cannot be used in a mail; there are: {}", STATEMENTS.join(", ")));
        }
        tokens = rest;
        if *word == "for" {
            let end = tokens.iter().position(|token| *token == Token::Word("in")).unwrap_or(0);
            let (targets, of) = tokens.split_at(end);
            declared.extend(targets.iter().filter_map(|token| match token {
                Token::Word(name) => Some(*name),
                _ => None,
            }));
            tokens = of;
        }
    }
    let mut before: [Option<Token<'_>>; 2] = [None, None];
    for (at, token) in tokens.iter().enumerate() {
        if let Token::Word(word) = token {
            let after = [tokens.get(at + 1).copied(), tokens.get(at + 2).copied()];
            may_say(word, before, after, declared)?;
        }
        before = [before[1], Some(*token)];
    }
    Ok(())
}

/// Whether a word may stand between what is before and after it.
fn may_say(
    word: &str,
    before: [Option<Token<'_>>; 2],
    after: [Option<Token<'_>>; 2],
    declared: &[&str],
) -> Result<(), String> {
    let is = Some(Token::Word("is"));
    let called = after[0] == Some(Token::Sign('('));
    let named = after[0] == Some(Token::Sign('=')) && after[1] != Some(Token::Sign('='));
    let among = |list: &[&str], what: &str| match list.contains(&word) {
        true => Ok(()),
        false => Err(format!("there is no {what} \"{word}\"; there are: {}", list.join(", "))),
    };
    match before[1] {
        Some(Token::Sign('.')) => Ok(()),
        Some(Token::Sign('|')) => among(FILTERS, "filter"),
        last if last == is && word == "not" => Ok(()),
        last if last == is || (before[0] == is && last == Some(Token::Word("not"))) => among(TESTS, "test"),
        // The name of an argument.
        Some(Token::Sign('(' | ',')) if named => Ok(()),
        _ if called && !WORDS.contains(&word) => among(FUNCTIONS, "function"),
        _ if WORDS.contains(&word) || declared.contains(&word) => Ok(()),
        _ => Err(format!("there is no variable \"{word}\"; there are: {}", declared.join(", "))),
    }
}

#[cfg(test)]
mod test {
    use minijinja::context;

    use super::*;

    fn drawn(source: &str) -> Result<String, String> {
        let parts: Vec<u32> = (0..1000).collect();
        let context = context! { tenant => "<North & wind>", code => "417026", nobody => (), parts => parts };
        let known = ["tenant", "code", "nobody", "parts"];
        draw(Locale::En, ("mail-x.html", source), &known, context).map_err(|fault| fault.to_string())
    }

    #[test]
    fn what_a_mail_needs_can_be_said() {
        for (source, expected) in [
            ("Hello {{ tenant }}", "Hello &lt;North &amp; wind&gt;"),
            ("{% if nobody %}x{% elif code == \"417026\" %}{{ code|lower }}{% endif %}", "417026"),
            ("{%- for part in parts if part < 3 -%}{{ loop.index }}{{ part }},{% endfor %}", "10,21,32,"),
            ("{{ nobody | default('-') }}{# {{ unknown }} #}", "-"),
            ("{{ t(\"mail-code-subject\", code=code) }}", "417026 is your code"),
            ("{% if code is defined and nobody is not none %}x{% else %}y{% endif %}", "y"),
            ("{{ '}}' }}{{ \"\\\"%}\" }}", "}}&quot;%}"),
        ] {
            assert_eq!(drawn(source).as_deref(), Ok(expected), "{source}");
        }
    }

    #[test]
    fn what_reaches_further_is_refused_with_its_place() {
        for (source, expected) in [
            ("a\nb {{ cod }}", "line 2: there is no variable \"cod\""),
            ("\n\n{% include \"_base.html\" %}", "line 3: \"include\" cannot be used"),
            ("{% import \"x\" as y %}", "line 1: \"import\""),
            ("{% extends \"mail/mail.html\" %}", "line 1: \"extends\""),
            ("{% macro f() %}{% endmacro %}", "line 1: \"macro\""),
            ("{% set x = code %}", "line 1: \"set\""),
            ("{% with x = code %}{% endwith %}", "line 1: \"with\""),
            ("{% raw %}{{ code }}{% endraw %}", "line 1: \"raw\""),
            ("{% filter upper %}{% endfilter %}", "line 1: \"filter\""),
            ("{%- call f() %}{% endcall %}", "line 1: \"call\""),
            ("{{ code ~ code }}", "line 1: \"~\""),
            ("{{ code + code }}", "line 1: \"+\""),
            ("{{ code * 9999 }}", "line 1: \"*\""),
            ("{{ [code] }}", "line 1: \"[\""),
            ("{{ {} }}", "line 1: \"{\""),
            ("{{ code|safe }}", "line 1: there is no filter \"safe\""),
            ("{{ code|replace('a', code) }}", "line 1: there is no filter \"replace\""),
            ("{{ range(10) }}", "line 1: there is no function \"range\""),
            ("{{ debug() }}", "line 1: there is no function \"debug\""),
            ("{{ code is divisibleby(2) }}", "line 1: there is no test \"divisibleby\""),
            ("{% for a in parts recursive %}{{ loop(parts) }}{% endfor %}", "line 1: there is no variable"),
            ("\n{{ code", "line 2: a tag is not closed"),
            ("{{ 'x }}", "line 1: a text is not closed"),
            ("{% if code %}", "line 1: unexpected end"),
            ("{{ code.x }}", "line 1: "),
            ("{{ parts }}", "line 1: this is no text"),
            ("x\n{{ nobody }}", "line 2: this has no value in some mails"),
            (
                "{% for a in parts %}{% for b in parts %}{% endfor %}{% endfor %}",
                "it does not come to an end",
            ),
        ] {
            let fault = drawn(source).expect_err(source);
            assert!(fault.contains(expected), "{source}: {fault}");
        }
    }

    #[test]
    fn the_output_ends() {
        let long = "x".repeat(1000);
        let source = format!("{{% for a in parts %}}{long}{{% endfor %}}");
        let fault = drawn(&source).expect_err("a megabyte");
        assert!(fault.contains("writes more than"), "{fault}");
    }

    #[test]
    fn messages_within_messages_do_not_grow_without_end() {
        let mut source = "code".to_owned();
        for _ in 0..40 {
            source = format!("rich(\"verbatim\", text={source})");
        }
        assert!(drawn(&format!("{{{{ {source} }}}}")).is_ok_and(|text| text.len() < 1000));
    }
}
