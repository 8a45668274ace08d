//! web.

pub mod assets;
pub mod locale;
pub mod pages;
pub mod render;
pub mod theme;
