//! Tenants' own templates of mails: which there are, what is refused before it is kept, and what
//! happens to a mail when one breaks.

use std::collections::BTreeMap;
use std::sync::Arc;

use web::locale::Locale;
use web::pages::mails::{KINDS, NewDevice, Recover, VerifyAddress};
use web::render::mail::{MailPage, render, render_reporting};
use web::render::{Chrome, Message};
use web::templates::{all, check, find, preview};

fn chrome(locale: Locale, custom: &[(&str, &str)]) -> Chrome {
    let custom = custom.iter().map(|(name, source)| ((*name).to_owned(), (*source).to_owned()));
    let custom = Arc::new(custom.collect::<BTreeMap<_, _>>());
    Chrome { tenant_name: "Northwind & Sons".into(), locale, custom, ..Chrome::default() }
}

fn verify() -> VerifyAddress {
    VerifyAddress::samples().remove(0)
}

#[test]
fn every_piece_of_a_mail_can_be_the_tenants_own() {
    let own = [
        ("mail-verify-address.subject", "{{ code }} opens {{ tenant }}"),
        ("mail-verify-address.txt", "Type {{ code }}\nwithin {{ minutes }} minutes.\n"),
        ("mail-verify-address.html", "<p>{{ tenant }}: <a href=\"{{ link }}\">{{ subject }}</a></p>"),
    ];
    let drawn = render_reporting(&verify(), &chrome(Locale::En, &own));
    assert_eq!(drawn.problems, Vec::<String>::new());
    assert_eq!(drawn.mail.subject, "417026 opens Northwind & Sons");
    assert_eq!(drawn.mail.text, "Type 417026\nwithin 10 minutes.");
    assert!(drawn.mail.html.starts_with("<p>Northwind &amp; Sons: <a href=\"https://id.example/link/"));
    assert!(drawn.mail.html.ends_with(">417026 opens Northwind &amp; Sons</a></p>"), "{}", drawn.mail.html);
    let other = render(&Recover::samples().remove(0), &chrome(Locale::En, &own));
    assert_eq!(other, render(&Recover::samples().remove(0), &chrome(Locale::En, &[])));
}

#[test]
fn the_language_decides_then_the_mail_then_the_layout() {
    let own = [
        ("mail-recover.txt", "all {{ code }}"),
        ("mail-recover.de.txt", "de {{ code }}"),
        (
            "mail-layout.txt",
            "layout {% for part in mail.parts if part.code is defined %}{{ part.code }}{% endfor %}",
        ),
    ];
    let text = |locale| render(&Recover::samples().remove(0), &chrome(locale, &own)).text;
    assert_eq!((text(Locale::De), text(Locale::En)), ("de 417026".into(), "all 417026".into()));
    assert_eq!(render(&verify(), &chrome(Locale::De, &own)).text, "layout 417026");
}

#[test]
fn a_template_that_breaks_is_reported_and_the_mail_is_the_built_in_one() {
    let plain = render(&verify(), &chrome(Locale::En, &[]));
    for (name, source, problem) in [
        ("mail-verify-address.txt", "{{ cod }}", "line 1: there is no variable \"cod\""),
        ("mail-verify-address.html", "<p>Welcome</p>", "neither the code nor the link"),
        ("mail-verify-address.subject", "\n{# nothing #}\n", "1 to 200 characters"),
        ("mail-verify-address.subject", &"x".repeat(201), "1 to 200 characters"),
        ("mail-layout.html", "{% include \"_base.html\" %}", "\"include\" cannot be used"),
    ] {
        let drawn = render_reporting(&verify(), &chrome(Locale::En, &[(name, source)]));
        assert_eq!(drawn.mail, plain, "{name}");
        assert_eq!(drawn.problems.len(), 1, "{name}");
        assert!(
            drawn.problems[0].starts_with(name) && drawn.problems[0].contains(problem),
            "{:?}",
            drawn.problems
        );
    }
}

#[test]
fn abuse_27_no_template_and_no_name_adds_a_header_or_markup() {
    let own = [
        ("mail-verify-address.subject", "a\r\nBcc: everybody@example.com\u{2028}{{ application }}"),
        ("mail-verify-address.html", "<p>{{ application }}</p>{{ code }}"),
    ];
    let application = Some("<img src=x>\r\nBcc: all@example.com".to_owned());
    let drawn = render_reporting(&VerifyAddress { application, ..verify() }, &chrome(Locale::En, &own));
    assert_eq!(drawn.problems, Vec::<String>::new());
    assert!(!drawn.mail.subject.contains(['\r', '\n', '\u{2028}']), "{:?}", drawn.mail.subject);
    assert!(drawn.mail.html.starts_with("<p>&lt;img src=x&gt;"), "{}", drawn.mail.html);
}

