# Peers parse newline-delimited JSON, which they are told it is, to one Parquet file: ENGINE GLOB THREADS RUNS.
# Nothing is mapped: the columns are the names at the top, what lies below stays JSON text where the engine can keep it.
import glob, json, os, resource, statistics, sys, tempfile, time

engine, pattern, threads, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
files = sorted(glob.glob(pattern, recursive=True))
out = tempfile.mkdtemp() + '/out.parquet'
names = {}
for file in files[::max(1, len(files) // 20)]:
    with open(file, 'rb') as text:
        for line, _ in zip(text, range(500)):
            names.update(dict.fromkeys(json.loads(line)))

if engine == 'duckdb':
    import duckdb
    con = duckdb.connect()
    con.execute(f'set threads={threads}')
    columns = {name: 'JSON' for name in names}
    def run():
        con.execute(f"copy (select * from read_json({files}, format='newline_delimited', columns={columns})) to '{out}' (format parquet, compression zstd)")
elif engine == 'chdb':
    from chdb import session
    ses = session.Session()
    shape = ', '.join(f'`{name}` Nullable(String)' for name in names)
    paths = '{' + ','.join(files) + '}'
    def run():
        ses.query(f"insert into function file('{out}', Parquet) select * from file('{paths}', JSONEachRow, '{shape}') settings max_threads={threads}, max_parsing_threads={threads}, input_format_json_read_objects_as_strings=1, input_format_json_read_arrays_as_strings=1, input_format_json_read_numbers_as_strings=1, input_format_json_read_bools_as_strings=1, output_format_parquet_compression_method='zstd', engine_file_truncate_on_insert=1")
else:
    import polars as pl
    def run():
        frames = [pl.scan_ndjson(file, infer_schema_length=None) for file in files]
        pl.concat(frames, how='diagonal_relaxed').sink_parquet(out, compression='zstd', compression_level=1)

def cpu():
    own, below = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + below.ru_utime + below.ru_stime

times, cpus = [], []
for _ in range(runs):
    started, before = time.perf_counter(), cpu()
    run()
    times.append(time.perf_counter() - started)
    cpus.append(cpu() - before)
import pyarrow.parquet as pq
print(json.dumps(dict(engine=engine, median=statistics.median(times), min=min(times), cpu=statistics.median(cpus),
                      rows=pq.ParquetFile(out).metadata.num_rows, check='',
                      rss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)))
