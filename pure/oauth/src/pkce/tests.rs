use proptest::prelude::*;

use super::*;

/// RFC 7636 appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

#[test]
fn the_example_of_the_rfc_verifies() {
    let (challenge, verifier) = (CHALLENGE.parse().unwrap(), VERIFIER.parse().unwrap());
    assert_eq!(verify(Some(&challenge), Some(&verifier)), Ok(()));
    assert_eq!(verify(None, None), Ok(()));
}

#[test]
fn abuse_34_pkce_cannot_be_downgraded() {
    let (challenge, verifier): (CodeChallenge, CodeVerifier) =
        (CHALLENGE.parse().unwrap(), VERIFIER.parse().unwrap());
    assert_eq!(verify(Some(&challenge), None), Err(PkceError::VerifierMissing));
    assert_eq!(verify(None, Some(&verifier)), Err(PkceError::ChallengeMissing));
    // As `plain`, the challenge itself would be the verifier.
    assert_eq!(verify(Some(&challenge), Some(&CHALLENGE.parse().unwrap())), Err(PkceError::Mismatch));
}

#[test]
fn syntax_is_checked() {
    for bad in
        ["", "short", &"a".repeat(42), &"a".repeat(129), &format!("{}+", "a".repeat(43)), &"ä".repeat(43)]
    {
        assert_eq!(bad.parse::<CodeVerifier>().unwrap_err(), PkceError::VerifierSyntax, "{bad}");
    }
    assert!(
        "a".repeat(43).parse::<CodeVerifier>().is_ok() && "~".repeat(128).parse::<CodeVerifier>().is_ok()
    );
    for bad in
        ["", VERIFIER.get(1..).unwrap(), &format!("{CHALLENGE}="), &format!("{CHALLENGE}A"), &"+".repeat(43)]
    {
        assert_eq!(bad.parse::<CodeChallenge>(), Err(PkceError::ChallengeSyntax), "{bad}");
    }
}

proptest! {
    #[test]
    fn only_the_own_verifier_fits(a in "[A-Za-z0-9._~-]{43,128}", b in "[A-Za-z0-9._~-]{43,128}") {
        let (left, right): (CodeVerifier, CodeVerifier) = (a.parse().unwrap(), b.parse().unwrap());
        prop_assert_eq!(verify(Some(&left.challenge()), Some(&left)), Ok(()));
        prop_assert_eq!(verify(Some(&left.challenge()), Some(&right)).is_ok(), a == b);
        prop_assert!(String::from(left.challenge()).parse::<CodeChallenge>().is_ok());
    }
}
