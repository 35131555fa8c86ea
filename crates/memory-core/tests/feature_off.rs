//! A backend that was not built in is a clear error. Run without features by `cargo xtask test`.
#![cfg(not(any(feature = "sqlite", feature = "postgres")))]

use memory_core::OpenError;

#[tokio::test]
async fn a_backend_that_is_off_names_its_feature() {
    for (url, feature) in [
        ("memory.db", "sqlite"),
        ("postgres://host/database", "postgres"),
    ] {
        let error = memory_core::open(url)
            .await
            .expect_err("nothing can be opened");
        assert!(matches!(error, OpenError::FeatureOff { .. }), "{error}");
        assert!(
            error.to_string().contains(&format!("`{feature}`")),
            "{error}"
        );
    }
}
