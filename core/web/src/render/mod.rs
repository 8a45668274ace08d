//! Owns the drawing of pages: a typed page and its surroundings in, HTML or JSON out.
//! It mounts nothing, reads no request and never fails: a broken template of a tenant falls back
//! to ours and is reported.

pub(crate) mod engine;
mod form;
pub mod mail;
mod message;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

pub use form::{Action, Choice, Field, FieldKind, Form, Notice, NoticeKind, Post, Target};
pub use message::{Arg, Message};

use crate::locale::Locale;
use crate::theme::Theme;

/// One page: what it shows, what it asks, and samples of every state it can be in.
pub trait Page: Serialize {
    /// The file in `web/hosted/templates`.
    const TEMPLATE: &'static str;
    /// The step, `data-step` on `<main>` and `step` in JSON.
    const STEP: &'static str;

    /// What it asks and offers.
    fn form(&self) -> Form;

    /// Every state it can be in, for tests and contact sheets.
    fn samples() -> Vec<Self>
    where
        Self: Sized;
}

/// What surrounds every page of a request.
#[derive(Clone, Debug, Default)]
pub struct Chrome {
    /// The language.
    pub locale: Locale,
    /// Colours and logo.
    pub theme: Arc<Theme>,
    /// The tenant's name, beside the logo unless the theme names a product.
    pub tenant_name: String,
    /// The path of the issuer, `""` or `/t/acme`: every address of ours starts with it.
    pub base_path: String,
    /// The same page in other languages.
    pub languages: Vec<Language>,
    /// Where help is found.
    pub help: Option<String>,
    /// The tenant's privacy policy.
    pub privacy: Option<String>,
    /// The tenant's terms of service.
    pub terms: Option<String>,
    /// The time, in microseconds since 1970 (UTC), for "3 minutes ago".
    pub now: i64,
    /// The application that sent somebody to the page.
    pub client: Option<Client>,
    /// The tenant's own templates by name: of a page such as `password.html`, of one of the slots
    /// `_header.html` and `_footer.html`, or of a mail; see [`crate::templates`].
    pub custom: Arc<BTreeMap<String, String>>,
}

/// An application, as the pages show it.
#[derive(Clone, Debug, Serialize)]
pub struct Client {
    /// Its name for people.
    pub name: String,
    /// Where its logo is, on our own origin.
    pub logo: Option<String>,
    /// Its privacy policy.
    pub policy: Option<String>,
    /// Its terms of service.
    pub terms: Option<String>,
}

/// A link to the page in another language.
#[derive(Clone, Debug)]
pub struct Language {
    /// The language.
    pub locale: Locale,
    /// Where the page is in that language.
    pub href: String,
}

/// A page as HTML, with what went wrong on the way.
#[derive(Clone, Debug)]
pub struct Rendered {
    /// The document.
    pub html: String,
    /// Faults of the tenant's own templates, for the operator.
    pub problems: Vec<String>,
}

/// The page as an HTML document. Faults of the tenant's templates go to the log.
pub fn render<P: Page>(page: &P, chrome: &Chrome) -> String {
    let rendered = render_reporting(page, chrome);
    for problem in &rendered.problems {
        tracing::warn!(template = P::TEMPLATE, problem, "a custom template is broken, the default is shown");
    }
    rendered.html
}

/// The page as an HTML document, faults of the tenant's templates beside it: for the preview.
pub fn render_reporting<P: Page>(page: &P, chrome: &Chrome) -> Rendered {
    let form = page.form();
    engine::draw(P::TEMPLATE, P::STEP, page, &form, chrome)
}

/// The page under `Accept: application/json`: `{step, title, action, fields, actions, messages}`,
/// and `client` where an application sent somebody here.
pub fn json<P: Page>(page: &P, chrome: &Chrome) -> serde_json::Value {
    let mut json = page.form().json(P::STEP, chrome.locale);
    if let (Some(client), Some(body)) = (&chrome.client, json.as_object_mut()) {
        body.insert("client".to_owned(), serde_json::json!(client));
    }
    json
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{Code, Password};

    fn with_custom(name: &str, source: &str) -> Chrome {
        let custom = BTreeMap::from([(name.to_owned(), source.to_owned())]);
        Chrome { tenant_name: "Northwind".into(), custom: Arc::new(custom), ..Chrome::default() }
    }

    fn password() -> Password {
        Password::samples().remove(0)
    }

    #[test]
    fn a_slot_of_the_tenant_is_drawn() {
        let chrome = with_custom("_footer.html", "<p>Ask {{ tenant }} at <b>the desk</b></p>");
        let rendered = render_reporting(&password(), &chrome);
        assert!(rendered.html.contains("Ask Northwind at <b>the desk</b>"));
        assert_eq!(rendered.problems, Vec::<String>::new());
    }

    #[test]
    fn a_broken_template_falls_back_and_is_reported() {
        let endless = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
        let no_field = "<main data-step='password'><p>No field, no way in</p></main>";
        for source in ["{% if %}", "{{ nothing.at.all }}", endless] {
            let rendered = render_reporting(&password(), &with_custom("_footer.html", source));
            assert!(rendered.html.contains("id=\"continue\""), "{source}");
            assert_eq!(rendered.problems.len(), 1, "{source}");
        }
        let rendered = render_reporting(&password(), &with_custom("password.html", no_field));
        assert!(rendered.html.contains("name=\"password\""));
        assert!(rendered.problems[0].contains("password"), "{:?}", rendered.problems);
    }

    #[test]
    fn one_description_gives_both_forms() {
        let page = password();
        let json = json(&page, &Chrome::default());
        assert_eq!(json["step"], "password");
        let fields = json["fields"].as_array().unwrap();
        assert!(fields.iter().any(|field| field["name"] == "password" && field["required"] == true));
        assert!(fields.iter().any(|field| field["name"] == "csrf" && field["type"] == "hidden"));
        let html = render(&page, &Chrome::default());
        for field in fields {
            assert!(html.contains(&format!("name=\"{}\"", field["name"].as_str().unwrap())));
        }
    }

    #[test]
    fn a_refusal_is_in_the_title_the_field_and_the_json() {
        let page = Code::samples().into_iter().find(|page| page.error.is_some()).unwrap();
        let html = render(&page, &Chrome::default());
        assert!(html.contains("<title>Error: "));
        assert!(html.contains("aria-invalid=\"true\""));
        let json = json(&page, &Chrome::default());
        assert_eq!(json["messages"][0]["id"], page.error.as_ref().unwrap().id());
    }
}
