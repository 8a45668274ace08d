//! Browsers and the applications behind them: sign-in, single sign-on, refresh, registration.

use crate::{
    Result,
    http::{Answer, Connection, HOST, basic, encode, form, request},
    load::Operation,
    mail::Mailbox,
};
use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use std::{cell::Cell, collections::BTreeMap, net::SocketAddr};

/// The password of everybody.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// The secret of every application.
pub(crate) const SECRET: &str = "the-secret-of-an-application-here";
/// Where codes are sent.
pub(crate) const CALLBACK: &str = "https://shop.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

thread_local! { static CLIENT: Cell<u32> = const { Cell::new(0) }; }

/// The line that names another client at each call, as a proxy in front would.
pub(crate) fn from_somewhere() -> String {
    let n = CLIENT.get().wrapping_add(1);
    CLIENT.set(n);
    let [_, a, b, c] = n.to_be_bytes();
    format!("x-forwarded-for: 10.{a}.{b}.{c}\r\n")
}

/// The address of the n-th person.
pub(crate) fn email(n: usize) -> String {
    format!("person{n}@bench.example")
}

/// What an application got.
#[derive(Debug, Clone)]
pub(crate) struct Tokens {
    /// The access token.
    pub(crate) access: String,
    /// The refresh token; empty without one.
    pub(crate) refresh: String,
}

/// A browser with its cookies, and a connection.
pub(crate) struct Browser {
    connection: Connection,
    cookies: BTreeMap<String, String>,
}

/// A page's form.
pub(crate) struct Form {
    action: String,
    hidden: Vec<(String, String)>,
}

impl Browser {
    /// A browser without cookies.
    pub(crate) async fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { connection: Connection::open(address).await?, cookies: BTreeMap::new() })
    }

    /// Forgets who is signed in; the device stays known.
    pub(crate) fn sign_out(&mut self) {
        self.cookies.retain(|name, _| name.contains("kwd-"));
    }

    /// Forgets everything.
    pub(crate) fn forget(&mut self) {
        self.cookies.clear();
    }

    fn headers(&self) -> String {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookie =
            if cookies.is_empty() { String::new() } else { format!("cookie: {}\r\n", cookies.join("; ")) };
        let somewhere = from_somewhere();
        format!(
            "{somewhere}accept: text/html\r\nsec-fetch-site: same-origin\r\nuser-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n{cookie}"
        )
    }

    /// GET.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer> {
        let asked = request("GET", path, &self.headers(), "");
        self.send(&asked).await
    }

    /// Sends a form with these fields filled in.
    pub(crate) async fn submit(&mut self, page: &Form, fields: &[(&str, &str)]) -> Result<Answer> {
        let hidden = page.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let all: Vec<(&str, &str)> = hidden.chain(fields.iter().copied()).collect();
        let asked = form(&page.action, &self.headers(), &all);
        self.send(&asked).await
    }

    async fn send(&mut self, asked: &[u8]) -> Result<Answer> {
        let answer = self.connection.send(asked).await?;
        for cookie in answer.headers("set-cookie") {
            let (pair, rest) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        Ok(answer)
    }

    /// The form of the page at this path.
    pub(crate) async fn page(&mut self, path: &str) -> Result<Form> {
        Form::read(&self.get(path).await?.expect(200)?)
    }

    /// The form to which an answer leads.
    pub(crate) async fn follow(&mut self, answer: Answer) -> Result<Form> {
        if answer.status == 200 {
            return Form::read(&answer);
        }
        let location = answer.expect(303)?.header("location").to_owned();
        self.page(&location).await
    }

    /// Signs in for an application: page, password, code.
    pub(crate) async fn sign_in(&mut self, client: &str, scope: &str, email: &str) -> Result<String> {
        let page = self.page(&authorize(client, scope)).await?;
        let answer = self.submit(&page, &[("identifier", email), ("password", PASSWORD)]).await?;
        code(answer)
    }

    /// The code that an application gets, since somebody is signed in here.
    pub(crate) async fn single_sign_on(&mut self, client: &str, scope: &str) -> Result<String> {
        code(self.get(&authorize(client, scope)).await?)
    }

    /// Tokens for a code, over this connection.
    pub(crate) async fn redeem(&mut self, client: &str, code: &str) -> Result<Tokens> {
        let headers = basic(client, SECRET) + &from_somewhere();
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let answer = self.connection.send(&form("/token", &headers, &fields)).await?.expect(200)?;
        Ok(Tokens {
            access: answer.text("access_token")?,
            refresh: answer.text("refresh_token").unwrap_or_default(),
        })
    }

    /// Registers a new account: address, code by mail, the rest.
    pub(crate) async fn register(&mut self, mailbox: &Mailbox, email: &str) -> Result<()> {
        let page = self.page("/register").await?;
        let answer = self.submit(&page, &[("email", email)]).await?;
        let page = self.follow(answer).await?;
        let code = mailbox.code(email).await?;
        let answer = self.submit(&page, &[("code", &code)]).await?;
        let page = self.follow(answer).await?;
        let answer = self.submit(&page, &[("name", "Ada Example"), ("password", PASSWORD)]).await?;
        answer.expect(303).map(drop)
    }
}

