//! Bodies as types that describe themselves: each is read or written by serde and gives its JSON
//! Schema for the OpenAPI document, so that the two cannot differ.

use crate::stamp::Stamp;
use base::{Id, id::Entity};
use serde_json::{Map, Value, json};

/// Named schemas of the document.
pub(crate) type Components = Map<String, Value>;

/// What has a JSON Schema.
pub(crate) trait Shape {
    /// Whether a body may leave it out.
    const OPTIONAL: bool = false;

    /// The schema; a named one is added to the components and referred to.
    fn schema(components: &mut Components) -> Value;
}

macro_rules! plain {
    ($($type:ty => $schema:tt;)*) => {$(
        impl Shape for $type {
            fn schema(_: &mut Components) -> Value {
                json!($schema)
            }
        }
    )*};
}

plain! {
    String => { "type": "string" };
    bool => { "type": "boolean" };
    i64 => { "type": "integer", "format": "int64" };
    u32 => { "type": "integer", "minimum": 0, "maximum": 4294967295_u32 };
    Stamp => { "type": "string", "format": "date-time" };
    Value => {};
    Map<String, Value> => { "type": "object" };
}

impl<T: Entity> Shape for Id<T> {
    fn schema(_: &mut Components) -> Value {
        json!({ "type": "string", "pattern": format!("^{}_[A-Za-z0-9_-]{{22}}$", T::PREFIX) })
    }
}

impl<T: Shape> Shape for Vec<T> {
    fn schema(components: &mut Components) -> Value {
        json!({ "type": "array", "items": T::schema(components) })
    }
}

impl<T: Shape> Shape for Option<T> {
    const OPTIONAL: bool = true;

    fn schema(components: &mut Components) -> Value {
        json!({ "anyOf": [T::schema(components), { "type": "null" }] })
    }
}

/// One field of an object: name, schema, whether it must be there, what it means.
pub(crate) type Field = (&'static str, Value, bool, &'static str);

/// Adds an object to the components and refers to it.
pub(crate) fn object(
    components: &mut Components,
    (name, doc): (&str, &str),
    fields: impl FnOnce(&mut Components) -> Vec<Field>,
) -> Value {
    if !components.contains_key(name) {
        components.insert(name.to_owned(), Value::Null);
        let fields = fields(components);
        let required: Vec<&str> = fields.iter().filter(|field| field.2).map(|field| field.0).collect();
        let described = |(name, mut schema, _, doc): Field| {
            if let Some(schema) = schema.as_object_mut().filter(|_| !doc.is_empty()) {
                schema.insert("description".to_owned(), doc.trim().into());
            }
            (name.to_owned(), schema)
        };
        let properties: Map<String, Value> = fields.clone().into_iter().map(described).collect();
        let schema = json!({
            "type": "object",
            "description": doc.trim(),
            "additionalProperties": false,
            "required": required,
            "properties": properties,
        });
        components.insert(name.to_owned(), schema);
    }
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Declares a body: `sent` by callers, unknown fields refused and optional ones left out at will;
/// `given` as an answer, all fields always there.
macro_rules! shape {
    ($(#[doc = $doc:literal])* sent $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $($(#[doc = $field_doc])* pub(crate) $field: $type,)*
        }

        impl $crate::shape::Shape for $name {
            fn schema(components: &mut $crate::shape::Components) -> serde_json::Value {
                $crate::shape::object(components, (stringify!($name), concat!($($doc),*)), |components| vec![$((
                    stringify!($field),
                    <$type as $crate::shape::Shape>::schema(components),
                    !<$type as $crate::shape::Shape>::OPTIONAL,
                    concat!($($field_doc),*),
                )),*])
            }
        }
    };
    ($(#[doc = $doc:literal])* given $name:ident { $($(#[doc = $field_doc:literal])* $field:ident: $type:ty,)* }) => {
        $(#[doc = $doc])*
        #[derive(serde::Serialize)]
        pub(crate) struct $name {
            $($(#[doc = $field_doc])* pub(crate) $field: $type,)*
        }

        impl $crate::shape::Shape for $name {
            fn schema(components: &mut $crate::shape::Components) -> serde_json::Value {
                $crate::shape::object(components, (stringify!($name), concat!($($doc),*)), |components| vec![$((
                    stringify!($field),
                    <$type as $crate::shape::Shape>::schema(components),
                    true,
                    concat!($($field_doc),*),
                )),*])
            }
        }
    };
    ($(#[doc = $doc:literal])* counted $name:ident of $item:ty) => {
        $crate::shape::shape! {
            $(#[doc = $doc])*
            given $name {
                /// The objects of this page.
                items: Vec<$item>,
                /// The `cursor` of the next page; null on the last one.
                next: Option<String>,
                /// How many there are, where `count=true` asked for it.
                count: Option<$crate::users::Count>,
            }
        }
    };
    ($(#[doc = $doc:literal])* page $name:ident of $item:ty) => {
        $crate::shape::shape! {
            $(#[doc = $doc])*
            given $name {
                /// The objects of this page.
                items: Vec<$item>,
                /// The `cursor` of the next page; null on the last one.
                next: Option<String>,
            }
        }
    };
}
pub(crate) use shape;
