//! Table providers: rows in memory and Parquet in place, clipped and pruned by time.
