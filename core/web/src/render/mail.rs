//! Owns the drawing of mails: one description, drawn as text and as HTML, by the tenant's own
//! templates where they work and by ours where not, so that a mail is never lost to a template.

mod sandbox;
pub(crate) mod template;

use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::{Arg, Chrome, Message};
use crate::locale;
use sandbox::Fault;
use template::Piece;

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 200;

const HTML: (&str, &str) = ("mail.html", include_str!("../../../../web/hosted/mail/mail.html"));
const TEXT: (&str, &str) = ("mail.txt", include_str!("../../../../web/hosted/mail/mail.txt"));
const SUBJECT: &str = "{{ say(mail.subject) }}";

/// A mail we send.
pub trait MailPage {
    /// Its name, as a tenant's templates have it.
    const NAME: &'static str;
    /// When it is sent.
    const ABOUT: &'static str;
    /// What its templates may mention besides [`COMMON`].
    const VARIABLES: &'static [Variable];

    /// What it says.
    fn mail(&self) -> Mail;

    /// The values of its variables, in their order; none where it has no such value.
    fn values(&self) -> Vec<Option<Arg>>;

    /// Every state it can be in, for tests and contact sheets.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What a template may mention.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
}

impl Variable {
    /// A variable.
    pub const fn new(name: &'static str, about: &'static str) -> Self {
        Self { name, about }
    }
}

/// What every mail's templates may mention.
pub const COMMON: &[Variable] = &[
    Variable::new("tenant", "The name of the service."),
    Variable::new("locale", "The language, such as de."),
    Variable::new("dir", "The direction of writing: ltr or rtl."),
    Variable::new("subject", "The subject; not in the subject itself."),
    Variable::new("mail", "What the built-in templates draw: mail.subject and mail.parts."),
];

/// One of our mails, for lists of them.
#[derive(Clone, Copy)]
pub struct Kind {
    /// Its name.
    pub name: &'static str,
    /// When it is sent.
    pub about: &'static str,
    /// What its templates may mention besides [`COMMON`].
    pub variables: &'static [Variable],
    samples: fn(&Chrome) -> Vec<Drawn>,
}

impl Kind {
    /// The kind of these mails.
    pub const fn of<M: MailPage>() -> Self {
        let samples =
            |chrome: &Chrome| M::samples().iter().map(|mail| render_reporting(mail, chrome)).collect();
        Self { name: M::NAME, about: M::ABOUT, variables: M::VARIABLES, samples }
    }

    /// It with sample data, in every state.
    pub fn samples(&self, chrome: &Chrome) -> Vec<Drawn> {
        (self.samples)(chrome)
    }
}

/// What a mail says.
#[derive(Clone, Debug, Serialize)]
pub struct Mail {
    /// The subject, also the heading.
    pub subject: Message,
    /// The parts, in order.
    pub parts: Vec<Part>,
}

/// A part of a mail.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Part {
    /// A paragraph.
    Text(Message),
    /// A one-time code, large.
    Code(String),
    /// A button; as text, its label and address.
    Button {
        /// What it says.
        label: Message,
        /// Where it leads, an absolute URL.
        href: String,
    },
    /// A paragraph in small print.
    Small(Message),
}

/// A mail ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedMail {
    /// The subject, one line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part.
    pub html: String,
}

/// A mail as drawn, with what went wrong on the way.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The mail.
    pub mail: RenderedMail,
    /// Faults of the tenant's own templates, for the operator.
    pub problems: Vec<String>,
}

/// Draws a mail in the language and under the name of its surroundings. Faults of the tenant's
/// templates go to the log, and ours take their place.
pub fn render<M: MailPage>(mail: &M, chrome: &Chrome) -> RenderedMail {
    let drawn = render_reporting(mail, chrome);
    for problem in &drawn.problems {
        let tenant = &chrome.tenant_name;
        tracing::warn!(
            mail = M::NAME,
            tenant,
            problem,
            "a template of a mail is broken, the built-in one is sent"
        );
    }
    drawn.mail
}

