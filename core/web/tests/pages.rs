//! Every page and mail, in every state and language.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use web::assets;
use web::locale::Locale;
use web::pages::{NOW, gallery, mail_gallery};
use web::render::{Chrome, Client, Language};
use web::theme::{Branding, Palette, Theme};

fn chrome(locale: Locale) -> Chrome {
    let language = |locale: Locale| Language { locale, href: format!("?lang={}", locale.code()) };
    Chrome {
        locale,
        tenant_name: "Northwind".into(),
        languages: Locale::ALL.map(language).to_vec(),
        help: Some("https://northwind.example/help".into()),
        client: Some(Client {
            name: "\"'><script>alert(1)</script>".into(),
            logo: Some("/logo/app/v".into()),
            policy: Some("https://shop.example/policy?\"'><script>alert(1)</script>".into()),
            terms: Some("https://shop.example/terms".into()),
        }),
        now: NOW,
        ..Chrome::default()
    }
}

/// Calls `check` with name, step and HTML of every page in every state and language.
fn every_page(check: impl Fn(&str, &str, &str)) {
    for locale in Locale::ALL {
        for sample in gallery() {
            let rendered = sample.html(&chrome(locale));
            let name = format!("{} in {}", sample.name, locale.code());
            assert_eq!(rendered.problems, Vec::<String>::new(), "{name}");
            check(&name, sample.step, &rendered.html);
        }
    }
}

#[test]
fn every_page_is_drawn_with_its_step_and_title() {
    every_page(|name, step, html| {
        assert!(html.trim_start().starts_with("<!doctype html>"), "{name}");
        assert!(html.contains(&format!("data-step=\"{step}\"")), "{name}");
        assert_eq!(html.matches("<h1").count(), 1, "{name}");
        assert_eq!(html.matches("<main").count(), 1, "{name}");
        assert!(!html.contains("{$"), "{name} lacks a value");
    });
}

#[test]
fn every_id_is_there_once() {
    every_page(|name, _, html| {
        let ids: Vec<&str> = html.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let distinct: BTreeSet<_> = ids.iter().collect();
        assert_eq!(ids.len(), distinct.len(), "{name}: {ids:?}");
    });
}

#[test]
fn the_outside_contract_holds() {
    let ids = BTreeMap::from([
        ("consent", vec!["allow", "deny"]),
        ("logout", vec!["confirm"]),
        ("signed-out", vec!["signed-out"]),
        ("error", vec!["error"]),
    ]);
    let client = ["client-logo", "client-policy", "client-terms"];
    let telling = ["account", "activity", "applications", "sessions", "link", "mailbox", "mail", "demo"];
    every_page(|name, step, html| {
        if telling.contains(&step) {
            return;
        }
        let mut expected = ids.get(step).cloned().unwrap_or_else(|| vec!["continue"]);
        if html.contains("page-card") {
            expected.extend(client);
        }
        for id in expected {
            assert!(html.contains(&format!("id=\"{id}\"")), "{name} lacks #{id}");
        }
    });
}

#[test]
fn pages_run_under_the_strict_policy() {
    every_page(|name, step, html| {
        assert!(!html.contains("<style"), "{name}");
        assert!(!html.contains("style="), "{name}");
        assert!(!html.contains("autocomplete=\"off\""), "{name}");
        let scripts: Vec<&str> = html.split("<script").skip(1).collect();
        let inline = scripts.iter().filter(|rest| !rest.starts_with(" type=\"module\" src=")).count();
        assert_eq!(inline, usize::from(step == "form-post"), "{name}");
        for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
            let handler =
                tag.split_whitespace().skip(1).any(|part| part.starts_with("on") && part.contains('='));
            assert!(!handler || tag.contains("&quot;"), "{name}: {tag}");
        }
    });
}

#[test]
fn abuse_27_hostile_values_stay_text() {
    every_page(|name, _, html| {
        assert!(!html.contains("<script>alert"), "{name}");
        assert!(!html.contains("<b>{{"), "{name}");
        assert!(!html.contains("\"'>"), "{name}");
    });
    for locale in Locale::ALL {
        for (name, mail) in mail_gallery(&chrome(locale)) {
            assert!(!mail.html.contains("<script>"), "{name}");
            assert!(!mail.html.contains("<b>{{"), "{name}");
        }
    }
}

#[test]
fn mails_say_the_same_as_text_and_as_html() {
    for locale in Locale::ALL {
        for (name, mail) in mail_gallery(&chrome(locale)) {
            assert!(!mail.subject.contains(['\r', '\n']), "{name}");
            assert!(mail.text.starts_with(&mail.subject), "{name}: {}", mail.text);
            assert!(mail.html.contains("Northwind") && mail.text.contains("Northwind"), "{name}");
            assert!(!mail.text.contains("{$") && !mail.html.contains("{$"), "{name}");
            for link in mail.text.split_whitespace().filter(|word| word.starts_with("https://")) {
                assert!(mail.html.contains(&format!("href=\"{link}\"")), "{name}: {link}");
            }
        }
    }
}

