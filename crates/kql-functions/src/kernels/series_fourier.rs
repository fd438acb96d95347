//! The discrete Fourier transform of series of any length.

use std::f64::consts::PI;

use super::series::{complete, write_reals};
use super::{Args, KernelResult};

#[derive(Debug, Clone, Copy)]
struct Complex {
    re: f64,
    im: f64,
}

impl Complex {
    const ZERO: Complex = Complex { re: 0.0, im: 0.0 };

    fn turn(angle: f64) -> Complex {
        Complex { re: angle.cos(), im: angle.sin() }
    }

    fn times(self, other: Complex) -> Complex {
        Complex { re: self.re * other.re - self.im * other.im, im: self.re * other.im + self.im * other.re }
    }

    fn plus(self, other: Complex) -> Complex {
        Complex { re: self.re + other.re, im: self.im + other.im }
    }

    fn minus(self, other: Complex) -> Complex {
        Complex { re: self.re - other.re, im: self.im - other.im }
    }

    fn mirrored(self) -> Complex {
        Complex { re: self.re, im: -self.im }
    }
}

/// For lengths that are powers of two.
fn transform_power_of_two(values: &[Complex], sign: f64) -> Vec<Complex> {
    let length = values.len();
    if length <= 1 {
        return values.to_vec();
    }
    let even: Vec<Complex> = values.iter().copied().step_by(2).collect();
    let odd: Vec<Complex> = values.iter().copied().skip(1).step_by(2).collect();
    let (even, odd) = (transform_power_of_two(&even, sign), transform_power_of_two(&odd, sign));
    let turned: Vec<Complex> = odd
        .iter()
        .enumerate()
        .map(|(index, value)| value.times(Complex::turn(sign * 2.0 * PI * index as f64 / length as f64)))
        .collect();
    let low = even.iter().zip(&turned).map(|(a, b)| a.plus(*b));
    let high = even.iter().zip(&turned).map(|(a, b)| a.minus(*b));
    low.chain(high).collect()
}

/// Any length, by Bluestein's convolution. `sign` is -1 for the transform, 1 for its inverse (not divided).
fn transform(values: &[Complex], sign: f64) -> Vec<Complex> {
    let length = values.len();
    if length.is_power_of_two() || length == 0 {
        return transform_power_of_two(values, sign);
    }
    let padded = (2 * length - 1).next_power_of_two();
    // The square of the index counts modulo twice the length, which keeps the angle exact.
    let chirp: Vec<Complex> = (0..length)
        .map(|index| Complex::turn(sign * PI * ((index * index) % (2 * length)) as f64 / length as f64))
        .collect();
    let mut a = vec![Complex::ZERO; padded];
    let mut b = vec![Complex::ZERO; padded];
    for (index, (value, turn)) in values.iter().zip(&chirp).enumerate() {
        a[index] = value.times(*turn);
        b[index] = turn.mirrored();
        b[(padded - index) % padded] = turn.mirrored();
    }
    let (a, b) = (transform_power_of_two(&a, -1.0), transform_power_of_two(&b, -1.0));
    let product: Vec<Complex> = a.iter().zip(&b).map(|(a, b)| a.times(*b)).collect();
    let convolved = transform_power_of_two(&product, 1.0);
    let scale = padded as f64;
    convolved
        .iter()
        .zip(&chirp)
        .map(|(value, turn)| Complex { re: value.re / scale, im: value.im / scale }.times(*turn))
        .collect()
}

fn eval(args: &Args<'_>, sign: f64) -> KernelResult {
    let real = args.text(0)?;
    let imaginary = if args.count() > 1 { Some(args.text(1)?) } else { None };
    args.to_dynamics(|row, out| {
        let real = complete(&real, row)?;
        let imaginary = match &imaginary {
            Some(imaginary) => complete(imaginary, row)?,
            None => vec![0.0; real.len()],
        };
        if real.len() != imaginary.len() {
            return None;
        }
        let values: Vec<Complex> = real.iter().zip(&imaginary).map(|(&re, &im)| Complex { re, im }).collect();
        let scale = if sign > 0.0 { real.len() as f64 } else { 1.0 };
        let result = transform(&values, sign);
        out.push('[');
        write_reals(&result.iter().map(|value| value.re / scale).collect::<Vec<_>>(), out);
        out.push(',');
        write_reals(&result.iter().map(|value| value.im / scale).collect::<Vec<_>>(), out);
        out.push(']');
        Some(())
    })
}

/// `series_fft(real, imaginary)`
pub fn series_fft(args: &Args<'_>) -> KernelResult {
    eval(args, -1.0)
}

/// `series_ifft(real, imaginary)`
pub fn series_ifft(args: &Args<'_>) -> KernelResult {
    eval(args, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_sum_that_defines_it() {
        for length in [1, 2, 3, 5, 8, 12, 17] {
            let values: Vec<Complex> =
                (0..length).map(|i| Complex { re: f64::from(i * i % 7), im: f64::from(i % 3) - 1.0 }).collect();
            let found = transform(&values, -1.0);
            for (k, found) in found.iter().enumerate() {
                let expected = values.iter().enumerate().fold(Complex::ZERO, |sum, (n, value)| {
                    sum.plus(value.times(Complex::turn(-2.0 * PI * (k * n) as f64 / f64::from(length))))
                });
                assert!((found.re - expected.re).abs() < 1e-9 && (found.im - expected.im).abs() < 1e-9, "{length} {k}");
            }
        }
    }

    #[test]
    fn the_inverse_comes_back() {
        let values: Vec<Complex> = (0..6).map(|i| Complex { re: f64::from(i), im: 0.5 }).collect();
        let back = transform(&transform(&values, -1.0), 1.0);
        for (a, b) in values.iter().zip(&back) {
            assert!((a.re - b.re / 6.0).abs() < 1e-9 && (a.im - b.im / 6.0).abs() < 1e-9);
        }
    }
}
