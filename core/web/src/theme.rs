//! Owns the design tokens: a tenant or application changes a few colours, the radius, the font
//! and the logo; the rest is derived. Colours are checked for contrast (WCAG 2.2, 1.4.3) when
//! they are given, and a derived one is moved until it can be read. The tokens are served as a
//! stylesheet of their own, since pages carry no inline style.

use std::fmt::{self, Write as _};

use serde::{Deserialize, Serialize};

use crate::assets;

/// A colour without transparency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

impl Color {
    /// Of `0xrrggbb`.
    pub const fn new(rgb: u32) -> Self {
        let [_, red, green, blue] = rgb.to_be_bytes();
        Self { red, green, blue }
    }

    /// Reads `#rgb` or `#rrggbb`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let number = u32::from_str_radix(digits, 16).ok()?;
        match digits.len() {
            6 => Some(Self::new(number)),
            3 => {
                let (red, green, blue) = (number >> 8, number >> 4 & 15, number & 15);
                Some(Self::new((red << 16 | green << 8 | blue) * 17))
            }
            _ => None,
        }
    }

    /// Relative luminance, 0 to 1, as WCAG defines it.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }

    /// The contrast ratio of two colours, 1 to 21, as WCAG defines it.
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// This colour moved towards another by `part` of the way (0 to 1).
    fn towards(self, other: Self, part: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between two bytes")]
        let mix =
            |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * part).round() as u8;
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
        }
    }

    /// Black or white, whichever reads better on this colour.
    fn opposite(self) -> Self {
        if self.contrast(BLACK) > self.contrast(WHITE) { BLACK } else { WHITE }
    }

    /// This colour, moved as little as needed to stand out from all of `grounds` by `ratio`.
    fn readable_on(self, grounds: &[Self], ratio: f64) -> Self {
        let enough = |color: Self| grounds.iter().all(|ground| color.contrast(*ground) >= ratio);
        let Some(target) = grounds.first().map(|ground| ground.opposite()) else { return self };
        (0..=20)
            .map(|step| self.towards(target, f64::from(step) / 20.0))
            .find(|color| enough(*color))
            .unwrap_or(target)
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

const BLACK: Color = Color::new(0x00_0000);
const WHITE: Color = Color::new(0xff_ffff);

/// What a tenant or an application may set; all of it optional. Colours are `#rrggbb`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Branding {
    /// The name beside the logo, in place of the tenant's.
    pub product_name: Option<String>,
    /// The address of the logo, served by us.
    pub logo: Option<String>,
    /// Colours in the light.
    pub light: Palette,
    /// Colours in the dark; what is missing is derived from the light accent.
    pub dark: Palette,
    /// Radius of controls in pixels, 0 to 24; the card's is 6 more.
    pub radius: Option<u8>,
    /// A font family that the tenant ships or expects, before the system's.
    pub font: Option<String>,
}

/// The colours that may be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Palette {
    /// Buttons, links, focus.
    pub accent: Option<String>,
    /// Text on buttons; derived if missing.
    pub on_accent: Option<String>,
    /// Behind the card.
    pub page: Option<String>,
    /// The card.
    pub card: Option<String>,
    /// Text.
    pub text: Option<String>,
    /// Secondary text; derived if missing.
    pub muted: Option<String>,
}

/// Why a branding is refused, as a sentence for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Not a colour.
    #[error("{token} is \"{value}\", which is no colour; write it as #rrggbb, for example #3a4fd8")]
    Colour {
        /// Which setting.
        token: &'static str,
        /// What was given.
        value: String,
    },
    /// Too little contrast.
    #[error(
        "{one} {a} on {other} {b} has a contrast of {ratio}, people need at least 4.5; make one of them darker or lighter"
    )]
    Contrast {
        /// The setting in front.
        one: &'static str,
        /// Its colour.
        a: String,
        /// The setting behind.
        other: &'static str,
        /// Its colour.
        b: String,
        /// The ratio, with one decimal.
        ratio: String,
    },
    /// Radius too large.
    #[error("radius is {0}; choose 0 to 24 pixels")]
    Radius(u8),
    /// A logo that the pages' content security policy would not let the browser show.
    #[error(
        "logo must be a picture in place (data:image/png;base64,…), since pages load none from elsewhere"
    )]
    Logo,
    /// A font name with signs that a style sheet reads otherwise.
    #[error("font is \"{0}\"; a font name has letters, digits, spaces and hyphens only")]
    Font(String),
}

#[derive(Clone, Debug, PartialEq)]
struct Tokens {
    accent: Color,
    on_accent: Color,
    link: Color,
    page: Color,
    card: Color,
    text: Color,
    muted: Color,
    line: Color,
    field_line: Color,
    danger: Color,
    success: Color,
}

const LIGHT: Tokens = Tokens {
    accent: Color::new(0x3a_4fd8),
    on_accent: WHITE,
    link: Color::new(0x3a_4fd8),
    page: Color::new(0xf6_f6f4),
    card: WHITE,
    text: Color::new(0x16_181d),
    muted: Color::new(0x5b_616b),
    line: Color::new(0xde_dfe2),
    field_line: Color::new(0x8a_909b),
    danger: Color::new(0xb3_261e),
    success: Color::new(0x1a_7f4b),
};

