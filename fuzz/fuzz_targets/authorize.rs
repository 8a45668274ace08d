//! Authorization requests: whatever comes, an answer goes to a registered address, as one set of
//! parameters that another parser reads as meant; what passed the checks keeps its meaning.
//!
//! Input: a byte of choices, then a query that is put behind that of a sound request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use oauth::authorize::{Answer, Bound, Checked, Prompt, Raw};
use oauth::client::{ApplicationType, AuthMethod};
use oauth::discovery::Server;
use oauth::{Client, Params};
use std::borrow::Cow;

const ISSUER: &str = "https://id.example/t/a";
const WEB: &str = "https://app.example/cb?x=1";
const APP: &str = "http://127.0.0.1/cb";
const BASE: [&str; 6] = [
    "client_id=web",
    "redirect_uri=https%3A%2F%2Fapp.example%2Fcb%3Fx%3D1",
    "response_type=code",
    "scope=openid+email",
    "state=s%0Dt&nonce=n",
    "code_challenge_method=S256&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
];

fuzz_target!(|input: &[u8]| {
    let Some((&choices, query)) = input.split_first() else { return };
    let mut whole = Vec::new();
    for (bit, part) in BASE.iter().enumerate() {
        if choices & (1 << bit) == 0 {
            whole.extend_from_slice(part.as_bytes());
            whole.push(b'&');
        }
    }
    whole.extend_from_slice(query);
    let Ok(params) = Params::parse(&whole) else { return };
    assert_eq!(Params::parse(params.encode().as_bytes()).as_ref(), Ok(&params));
    let client = client(choices);
    let Ok(bound) = Raw::new(params.clone()).bind(&client) else { return };
    let again = Raw::new(params.clone()).bind(&client).unwrap();
    check(&params, bound, again, &client);
});

fn client(choices: u8) -> Client {
    let mut client = Client::new("web".parse().unwrap());
    client.redirect_uris = [WEB, APP].iter().map(|uri| uri.parse().unwrap()).collect();
    if choices & 64 != 0 {
        client.token_endpoint_auth_method = Some(AuthMethod::None);
    }
    if choices & 128 != 0 {
        client.application_type = ApplicationType::Native;
    }
    client
}

fn server() -> Server {
    Server {
        issuer: ISSUER.into(),
        ui_locales: vec!["en".into(), "de".into()],
        acr_values: vec!["urn:example:one".into()],
        id_token_algorithms: vec![jose::Algorithm::Rs256],
        catalogue: std::sync::Arc::default(),
    }
}

fn check(params: &Params, bound: Bound<'_>, again: Bound<'_>, client: &Client) {
    let to = bound.to().clone();
    let address = to.redirect_uri().as_str();
    let native = client.application_type == ApplicationType::Native;
    let is_loopback = native && address.starts_with("http://127.0.0.1:") && address.ends_with("/cb");
    assert!([WEB, APP].contains(&address) || is_loopback, "{address}");
    assert_eq!(to.state(), params.only("state").ok().flatten());
    let verdict = bound.check(&server());
    assert_eq!(verdict, again.check(&server()), "the same request, judged twice");
    match verdict {
        Ok(checked) => {
            sound(&checked, params, client);
            arrives(checked.success(ISSUER, "ac_1"), address, ("code", "ac_1"), to.state());
        }
        Err(error) => arrives(error.answer(ISSUER), address, ("error", error.code().as_str()), to.state()),
    }
}

/// What passed is within what the client may, and survives being kept.
fn sound(checked: &Checked, params: &Params, client: &Client) {
    assert!(params.repeated().is_none());
    let allowed = client.allowed_scopes();
    assert!(
        !checked.scopes.is_empty() && checked.scopes.iter().all(|scope| allowed.contains(scope.as_str()))
    );
    assert!(!checked.prompts(Prompt::None) || checked.prompts.len() == 1);
    assert!(checked.max_age.is_none_or(|age| age >= 0));
    assert!(checked.code_challenge.is_some() || !client.needs_pkce(&checked.scopes));
    assert_eq!(checked.nonce.as_deref(), params.first("nonce"));
    let kept = serde_json::to_vec(checked).unwrap();
    assert_eq!(&serde_json::from_slice::<Checked>(&kept).unwrap(), checked);
}

fn arrives(answer: Answer, address: &str, (name, value): (&str, &str), state: Option<&str>) {
    let pairs: Vec<(Cow<'_, str>, Cow<'_, str>)> = match &answer {
        Answer::Location(location) => {
            assert!(location.bytes().all(|byte| byte.is_ascii_graphic()), "{location}");
            let added = location.strip_prefix(address).expect("it goes to the registered address");
            assert!(added.starts_with(['?', '&', '#']));
            form_urlencoded::parse(added[1..].as_bytes()).collect()
        }
        Answer::FormPost { action, fields } => {
            assert_eq!(action, address);
            fields.iter().map(|(name, value)| (name.into(), value.into())).collect()
        }
    };
    let all = |wanted: &str| -> Vec<&str> {
        pairs.iter().filter(|(name, _)| name == wanted).map(|(_, value)| &**value).collect()
    };
    assert_eq!(all(name), [value]);
    assert_eq!(all("iss"), [ISSUER]);
    assert_eq!(all("state"), state.into_iter().collect::<Vec<_>>());
    let known = ["code", "error", "error_description", "state", "iss"];
    assert!(pairs.iter().all(|(name, _)| known.contains(&&**name)));
}
