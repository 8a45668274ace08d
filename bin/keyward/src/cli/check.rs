//! `keyward config check`.

use super::output;
use crate::{failure::Failure, installation::load};
use std::path::Path;

/// Prints what is wrong or unsafe; fails if the server would not start.
pub(super) fn run(path: &Path, json: bool) -> Result<(), Failure> {
    let config = load(path)?;
    let problems = config.check();
    if json {
        output::line(serde_json::json!({ "problems": problems }));
    } else {
        for problem in &problems {
            output::line(problem);
        }
    }
    if problems.iter().any(crate::config::Problem::is_error) {
        return Err(Failure::usage("The server does not start with this configuration."));
    }
    if !json {
        output::line("The configuration is good.");
    }
    Ok(())
}