const DARK: Tokens = Tokens {
    accent: Color::new(0x8f_9dff),
    on_accent: Color::new(0x0d_1030),
    link: Color::new(0x8f_9dff),
    page: Color::new(0x0f_1115),
    card: Color::new(0x17_1a20),
    text: Color::new(0xec_eef2),
    muted: Color::new(0xa2_a9b5),
    line: Color::new(0x2a_2f38),
    field_line: Color::new(0x6d_7583),
    danger: Color::new(0xff_8f86),
    success: Color::new(0x66_d29b),
};

/// A checked branding, ready to be drawn.
#[derive(Clone, Debug, Default)]
pub struct Theme {
    product_name: Option<String>,
    logo: Option<String>,
    stylesheet: Option<Stylesheet>,
}

/// The stylesheet of a theme.
#[derive(Clone, Debug)]
pub struct Stylesheet {
    /// Its path below the base path: `/assets/theme-….css`.
    pub path: String,
    /// Its content, `text/css; charset=utf-8`.
    pub body: String,
}

impl Theme {
    /// Checks a branding and derives what it leaves open.
    ///
    /// # Errors
    /// When a colour, the radius or the font cannot be read, or people could not read the result.
    pub fn new(branding: &Branding) -> Result<Self, Refused> {
        let stylesheet = match css(branding)? {
            css if css.is_empty() => None,
            body => Some(Stylesheet { path: assets::hashed("theme", body.as_bytes(), "css"), body }),
        };
        Ok(Self { product_name: branding.product_name.clone(), logo: branding.logo.clone(), stylesheet })
    }

    /// The same for a branding that an operator gives, whose logo must be one that pages can show: a
    /// picture in place, or one of this server by its path.
    ///
    /// # Errors
    /// As [`Theme::new`], and for a logo at another address.
    pub fn accept(branding: &Branding) -> Result<Self, Refused> {
        let shown = |logo: &String| {
            let picture = logo.strip_prefix("data:image/").is_some_and(|rest| rest.contains(','));
            picture || (logo.starts_with('/') && !logo.starts_with("//"))
        };
        if branding.logo.as_ref().is_some_and(|logo| !shown(logo)) {
            return Err(Refused::Logo);
        }
        Self::new(branding)
    }

    /// The name beside the logo, if it differs from the tenant's.
    pub fn product_name(&self) -> Option<&str> {
        self.product_name.as_deref()
    }

    /// The address of the logo.
    pub fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }

    /// The stylesheet to serve; the default theme has none of its own.
    pub const fn stylesheet(&self) -> Option<&Stylesheet> {
        self.stylesheet.as_ref()
    }
}

fn css(branding: &Branding) -> Result<String, Refused> {
    let mut css = String::new();
    let base = base_css(branding)?;
    if !base.is_empty() {
        css = format!(":root{{{base}}}");
    }
    if branding.light != Palette::default() {
        let light = tokens(&branding.light, &LIGHT)?;
        css += &format!(":root{{{light}}}");
        let dark = tokens(&dark_palette(branding), &DARK)?;
        css += &format!("@media (prefers-color-scheme:dark){{:root{{{dark}}}}}");
    } else if branding.dark != Palette::default() {
        let dark = tokens(&branding.dark, &DARK)?;
        css += &format!("@media (prefers-color-scheme:dark){{:root{{{dark}}}}}");
    }
    Ok(css)
}

fn base_css(branding: &Branding) -> Result<String, Refused> {
    let mut css = String::new();
    if let Some(radius) = branding.radius {
        if radius > 24 {
            return Err(Refused::Radius(radius));
        }
        let card = u16::from(radius) + 6;
        css += &format!("--radius:{radius}px;--card-radius:{card}px;");
    }
    if let Some(font) = &branding.font {
        let plain = |c: char| c.is_alphanumeric() || c == ' ' || c == '-';
        if font.is_empty() || font.len() > 60 || !font.chars().all(plain) {
            return Err(Refused::Font(font.clone()));
        }
        css += &format!("--font:\"{font}\",system-ui,sans-serif;");
    }
    Ok(css)
}

/// The dark palette, its accent derived from the light one when only that is given.
fn dark_palette(branding: &Branding) -> Palette {
    let mut dark = branding.dark.clone();
    if dark.accent.is_none() {
        let accent = branding.light.accent.as_deref().and_then(Color::parse);
        dark.accent = accent.map(|color| color.readable_on(&[DARK.card, DARK.page], 6.0).to_string());
    }
    dark
}

