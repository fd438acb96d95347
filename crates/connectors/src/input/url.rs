//! Addresses of objects in S3, Azure Blob Storage and Google Cloud Storage, whichever way they are written.
//!
//! Always compiled, so that a build without object stores can say what it lacks.

/// The bucket or container, and what to read in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ObjectUrl {
    pub(crate) bucket: Bucket,
    /// A key, the beginning of keys up to a slash, or a pattern of keys; empty for everything.
    pub(crate) key: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bucket {
    S3 { bucket: String },
    Azure { account: String, container: String },
    Gcs { bucket: String },
}

impl Bucket {
    /// The address of a key, in the one way that reports use.
    pub(crate) fn address(&self, key: &str) -> String {
        match self {
            Bucket::S3 { bucket } => format!("s3://{bucket}/{key}"),
            Bucket::Azure { account, container } => format!("az://{account}/{container}/{key}"),
            Bucket::Gcs { bucket } => format!("gs://{bucket}/{key}"),
        }
    }
}

const FORMS: &str = "expected s3://BUCKET/PREFIX, az://ACCOUNT/CONTAINER/PREFIX, \
    https://ACCOUNT.blob.core.windows.net/CONTAINER/PREFIX, abfss://CONTAINER@ACCOUNT.dfs.core.windows.net/PREFIX or gs://BUCKET/PREFIX";

/// What ends the host of a storage account's address.
const AZURE_HOSTS: &[&str] = &[".blob.core.windows.net", ".dfs.core.windows.net"];

/// None for what is no address of an object store: a local path.
///
/// # Errors
/// Why an address says too little.
pub(crate) fn parse(text: &str) -> Option<Result<ObjectUrl, String>> {
    let (scheme, rest) = text.split_once("://")?;
    let scheme = scheme.to_ascii_lowercase();
    // What follows may be a signature, which nobody is to see.
    let shown = text.split('?').next().unwrap_or_default();
    let (first, after) = rest.split_once('/').unwrap_or((rest, ""));
    let parsed = match scheme.as_str() {
        "s3" | "s3a" => named(first).map(|bucket| (Bucket::S3 { bucket }, after)),
        "gs" | "gcs" => named(first).map(|bucket| (Bucket::Gcs { bucket }, after)),
        "az" | "azure" => {
            let (second, key) = after.split_once('/').unwrap_or((after, ""));
            named(first).zip(named(second)).map(|(account, container)| (Bucket::Azure { account, container }, key))
        }
        "abfs" | "abfss" | "wasb" | "wasbs" => {
            let (container, host) = first.split_once('@').unwrap_or_default();
            account_of(host)
                .zip(named(container))
                .map(|(account, container)| (Bucket::Azure { account, container }, after))
        }
        "https" if AZURE_HOSTS.iter().any(|host| first.ends_with(host)) => {
            // The signature of a shared address is no part of a key; it belongs in AZURE_STORAGE_SAS_TOKEN.
            let after = after.split_once('?').map_or(after, |(after, _)| after);
            let (container, key) = after.split_once('/').unwrap_or((after, ""));
            account_of(first)
                .zip(named(container))
                .map(|(account, container)| (Bucket::Azure { account, container }, key))
        }
        "https" | "http" => {
            return Some(Err(format!("{shown}: pages of the web are not read; {FORMS}")));
        }
        _ => return None,
    };
    Some(match parsed {
        Some((bucket, key)) => Ok(ObjectUrl { bucket, key: key.to_owned() }),
        None => Err(format!("{shown}: {FORMS}")),
    })
}

fn named(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn account_of(host: &str) -> Option<String> {
    AZURE_HOSTS.iter().find_map(|end| host.strip_suffix(end)).and_then(named)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_names_its_bucket_and_key() {
        let azure = "az://logs/insights/resourceId=/x/y=2026/PT1H.json";
        for (text, address) in [
            ("s3://trail/AWSLogs/1/", "s3://trail/AWSLogs/1/"),
            ("s3a://trail", "s3://trail/"),
            ("S3://trail/a b?c.json", "s3://trail/a b?c.json"),
            ("gs://audit/activity/2026/*.json", "gs://audit/activity/2026/*.json"),
            (azure, azure),
            ("https://logs.blob.core.windows.net/insights/resourceId=/x/y=2026/PT1H.json?sv=2024&sig=x", azure),
            ("abfss://insights@logs.dfs.core.windows.net/resourceId=/x/y=2026/PT1H.json", azure),
        ] {
            let url = parse(text).unwrap().unwrap();
            assert_eq!(url.bucket.address(&url.key), address, "{text}");
        }
        for text in [
            "s3://",
            "s3:///x",
            "az://account",
            "abfss://x/y",
            "https://example.com/x.json",
            "https://logs.blob.core.windows.net/",
        ] {
            assert!(parse(text).unwrap().is_err(), "{text}");
        }
        for text in ["logs/a.json", "-", "C:/logs", "file://x", "/s3/x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
