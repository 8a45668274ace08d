use super::*;

const HOME: &str = "https://app.example/bye";

fn client() -> Client {
    let mut client = Client::new("web".parse().unwrap());
    client.redirect_uris = vec!["https://app.example/cb".parse().unwrap()];
    client.post_logout_redirect_uris = vec![HOME.parse().unwrap()];
    client
}

fn hint() -> Hint {
    Hint::Verified(HintFacts {
        client_id: "web".parse().unwrap(),
        subject: "alice".into(),
        session: Some("s1".into()),
    })
}

const SESSION: Option<BrowserSession<'_>> = Some(BrowserSession { subject: "alice", session: "s1" });

fn request(pairs: &[(&str, &str)]) -> LogoutRequest {
    LogoutRequest::parse(&pairs.iter().copied().collect()).unwrap()
}

fn plan(
    pairs: &[(&str, &str)],
    hint: &Hint,
    session: Option<BrowserSession<'_>>,
) -> Result<LogoutPlan, PageError> {
    let (request, client) = (request(pairs), client());
    let named = request.client(hint)?.is_some_and(|id| id == client.client_id);
    request.plan(hint, named.then_some(&client), session)
}

fn go(ask: bool, to: &str) -> Result<LogoutPlan, PageError> {
    Ok(LogoutPlan { ask, redirect: Some(to.into()) })
}

#[test]
fn a_genuine_hint_of_this_session_signs_out_and_returns() {
    assert_eq!(plan(&[("post_logout_redirect_uri", HOME)], &hint(), SESSION), go(false, HOME));
    let state = "x".repeat(128);
    let with_state = [("post_logout_redirect_uri", HOME), ("state", state.as_str()), ("client_id", "web")];
    assert_eq!(plan(&with_state, &hint(), SESSION), go(false, &format!("{HOME}?state={state}")));
    assert_eq!(plan(&[("state", "x")], &hint(), SESSION), Ok(LogoutPlan { ask: false, redirect: None }));
}

#[test]
fn without_a_hint_the_person_is_asked() {
    let stays = Ok(LogoutPlan { ask: true, redirect: None });
    assert_eq!(plan(&[], &Hint::Absent, SESSION), stays);
    assert_eq!(plan(&[("state", "x")], &Hint::Absent, SESSION), stays);
    assert_eq!(plan(&[], &Hint::Absent, None), Ok(LogoutPlan { ask: false, redirect: None }));
    let named = [("client_id", "web"), ("post_logout_redirect_uri", HOME)];
    assert_eq!(plan(&named, &Hint::Absent, SESSION), go(true, HOME));
}

/// Otherwise an old token of one browser would sign the person out in all the others.
#[test]
fn a_hint_that_names_no_session_asks() {
    let Hint::Verified(facts) = hint() else { unreachable!() };
    let hint = Hint::Verified(HintFacts { session: None, ..facts });
    assert_eq!(plan(&[], &hint, SESSION), Ok(LogoutPlan { ask: true, redirect: None }));
}

#[test]
fn a_hint_about_another_session_asks() {
    for (subject, session) in [("bob", "s2"), ("alice", "s2"), ("bob", "s1")] {
        let other = Some(BrowserSession { subject, session });
        assert_eq!(plan(&[("post_logout_redirect_uri", HOME)], &hint(), other), go(true, HOME));
    }
    assert_eq!(plan(&[("post_logout_redirect_uri", HOME)], &hint(), None), go(false, HOME));
}

#[test]
fn a_hint_that_is_not_ours_leads_nowhere() {
    for pairs in [
        &[("post_logout_redirect_uri", HOME)][..],
        &[("post_logout_redirect_uri", HOME), ("client_id", "web")],
    ] {
        assert_eq!(plan(pairs, &Hint::Invalid, SESSION), Ok(LogoutPlan { ask: true, redirect: None }));
    }
}

#[test]
fn an_address_without_an_application_is_a_page() {
    let error = plan(&[("post_logout_redirect_uri", HOME), ("state", "x")], &Hint::Absent, SESSION);
    assert_eq!(error, Err(PageError::LogoutRedirectUnbound));
}

#[test]
fn contradictions_and_unknown_applications_are_pages() {
    assert_eq!(plan(&[("client_id", "other")], &hint(), SESSION), Err(PageError::ClientMismatch));
    assert_eq!(plan(&[("client_id", "other")], &Hint::Absent, SESSION), Err(PageError::ClientUnknown));
    let twice: Params = [("state", "a"), ("state", "b")].into_iter().collect();
    assert_eq!(LogoutRequest::parse(&twice).unwrap_err().id(), "parameter-repeated");
    let other = Client { client_id: "other".parse().unwrap(), ..client() };
    assert_eq!(request(&[]).plan(&hint(), Some(&other), SESSION), Err(PageError::ClientUnknown));
}

#[test]
fn abuse_36_foreign_addresses_after_logout_are_pages() {
    for uri in [
        "https://evil.tld/",
        "https://app.example/bye?x=1",
        "https://app.example/bye?",
        "https://app.example/bye/",
        "https://app.example/bye#x",
        "https://app.example/cb",
        "https://app.example@evil.tld/bye",
        "https://app.example.evil.tld/bye",
        "https://app.example\\@evil.tld/bye",
        "https://APP.example/bye",
        "http://app.example/bye",
        "//app.example/bye",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
    ] {
        for hint in [hint(), Hint::Absent] {
            let pairs = [("post_logout_redirect_uri", uri), ("client_id", "web")];
            assert_eq!(plan(&pairs, &hint, SESSION), Err(PageError::LogoutRedirectUnregistered), "{uri}");
        }
    }
}
