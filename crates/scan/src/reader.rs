//! Reads ranges of local files; footers come from memory, where they were read when the file was added.

use std::fs::File;
use std::ops::Range;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::parquet::arrow::arrow_reader::ArrowReaderOptions;
use datafusion::parquet::arrow::async_reader::AsyncFileReader;
use datafusion::parquet::errors::{ParquetError, Result as ParquetResult};
use datafusion::parquet::file::metadata::ParquetMetaData;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::file::FilePart;

/// Opens the files of a scan by the [`FilePart`] each one carries.
#[derive(Debug)]
pub(crate) struct LocalReaders;

impl ParquetFileReaderFactory for LocalReaders {
    fn create_reader(
        &self,
        _partition_index: usize,
        file: PartitionedFile,
        _metadata_size_hint: Option<usize>,
        _metrics: &ExecutionPlanMetricsSet,
    ) -> Result<Box<dyn AsyncFileReader + Send>> {
        let Some(part) = file.extensions.get::<FilePart>() else {
            return datafusion::common::internal_err!("a scan of an unknown file");
        };
        let opened = File::open(&part.path).map_err(|error| {
            DataFusionError::External(Box::new(crate::DataError(format!("{}: {error}", part.path.display()))))
        })?;
        Ok(Box::new(LocalReader { file: opened, metadata: Arc::clone(&part.metadata) }))
    }
}

/// Lets other tasks of the thread run first. A task that never waits keeps its thread, and with it the task that it woke
/// last: no other thread may take that one, so that the partitions of a small scan would be read one after another.
async fn give_way() {
    let mut waited = false;
    futures::future::poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

struct LocalReader {
    file: File,
    metadata: Arc<ParquetMetaData>,
}

impl LocalReader {
    #[cfg(unix)]
    fn read(&self, range: &Range<u64>) -> std::io::Result<Bytes> {
        use std::os::unix::fs::FileExt;
        let mut buffer = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0)];
        self.file.read_exact_at(&mut buffer, range.start)?;
        Ok(buffer.into())
    }

    #[cfg(not(unix))]
    fn read(&self, range: &Range<u64>) -> std::io::Result<Bytes> {
        use std::io::{Read, Seek, SeekFrom};
        let mut buffer = vec![0; usize::try_from(range.end.saturating_sub(range.start)).unwrap_or(0)];
        let mut file = self.file.try_clone()?;
        file.seek(SeekFrom::Start(range.start))?;
        file.read_exact(&mut buffer)?;
        Ok(buffer.into())
    }
}

impl AsyncFileReader for LocalReader {
    fn get_bytes(&mut self, range: Range<u64>) -> BoxFuture<'_, ParquetResult<Bytes>> {
        let read = self.read(&range).map_err(|error| ParquetError::External(Box::new(error)));
        futures::future::ready(read).boxed()
    }

    fn get_byte_ranges(&mut self, ranges: Vec<Range<u64>>) -> BoxFuture<'_, ParquetResult<Vec<Bytes>>> {
        async move {
            give_way().await;
            let read = |range| self.read(range).map_err(|error| ParquetError::External(Box::new(error)));
            ranges.iter().map(read).collect()
        }
        .boxed()
    }

    fn get_metadata<'a>(
        &'a mut self,
        _options: Option<&'a ArrowReaderOptions>,
    ) -> BoxFuture<'a, ParquetResult<Arc<ParquetMetaData>>> {
        futures::future::ready(Ok(Arc::clone(&self.metadata))).boxed()
    }
}