#[test]
fn the_json_form_names_what_the_html_draws() {
    for locale in Locale::ALL {
        for sample in gallery() {
            let json = sample.json(&chrome(locale));
            let html = sample.html(&chrome(locale)).html;
            assert_eq!(json["step"], sample.step);
            for field in json["fields"].as_array().unwrap() {
                let name = field["name"].as_str().unwrap();
                assert!(html.contains(&format!("name=\"{name}\"")), "{}: {name}", sample.name);
            }
            for message in json["messages"].as_array().unwrap() {
                assert!(message["id"].is_string() && message["text"].is_string(), "{}", sample.name);
            }
        }
    }
}

#[test]
fn a_page_and_its_stylesheet_stay_within_the_budget() {
    let (_, css) = assets::asset(assets::css_path()).unwrap();
    let (_, js) = assets::asset(assets::js_path()).unwrap();
    // Uncompressed already below what the budget allows compressed, lists of samples apart.
    assert!(js.len() <= 12_000, "{}", js.len());
    every_page(|name, step, html| {
        if !["activity", "demo"].contains(&step) {
            assert!(css.len() + html.len() <= 30_000, "{name}: {} + {}", css.len(), html.len());
        }
    });
}

#[test]
fn a_theme_and_a_base_path_reach_the_page() {
    let light = Palette { accent: Some("#0a7d5a".into()), ..Palette::default() };
    let branding = Branding { product_name: Some("Acme ID".into()), light, ..Branding::default() };
    let theme = Theme::new(&branding).unwrap();
    let path = theme.stylesheet().unwrap().path.clone();
    let chrome = Chrome { theme: Arc::new(theme), base_path: "/t/acme".into(), ..chrome(Locale::En) };
    let html = gallery().remove(0).html(&chrome).html;
    assert!(html.contains(&format!("href=\"/t/acme{path}\"")));
    assert!(html.contains(&format!("href=\"/t/acme{}\"", assets::css_path())));
    assert!(html.contains("Acme ID") && !html.contains("Northwind"));
}

/// Key and the names of the values it mentions.
fn messages(locale: Locale) -> BTreeMap<String, (BTreeSet<String>, String)> {
    let mut messages: BTreeMap<String, (BTreeSet<String>, String)> = BTreeMap::new();
    let mut key = String::new();
    for line in locale.source().lines().filter(|line| !line.starts_with('#')) {
        if let Some((name, _)) = line.split_once(" =").filter(|_| !line.starts_with([' ', '}'])) {
            key = name.to_owned();
            assert!(!messages.contains_key(&key), "{key} is there twice in {}", locale.code());
        }
        let (variables, text) = messages.entry(key.clone()).or_default();
        text.push_str(line);
        text.push('\n');
        for rest in line.split('$').skip(1) {
            variables
                .extend(rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().map(str::to_owned));
        }
    }
    messages.remove("");
    messages
}

#[test]
fn every_language_has_the_same_messages_with_the_same_values() {
    let english = messages(Locale::En);
    for locale in Locale::ALL {
        let other = messages(locale);
        let keys = |map: &BTreeMap<String, _>| map.keys().cloned().collect::<BTreeSet<_>>();
        let missing: Vec<_> = keys(&english).difference(&keys(&other)).cloned().collect();
        let superfluous: Vec<_> = keys(&other).difference(&keys(&english)).cloned().collect();
        assert_eq!((missing, superfluous), (vec![], vec![]), "{}", locale.code());
        for (key, (variables, _)) in &english {
            assert_eq!(variables, &other[key].0, "{key} in {}", locale.code());
        }
    }
}

#[test]
fn arabic_has_all_six_plurals_wherever_english_has_two() {
    let arabic = messages(Locale::Ar);
    let mut plurals = 0;
    for (key, (_, text)) in messages(Locale::En) {
        if !text.contains("[one]") {
            continue;
        }
        plurals += 1;
        for form in ["[zero]", "[one]", "[two]", "[few]", "[many]", "*[other]"] {
            assert!(arabic[&key].1.contains(form), "{key} lacks {form}");
        }
    }
    assert!(plurals >= 10, "only {plurals} messages have plurals");
}

fn sources() -> io::Result<String> {
    fn walk(folder: &Path, out: &mut String) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                walk(&path, out)?;
            } else if path.extension().is_some_and(|kind| kind == "rs" || kind == "html" || kind == "txt") {
                out.push_str(&fs::read_to_string(&path)?);
            }
        }
        Ok(())
    }
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut out = String::new();
    walk(&root.join("src/pages"), &mut out)?;
    walk(&root.join("src/render"), &mut out)?;
    out.push_str(&fs::read_to_string(root.join("src/locale.rs"))?);
    walk(&root.join("../../web/hosted"), &mut out)?;
    Ok(out)
}

#[test]
fn messages_and_their_uses_agree() {
    let sources = sources().unwrap();
    let keys: BTreeSet<String> = messages(Locale::En).into_keys().collect();
    let unused: Vec<_> = keys.iter().filter(|key| !sources.contains(&format!("\"{key}\""))).collect();
    assert_eq!(unused, Vec::<&String>::new(), "messages nobody says");
    for opening in ["{ t(\"", " t(\"", "rich(\"", "Message::new(\"", "small(\"", "button(\""] {
        for id in sources.split(opening).skip(1).filter_map(|rest| rest.split('"').next()) {
            let known = keys.contains(id) || ["revoke", "others", "all"].contains(&id);
            assert!(known, "nobody wrote the message {id:?}");
        }
    }
}
