//! A mail as it goes over the wire: MIME with text and HTML, the same bytes at every try.

use super::{Message, Outgoing, Trouble};
use base::Email;
use lettre::{
    Address,
    message::{
        Mailbox, MultiPart, SinglePart,
        header::{HeaderName, HeaderValue},
    },
};
use std::time::{Duration, UNIX_EPOCH};

const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");

/// The mail from this sender. Its id stands in `Message-ID`, so that a repeat can be recognised,
/// and says `Auto-Submitted: auto-generated` (RFC 3834, section 5), so that nobody answers it.
///
/// Addresses are typed and control characters leave the subject, so that no header can be added.
pub(super) fn compose(from: &Mailbox, mail: &Outgoing<'_>) -> Result<lettre::Message, Trouble> {
    let Message { to, subject, text, html, .. } = mail.message;
    let to = address(to).ok_or_else(|| Trouble::Never("the address cannot receive mail".to_owned()))?;
    let queued = Duration::from_micros(u64::try_from(mail.queued_at.micros()).unwrap_or(0));
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", mail.id))
        .singlepart(SinglePart::plain(text.clone()))
        .singlepart(SinglePart::html(html.clone()));
    lettre::Message::builder()
        .message_id(Some(format!("<{}@{}>", mail.id, mail.host)))
        .date(UNIX_EPOCH + queued)
        .from(from.clone())
        .to(Mailbox::new(None, to))
        .subject(one_line(subject))
        .raw_header(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()))
        .multipart(parts)
        .map_err(|error| Trouble::Never(error.to_string()))
}

/// The local part as its owner typed it, the domain as an A-label, which every server understands.
fn address(text: &str) -> Option<Address> {
    let email = Email::parse(text).ok()?;
    let (local, _) = email.as_typed().rsplit_once('@')?;
    let (_, domain) = email.normal().rsplit_once('@')?;
    Address::new(local, domain).ok()
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}
