//! Distributions: beta, and Student's t for Welch's test.

use super::{Args, KernelResult};

/// Terms of the continued fraction before it is taken as it is.
const TERMS_MAX: u32 = 500;

/// The regularized incomplete beta function, by a continued fraction.
pub fn incomplete_beta(x: f64, a: f64, b: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = (libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b) + a * x.ln() + b * (-x).ln_1p()).exp();
    // The fraction converges fast on the side of the mean.
    if x < (a + 1.0) / (a + b + 2.0) {
        front * fraction(x, a, b) / a
    } else {
        1.0 - front * fraction(1.0 - x, b, a) / b
    }
}

/// Lentz's method.
fn fraction(x: f64, a: f64, b: f64) -> f64 {
    const TINY: f64 = 1e-300;
    let away_from_zero = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for term in 1..=TERMS_MAX {
        let m = f64::from(term);
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        for numerator in [even, odd] {
            d = 1.0 / away_from_zero(1.0 + numerator * d);
            c = away_from_zero(1.0 + numerator / c);
            result *= d * c;
        }
        if (d * c - 1.0).abs() < 1e-16 {
            break;
        }
    }
    result
}

fn reals(args: &Args<'_>, f: fn(f64, f64, f64) -> f64) -> KernelResult {
    let (x, a, b) = (args.real(0)?, args.real(1)?, args.real(2)?);
    args.to_reals(|row| Some(f(x.opt(row)?, a.opt(row)?, b.opt(row)?)))
}

/// `beta_cdf(x, alpha, beta)`: NaN for an x outside of 0 to 1. Recorded: 1 where alpha is negative.
pub fn beta_cdf(args: &Args<'_>) -> KernelResult {
    reals(args, |x, a, b| {
        if !(0.0..=1.0).contains(&x) {
            f64::NAN
        } else if a <= 0.0 {
            1.0
        } else if b <= 0.0 {
            0.0
        } else {
            incomplete_beta(x, a, b)
        }
    })
}

/// `beta_pdf(x, alpha, beta)`: NaN for an x outside of 0 to 1 and parameters that are not positive.
pub fn beta_pdf(args: &Args<'_>) -> KernelResult {
    reals(args, |x, a, b| {
        if !(0.0..=1.0).contains(&x) || a <= 0.0 || b <= 0.0 {
            return f64::NAN;
        }
        let power = |base: f64, exponent: f64| if exponent == 0.0 { 0.0 } else { exponent * base.ln() };
        let logarithm = libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
        (logarithm + power(x, a - 1.0) + power(1.0 - x, b - 1.0)).exp()
    })
}

/// `beta_inv(probability, alpha, beta)`, by bisection. A probability beyond 1 gives null, a parameter that is not above zero
/// NaN.
pub fn beta_inv(args: &Args<'_>) -> KernelResult {
    let (probability, alpha, beta) = (args.real(0)?, args.real(1)?, args.real(2)?);
    args.to_reals(|row| {
        let (probability, a, b) = (probability.opt(row)?, alpha.opt(row)?, beta.opt(row)?);
        if probability > 1.0 {
            return None;
        }
        if probability.is_nan() || probability <= 0.0 || a <= 0.0 || b <= 0.0 {
            return Some(f64::NAN);
        }
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if incomplete_beta(middle, a, b) < probability {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(f64::midpoint(low, high))
    })
}

/// `welch_test(mean1, variance1, count1, mean2, variance2, count2)`: the p-value of the two-sided test.
pub fn welch_test(args: &Args<'_>) -> KernelResult {
    let mut columns = Vec::with_capacity(6);
    for index in 0..6 {
        columns.push(args.real(index)?);
    }
    args.to_reals(|row| {
        let values: Option<Vec<f64>> = columns.iter().map(|column| column.opt(row)).collect();
        match values?.as_slice() {
            [mean1, variance1, count1, mean2, variance2, count2] => {
                Some(welch((*mean1, *variance1, *count1), (*mean2, *variance2, *count2)))
            }
            _ => None,
        }
    })
}

/// Samples as mean, variance and count.
fn welch(first: (f64, f64, f64), second: (f64, f64, f64)) -> f64 {
    let (share1, share2) = (first.1 / first.2, second.1 / second.2);
    let spread = share1 + share2;
    let t = (first.0 - second.0) / spread.sqrt();
    let freedom = spread * spread / (share1 * share1 / (first.2 - 1.0) + share2 * share2 / (second.2 - 1.0));
    incomplete_beta(freedom / (freedom + t * t), freedom / 2.0, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64) {
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1e-3), "{a} {b}");
    }

    #[test]
    fn incomplete_beta_by_closed_forms() {
        near(incomplete_beta(0.3, 1.0, 1.0), 0.3);
        near(incomplete_beta(0.5, 2.0, 2.0), 0.5);
        near(incomplete_beta(0.25, 2.0, 1.0), 0.0625);
        near(incomplete_beta(0.9, 1.0, 3.0), 1.0 - 0.1_f64.powi(3));
    }

    #[test]
    fn equal_samples_are_certainly_alike() {
        near(welch((1.0, 2.0, 10.0), (1.0, 2.0, 10.0)), 1.0);
    }
}
