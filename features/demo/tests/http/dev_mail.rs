//! `/dev/mail`, `/dev/mail/{id}` and `/dev/mail.json`.

use crate::support::Place;
use http::StatusCode;
use serde_json::{Value, json};

fn catch(place: &Place, number: u32, to: &str) -> Value {
    let mail = json!({
        "to": to, "subject": format!("Mail {number}"), "text": format!("Your code is 00000{number}."),
        "html": "<p>Your code</p>", "code": format!("00000{number}"),
        "links": [format!("https://id.example.com/link/{number}")],
        "sent_at": format!("2027-01-15T08:00:0{number}Z"),
    });
    let file = place.folder.join(format!("mail/{number:020}-ma.json"));
    std::fs::write(file, mail.to_string()).unwrap();
    mail
}

async fn listed(place: &Place, query: &str) -> Value {
    let seen = place.browser().get(&format!("/dev/mail.json{query}")).await;
    assert_eq!(seen.status, StatusCode::OK);
    serde_json::from_str(&seen.text).unwrap()
}

#[tokio::test]
async fn mails_are_listed_newest_first_by_the_normal_form_of_their_address() {
    let place = Place::new().await;
    assert_eq!(listed(&place, "").await, json!([]));
    let first = catch(&place, 1, "Alice@example.com");
    let other = catch(&place, 2, "bob+shop@example.com");
    let last = catch(&place, 3, "alice@bücher.example");
    let fourth = catch(&place, 4, "alice@example.com");
    place.restart();
    assert_eq!(listed(&place, "").await, json!([fourth, last, other, first]));
    assert_eq!(listed(&place, "?to=ALICE%40Example.com").await, json!([fourth, first]));
    assert_eq!(listed(&place, "?to=alice@xn--bcher-kva.example").await, json!([last]));
    assert_eq!(listed(&place, "?to=bob%2Bshop@example.com").await, json!([other]));
    assert_eq!(listed(&place, "?to=bob+shop@example.com").await, json!([other]));
    assert_eq!(listed(&place, "?to=nobody").await, json!([]));
}

#[tokio::test]
async fn a_person_opens_the_mailbox_and_a_mail() {
    let place = Place::new().await;
    catch(&place, 1, "alice@example.com");
    place.restart();
    let mut alice = place.browser();
    let mailbox = alice.get("/dev/mail").await.text;
    let (_, rest) = mailbox.split_once("href=\"/dev/mail/").expect("a link to the mail");
    let id = rest.split('"').next().unwrap();
    place.restart();
    let mail = alice.get(&format!("/dev/mail/{id}")).await;
    assert_eq!(mail.status, StatusCode::OK);
    for shown in [">000001<", "Your code is 000001.", "href=\"https://id.example.com/link/1\""] {
        assert!(mail.text.contains(shown), "{shown} in {}", mail.text);
    }
    assert!(!mail.text.contains("<script>"));
    assert_eq!(alice.get("/dev/mail/none").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_name_of_somebody_else_that_was_pointed_here_reads_no_mail() {
    let place = Place::new().await;
    catch(&place, 1, "alice@example.com");
    for host in ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.evil.example"] {
        for path in ["/dev/mail", "/dev/mail.json"] {
            let seen = place.browser().get_at(host, path).await;
            assert_eq!(seen.status, StatusCode::NOT_FOUND, "{host}{path}");
            assert!(!seen.text.contains("000001"), "{host}{path}");
        }
    }
    for host in ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "ID.example.com"] {
        assert_eq!(place.browser().get_at(host, "/dev/mail.json").await.status, StatusCode::OK, "{host}");
    }
}