#[test]
fn what_would_break_is_refused_before_it_is_kept() {
    for (name, source, problem) in [
        (
            "mail-recover.html",
            "<p>\n{{ code }}{{ application }}</p>",
            "line 2: there is no variable \"application\"",
        ),
        // It has no value in one of the samples.
        ("mail-verify-address.txt", "{{ code }}\n{{ application }}", "line 2: this has no value"),
        ("mail-layout.txt", "{{ code }}", "there is no variable \"code\""),
        ("mail-recover.de.subject", "{{ code", "line 1: a tag is not closed"),
        ("mail-nothing.html", "x", "is no template"),
        ("mail-layout.subject", "x", "is no template"),
        ("mail-recover.fr.html", "x", "is no template"),
        ("nothing.html", "x", "is no template"),
        ("password.html", "<p>No field</p>", "\"csrf\" is missing"),
        ("_footer.html", "{{ nothing }}", "_footer.html"),
        ("mail-recover.txt", &"x".repeat(70_000), "is longer than"),
    ] {
        let refused = check(name, source).expect_err(name);
        assert!(refused.contains(problem), "{name}: {refused}");
    }
    for (name, source) in [
        ("mail-verify-address.txt", "{{ code }}{% if application %} for {{ application }}{% endif %}"),
        ("mail-recover.de.html", "<p>{{ code }}</p>"),
        ("_footer.html", "<p>{{ tenant }}</p>"),
    ] {
        assert_eq!(check(name, source), Ok(()), "{name}");
    }
}

#[test]
fn every_default_is_a_template_that_a_tenant_could_keep() {
    for template in all() {
        assert_eq!(check(&template.name, template.default), Ok(()), "{}", template.name);
    }
    for kind in KINDS {
        let name = |ending| format!("mail-{}.{ending}", kind.name);
        let defaults = ["subject", "txt", "html"].map(|ending| {
            let name = name(ending);
            let default = find(&name).map(|template| template.default).unwrap_or_default();
            (name, default)
        });
        let own: Vec<(&str, &str)> = defaults.iter().map(|(name, source)| (name.as_str(), *source)).collect();
        for locale in Locale::ALL {
            let (plain, same) = (kind.samples(&chrome(locale, &[])), kind.samples(&chrome(locale, &own)));
            for (plain, same) in plain.into_iter().zip(same) {
                assert_eq!(plain.mail, same.mail, "{} in {}", kind.name, locale.code());
            }
        }
    }
}

#[test]
fn every_variable_can_be_mentioned_and_no_other() {
    for kind in KINDS {
        for variable in kind.variables {
            let name = variable.name;
            let source = format!(
                "{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}{{% for p in mail.parts %}}\
                {{% if p.code is defined %}}{{{{ p.code }}}}{{% endif %}}\
                {{% if p.button is defined %}}{{{{ p.button.href }}}}{{% endif %}}{{% endfor %}}"
            );
            assert_eq!(
                check(&format!("mail-{}.html", kind.name), &source),
                Ok(()),
                "{name} of {}",
                kind.name
            );
        }
    }
    let values = NewDevice::samples().iter().map(|mail| mail.values().len()).collect::<Vec<_>>();
    assert!(values.iter().all(|length| *length == NewDevice::VARIABLES.len()));
    let _: Message = NewDevice::samples().remove(0).mail().subject;
}

#[test]
fn a_preview_shows_what_would_be_sent_and_what_is_wrong() {
    let kept = chrome(Locale::En, &[("mail-recover.txt", "kept {{ code }}")]);
    let shown = preview("mail-recover.txt", None, Some(Locale::De), kept.clone()).unwrap();
    assert_eq!(shown.text.as_deref(), Some("kept 417026"));
    assert!(shown.subject.unwrap().contains("417026") && shown.html.contains("lang=\"de\""));
    let shown = preview("mail-recover.html", Some("{{ x }}".into()), None, kept.clone()).unwrap();
    assert!(shown.html.contains("<!doctype html>") && shown.problems[0].contains("no variable \"x\""));
    assert_eq!(shown.text.as_deref(), Some("kept 417026"));
    let page = preview("_footer.html", Some("<p>Feet</p>".into()), None, kept.clone()).unwrap();
    assert!(page.html.contains("<p>Feet</p>") && page.subject.is_none());
    assert!(preview("nothing.html", None, None, kept).is_none());
}
