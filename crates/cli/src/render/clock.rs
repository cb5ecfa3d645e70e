//! Points in time, and what is left until them.

/// Seconds since the epoch as `2026-05-04 12:00:31` (UTC).
pub(crate) fn clock(seconds: u64) -> String {
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    format!("{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60)
}

/// The time from `now` to `then`: `in 1 h 05 min`, `12 s ago` or `now`.
pub(crate) fn span(now: u64, then: u64) -> String {
    let length = now.abs_diff(then);
    let text = match length {
        0 => return "now".into(),
        1..120 => format!("{length} s"),
        120..7_200 => format!("{} min {:02} s", length / 60, length % 60),
        7_200..172_800 => format!("{} h {:02} min", length / 3_600, length / 60 % 60),
        _ => format!("{} days", length / 86_400),
    };
    if then > now { format!("in {text}") } else { format!("{text} ago") }
}

/// Year, month and day of a day counted from 1970-01-01, in the Gregorian calendar.
///
/// Counts in years that begin in March, so that a leap day is the last of its year.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468; // days from 0000-03-01 to 1970-01-01
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let leap_free = day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096;
    let year_of_era = leap_free / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_points_in_time() {
        assert_eq!(clock(0), "1970-01-01 00:00:00");
        assert_eq!(clock(951_827_696), "2000-02-29 12:34:56");
        assert_eq!(clock(1_709_251_199), "2024-02-29 23:59:59");
        assert_eq!(clock(1_709_251_200), "2024-03-01 00:00:00");
        assert_eq!(clock(4_107_542_399), "2100-02-28 23:59:59");
        assert_eq!(clock(4_107_542_400), "2100-03-01 00:00:00");
    }

    #[test]
    fn spans_point_both_ways() {
        assert_eq!(span(10, 10), "now");
        assert_eq!(span(10, 22), "in 12 s");
        assert_eq!(span(22, 10), "12 s ago");
        assert_eq!(span(0, 125), "in 2 min 05 s");
        assert_eq!(span(0, 7_260), "in 2 h 01 min");
        assert_eq!(span(200_000, 0), "2 days ago");
    }
}
