//! Devices in words: browser and system as the `User-Agent` of a request tells them.

use base::Origin;
use web::{pages::say, render::Message};
use woothee::{parser::Parser, woothee::VALUE_UNKNOWN};

/// The device that a request came from, if it said anything of itself.
pub(crate) fn of(origin: &Origin) -> Option<Message> {
    let agent = origin.agent.as_deref().filter(|agent| !agent.trim().is_empty())?;
    Some(named(agent).unwrap_or_else(say::unknown_device))
}

fn named(agent: &str) -> Option<Message> {
    let found = Parser::new().parse(agent)?;
    let known = |name: &&str| !name.is_empty() && *name != VALUE_UNKNOWN;
    let (browser, system) = (Some(found.name).filter(known)?, Some(found.os).filter(known)?);
    Some(say::device(browser, if system == "Mac OSX" { "macOS" } else { system }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use web::locale::Locale;

    fn told(agent: &str) -> Option<String> {
        of(&Origin { address: None, agent: Some(agent.to_owned()) }).map(|device| device.text(Locale::En))
    }

    #[test]
    fn browsers_are_told_by_name_and_system() {
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0";
        let safari = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
            (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
        let chrome = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 \
            (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36";
        assert_eq!(told(firefox).as_deref(), Some("Firefox on Linux"));
        assert_eq!(told(safari).as_deref(), Some("Safari on iPhone"));
        assert_eq!(told(chrome).as_deref(), Some("Chrome on macOS"));
    }

    #[test]
    fn what_is_not_known_is_said_so() {
        assert_eq!(told("<script>alert(1)</script>").as_deref(), Some("Unknown device"));
        assert_eq!(told(&"A/1 ".repeat(100)).as_deref(), Some("Unknown device"));
        assert_eq!(told(" "), None);
        assert_eq!(of(&Origin::default()), None);
    }
}
