//! Owns the stylesheet, the script and the icon of the hosted pages, built in under names that carry the
//! hash of their content, so that they may be cached for ever.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The header under which [`asset`] and [`crate::theme::Stylesheet`] are served.
pub const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";

const CSS: &str = concat!(
    include_str!("../../../web/hosted/css/base.css"),
    include_str!("../../../web/hosted/css/card.css"),
    include_str!("../../../web/hosted/css/account.css"),
    include_str!("../../../web/hosted/css/small.css"),
);

const JS: &str = concat!(
    include_str!("../../../web/hosted/js/password.js"),
    include_str!("../../../web/hosted/js/countdown.js"),
    include_str!("../../../web/hosted/js/once.js"),
);

const ICON: &str = include_str!("../../../web/hosted/icon.svg");

const FORM_POST_JS: &str = include_str!("../../../web/hosted/js/form-post.js");

/// The script of the form_post page, which stands in the page itself.
pub fn form_post_script() -> &'static str {
    FORM_POST_JS.trim()
}

/// The source that lets [`form_post_script`] run, for `script-src` of that page only.
pub const FORM_POST_SCRIPT_CSP: &str = "'sha256-vitWrmOKHWGOsJkGfUJIw77R0zqVjGbVePRUgCXU9RY='";

static CSS_PATH: LazyLock<String> = LazyLock::new(|| hashed("hosted", CSS.as_bytes(), "css"));
static JS_PATH: LazyLock<String> = LazyLock::new(|| hashed("hosted", JS.as_bytes(), "js"));

static ICON_PATH: LazyLock<String> = LazyLock::new(|| hashed("icon", ICON.as_bytes(), "svg"));

/// Where the icon of the window is, below the base path.
pub fn icon_path() -> &'static str {
    &ICON_PATH
}

/// Where the stylesheet is, below the base path: `/assets/hosted-….css`.
pub fn css_path() -> &'static str {
    &CSS_PATH
}

/// Where the script is, below the base path: `/assets/hosted-….js`.
pub fn js_path() -> &'static str {
    &JS_PATH
}

/// The asset at a path below the base path: its content type and bytes. Themes are not among
/// them, each tenant has its own (see [`crate::theme::Theme::stylesheet`]).
pub fn asset(path: &str) -> Option<(&'static str, &'static [u8])> {
    if path == css_path() {
        Some(("text/css; charset=utf-8", CSS.as_bytes()))
    } else if path == js_path() {
        Some(("text/javascript; charset=utf-8", JS.as_bytes()))
    } else if path == icon_path() {
        Some(("image/svg+xml", ICON.as_bytes()))
    } else {
        None
    }
}

/// `/assets/{name}-{hash of the content}.{extension}`.
pub(crate) fn hashed(name: &str, content: &[u8], extension: &str) -> String {
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, content));
    let short = hash.get(..16).unwrap_or(&hash);
    format!("/assets/{name}-{short}.{extension}")
}

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    #[test]
    fn assets_are_found_under_their_hashed_names_only() {
        assert!(asset(css_path()).is_some_and(|(kind, _)| kind.starts_with("text/css")));
        assert!(asset(js_path()).is_some_and(|(kind, _)| kind.starts_with("text/javascript")));
        assert!(asset("/assets/hosted-0000000000000000.css").is_none());
    }

    #[test]
    fn the_hash_in_the_policy_is_that_of_the_script() {
        let hash = STANDARD.encode(digest(&SHA256, form_post_script().as_bytes()));
        assert_eq!(FORM_POST_SCRIPT_CSP, format!("'sha256-{hash}'"));
    }
}