/// Draws a mail, faults of the tenant's templates beside it: for the preview.
pub fn render_reporting<M: MailPage>(mail: &M, chrome: &Chrome) -> Drawn {
    let mut press = Press::new(mail, chrome);
    let subject =
        press.own(Piece::Subject).unwrap_or_else(|| one_line(&press.mail.subject.text(chrome.locale)));
    press.context = context! { subject => &subject, ..press.context.clone() };
    press.known.push("subject");
    let text = press.own(Piece::Text).unwrap_or_else(|| press.built_in(TEXT.0));
    let html = press.own(Piece::Html).unwrap_or_else(|| press.built_in(HTML.0));
    Drawn { mail: RenderedMail { subject, text, html }, problems: press.problems }
}

/// One mail on its way to paper.
struct Press<'a> {
    name: &'static str,
    mail: Mail,
    chrome: &'a Chrome,
    known: Vec<&'static str>,
    context: Value,
    problems: Vec<String>,
}

impl<'a> Press<'a> {
    fn new<M: MailPage>(page: &M, chrome: &'a Chrome) -> Self {
        let mail = page.mail();
        let value = |arg: Option<Arg>| match arg {
            None => serde_json::Value::Null,
            Some(Arg::Text(text)) => text.into(),
            Some(Arg::Number(number)) => number.into(),
            Some(Arg::Time(micros)) => locale::date_time(chrome.locale, micros).into(),
        };
        let named = M::VARIABLES.iter().zip(page.values());
        let own: serde_json::Map<String, serde_json::Value> =
            named.map(|(variable, arg)| (variable.name.to_owned(), value(arg))).collect();
        let context = context! {
            mail => Value::from(Serde(&mail)),
            locale => chrome.locale.code(),
            dir => chrome.locale.dir(),
            tenant => chrome.theme.product_name().unwrap_or(&chrome.tenant_name),
            ..Value::from(Serde(&own))
        };
        let own = M::VARIABLES.iter().map(|variable| variable.name);
        let common = COMMON.iter().map(|variable| variable.name).filter(|name| *name != "subject");
        Self {
            name: M::NAME,
            mail,
            chrome,
            known: own.chain(common).collect(),
            context,
            problems: Vec::new(),
        }
    }

    /// The piece by the tenant's own template, if there is one that works.
    fn own(&mut self, piece: Piece) -> Option<String> {
        for name in template::candidates(self.name, self.chrome.locale, piece) {
            let Some(source) = self.chrome.custom.get(&name) else { continue };
            match self.draw(piece, (&name, source)) {
                Ok(text) => return Some(text),
                Err(fault) => self.problems.push(format!("{name}: {fault}")),
            }
        }
        None
    }

    fn draw(&self, piece: Piece, template: (&str, &str)) -> Result<String, Fault> {
        let text = sandbox::draw(self.chrome.locale, template, &self.known, self.context.clone())?;
        if piece != Piece::Subject {
            return if self.leads_on(&text) { Ok(text) } else { Err(self.dead_end()) };
        }
        let text = one_line(&text);
        match text.chars().count() {
            1..=LONGEST_SUBJECT => Ok(text),
            _ => Err(Fault::whole(format!("a subject has 1 to {LONGEST_SUBJECT} characters"))),
        }
    }

    /// Whether somebody who reads this can do what the mail is for.
    fn leads_on(&self, text: &str) -> bool {
        let mut ways = self.ways().peekable();
        ways.peek().is_none() || ways.any(|way| text.contains(way) || text.contains(&locale::escape(way)))
    }

    fn ways(&self) -> impl Iterator<Item = &str> {
        self.mail.parts.iter().filter_map(|part| match part {
            Part::Code(way) | Part::Button { href: way, .. } => Some(way.as_str()),
            Part::Text(_) | Part::Small(_) => None,
        })
    }

    fn dead_end(&self) -> Fault {
        Fault::whole("neither the code nor the link of the mail stands in it")
    }

    fn built_in(&self, template: &str) -> String {
        let environment = sandbox::environment(self.chrome.locale);
        let source = if template == HTML.0 { HTML.1 } else { TEXT.1 };
        let drawn = environment.template_from_named_str(template, source);
        drawn.and_then(|drawn| drawn.render(self.context.clone())).unwrap_or_else(|error| {
            tracing::error!(template, %error, "a mail cannot be drawn");
            String::new()
        })
    }
}

/// A name in a subject must not start another header.
fn one_line(text: &str) -> String {
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let spaced: String = text.chars().map(|c| if breaks(c) { ' ' } else { c }).collect();
    spaced.trim().to_owned()
}
