//! Physical operators of our own and their codecs.
