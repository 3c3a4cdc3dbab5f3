//! The packages of npm: one with the launcher, and one with the program of each platform.
//!
//! The first names the others as optional dependencies, and npm installs the one whose `os`, `cpu` and
//! `libc` are right. So no script runs at the installation, and nothing is downloaded beside npm.

use std::fs;

use anyhow::Context as _;
use serde_json::{Map, Value, json};

use super::Texts;
use super::archive::Entry;
use super::build::Built;
use super::platforms::Platform;
use super::release::Release;

const LAUNCHER: &str = include_str!("../../../../packaging/npm/sseproof.js");

/// The name of each file, and its content below `package/`.
pub(super) fn packages(
    release: &Release,
    built: &Built,
    texts: &Texts,
) -> anyhow::Result<Vec<(String, Vec<Entry>)>> {
    let mut packages = Vec::new();
    for (platform, program) in &built.programs {
        let bytes = fs::read(program).with_context(|| format!("read {}", program.display()))?;
        let mut entries = vec![manifest(&of_platform(release, platform))?];
        entries.push(Entry::program(&format!("bin/{}", platform.program()), bytes));
        entries.extend(texts.entries(""));
        packages.push((format!("npm-{}-{}.tgz", suffix(platform), release.version), entries));
    }
    let platforms = built.programs.iter().map(|(platform, _)| *platform);
    let mut entries = vec![manifest(&launcher(release, platforms))?];
    entries.push(Entry::program("sseproof.js", LAUNCHER.into()));
    entries.extend(texts.entries(""));
    packages.push((format!("npm-sseproof-{}.tgz", release.version), entries));
    Ok(packages)
}

/// As the launcher looks for it.
pub(super) fn name(platform: &Platform) -> String {
    format!("@sseproof/{}", suffix(platform))
}

fn suffix(platform: &Platform) -> String {
    let libc = if platform.libc == Some("musl") { "-musl" } else { "" };
    format!("{}-{}{libc}", platform.os, platform.cpu)
}

fn manifest(package: &Value) -> anyhow::Result<Entry> {
    let text = serde_json::to_string_pretty(package).context("write package.json")?;
    Ok(Entry::file("package.json", (text + "\n").into_bytes()))
}

fn launcher<'a>(release: &Release, platforms: impl Iterator<Item = &'a Platform>) -> Value {
    let programs = platforms.map(|platform| (name(platform), json!(release.version)));
    let programs: Map<_, _> = programs.collect();
    let mut package = of_release(release, "sseproof", &release.description);
    package.extend([
        ("bin".to_owned(), json!({ "sseproof": "sseproof.js" })),
        ("engines".to_owned(), json!({ "node": ">=18" })),
        ("optionalDependencies".to_owned(), Value::Object(programs)),
        ("keywords".to_owned(), json!(["sse", "server-sent-events", "eventsource", "testing"])),
    ]);
    Value::Object(package)
}

fn of_platform(release: &Release, platform: &Platform) -> Value {
    let about = format!("The program of the package sseproof for {}.", platform.target);
    let mut package = of_release(release, &name(platform), &about);
    package.extend([
        ("os".to_owned(), json!([platform.os])),
        ("cpu".to_owned(), json!([platform.cpu])),
        // Yarn would otherwise leave the program in a zip file.
        ("preferUnplugged".to_owned(), json!(true)),
    ]);
    if let Some(libc) = platform.libc {
        package.insert("libc".to_owned(), json!([libc]));
    }
    Value::Object(package)
}

fn of_release(release: &Release, name: &str, description: &str) -> Map<String, Value> {
    let mut package = Map::from_iter([
        ("name".to_owned(), json!(name)),
        ("version".to_owned(), json!(release.version)),
        ("description".to_owned(), json!(description)),
        ("license".to_owned(), json!(release.license)),
    ]);
    if let Some(url) = &release.repository {
        let repository = json!({ "type": "git", "url": format!("git+{url}") });
        package.insert("repository".to_owned(), repository);
    }
    package
}

#[cfg(test)]
mod tests {
    use super::super::platforms::PLATFORMS;
    use super::*;

    #[test]
    fn the_launcher_finds_the_package_of_each_platform_and_no_script_runs() {
        let release = Release::read().unwrap();
        let package = launcher(&release, PLATFORMS.iter());
        let programs = package["optionalDependencies"].as_object().unwrap();
        assert_eq!(programs.len(), PLATFORMS.len());
        for platform in &PLATFORMS {
            assert_eq!(programs[&name(platform)], json!(release.version));
            let own = of_platform(&release, platform);
            assert_eq!(own["os"], json!([platform.os]));
            for package in [&own, &package] {
                assert!(package.get("scripts").is_none(), "{package}");
            }
        }
        assert_eq!(name(&PLATFORMS[3]), "@sseproof/linux-arm64-musl");
        for part in ["`@sseproof/${process.platform}-${process.arch}`", "`${name}-musl`"] {
            assert!(LAUNCHER.contains(part), "{part}");
        }
    }
}
