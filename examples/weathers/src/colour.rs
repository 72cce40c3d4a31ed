//! The colour of a goodput: from dark blue for nothing to almost white for everything.
//!
//! One hue, and lightness that rises evenly, so that it reads the same to the colour-blind and in
//! print.

/// Goodput in percent, and its colour.
const STOPS: [(f64, [u8; 3]); 7] = [
    (0.0, [8, 41, 92]),
    (20.0, [8, 81, 156]),
    (40.0, [33, 113, 181]),
    (60.0, [74, 152, 201]),
    (80.0, [148, 196, 223]),
    (95.0, [214, 230, 244]),
    (100.0, [238, 245, 252]),
];

/// The colour of a goodput in percent; more than 100 is 100.
pub fn of(goodput: f64) -> String {
    let goodput = goodput.clamp(0.0, 100.0);
    let above = STOPS.iter().position(|stop| goodput <= stop.0).unwrap_or(STOPS.len() - 1).max(1);
    let ((low, from), (high, to)) = (STOPS[above - 1], STOPS[above]);
    let part = (goodput - low) / (high - low);
    let mix = |index: usize| {
        let (from, to) = (f64::from(from[index]), f64::from(to[index]));
        (from + (to - from) * part).round() as u8
    };
    format!("#{:02x}{:02x}{:02x}", mix(0), mix(1), mix(2))
}

/// The colour of text on it.
pub const fn ink(goodput: f64) -> &'static str {
    if goodput < 68.0 { "#ffffff" } else { "#1f2933" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_and_what_lies_between_them() {
        assert_eq!(of(0.0), "#08295c");
        assert_eq!(of(10.0), "#083d7c");
        assert_eq!(of(100.0), "#eef5fc");
        assert_eq!(of(104.0), of(100.0));
    }
}
