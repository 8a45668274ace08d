//! Lists with filters, and how many objects they hold where that is asked.

use crate::{
    call::Call,
    cursor::Page,
    endpoint::{Parameter, ParameterKind, text},
    refusal::Refusal,
    users::Count,
};
use base::{Id, id::Entity};
use store::{
    FromRow, ToValue,
    rows::{filtered::List, listing::MOST_COUNTED},
};

/// Whether the objects are counted.
pub(crate) const COUNT: Parameter =
    Parameter { name: "count", kind: ParameterKind::Flag, description: "Count them, up to 1000." };
/// By the beginning of a name.
pub(crate) const SEARCH: Parameter = text("search", "Those whose name begins so, whatever the case.");

/// Objects, the cursor of the next page, and the count.
pub(crate) type Listed<T> = (Vec<T>, Option<String>, Option<Count>);

/// Whether the caller asks for a count.
pub(crate) fn counts(call: &Call) -> bool {
    call.asked("count") == Some("true")
}

/// A count of up to one more than are counted.
pub(crate) fn count(value: i64) -> Count {
    Count { value: value.min(MOST_COUNTED), more: value > MOST_COUNTED }
}

/// The ids of the page that is asked for.
pub(crate) async fn page<T: Entity>(
    call: &Call,
    list: &List<T>,
    filters: &[&str],
) -> Result<Listed<Id<T>>, Refusal>
where
    Id<T>: FromRow + ToValue + Send + 'static,
{
    let (page, db, tenant) = (Page::of(call)?, call.db(), call.tenant.id);
    let mut ids = list.ids(db, tenant, filters, (page.after_id(), page.limit + 1)).await?;
    let next = page.cut(call, &mut ids, |id| id.as_bytes().to_vec())?;
    let counted = if counts(call) { Some(count(list.count(db, tenant, filters).await?)) } else { None };
    Ok((ids, next, counted))
}

/// The one object that a unique value names, or none.
pub(crate) fn exact<T>(call: &Call, found: Option<T>) -> Listed<T> {
    let items: Vec<T> = found.into_iter().collect();
    let counted = counts(call).then(|| count(if items.is_empty() { 0 } else { 1 }));
    (items, None, counted)
}

/// What the caller searches for; nothing else finds by a unique value.
pub(crate) fn searched<'a>(call: &'a Call, unique: &str) -> Result<&'a str, Refusal> {
    match (call.asked("search"), call.asked(unique)) {
        (Some(_), Some(_)) => {
            Err(Refusal::field("search", format!("cannot be combined with {unique}; use one of them")))
        }
        (search, _) => Ok(search.unwrap_or_default()),
    }
}
