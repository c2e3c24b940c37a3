//! The definition returns the frozen results. To print them:
//!
//! ```sh
//! cargo test -p noema-numerics --test numerics golden -- --nocapture
//! ```

use noema_numerics::{testing::golden, Scalar, NUMERICS_VERSION};

#[test]
fn results_are_those_of_version_2() {
    assert_eq!(NUMERICS_VERSION, 2);
    let frozen = golden::frozen();
    let results = golden::results(&Scalar);
    for (name, hash) in &results {
        println!("{name} {hash}");
    }
    for (name, hash) in &results {
        assert_eq!(frozen.get(name), Some(&hash.as_str()), "{name}");
    }
    assert_eq!(
        frozen.len(),
        results.len(),
        "every golden vector is computed"
    );
}
