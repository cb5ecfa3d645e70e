//! Means with 95 % confidence intervals, by the central limit theorem: every sample here has hundreds of rounds.

/// Half the width of a 95 % interval, in standard errors.
const Z: f64 = 1.959_964;

/// The mean of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Mean {
    /// The mean.
    pub value: f64,
    /// The 95 % confidence interval is the mean, plus or minus this.
    pub margin: f64,
    /// How many observations there are.
    pub count: usize,
}

impl Mean {
    /// The mean of `sample`; 0 of an empty one.
    #[must_use]
    pub fn of(sample: impl IntoIterator<Item = f64>) -> Self {
        // Welford's method, one pass and stable.
        let (mut count, mut mean, mut squares) = (0_usize, 0.0, 0.0);
        for one in sample {
            count += 1;
            let delta = one - mean;
            mean += delta / count as f64;
            squares += delta * (one - mean);
        }
        let variance = if count > 1 { squares / (count - 1) as f64 } else { 0.0 };
        Self { value: mean, margin: Z * (variance / count.max(1) as f64).sqrt(), count }
    }

    /// The mean of `parts` over the mean of `wholes`, in percent; its interval by the delta method.
    ///
    /// Both are observed in the same rounds. 0 if the wholes are 0 in the mean.
    #[must_use]
    pub fn percent(pairs: &[(f64, f64)]) -> Self {
        let whole = Self::of(pairs.iter().map(|(_, whole)| *whole)).value;
        if whole == 0.0 {
            return Self { value: 0.0, margin: 0.0, count: pairs.len() };
        }
        let ratio = Self::of(pairs.iter().map(|(part, _)| *part)).value / whole;
        let residuals = Self::of(pairs.iter().map(|(part, whole)| part - ratio * whole));
        Self { value: 100.0 * ratio, margin: 100.0 * residuals.margin / whole.abs(), count: pairs.len() }
    }

    /// The lower end of the interval.
    #[must_use]
    pub fn low(self) -> f64 {
        self.value - self.margin
    }

    /// The upper end of the interval.
    #[must_use]
    pub fn high(self) -> f64 {
        self.value + self.margin
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_known_sample() {
        let mean = Mean::of([2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0]);
        assert_eq!((mean.value, mean.count), (5.0, 8));
        // Variance 32 / 7.
        assert!((mean.margin - 1.959_964 * (32.0_f64 / 7.0 / 8.0).sqrt()).abs() < 1e-12);
        assert_eq!((mean.low() + mean.high()) / 2.0, 5.0);
    }

    #[test]
    fn nine_in_ten_intervals_cover_the_truth() {
        use crate::random::stream;
        use rand::Rng as _;
        let covered = (0..1000).filter(|round| {
            let mut random = stream(3, "coverage", *round);
            let mean = Mean::of((0..200).map(|_| random.random::<f64>()));
            (mean.low()..mean.high()).contains(&0.5)
        });
        assert!((920..980).contains(&covered.count()));
    }

    #[test]
    fn a_constant_share_is_known_exactly() {
        let share = Mean::percent(&[(1.0, 4.0), (2.0, 8.0), (5.0, 20.0)]);
        assert!((share.value - 25.0).abs() < 1e-12 && share.margin < 1e-12);
        assert_eq!(Mean::percent(&[(1.0, 0.0)]).value, 0.0);
    }
}
