//! The tables of the admin API: keys, administrators, answers to be repeated; and lists.

pub(crate) mod administrator;
pub(crate) mod answer;
pub(crate) mod api_key;

/// Every statement of this crate.
pub(crate) fn statements() -> Vec<&'static str> {
    [administrator::ALL, answer::ALL, api_key::ALL].concat()
}
