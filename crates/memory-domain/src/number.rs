use crate::InvalidInput;

/// Accepts a finite number and turns −0.0 into 0.0, which the backends would not tell apart.
///
/// # Errors
/// Names `field` when the number is NaN or infinite.
pub fn finite(field: &str, number: f64) -> Result<f64, InvalidInput> {
    if number.is_finite() {
        // −0.0 + 0.0 is 0.0; every other number stays itself.
        Ok(number + 0.0)
    } else {
        Err(InvalidInput::new(field, number, "give a finite number"))
    }
}

/// Accepts a number from 0 to 1.
///
/// # Errors
/// Names `field` when the number is NaN or out of range.
pub fn unit_interval(field: &str, number: f64) -> Result<f64, InvalidInput> {
    if (0.0..=1.0).contains(&number) {
        Ok(number + 0.0)
    } else {
        Err(InvalidInput::new(
            field,
            number,
            "give a number from 0 to 1",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::{finite, unit_interval};

    #[test]
    fn nan_and_infinities_are_refused() {
        for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert!(finite("cost", number).is_err());
            assert!(unit_interval("strength", number).is_err());
        }
    }

    #[test]
    fn minus_zero_becomes_zero() {
        assert!(finite("cost", -0.0).unwrap().is_sign_positive());
        assert!(unit_interval("strength", -0.0).unwrap().is_sign_positive());
    }

    #[test]
    fn the_unit_interval_includes_its_ends() {
        assert!(unit_interval("strength", 0.0).is_ok());
        assert!(unit_interval("strength", 1.0).is_ok());
        assert!(unit_interval("strength", 1.5).is_err());
        assert!(unit_interval("strength", -1e-300).is_err());
    }
}
