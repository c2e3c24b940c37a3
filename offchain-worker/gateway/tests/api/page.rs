//! The page, and what it asks for first.

use super::support::{Book, Running, Setup};
use noema_gateway::{make_key, BearerKeys};

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_served_under_a_strict_policy_or_said_to_be_missing() {
    let running = Running::start(&Book::new("yes", &[1]), Setup::default()).await;
    let page = running.call("GET /", "", "").await;
    match page.status {
        200 => {
            assert!(page.body.contains("<div id=\"page\">"), "{page:?}");
            for directive in ["default-src 'none'", "connect-src 'self' ws://node"] {
                assert!(page.head.contains(directive), "{page:?}");
            }
        }
        status => {
            assert_eq!(status, 404, "{page:?}");
            assert!(page.body.contains("without the page"), "{page:?}");
        }
    }
    let missing = running.call("GET /page/..%2fsecret", "", "").await;
    assert_eq!(missing.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_is_told_of_the_chain() {
    let running = Running::start(&Book::new("yes", &[1]), Setup::default()).await;
    let about = running.call("GET /v1/noema", "", "").await.json();
    assert_eq!(about["rpc"], "ws://node:9944");
    assert_eq!(about["token"]["symbol"], "NOEMA");
    assert_eq!(about["token"]["decimals"], 12);
    assert_eq!(about["needs_key"], false);
    assert_eq!(about["checkpoint"], format!("0x{}", "07".repeat(32)));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_is_named_to_callers_with_a_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("keys.json");
    let key = make_key(&path, "one", None, None).expect("a key");
    let setup = Setup {
        keys: Some(BearerKeys::open(&path).expect("keys")),
        ..Setup::default()
    };
    let running = Running::start(&Book::new("yes", &[1]), setup).await;
    let about = running.call("GET /v1/noema", "", "").await.json();
    assert_eq!(about["needs_key"], true);
    assert!(about["rpc"].is_null());
    let header = format!("Authorization: Bearer {key}\r\n");
    let about = running.call("GET /v1/noema", &header, "").await.json();
    assert_eq!(about["rpc"], "ws://node:9944");
}
