//! The place of `--results`: a prefix in an object store, or a folder.

use std::path::Path as File;
use std::time::{Duration, SystemTime};

use anyhow::{Context as _, anyhow, bail};
use futures_util::TryStreamExt as _;
use object_store::path::Path;
use object_store::{Error, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, PutPayload};
use sseproof_load_model::Offset;
use tokio::time::{sleep, timeout};
use url::Url;

use super::meeting::since_epoch;

pub(super) struct Store {
    store: Box<dyn ObjectStore>,
    prefix: Path,
    /// As the user wrote it, for messages.
    pub(super) place: String,
}

/// The longest time for one answer of the store, its own repetitions included.
const PATIENCE: Duration = Duration::from_secs(30);
/// The variables of the environment that a store may read.
const FAMILIES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// Whether this names a place with results, and not a file with one.
pub(super) fn is_place(what: &File) -> bool {
    what.to_str().is_some_and(|what| what.contains("://")) || what.is_dir()
}

impl Store {
    pub(super) fn open(place: &str) -> anyhow::Result<Self> {
        let url = if place.contains("://") {
            Url::parse(place).with_context(|| format!("`{place}` is not a valid URL"))?
        } else {
            let path = std::path::absolute(place).with_context(|| format!("the path `{place}`"))?;
            Url::from_directory_path(path).map_err(|()| anyhow!("`{place}` is not a valid path"))?
        };
        let known = ["file", "s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss"];
        if !known.contains(&url.scheme()) {
            bail!("`{place}`: write the place as s3://…, gs://…, az://… or file:///…");
        }
        if url.scheme() != "file" {
            cloud(place)?;
        }
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            FAMILIES.iter().any(|family| name.starts_with(family)).then_some((name, value))
        });
        let (store, prefix) = object_store::parse_url_opts(&url, variables)
            .with_context(|| format!("cannot use {place}"))?;
        Ok(Self { store, prefix, place: place.trim_end_matches('/').to_owned() })
    }

    fn path(&self, name: &str) -> Path {
        name.split('/').fold(self.prefix.clone(), |path, part| path.join(part))
    }

    async fn answer<T>(
        &self,
        doing: &str,
        name: &str,
        answer: impl Future<Output = Result<T, Error>>,
    ) -> anyhow::Result<Option<T>> {
        let cannot = || format!("cannot {doing} {}/{name}", self.place);
        match timeout(PATIENCE, answer).await {
            Ok(Ok(value)) => Ok(Some(value)),
            Ok(Err(
                Error::NotFound { .. } | Error::AlreadyExists { .. } | Error::Precondition { .. },
            )) => Ok(None),
            Ok(Err(error)) => Err(error).with_context(cannot),
            Err(_) => {
                Err(anyhow!("no answer within {} s", PATIENCE.as_secs())).with_context(cannot)
            }
        }
    }

    pub(super) async fn put(&self, name: &str, text: String) -> anyhow::Result<()> {
        let path = self.path(name);
        let put = self.store.put(&path, PutPayload::from(text));
        self.answer("write", name, put)
            .await?
            .map(drop)
            .with_context(|| format!("cannot write {}/{name}: there is no such place", self.place))
    }

    /// Writes the object if there is none of its name; whether it did.
    pub(super) async fn create(&self, name: &str, text: String) -> anyhow::Result<bool> {
        let path = self.path(name);
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        let put = self.store.put_opts(&path, PutPayload::from(text), options);
        Ok(self.answer("write", name, put).await?.is_some())
    }

    /// The text of the object, if there is one.
    pub(super) async fn get(&self, name: &str) -> anyhow::Result<Option<String>> {
        let path = self.path(name);
        let get = async { self.store.get(&path).await?.bytes().await };
        let Some(bytes) = self.answer("read", name, get).await? else { return Ok(None) };
        let text = String::from_utf8(bytes.into());
        Ok(Some(text.with_context(|| format!("{}/{name} is not text", self.place))?))
    }

    /// The names of all objects below this one, in the order of their names.
    pub(super) async fn list(&self, below: &str) -> anyhow::Result<Vec<String>> {
        let path = self.path(below);
        let list = async {
            let mut found = self.store.list(Some(&path));
            let mut all = Vec::new();
            while let Some(one) = found.try_next().await? {
                if let Some(parts) = one.location.prefix_match(&self.prefix) {
                    let parts: Vec<_> = parts.map(|part| part.as_ref().to_owned()).collect();
                    all.push(parts.join("/"));
                }
            }
            Ok(all)
        };
        let mut all = self.answer("list", below, list).await?.unwrap_or_default();
        all.sort_unstable();
        Ok(all)
    }

    /// This machine's clock less that of the store, from the times that the store gives to objects:
    /// many stores only give whole seconds, so several objects narrow it.
    pub(super) async fn clock(&self, name: &str) -> anyhow::Result<Offset> {
        /// Not a divisor of a second, so that each object meets another part of it.
        const PAUSE: Duration = Duration::from_millis(230);
        const TIMES: usize = 5;
        let mut known: Option<Offset> = None;
        for _ in 0..TIMES {
            let before = SystemTime::now();
            self.put(name, String::new()).await?;
            let after = SystemTime::now();
            let path = self.path(name);
            let Some(meta) = self.answer("read", name, self.store.head(&path)).await? else {
                bail!("{}/{name} is not there, though it was just written", self.place)
            };
            let at = i128::from(meta.last_modified.timestamp_micros()) * 1000;
            let is_whole = meta.last_modified.timestamp_subsec_micros() == 0;
            // A file system has the time of the last tick of its kernel.
            let resolution: i128 = if is_whole { 1_000_000_000 } else { 10_000_000 };
            let narrow = |bound: i128| i64::try_from(bound).unwrap_or(i64::MAX);
            let [before, after] = [before, after]
                .map(|time| i128::try_from(since_epoch(time).as_nanos()).unwrap_or(i128::MAX));
            let one = Offset { least: narrow(before - at - resolution), most: narrow(after - at) };
            known = Some(known.map_or(one, |known| known.and(one)));
            if !is_whole {
                break;
            }
            sleep(PAUSE).await;
        }
        known.context("a reading of the clock")
    }
}

/// Prepares the connections to object stores, if this program can have any.
#[cfg(feature = "object-store")]
#[expect(clippy::unnecessary_wraps, reason = "a program without the feature fails")]
fn cloud(_: &str) -> anyhow::Result<()> {
    // An error says that there is one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Ok(())
}

#[cfg(not(feature = "object-store"))]
fn cloud(place: &str) -> anyhow::Result<()> {
    bail!(
        "this program was built without object stores, and cannot use {place}: use a released one, build with `--features object-store`, or name a folder that all machines share"
    )
}
