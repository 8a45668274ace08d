//! Two people, what may become known of them, and the rules under which it does.

use journey::{Change, Epochs, Fact, Goal, Method, Named, PersonRef, Proof, Purpose, Reference, Rules, Sent};

pub(crate) const ANN: PersonRef = Reference([0xa; 16]);
pub(crate) const BOB: PersonRef = Reference([0xb; 16]);

/// When stale proofs were given.
pub(crate) const STALE: i64 = 10;
/// When fresh proofs were given.
pub(crate) const FRESH: i64 = 20;

/// Before a change of password, and since.
pub(crate) const OLD: Epochs = Epochs { sessions: 0, offline: 0 };
pub(crate) const NOW: Epochs = Epochs { sessions: 1, offline: 1 };

pub(crate) const fn proof(method: Method, at: i64) -> Proof {
    Proof { method, at }
}

pub(crate) const fn verified(person: PersonRef, method: Method) -> Fact {
    Fact::Verified { person, proof: proof(method, FRESH), epochs: NOW }
}

pub(crate) const fn verified_before(person: PersonRef, method: Method) -> Fact {
    Fact::Verified { person, proof: proof(method, STALE), epochs: OLD }
}

pub(crate) fn carried(person: PersonRef, proofs: &[Proof]) -> Fact {
    Fact::Carried { person, session: Reference([person.0[0] + 1; 16]), proofs: proofs.to_vec(), epochs: NOW }
}

pub(crate) fn named(typed: &str) -> Fact {
    Fact::Named(Named { kind: "email".into(), normal: typed.to_lowercase(), typed: typed.into() })
}

pub(crate) fn sent(purpose: Purpose) -> Fact {
    let challenge = Reference([purpose as u8; 16]);
    Fact::Sent(Sent {
        challenge,
        purpose,
        masked: "a•••@example.org".into(),
        at: FRESH,
        expires: FRESH + 600,
    })
}

pub(crate) fn proven() -> Fact {
    Fact::Proven { address: "Ann@example.org".into(), at: FRESH }
}

pub(crate) const fn enrolled(person: PersonRef) -> Fact {
    Fact::Enrolled { person, at: FRESH }
}

pub(crate) const fn began(goal: Goal) -> Fact {
    Fact::Began { goal }
}

pub(crate) fn scopes(scopes: &[&str]) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

pub(crate) fn consented(given: &[&str]) -> Fact {
    Fact::Consented { scopes: scopes(given) }
}

/// The facts of which every short journey is made.
pub(crate) fn alphabet() -> [Fact; 16] {
    [
        verified(ANN, Method::Password),
        verified(ANN, Method::Code),
        verified_before(ANN, Method::Code),
        verified(BOB, Method::Code),
        carried(ANN, &[proof(Method::Password, STALE), proof(Method::Code, FRESH)]),
        carried(BOB, &[proof(Method::Password, STALE)]),
        named("Ann@example.org"),
        sent(Purpose::Recover),
        sent(Purpose::Change),
        enrolled(ANN),
        began(Goal::Recover),
        began(Goal::SignIn),
        Fact::Restarted,
        Fact::Changed,
        consented(&["email", "profile"]),
        Fact::Declined,
    ]
}

/// All facts that are worth telling apart, for longer journeys.
pub(crate) fn wide_alphabet() -> Vec<Fact> {
    let more = [
        verified_before(ANN, Method::Password),
        verified(BOB, Method::Password),
        verified_before(BOB, Method::Code),
        carried(ANN, &[]),
        carried(BOB, &[proof(Method::Code, STALE), proof(Method::Password, FRESH)]),
        named("bob"),
        sent(Purpose::Register),
        Fact::Withdrawn,
        proven(),
        enrolled(BOB),
        began(Goal::Register),
        consented(&["email"]),
        consented(&[]),
    ];
    alphabet().into_iter().chain(more).collect()
}

/// The rule sets, each with its name.
pub(crate) fn rule_sets() -> [(&'static str, Rules); 24] {
    let plain = Rules::sign_in;
    let both = || vec![Method::Password, Method::Code];
    let agree = || scopes(&["email", "profile"]);
    let ann = || Rules { person: Some(ANN), fresh_after: FRESH, ..plain() };
    let two = || Rules { factors: 2, methods: both(), ..plain() };
    let recover = || Rules { goal: Goal::Recover, ..plain() };
    let register = || Rules { goal: Goal::Register, ..plain() };
    [
        ("sign in", plain()),
        ("forced login", Rules { fresh_after: FRESH, ..plain() }),
        ("max age that every proof meets", Rules { fresh_after: STALE, ..plain() }),
        ("max age that no proof meets", Rules { fresh_after: FRESH + 1, ..plain() }),
        ("only Ann", Rules { person: Some(ANN), ..plain() }),
        ("only Bob", Rules { person: Some(BOB), ..plain() }),
        ("only Ann, forced login", ann()),
        ("chooser", Rules { choose: true, ..plain() }),
        ("chooser, consent", Rules { choose: true, consent: agree(), ..plain() }),
        ("consent", Rules { consent: agree(), ..plain() }),
        ("register", register()),
        ("register, two factors, consent", Rules { goal: Goal::Register, consent: agree(), ..two() }),
        ("register, closed", Rules { registration: false, ..register() }),
        ("recover", recover()),
        ("recover, forced login", Rules { fresh_after: FRESH, ..recover() }),
        ("recover, only Ann", Rules { person: Some(ANN), ..recover() }),
        ("recover, two factors", Rules { goal: Goal::Recover, ..two() }),
        ("two factors", two()),
        ("two factors, only a password", Rules { methods: vec![Method::Password], ..two() }),
        ("two factors, no methods", Rules { methods: Vec::new(), ..two() }),
        ("change of password", Rules { change: Some(Change::Password), ..ann() }),
        ("change of address", Rules { change: Some(Change::Address), ..plain() }),
        (
            "deletion, two factors",
            Rules { change: Some(Change::Deletion), factors: 2, methods: both(), ..ann() },
        ),
        (
            "everything at once",
            Rules {
                goal: Goal::Recover,
                fresh_after: STALE,
                change: Some(Change::Address),
                consent: agree(),
                choose: true,
                registration: false,
                ..two()
            },
        ),
    ]
}
