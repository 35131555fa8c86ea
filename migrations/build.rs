//! Has the crate built anew when a migration is added, which the compiler would not notice.

fn main() {
    println!("cargo::rerun-if-changed=sqlite");
    println!("cargo::rerun-if-changed=postgres");
}
