//! Objects of S3, Azure Blob Storage and Google Cloud Storage: listed by name, read part by part.
//!
//! Memory holds two parts of an object, one being read while the next is fetched. A part that fails is asked for again;
//! an object that still cannot be read, or that changes meanwhile, fails alone. Listing gives size and tag of every
//! object, so that what is known or outside the times asked for is never fetched.

use std::fmt;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::aws::{AmazonS3Builder, resolve_bucket_region};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::path::Path;
use object_store::{
    BackoffConfig, ClientOptions, GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, RetryConfig,
};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use super::url::{Bucket, ObjectUrl};
use crate::LoadError;
use crate::options::CloudSettings;

/// Bytes asked for at once.
const PART_BYTES: u64 = 8 << 20;
/// How often a part is asked for, beside the retries of single requests.
const PART_TRIES: u32 = 4;
const NO_CREDENTIALS: &str = "no credentials in the environment (docs/where.md lists the variables): ";
const RETRIES: RetryConfig = RetryConfig {
    backoff: BackoffConfig { init_backoff: Duration::from_millis(100), max_backoff: Duration::from_secs(5), base: 2. },
    max_retries: 5,
    retry_timeout: Duration::from_secs(60),
};

/// An object as its bucket's list has it.
pub(crate) struct Object {
    /// The address: `s3://bucket/key`.
    pub(crate) name: String,
    pub(crate) size: u64,
    pub(crate) modified: SystemTime,
    /// Changes when the content does.
    pub(crate) tag: String,
    location: Path,
    store: Arc<Connection>,
}

/// A bucket and what speaks to it.
struct Connection {
    store: Box<dyn ObjectStore>,
    runtime: Arc<Runtime>,
}

impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Object").field("name", &self.name).field("size", &self.size).finish_non_exhaustive()
    }
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        (&self.name, &self.tag) == (&other.name, &other.tag)
    }
}

impl Eq for Object {}

/// The objects that an address names: one by its key, all under a folder, or those that a pattern matches; sorted.
pub(crate) fn list(url: &ObjectUrl, settings: &CloudSettings) -> Result<Vec<Object>, LoadError> {
    let address = url.bucket.address(&url.key);
    let failed = |error: &dyn fmt::Display| {
        let said = error.to_string();
        // Where clouds' own machines are told who they are, which is asked last.
        let hint = if said.contains("169.254.169.254") { NO_CREDENTIALS } else { "" };
        LoadError::Cloud(format!("{address}: {hint}{said}"))
    };
    let runtime = runtime().map_err(|error| failed(&error))?;
    let store = runtime.block_on(connect(&url.bucket, settings)).map_err(|error| failed(&error))?;
    let connection = Arc::new(Connection { store, runtime });
    let pattern = match is_pattern(&url.key) {
        true => Some(glob::Pattern::new(&url.key).map_err(|error| failed(&error))?),
        false => None,
    };
    let found = connection.runtime.block_on(async {
        let store = &connection.store;
        if pattern.is_none() && !url.key.is_empty() && !url.key.ends_with('/') {
            let whole = Path::parse(&url.key)?;
            if let Ok(one) = store.head(&whole).await {
                return Ok(vec![one]);
            }
        }
        let folder = Path::parse(folder_of(&url.key))?;
        store.list(Some(&folder)).try_collect::<Vec<ObjectMeta>>().await
    });
    let mut found = found.map_err(|error| failed(&error))?;
    found.sort_by(|a, b| a.location.cmp(&b.location));
    let wanted = wanted(&found, url, pattern.as_ref());
    if !wanted.contains(&true) {
        return Err(LoadError::NotFound(address.into()));
    }
    let object = |meta: ObjectMeta| Object {
        name: url.bucket.address(meta.location.as_ref()),
        size: meta.size,
        modified: meta.last_modified.into(),
        tag: format!("{} {}", meta.e_tag.unwrap_or_default(), meta.version.unwrap_or_default()),
        location: meta.location,
        store: Arc::clone(&connection),
    };
    Ok(found.into_iter().zip(wanted).filter(|(_, wanted)| *wanted).map(|(meta, _)| object(meta)).collect())
}

