//! Filters and counts of lists.

use crate::world::{As, worlds};
use serde_json::{Value, json};

fn names(page: &Value, field: &str) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    let mut names: Vec<_> = items.iter().map(|item| item[field].as_str().unwrap().to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn lists_are_filtered_and_counted() {
    for world in worlds().await {
        let all = As::operator();
        for (client_id, name) in [("shop-web", "Web"), ("shop-app", "App"), ("robot", "Shopping robot")] {
            let body = json!({ "client_id": client_id, "metadata": { "name": name,
                "redirect_uris": ["https://a.example/cb"] } });
            world.post(&all, "/applications", body).await.ok();
        }
        let page = world.get(&all, "/applications?search=SHOP&count=true").await.ok();
        assert_eq!(names(&page, "client_id"), ["robot", "shop-app", "shop-web"]);
        assert_eq!(page["count"], json!({ "value": 3, "more": false }));
        let first = world.get(&all, "/applications?search=shop&limit=2").await.ok();
        let next = format!("/applications?search=shop&limit=2&cursor={}", first["next"].as_str().unwrap());
        assert_eq!(world.get(&all, &next).await.ok()["items"].as_array().unwrap().len(), 1);
        let page = world.get(&all, "/applications?client_id=robot&count=true").await.ok();
        assert_eq!(
            (names(&page, "client_id"), &page["count"]["value"]),
            (vec!["robot".to_owned()], &json!(1))
        );
        assert_eq!(world.get(&all, "/applications?client_id=robo").await.ok()["items"], json!([]));
        assert_eq!(world.get(&all, "/applications?state=disabled").await.ok()["items"], json!([]));
        assert_eq!(world.get(&all, "/applications?state=gone").await.code(), "invalid");
        assert_eq!(world.get(&all, "/applications?client_id=a&search=b").await.code(), "invalid");
        // What is searched is no pattern.
        assert_eq!(world.get(&all, "/applications?search=%25").await.ok()["items"], json!([]));

        for audience in ["https://orders.example", "https://prices.example"] {
            world.post(&all, "/resource-servers", json!({ "audience": audience })).await.ok();
        }
        let page = world.get(&all, "/resource-servers?search=https://orders&count=true").await.ok();
        assert_eq!((page["items"].as_array().unwrap().len(), &page["count"]["value"]), (1, &json!(1)));
        let page = world.get(&all, "/resource-servers?audience=https://prices.example").await.ok();
        assert_eq!(names(&page, "audience"), ["https://prices.example"]);
        world.post(&all, "/scopes", json!({ "name": "loyalty" })).await.ok();
        assert_eq!(names(&world.get(&all, "/scopes?name=loyalty").await.ok(), "name"), ["loyalty"]);
        assert_eq!(names(&world.get(&all, "/scopes?search=LOY&count=true").await.ok(), "name"), ["loyalty"]);
        world.post(&all, "/api-keys", json!({ "name": "Reports", "scopes": ["events:read"] })).await.ok();
        let page = world.get(&all, "/api-keys?search=rep&count=true").await.ok();
        assert_eq!((names(&page, "name"), &page["count"]["value"]), (vec!["Reports".to_owned()], &json!(1)));
        let page = world.get(&all, "/tenants?slug=acme&count=true").await.ok();
        assert_eq!((names(&page, "slug"), &page["count"]["value"]), (vec!["acme".to_owned()], &json!(1)));
        assert_eq!(world.get(&all, "/tenants?count=true").await.ok()["count"]["value"], json!(2));
        world.remove().await;
    }
}
