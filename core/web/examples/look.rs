//! Writes every page and mail, in every state and language, with its assets into a folder:
//! `cargo run -p web --example look -- FOLDER`. `tests/look` draws contact sheets from it.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use web::assets;
use web::locale::Locale;
use web::pages::{NOW, gallery, mail_gallery};
use web::render::{Chrome, Client, Language};
use web::theme::{Branding, Palette, Theme};

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("Say into which folder: cargo run -p web --example look -- FOLDER");
        return ExitCode::from(2);
    };
    match write_all(&folder) {
        Ok(count) => {
            println!("{count} pages in {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("The pages cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn write_all(folder: &Path) -> Result<usize, Box<dyn Error>> {
    fs::create_dir_all(folder.join("assets"))?;
    for path in [assets::css_path(), assets::js_path(), assets::icon_path()] {
        let (_, bytes) = assets::asset(path).ok_or("an asset is missing")?;
        write(folder, path, bytes)?;
    }
    let light = Palette { accent: Some("#0a7d5a".into()), ..Palette::default() };
    let branding = Branding { light, radius: Some(4), ..Branding::default() };
    let theme = Arc::new(Theme::new(&branding)?);
    let sheet = theme.stylesheet().ok_or("the theme has no stylesheet")?;
    write(folder, &sheet.path, sheet.body.as_bytes())?;
    write(folder, LOGO.0, LOGO.1.as_bytes())?;
    let mut index = Vec::new();
    for locale in Locale::ALL {
        fs::create_dir_all(folder.join(locale.code()))?;
        let chrome = chrome(locale);
        for sample in gallery() {
            index.push(page(folder, locale, &sample.name, &sample.html(&chrome).html)?);
        }
        let themed = Chrome { theme: Arc::clone(&theme), ..chrome.clone() };
        for sample in gallery().into_iter().take(1) {
            index.push(page(folder, locale, "themed", &sample.html(&themed).html)?);
        }
        let sent = Chrome { client: Some(client()), ..chrome.clone() };
        for sample in gallery().into_iter().filter(|sample| SENT.contains(&sample.step)) {
            let name = format!("client-{}", sample.name);
            index.push(page(folder, locale, &name, &sample.html(&sent).html)?);
        }
        for (name, mail) in mail_gallery(&chrome) {
            index.push(page(folder, locale, &format!("mail-{name}"), &mail.html)?);
        }
    }
    fs::write(folder.join("index.json"), serde_json::to_vec(&index)?)?;
    Ok(index.len())
}

fn page(folder: &Path, locale: Locale, name: &str, html: &str) -> Result<String, Box<dyn Error>> {
    let path = format!("/{}/{name}.html", locale.code());
    write(folder, &path, html.as_bytes())?;
    Ok(path)
}

fn write(folder: &Path, path: &str, bytes: &[u8]) -> std::io::Result<()> {
    fs::write(folder.join(path.trim_start_matches('/')), bytes)
}

/// Where people come to who were sent by an application.
const SENT: [&str; 4] = ["identify", "password", "consent", "register"];

/// A logo much wider than high.
const LOGO: (&str, &str) = (
    "/assets/client.svg",
    r##"<svg xmlns="http://www.w3.org/2000/svg" width="360" height="96"><rect width="96" height="96" rx="20" fill="#e4572e"/><text x="116" y="64" font-family="sans-serif" font-size="48" font-weight="700" fill="#e4572e">Web shop</text></svg>"##,
);

fn client() -> Client {
    Client {
        name: "Web shop".into(),
        logo: Some(LOGO.0.into()),
        policy: Some("https://shop.example/privacy".into()),
        terms: Some("https://shop.example/terms".into()),
    }
}

fn chrome(locale: Locale) -> Chrome {
    let language = |locale: Locale| Language { locale, href: format!("?lang={}", locale.code()) };
    Chrome {
        locale,
        tenant_name: "Northwind".into(),
        languages: Locale::ALL.map(language).to_vec(),
        help: Some("https://northwind.example/help".into()),
        privacy: Some("https://northwind.example/privacy".into()),
        now: NOW,
        ..Chrome::default()
    }
}
