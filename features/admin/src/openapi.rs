//! The OpenAPI 3.1 document, made from the endpoints themselves.

use crate::{
    endpoint::{self, Endpoint, Parameter, ParameterKind, Verb},
    scope::Permission,
    shape::Components,
};
use serde_json::{Map, Value, json};

/// The document for a tenant's API.
pub(crate) fn document(issuer: &str) -> Value {
    let mut components = Components::new();
    let mut paths: Map<String, Value> = Map::new();
    for endpoint in endpoint::all() {
        let described = operation(endpoint, &mut components);
        let at = paths
            .entry(endpoint.path)
            .or_insert_with(|| json!({ "parameters": path_parameters(endpoint.path) }));
        if let Some(at) = at.as_object_mut() {
            at.insert(endpoint.method.as_str().to_owned(), described);
        }
    }
    components.insert("Problem".to_owned(), problem());
    let scopes: Map<String, Value> = Permission::ALL
        .iter()
        .map(|permission| (permission.to_string(), permission.description().trim().into()))
        .collect();
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Keyward admin API",
            "version": "1",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": format!("{issuer}/api/v1") }],
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": { "Problem": {
                "description": "The request was refused; `code` says why.",
                "content": { "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, or an access token whose audience is this API.",
                },
                "oauth": {
                    "type": "oauth2",
                    "flows": {
                        "clientCredentials": { "tokenUrl": format!("{issuer}/token"), "scopes": scopes },
                        "authorizationCode": {
                            "authorizationUrl": format!("{issuer}/authorize"),
                            "tokenUrl": format!("{issuer}/token"),
                            "scopes": scopes,
                        },
                    },
                },
            },
        },
    })
}

fn operation(endpoint: &Endpoint, components: &mut Components) -> Value {
    let mut parameters: Vec<Value> = endpoint.query.iter().map(query_parameter).collect();
    let header = |name: &str, description: &str| {
        json!({ "name": name, "in": "header", "required": false, "description": description,
            "schema": { "type": "string", "maxLength": 255 } })
    };
    if endpoint.guarded {
        parameters.push(header("If-Match", "The `ETag` that was read; another version is refused."));
    }
    if endpoint.is_creation() {
        parameters.push(header("Idempotency-Key", "A repeat under the same key within a day makes nothing."));
    }
    let permission = endpoint.permission.as_str();
    let body = endpoint.takes.map(|takes| {
        let schema = json!({ "schema": takes(components) });
        let kinds: &[&str] = match endpoint.method {
            Verb::Patch => &["application/json", "application/merge-patch+json"],
            _ => &["application/json"],
        };
        let content: Map<String, Value> =
            kinds.iter().map(|kind| ((*kind).to_owned(), schema.clone())).collect();
        json!({ "required": true, "content": content })
    });
    let mut operation = Map::from_iter(body.map(|body| ("requestBody".to_owned(), body)));
    let described = json!({
        "operationId": endpoint.id,
        "summary": endpoint.summary,
        "tags": [endpoint.path.split('/').nth(1).unwrap_or_default()],
        "parameters": parameters,
        "security": [{ "key": [] }, { "oauth": [permission] }],
        "x-scope": permission,
        "responses": responses(endpoint, components),
    });
    operation.extend(described.as_object().cloned().unwrap_or_default());
    Value::Object(operation)
}

fn responses(endpoint: &Endpoint, components: &mut Components) -> Value {
    let success = match endpoint.gives {
        Some(gives) => {
            let content = json!({ endpoint.media: { "schema": gives(components) } });
            json!({ "description": "Done.", "content": content })
        }
        None => json!({ "description": "Done." }),
    };
    let mut responses = Map::from_iter([(endpoint.status.to_string(), success)]);
    let refusals: &[u16] = match (endpoint.takes.is_some(), endpoint.guarded) {
        (true, true) => &[400, 401, 403, 404, 409, 412, 413, 415, 503],
        (true, false) => &[400, 401, 403, 404, 409, 413, 415, 503],
        (false, true) => &[400, 401, 403, 404, 409, 412, 503],
        (false, false) => &[400, 401, 403, 404, 409, 503],
    };
    for status in refusals {
        responses.insert(status.to_string(), json!({ "$ref": "#/components/responses/Problem" }));
    }
    Value::Object(responses)
}

fn query_parameter(parameter: &Parameter) -> Value {
    let schema = match parameter.kind {
        ParameterKind::Text => json!({ "type": "string", "maxLength": 1024 }),
        ParameterKind::Flag => json!({ "type": "boolean" }),
        ParameterKind::Number(most) => json!({ "type": "integer", "minimum": 1, "maximum": most }),
        ParameterKind::Time => json!({ "type": "string", "format": "date-time" }),
        ParameterKind::Words(words) => json!({ "type": "string", "enum": words }),
    };
    json!({ "name": parameter.name, "in": "query", "required": false,
        "description": parameter.description, "schema": schema })
}

/// The parameters that stand in braces in a path.
fn path_parameters(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect()
}

fn problem() -> Value {
    let text = || json!({ "type": "string" });
    json!({
        "type": "object",
        "description": "RFC 9457. The codes are listed in the documentation.",
        "required": ["type", "title", "status", "code"],
        "properties": {
            "type": text(), "title": text(), "code": text(), "detail": text(), "scope": text(),
            "request_id": text(),
            "status": { "type": "integer" },
            "fields": { "type": "array", "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": { "field": text(), "message": text() },
            } },
        },
    })
}
