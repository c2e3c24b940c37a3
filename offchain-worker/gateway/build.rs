//! Puts the page into the program: the files that `page/build.js` wrote. Without them the program has no page.

use std::error::Error;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../page/dist");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut paths = Vec::new();
    if folder.is_dir() {
        for entry in fs::read_dir(&folder)? {
            paths.push(entry?.path());
        }
    }
    // The same page makes the same program.
    paths.sort();
    let mut files = String::from(
        "/// The files of the page, by their names.\nconst FILES: &[(&str, &[u8])] = &[\n",
    );
    for path in paths {
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.filter(|name| !name.starts_with('.'));
        let (Some(name), true) = (name, path.is_file()) else {
            continue;
        };
        let path = path.canonicalize()?;
        writeln!(
            files,
            "    ({name:?}, include_bytes!({path:?}).as_slice()),"
        )?;
    }
    files.push_str("];\n");
    let to = env::var("OUT_DIR")?;
    fs::write(Path::new(&to).join("page.rs"), files)?;
    Ok(())
}