impl Form {
    /// The form of a page that goes to a flow.
    ///
    /// # Errors
    /// If the page has none.
    pub(crate) fn read(page: &Answer) -> Result<Self> {
        for form in page.body.split("<form ").skip(1) {
            let form = form.split("</form>").next().unwrap_or_default();
            let action = between(form, "action=\"", "\"").unwrap_or_default();
            if action.starts_with("/flow/") {
                let inputs = form.split("<input type=\"hidden\" ").skip(1);
                let field = |it: &str| Some((between(it, "name=\"", "\"")?, between(it, "value=\"", "\"")?));
                return Ok(Self { action, hidden: inputs.filter_map(field).collect() });
            }
        }
        let body: String = page.body.chars().take(400).collect();
        Err(format!("no form in the answer {}: {body}", page.status).into())
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let (_, rest) = text.split_once(before)?;
    let (found, _) = rest.split_once(after)?;
    let pairs =
        [("&#x2f;", "/"), ("&quot;", "\""), ("&#x27;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")];
    Some(pairs.iter().fold(found.to_owned(), |text, (from, to)| text.replace(from, to)))
}

/// The path of an authorization request.
pub(crate) fn authorize(client: &str, scope: &str) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, VERIFIER.as_bytes()));
    format!(
        "/authorize?response_type=code&client_id={client}&redirect_uri={}&scope={}&state=af0ifjsldkj&nonce=n-0S6_WzA2Mj&code_challenge={challenge}&code_challenge_method=S256",
        encode(CALLBACK),
        encode(scope)
    )
}

fn code(answer: Answer) -> Result<String> {
    let answer = answer.expect(303)?;
    let location = answer.header("location");
    let query = location.split_once('?').filter(|_| location.starts_with(CALLBACK)).map_or("", |(_, it)| it);
    let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
    Ok(code.ok_or_else(|| format!("no code in {location:?} of {HOST}"))?.to_owned())
}

/// B1: a password sign-in with code and PKCE, to tokens.
pub(crate) struct SignIn {
    /// Its browser.
    pub(crate) browser: Browser,
    /// The application.
    pub(crate) client: &'static str,
    /// The person.
    pub(crate) email: String,
}

impl Operation for SignIn {
    async fn once(&mut self) -> Result<()> {
        self.browser.sign_out();
        let code = self.browser.sign_in(self.client, "openid email", &self.email).await?;
        self.browser.redeem(self.client, &code).await.map(drop)
    }
}

/// B8: session cookie to code to tokens.
pub(crate) struct SingleSignOn {
    /// A browser in which somebody is signed in.
    pub(crate) browser: Browser,
    /// The application.
    pub(crate) client: &'static str,
}

impl Operation for SingleSignOn {
    async fn once(&mut self) -> Result<()> {
        let code = self.browser.single_sign_on(self.client, "openid email").await?;
        self.browser.redeem(self.client, &code).await.map(drop)
    }
}

/// B4: refresh with rotation.
pub(crate) struct Refresh {
    /// Its connection.
    pub(crate) connection: Connection,
    /// The application.
    pub(crate) client: &'static str,
    /// The refresh token that is good now.
    pub(crate) token: String,
}

impl Operation for Refresh {
    async fn once(&mut self) -> Result<()> {
        let headers = basic(self.client, SECRET) + &from_somewhere();
        let fields = [("grant_type", "refresh_token"), ("refresh_token", self.token.as_str())];
        let answer = self.connection.send(&form("/token", &headers, &fields)).await?.expect(200)?;
        self.token = answer.text("refresh_token")?;
        Ok(())
    }
}

/// The same request again and again: B2, B6, B7, discovery, JWKS.
pub(crate) struct Same {
    /// Its connection.
    pub(crate) connection: Connection,
    /// What is asked.
    pub(crate) request: Vec<u8>,
    /// What stands in a right answer.
    pub(crate) contains: &'static str,
}

impl Operation for Same {
    async fn once(&mut self) -> Result<()> {
        let answer = self.connection.send(&self.request).await?.expect(200)?;
        if answer.body.contains(self.contains) {
            return Ok(());
        }
        Err(format!("no {} in {}", self.contains, answer.body).into())
    }
}

/// B9: a new account.
pub(crate) struct Register {
    /// Its browser.
    pub(crate) browser: Browser,
    /// Where the code comes.
    pub(crate) mailbox: Mailbox,
}

impl Operation for Register {
    async fn once(&mut self) -> Result<()> {
        self.browser.forget();
        let number = CLIENT.get();
        self.browser.register(&self.mailbox, &format!("new{number}@bench.example")).await
    }
}
