//! Quantiles, arrivals and the comparison of two samples. Pure: no clock, no input or output.

/// The value below which the share `q` (0 to 1) of the sample lies: nearest rank. 0 for an empty one.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "samples are far below 2^52, ranks are not negative"
    )]
    let rank = (q.clamp(0.0, 1.0) * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
}

/// Sorts a sample.
pub(crate) fn sorted(mut sample: Vec<f64>) -> Vec<f64> {
    sample.sort_by(f64::total_cmp);
    sample
}

/// Latencies in milliseconds at the usual quantiles.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Latency {
    /// Median.
    pub(crate) p50: f64,
    /// 95 %.
    pub(crate) p95: f64,
    /// 99 %.
    pub(crate) p99: f64,
    /// 99.9 %.
    pub(crate) p999: f64,
}

impl Latency {
    /// Of a sample in milliseconds, in any order.
    pub(crate) fn of(sample: Vec<f64>) -> Self {
        let sorted = sorted(sample);
        let at = |q| quantile(&sorted, q);
        Self { p50: at(0.5), p95: at(0.95), p99: at(0.99), p999: at(0.999) }
    }
}

/// Arrivals of a Poisson process, in seconds from the start: they come whether or not anybody is ready
/// for them, so a slow answer delays nobody's arrival, and every wait counts from it.
#[derive(Debug)]
pub(crate) struct Arrivals {
    rate: f64,
    until: f64,
    at: f64,
    random: u64,
}

impl Arrivals {
    /// `rate` a second for `seconds`. The same seed gives the same arrivals.
    pub(crate) const fn new(rate: f64, seconds: f64, seed: u64) -> Self {
        Self { rate, until: seconds, at: 0.0, random: seed | 1 }
    }

    /// Uniform in (0, 1], by xorshift64*.
    fn uniform(&mut self) -> f64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        #[expect(clippy::cast_precision_loss, reason = "31 bits fit")]
        let value = (bits as f64 + 1.0) / 2_147_483_648.0;
        value
    }
}

impl Iterator for Arrivals {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        let gap = -self.uniform().ln() / self.rate;
        self.at += gap;
        (self.at < self.until).then_some(self.at)
    }
}

/// How two samples differ.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Difference {
    /// Median of the first.
    pub(crate) median_a: f64,
    /// Median of the second.
    pub(crate) median_b: f64,
    /// The chance that a value of the first is above one of the second; 0.5 where they are alike.
    pub(crate) above: f64,
    /// The two-sided probability of such a difference by chance (Mann–Whitney, normal approximation).
    pub(crate) p: f64,
}

/// Compares two samples by their ranks.
pub(crate) fn compare(a: &[f64], b: &[f64]) -> Difference {
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|v| (*v, true)).chain(b.iter().map(|v| (*v, false))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let (mut ranks, mut ties, mut before) = (0.0, 0.0, 0.0);
    for group in all.chunk_by(|x, y| x.0 == y.0) {
        let (size, ours) = (count(group.len()), count(group.iter().filter(|it| it.1).count()));
        ranks += ours * (before + (size + 1.0) / 2.0);
        ties += size.powi(3) - size;
        before += size;
    }
    let (n, m) = (count(a.len()), count(b.len()));
    let u = ranks - n * (n + 1.0) / 2.0;
    let variance = n * m / 12.0 * ((n + m + 1.0) - ties / ((n + m) * (n + m - 1.0)));
    let z = if variance > 0.0 { (u - n * m / 2.0) / variance.sqrt() } else { 0.0 };
    let median = |sample: &[f64]| quantile(&sorted(sample.to_vec()), 0.5);
    Difference { median_a: median(a), median_b: median(b), above: u / (n * m), p: two_sided(z) }
}

#[expect(clippy::cast_precision_loss, reason = "samples are far below 2^52")]
const fn count(of: usize) -> f64 {
    of as f64
}

/// The probability that a standard normal value is further from 0 than `z` (Abramowitz and Stegun
/// 26.2.17, error below 1e-7).
fn two_sided(z: f64) -> f64 {
    let z = z.abs();
    let t = 1.0 / (1.0 + 0.231_641_9 * z);
    let poly = [1.330_274_429, -1.821_255_978, 1.781_477_937, -0.356_563_782, 0.319_381_530]
        .iter()
        .fold(0.0, |sum, c| t * (c + sum));
    2.0 * poly * (-z * z / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not near {b}");
    }

    #[test]
    fn quantiles_are_of_the_nearest_rank() {
        let sample: Vec<f64> = (1..=1000).map(f64::from).collect();
        let latency = Latency::of(sample.iter().rev().copied().collect());
        assert_eq!(latency, Latency { p50: 500.0, p95: 950.0, p99: 990.0, p999: 999.0 });
        near(quantile(&[], 0.5), 0.0, 0.0);
        near(quantile(&[7.0], 0.0), 7.0, 0.0);
        near(quantile(&[7.0, 8.0], 1.0), 8.0, 0.0);
    }

    #[test]
    fn arrivals_keep_their_rate_and_are_memoryless() {
        let times: Vec<f64> = Arrivals::new(1000.0, 100.0, 7).collect();
        near(count(times.len()), 100_000.0, 1500.0);
        assert!(times.is_sorted());
        assert!(times.iter().all(|at| (0.0..100.0).contains(at)));
        let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let long = count(gaps.iter().filter(|gap| **gap > 0.002).count()) / count(gaps.len());
        near(long, (-2.0f64).exp(), 0.01);
        assert_eq!(times, Arrivals::new(1000.0, 100.0, 7).collect::<Vec<_>>());
        assert_ne!(times, Arrivals::new(1000.0, 100.0, 99).collect::<Vec<_>>());
    }

    #[test]
    fn samples_of_one_kind_are_alike_and_a_shift_is_seen() {
        let mut random = Arrivals::new(1.0, 1.0, 5);
        let mut draw = |shift: f64| (0..500).map(|_| random.uniform() + shift).collect::<Vec<_>>();
        let (a, b, c) = (draw(0.0), draw(0.0), draw(0.1));
        let same = compare(&a, &b);
        assert!(same.p > 0.01, "{same:?}");
        near(same.above, 0.5, 0.05);
        let shifted = compare(&a, &c);
        assert!(shifted.p < 1e-4 && shifted.above < 0.45, "{shifted:?}");
        near(shifted.median_b - shifted.median_a, 0.1, 0.05);
    }

    #[test]
    fn ranks_by_hand() {
        // U of {1, 2, 4} against {3, 5} is 1 of 6: only 4 is above 3.
        near(compare(&[1.0, 2.0, 4.0], &[3.0, 5.0]).above, 1.0 / 6.0, 1e-12);
        let ties = compare(&[1.0, 1.0], &[1.0, 1.0]);
        assert_eq!((ties.above, ties.p > 0.99), (0.5, true));
        near(two_sided(1.96), 0.05, 1e-4);
    }
}