fn tokens(palette: &Palette, base: &Tokens) -> Result<Tokens, Refused> {
    let page = color("page", palette.page.as_ref())?.unwrap_or(base.page);
    let card = color("card", palette.card.as_ref())?.unwrap_or(base.card);
    let text = color("text", palette.text.as_ref())?.unwrap_or(base.text);
    let accent = color("accent", palette.accent.as_ref())?.unwrap_or(base.accent);
    let on_accent = match color("on_accent", palette.on_accent.as_ref())? {
        Some(color) => color,
        None if accent == base.accent => base.on_accent,
        None => accent.opposite(),
    };
    let grounds = [card, page];
    let muted = color("muted", palette.muted.as_ref())?;
    let muted = muted.unwrap_or_else(|| base.muted.readable_on(&grounds, 4.5));
    readable(("on_accent", on_accent), ("accent", accent))?;
    readable(("text", text), ("card", card))?;
    readable(("text", text), ("page", page))?;
    readable(("muted", muted), ("card", card))?;
    readable(("muted", muted), ("page", page))?;
    Ok(Tokens {
        link: accent.readable_on(&grounds, 4.5),
        line: card.towards(text, 0.14),
        field_line: base.field_line.readable_on(&grounds, 3.0),
        danger: base.danger.readable_on(&grounds, 4.5),
        success: base.success.readable_on(&grounds, 4.5),
        accent,
        on_accent,
        page,
        card,
        text,
        muted,
    })
}

fn color(token: &'static str, value: Option<&String>) -> Result<Option<Color>, Refused> {
    let Some(value) = value else { return Ok(None) };
    let refused = || Refused::Colour { token, value: value.chars().take(40).collect() };
    Color::parse(value).map(Some).ok_or_else(refused)
}

fn readable(front: (&'static str, Color), behind: (&'static str, Color)) -> Result<(), Refused> {
    let ratio = front.1.contrast(behind.1);
    if ratio >= 4.5 {
        return Ok(());
    }
    Err(Refused::Contrast {
        one: front.0,
        a: front.1.to_string(),
        other: behind.0,
        b: behind.1.to_string(),
        // Rounded down, so that 4.46 is not reported as the 4.5 it misses.
        ratio: format!("{:.1}", (ratio * 10.0).floor() / 10.0),
    })
}

impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tokens = [
            ("accent", self.accent),
            ("on-accent", self.on_accent),
            ("link", self.link),
            ("page", self.page),
            ("card", self.card),
            ("text", self.text),
            ("muted", self.muted),
            ("line", self.line),
            ("field-line", self.field_line),
            ("danger", self.danger),
            ("success", self.success),
        ];
        tokens.iter().try_for_each(|(name, color)| {
            f.write_str("--")?;
            f.write_str(name)?;
            f.write_char(':')?;
            write!(f, "{color};")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn light(accent: &str) -> Branding {
        let light = Palette { accent: Some(accent.to_owned()), ..Palette::default() };
        Branding { light, ..Branding::default() }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 0.01);
        assert!((LIGHT.accent.contrast(WHITE) - 6.4).abs() < 0.06);
        assert!((DARK.accent.contrast(DARK.on_accent) - 7.4).abs() < 0.06);
        assert_eq!(Color::parse("#fa0"), Color::parse("#ffaa00"));
        assert_eq!(Color::parse("red"), None);
    }

    #[test]
    fn the_default_tokens_and_the_stylesheet_agree() {
        let css = include_str!("../../../web/hosted/css/base.css");
        let compact: String = css.split_whitespace().collect();
        assert!(compact.contains(&LIGHT.to_string()), "light tokens differ from {LIGHT}");
        assert!(compact.contains(&DARK.to_string()), "dark tokens differ from {DARK}");
    }

    #[test]
    fn a_plain_branding_has_no_stylesheet() {
        assert!(Theme::new(&Branding::default()).is_ok_and(|theme| theme.stylesheet().is_none()));
    }

    #[test]
    fn colours_nobody_can_read_are_refused_with_a_sentence() {
        let mut branding = light("#ffff00");
        branding.light.on_accent = Some("#ffffff".into());
        let refused = Theme::new(&branding).map(|_| ()).unwrap_err().to_string();
        assert!(refused.contains("contrast of 1.0"), "{refused}");
        let refused = Theme::new(&light("#12345;}")).map(|_| ()).unwrap_err();
        assert!(refused.to_string().contains("no colour"));
        let font = Branding { font: Some("a\";}".into()), ..Branding::default() };
        assert!(matches!(Theme::new(&font), Err(Refused::Font(_))));
        let radius = Branding { radius: Some(99), ..Branding::default() };
        assert!(matches!(Theme::new(&radius), Err(Refused::Radius(99))));
    }

    #[test]
    fn what_is_derived_can_be_read() {
        for accent in ["#ffcc00", "#0a7d5a", "#c2185b", "#000000", "#ffffff", "#777777"] {
            let branding = light(accent);
            for (palette, base) in [(branding.light.clone(), &LIGHT), (dark_palette(&branding), &DARK)] {
                let tokens = tokens(&palette, base).unwrap();
                assert!(tokens.on_accent.contrast(tokens.accent) >= 4.5, "{accent}");
                assert!(tokens.link.contrast(tokens.card) >= 4.5, "{accent}");
                assert!(tokens.link.contrast(tokens.page) >= 4.5, "{accent}");
                assert!(tokens.field_line.contrast(tokens.card) >= 3.0, "{accent}");
            }
            let theme = Theme::new(&branding).unwrap();
            assert!(theme.stylesheet().is_some_and(|css| css.path.starts_with("/assets/theme-")));
        }
    }
}
