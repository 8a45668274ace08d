//! An endpoint as the tables of the resources declare it. The router and the OpenAPI document are
//! both made from these, so that nothing is served that is not described, nor the reverse.

use crate::{
    call::{Answer, Call},
    refusal::Refusal,
    scope::Permission,
    shape::Components,
};
use serde_json::Value;
use std::{future::Future, pin::Pin};

/// What carries a call out.
pub(crate) type Run = for<'a> fn(&'a Call) -> Running<'a>;
/// A call being carried out.
pub(crate) type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Refusal>> + Send + 'a>>;
/// The schema of a body.
pub(crate) type Schema = fn(&mut Components) -> Value;

/// One method at one address.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint {
    pub(crate) method: Verb,
    /// Below `/api/v1`.
    pub(crate) path: &'static str,
    /// The name of the operation in the document.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) permission: Permission,
    /// Whether it exists at the first tenant only.
    pub(crate) root: bool,
    /// The status of success.
    pub(crate) status: u16,
    /// Query parameters: name, schema as JSON text, what it means.
    pub(crate) query: &'static [Parameter],
    pub(crate) takes: Option<Schema>,
    pub(crate) gives: Option<Schema>,
    /// The media type of the answer.
    pub(crate) media: &'static str,
    /// Whether it honours `If-Match`.
    pub(crate) guarded: bool,
    pub(crate) run: Run,
}

/// A query parameter.
#[derive(Clone, Copy)]
pub(crate) struct Parameter {
    pub(crate) name: &'static str,
    pub(crate) kind: ParameterKind,
    pub(crate) description: &'static str,
}

/// What a query parameter may hold.
#[derive(Clone, Copy)]
pub(crate) enum ParameterKind {
    Text,
    Flag,
    /// From 1 to this.
    Number(u32),
    Time,
    Words(&'static [&'static str]),
}

impl ParameterKind {
    /// What a value must be, in words that follow the name of the parameter.
    pub(crate) fn form(self) -> String {
        match self {
            Self::Text => "must be text".to_owned(),
            Self::Flag => "must be true or false".to_owned(),
            Self::Number(most) => format!("must be a number from 1 to {most}"),
            Self::Time => "must be a time such as 2026-11-24T12:00:00Z (RFC 3339)".to_owned(),
            Self::Words(words) => format!("must be one of {}", words.join(", ")),
        }
    }
}

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Verb {
    /// As the document spells it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Patch => "patch",
            Self::Delete => "delete",
        }
    }
}

/// Where a page begins.
pub(crate) const CURSOR: Parameter =
    text("cursor", "The `next` of the page before, with the same other parameters.");
/// How long a page is.
pub(crate) const LIMIT: Parameter = Parameter {
    name: "limit",
    kind: ParameterKind::Number(200),
    description: "The most objects on a page; 50 by default.",
};
/// The parameters of every list.
pub(crate) const PAGE: &[Parameter] = &[CURSOR, LIMIT];

/// A parameter that holds text.
pub(crate) const fn text(name: &'static str, description: &'static str) -> Parameter {
    Parameter { name, kind: ParameterKind::Text, description }
}

impl Endpoint {
    /// An endpoint that takes and gives nothing.
    pub(crate) const fn new(
        (method, path): (Verb, &'static str),
        (id, summary): (&'static str, &'static str),
        permission: Permission,
        run: Run,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            permission,
            root: false,
            status: 204,
            query: &[],
            takes: None,
            gives: None,
            media: "application/json",
            guarded: false,
            run,
        }
    }

    /// With this answer.
    pub(crate) const fn gives(mut self, schema: Schema) -> Self {
        self.gives = Some(schema);
        self.status = 200;
        self
    }

    /// With this answer to a creation.
    pub(crate) const fn creates(mut self, schema: Schema) -> Self {
        self.gives = Some(schema);
        self.status = 201;
        self
    }

    /// With this body.
    pub(crate) const fn takes(mut self, schema: Schema) -> Self {
        self.takes = Some(schema);
        self
    }

    /// With these query parameters.
    pub(crate) const fn query(mut self, query: &'static [Parameter]) -> Self {
        self.query = query;
        self
    }

    /// Honouring `If-Match`.
    pub(crate) const fn guarded(mut self) -> Self {
        self.guarded = true;
        self
    }

    /// At the first tenant only.
    pub(crate) const fn at_root(mut self) -> Self {
        self.root = true;
        self
    }

    /// Whether it is a creation, which honours `Idempotency-Key`.
    pub(crate) const fn is_creation(&self) -> bool {
        self.status == 201
    }
}

/// Every endpoint.
pub(crate) fn all() -> impl Iterator<Item = &'static Endpoint> {
    [
        crate::users::ENDPOINTS,
        crate::users::states::ENDPOINTS,
        crate::users::belongings::ENDPOINTS,
        crate::applications::ENDPOINTS,
        crate::secrets::ENDPOINTS,
        crate::resource_servers::ENDPOINTS,
        crate::scopes::ENDPOINTS,
        crate::initial_tokens::ENDPOINTS,
        crate::api_keys::ENDPOINTS,
        crate::administrators::ENDPOINTS,
        crate::keys::ENDPOINTS,
        crate::settings::ENDPOINTS,
        crate::templates::ENDPOINTS,
        crate::tenants::ENDPOINTS,
        crate::events::ENDPOINTS,
    ]
    .into_iter()
    .flatten()
}