fn is_pattern(key: &str) -> bool {
    key.contains(['*', '?', '['])
}

/// The folder that all keys lie in: of a pattern, what comes before its first part that is one.
fn folder_of(key: &str) -> &str {
    if !is_pattern(key) {
        return key.trim_matches('/');
    }
    let fixed = key.find(['*', '?', '[']).and_then(|at| key.get(..at)).unwrap_or_default();
    fixed.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Which objects are logs, as in a folder: no names that begin with a dot, and none that stand for a folder.
fn wanted(found: &[ObjectMeta], url: &ObjectUrl, pattern: Option<&glob::Pattern>) -> Vec<bool> {
    let matching = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    let asked = folder_of(&url.key).len();
    let is_wanted = |meta: &ObjectMeta| {
        let key = meta.location.as_ref();
        let folder = format!("{key}/");
        let next = found.partition_point(|other| other.location.as_ref() < folder.as_str());
        let is_folder =
            meta.size == 0 && found.get(next).is_some_and(|other| other.location.as_ref().starts_with(&folder));
        let hidden = key.get(asked..).unwrap_or_default().split('/').any(|part| part.starts_with('.'));
        !is_folder && !hidden && pattern.is_none_or(|pattern| pattern.matches_with(key, matching))
    };
    found.iter().map(is_wanted).collect()
}

/// The threads that speak to the network, for all loads of the process.
fn runtime() -> io::Result<Arc<Runtime>> {
    static RUNTIME: OnceLock<Arc<Runtime>> = OnceLock::new();
    if let Some(runtime) = RUNTIME.get() {
        return Ok(Arc::clone(runtime));
    }
    let made = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    Ok(Arc::clone(RUNTIME.get_or_init(|| Arc::new(made))))
}

/// A connection with the settings that the cloud's own programs take from the environment.
async fn connect(bucket: &Bucket, settings: &CloudSettings) -> object_store::Result<Box<dyn ObjectStore>> {
    // The key of a setting is its name in lower case; what is no setting of a store is left out.
    let all = |prefix: &'static str| {
        settings
            .iter()
            .filter(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
    };
    let plain = |name: &str| settings.iter().any(|(known, value)| known == name && value.starts_with("http://"));
    Ok(match bucket {
        Bucket::S3 { bucket } => {
            let mut builder = AmazonS3Builder::new();
            for (key, value) in all("AWS_") {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            let elsewhere = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT"];
            let has = |names: &[&str]| settings.iter().any(|(name, _)| names.contains(&name.as_str()));
            if !has(&["AWS_REGION", "AWS_DEFAULT_REGION"])
                && !has(&elsewhere)
                && let Ok(region) = resolve_bucket_region(bucket, &ClientOptions::new()).await
            {
                builder = builder.with_region(region);
            }
            if elsewhere.iter().any(|name| plain(name)) {
                builder = builder.with_allow_http(true);
            }
            Box::new(builder.with_bucket_name(bucket).with_retry(RETRIES).build()?)
        }
        Bucket::Azure { account, container } => {
            let mut builder = MicrosoftAzureBuilder::new();
            for (key, value) in all("AZURE_") {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            if ["AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT"].iter().any(|name| plain(name)) {
                builder = builder.with_allow_http(true);
            }
            Box::new(builder.with_account(account).with_container_name(container).with_retry(RETRIES).build()?)
        }
        Bucket::Gcs { bucket } => {
            let mut builder = GoogleCloudStorageBuilder::new();
            for (key, value) in all("GOOGLE_") {
                if let Ok(key) = key.parse() {
                    builder = builder.with_config(key, value);
                }
            }
            // What Google's own libraries take for an emulator, which knows no accounts.
            if let Some((_, host)) = settings.iter().find(|(name, _)| name == "STORAGE_EMULATOR_HOST") {
                let url = if host.contains("://") { host.clone() } else { format!("http://{host}") };
                builder = builder.with_base_url(&url).with_skip_signature(true);
                builder = builder.with_client_options(ClientOptions::new().with_allow_http(true));
            }
            Box::new(builder.with_bucket_name(bucket).with_retry(RETRIES).build()?)
        }
    })
}

/// Reads an object from its beginning.
pub(crate) struct ObjectReader {
    object: Arc<Object>,
    /// Where the part after the one on its way begins.
    next: u64,
    coming: Option<JoinHandle<io::Result<Bytes>>>,
    part: Bytes,
}

impl ObjectReader {
    /// Asks for the first part.
    ///
    /// # Errors
    /// When it does not come.
    pub(crate) fn open(object: &Arc<Object>) -> io::Result<ObjectReader> {
        let mut reader = ObjectReader { object: Arc::clone(object), next: 0, coming: None, part: Bytes::new() };
        reader.ask();
        reader.receive()?;
        Ok(reader)
    }

    fn ask(&mut self) {
        let range = self.next..self.object.size.min(self.next + PART_BYTES);
        if range.is_empty() {
            return;
        }
        self.next = range.end;
        let object = Arc::clone(&self.object);
        self.coming = Some(self.object.store.runtime.spawn(async move { part(&object, range).await }));
    }

    fn receive(&mut self) -> io::Result<()> {
        if let Some(coming) = self.coming.take() {
            self.part = self.object.store.runtime.block_on(coming).map_err(io::Error::other)??;
            self.ask();
        }
        Ok(())
    }
}

impl Read for ObjectReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.is_empty() {
            self.receive()?;
        }
        let count = self.part.len().min(buffer.len());
        if let Some(to) = buffer.get_mut(..count) {
            to.copy_from_slice(&self.part.split_to(count));
        }
        Ok(count)
    }
}

impl Drop for ObjectReader {
    fn drop(&mut self) {
        if let Some(coming) = self.coming.take() {
            coming.abort();
        }
    }
}

/// One part, asked for again when it breaks off.
async fn part(object: &Object, range: Range<u64>) -> io::Result<Bytes> {
    let mut tries = 1;
    loop {
        match part_once(object, range.clone()).await {
            Err(_) if tries < PART_TRIES => {
                tokio::time::sleep(Duration::from_millis(200 << tries)).await;
                tries += 1;
            }
            done => return done,
        }
    }
}

async fn part_once(object: &Object, range: Range<u64>) -> io::Result<Bytes> {
    let length = range.end - range.start;
    let options = GetOptions { range: Some(GetRange::Bounded(range)), ..GetOptions::default() };
    let got = object.store.store.get_opts(&object.location, options).await.map_err(io::Error::other)?;
    if got.meta.size != object.size {
        return Err(io::Error::other("the object changed while it was read"));
    }
    let bytes = got.bytes().await.map_err(io::Error::other)?;
    match bytes.len() as u64 == length {
        true => Ok(bytes),
        false => Err(io::Error::other("fewer bytes came than the object has")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use object_store::memory::InMemory;

    #[test]
    fn patterns_have_a_folder_that_is_listed() {
        for (key, folder) in [("", ""), ("a/b/", "a/b"), ("a/*/c.json", "a"), ("a/b/x?.json", "a/b"), ("*.json", "")] {
            assert_eq!(folder_of(key), folder, "{key}");
        }
    }

    fn object(bytes: &[u8], size: u64) -> Arc<Object> {
        let store = InMemory::new();
        let runtime = runtime().unwrap();
        let location = Path::from("x");
        runtime.block_on(store.put(&location, bytes.to_vec().into())).unwrap();
        let store = Arc::new(Connection { store: Box::new(store), runtime });
        let (name, tag) = ("s3://b/x".to_owned(), String::new());
        Arc::new(Object { name, size, modified: SystemTime::UNIX_EPOCH, tag, location, store })
    }

    #[test]
    fn parts_follow_one_another() {
        for length in [0, 1, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES + 7] {
            let bytes: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
            let mut read = Vec::new();
            ObjectReader::open(&object(&bytes, length)).unwrap().read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{length}");
        }
    }

    #[test]
    fn an_object_that_changed_is_an_error() {
        let error = ObjectReader::open(&object(b"abc", 5)).err().unwrap();
        assert_eq!(error.to_string(), "the object changed while it was read");
    }
}
