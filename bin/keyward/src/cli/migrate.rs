//! `keyward migrate`: brings the database to this version, or says what that would do.

use super::output;
use crate::wiring::migrations;
use crate::{
    backup::interrupted,
    failure::Failure,
    installation::{Installation, Place},
};
use store::{Db, OpenOptions};

pub(super) async fn run(place: &Place, dry_run: bool, json: bool) -> Result<(), Failure> {
    let installation = Installation::of(place)?;
    installation.check_folder()?;
    interrupted::refuse_half_done(&installation)?;
    let db = Db::open(&installation.database, OpenOptions::default()).await?;
    let pending = store::pending(&db, &migrations()).await?;
    if dry_run {
        for step in &pending {
            match json {
                true => output::line(format_args!(
                    "{}",
                    serde_json::json!({ "migration": step.migration, "step": step.step, "sql": step.sql })
                )),
                false => output::line(format_args!("{} step {}: {}", step.migration, step.step, step.sql)),
            }
        }
    }
    let done = if dry_run { 0 } else { store::migrate(&db, &migrations()).await? };
    db.close().await;
    match (dry_run, json) {
        (false, true) => output::line(format_args!("{}", serde_json::json!({ "steps": done }))),
        (false, false) => output::line(format_args!("The database is up to date; {done} steps were taken.")),
        (true, false) if pending.is_empty() => output::line(format_args!("The database is up to date.")),
        (true, _) => {}
    }
    Ok(())
}
