//! Loaded tables as a folder of Parquet files that later runs read in place.
//!
//! `TABLE.parquet` holds the rows; times are timestamps that other programs read, and the hidden columns keep ids,
//! delivery and places. The manifest keeps the schemas and the account of the sources, so that provenance stays. Files
//! grow in a folder of their own and move to their place at the end, so that a load that fails leaves nothing behind.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use kql_types::{Column, ScalarType};
use serde::{Deserialize, Serialize};
use tables::TableSchema;

use crate::options::LoadOptions;
use crate::report::LoadReport;
use crate::store::Keep;
use crate::table_file::{TableFile, file_name, free_path};
use crate::{LoadError, Loaded, ParquetFile, pipeline};

/// The name of the manifest; a folder that has it is a written load.
pub(crate) const MANIFEST: &str = "tidewatch-load.json";
const FORMAT: &str = "tidewatch-load/1";

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: String,
    tables: BTreeMap<String, ManifestTable>,
    report: LoadReport,
}

#[derive(Serialize, Deserialize)]
struct ManifestTable {
    files: Vec<ManifestFile>,
    /// Names and types, in order.
    columns: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct ManifestFile {
    name: String,
    rows: u64,
    /// The number of the source that the file itself is; none when it has places of its own.
    source: Option<u32>,
}

/// Reads logs into a folder, which is made if need be; memory stays bounded whatever their size.
pub(crate) fn load_into(paths: &[PathBuf], options: &LoadOptions, folder: &Path) -> Result<Loaded, LoadError> {
    let stage = Stage::new(folder)?;
    let mut loaded = pipeline::load(paths, options, Keep::Files(stage.path.clone()))?;
    if !loaded.tables.is_empty() {
        write_tables(&mut loaded, &stage.path)?;
    }
    stage.publish(&mut loaded)?;
    Ok(loaded)
}

/// Writes the tables to a folder, which is made if need be. Files of an earlier load there are replaced.
pub(crate) fn save(loaded: &Loaded, folder: &Path) -> Result<(), LoadError> {
    let stage = Stage::new(folder)?;
    let mut copy = loaded.clone();
    write_tables(&mut copy, &stage.path)?;
    stage.publish(&mut copy)
}

/// Moves rows from memory to files.
fn write_tables(loaded: &mut Loaded, folder: &Path) -> Result<(), LoadError> {
    let pool = rayon::ThreadPoolBuilder::new().build().map_err(|error| LoadError::Bug(error.to_string()))?;
    let mut names: HashSet<String> = HashSet::new();
    for (name, batches) in std::mem::take(&mut loaded.tables) {
        let Some(schema) = loaded.schemas.get(&name) else { continue };
        let mut file = TableFile::new(free_path(folder, &format!("{name}-rows"), &mut names), schema);
        for batch in batches {
            let bytes = batch.get_array_memory_size();
            file.push(batch, bytes, &pool)?;
        }
        let files = file.finish(&pool)?.into_iter();
        let files =
            files.map(|file| ParquetFile { table: name.clone(), path: file.path, rows: file.rows, source: None });
        let files: Vec<ParquetFile> = files.collect();
        // Rows in memory come before those in files.
        loaded.parquet.splice(0..0, files);
    }
    Ok(())
}

/// A folder inside the target where files grow.
struct Stage {
    target: PathBuf,
    path: PathBuf,
}

impl Stage {
    fn new(target: &Path) -> Result<Stage, LoadError> {
        let path = target.join(".tidewatch-load");
        let failed = |source| LoadError::Io { path: path.clone(), source };
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed)?;
        }
        fs::create_dir_all(&path).map_err(failed)?;
        Ok(Stage { target: target.to_path_buf(), path })
    }

    /// Puts the files in their place and writes the manifest; the files of an earlier load there go.
    fn publish(&self, loaded: &mut Loaded) -> Result<(), LoadError> {
        let failed = |path: &Path| {
            let path = path.to_path_buf();
            move |source| LoadError::Io { path, source }
        };
        let (mut tables, moves) = self.plan(loaded)?;
        for (from, to) in &moves {
            fs::rename(from, to).map_err(failed(to))?;
        }
        self.remove_earlier(&tables);
        for (name, table) in &mut tables {
            if let Some(schema) = loaded.schemas.get(name) {
                table.columns = schema.columns.iter().map(|c| (c.name.clone(), c.ty.name().to_owned())).collect();
            }
        }
        let manifest = Manifest { format: FORMAT.to_owned(), tables, report: loaded.report.clone() };
        let path = self.target.join(MANIFEST);
        let text = serde_json::to_string_pretty(&manifest).map_err(|error| LoadError::Bug(error.to_string()))?;
        fs::write(&path, text).map_err(failed(&path))
    }

    /// Brings every file into the stage and gives each its name; the loaded files are then those in the target.
    #[expect(clippy::type_complexity, reason = "two parts of one answer, used at once")]
    fn plan(
        &self,
        loaded: &mut Loaded,
    ) -> Result<(BTreeMap<String, ManifestTable>, Vec<(PathBuf, PathBuf)>), LoadError> {
        let mut tables: BTreeMap<String, ManifestTable> = BTreeMap::new();
        let mut moves = Vec::new();
        let mut names = HashSet::new();
        for (index, parquet) in loaded.parquet.iter_mut().enumerate() {
            let mut staged = parquet.path.clone();
            if !parquet.path.starts_with(&self.path) {
                staged = self.path.join(format!("copy-{index}-{}", file_name(&parquet.table)));
                fs::copy(&parquet.path, &staged)
                    .map_err(|source| LoadError::Io { path: parquet.path.clone(), source })?;
            }
            let target = free_path(&self.target, &parquet.table, &mut names);
            let name = target.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let entry = tables
                .entry(parquet.table.clone())
                .or_insert_with(|| ManifestTable { files: Vec::new(), columns: Vec::new() });
            entry.files.push(ManifestFile { name, rows: parquet.rows, source: parquet.source });
            parquet.path.clone_from(&target);
            moves.push((staged, target));
        }
        Ok((tables, moves))
    }

    /// Removes files that the manifest of an earlier load names and the new one does not.
    fn remove_earlier(&self, tables: &BTreeMap<String, ManifestTable>) {
        let Ok(earlier) = load(&self.target) else { return };
        let kept: HashSet<PathBuf> =
            tables.values().flat_map(|table| &table.files).map(|file| self.target.join(&file.name)).collect();
        for file in earlier.parquet.into_iter().filter(|file| !kept.contains(&file.path)) {
            // What stays behind is named by no manifest.
            let _ = fs::remove_file(file.path);
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        // What stays behind is hidden, and replaced by the next load.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Reads the manifest of a folder: its tables as files to be read in place, and its account.
pub(crate) fn load(folder: &Path) -> Result<Loaded, LoadError> {
    let path = folder.join(MANIFEST);
    let text = fs::read_to_string(&path).map_err(|source| LoadError::Io { path: path.clone(), source })?;
    let wrong = |reason: String| LoadError::Written { path: folder.to_path_buf(), reason };
    let manifest: Manifest = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    if manifest.format != FORMAT {
        return Err(wrong(format!("format {} where {FORMAT} was expected", manifest.format)));
    }
    let mut loaded = Loaded { report: manifest.report, ..Loaded::default() };
    for (name, table) in manifest.tables {
        for file in table.files {
            let relative = PathBuf::from(&file.name);
            if relative.components().count() != 1 || !folder.join(&relative).is_file() {
                return Err(wrong(format!("no file {}", file.name)));
            }
            let path = folder.join(relative);
            loaded.parquet.push(ParquetFile { table: name.clone(), path, rows: file.rows, source: file.source });
        }
        if !table.columns.is_empty() {
            let column =
                |(name, ty): (String, String)| Column::new(name, ScalarType::parse(&ty).unwrap_or(ScalarType::String));
            let columns = table.columns.into_iter().map(column).collect();
            loaded.schemas.insert(name.clone(), TableSchema::new(name, columns));
        }
    }
    Ok(loaded)
}
