use super::*;
use alloy::primitives::{Address, B256, U256};
use chain::{AskOpening, BidOpening};
use market_types::{AskIndex, CircuitId, RoundNumber, UnitCost, UnitFee};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use tempfile::TempDir;

const FEE: u64 = 918_273_645_546;

fn venue() -> Venue {
    Venue { chain_id: 31_337, contract: Address::repeat_byte(1), market: B256::repeat_byte(2) }
}

fn bid(round: u64, salt: u8) -> Opening {
    let bid = BidOpening {
        requester: Address::repeat_byte(3),
        fee: UnitFee::new(FEE).unwrap(),
        circuit: CircuitId::of(1, 27),
        public_inputs: vec![U256::MAX, U256::from(5)],
        data: vec![1, 2, 3].into(),
        salt: B256::repeat_byte(salt),
    };
    Opening::of_bid(venue(), RoundNumber::new(round), bid).unwrap()
}

fn ask_at(venue: Venue, round: u64) -> Opening {
    let (seat, cost) = (AskIndex::new(4), UnitCost::new(u64::MAX - 1));
    let ask = AskOpening { prover: Address::repeat_byte(4), seat, cost, salt: B256::repeat_byte(9) };
    Opening::of_ask(venue, RoundNumber::new(round), ask)
}

fn ask(round: u64) -> Opening {
    ask_at(venue(), round)
}

fn store() -> (TempDir, OpeningStore) {
    let dir = tempfile::tempdir().unwrap();
    let store = OpeningStore::at(dir.path().join("some/openings"));
    (dir, store)
}

/// What is kept where nothing is wrong.
fn sound(store: &OpeningStore, venue: &Venue) -> Vec<Opening> {
    let Kept { openings, faults } = store.of_market(venue);
    assert!(faults.is_empty(), "{faults:?}");
    openings
}

/// The only thing that is wrong where nothing is right.
fn the_fault(store: &OpeningStore) -> OpeningsError {
    let Kept { openings, mut faults } = store.of_market(&venue());
    assert_eq!((openings.len(), faults.len()), (0, 1), "{faults:?}");
    faults.remove(0)
}

#[test]
fn what_was_kept_is_found_again_in_order_and_by_market() {
    let (_dir, store) = store();
    assert_eq!(sound(&store, &venue()), []);
    let elsewhere = Venue { market: B256::repeat_byte(8), ..venue() };
    let mut openings = vec![ask(10), bid(9, 3), ask(9), bid(9, 2)];
    for opening in openings.iter().chain([&ask_at(elsewhere, 9)]) {
        store.keep(opening).unwrap();
    }
    openings.sort_by_key(|opening| *opening.key());
    assert_eq!(sound(&store, &venue()), openings);
    assert_eq!(sound(&store, &elsewhere), [ask_at(elsewhere, 9)]);
}

#[test]
fn keeping_an_opening_again_replaces_its_file_as_a_whole() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    fs::write(&path, "{").unwrap();
    assert_eq!(store.keep(&bid(9, 2)).unwrap(), path);
    assert_eq!(sound(&store, &venue()), [bid(9, 2)]);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn files_and_directories_are_for_their_owner_only() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn a_file_that_others_can_read_is_refused_by_name() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    for mode in [0o644, 0o640, 0o620] {
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        let error = the_fault(&store);
        assert!(matches!(&error, OpeningsError::OpenToOthers { mode: found, .. } if *found == mode));
        assert!(error.to_string().contains("chmod 600"), "{error}");
    }
}

#[test]
fn a_damaged_file_or_one_of_another_commitment_is_a_fault() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    let good = fs::read_to_string(&path).unwrap();
    let other_fee = good.replace(&FEE.to_string(), "5");
    assert_ne!(good, other_fee);
    for bad in [&good[..good.len() / 2], &other_fee] {
        fs::write(&path, bad).unwrap();
        assert!(matches!(the_fault(&store), OpeningsError::NotAnOpening(at) if at == path));
    }
    fs::write(&path, &good).unwrap();
    fs::rename(&path, store.path_of(bid(9, 7).key())).unwrap();
    assert!(matches!(the_fault(&store), OpeningsError::NotAnOpening(_)));
}

/// As files were written before a bid's commitment was over its statement's root.
#[test]
fn a_bid_of_another_version_is_refused_with_advice() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    let mut old: serde_json::Value = serde_json::to_value(bid(9, 2)).unwrap();
    assert_eq!(Opening::read(old.clone()), Ok(bid(9, 2)));
    assert!(old.as_object_mut().unwrap().remove("format").is_some());
    fs::write(&path, old.to_string()).unwrap();
    let error = the_fault(&store);
    assert!(matches!(&error, OpeningsError::OtherVersion(at) if *at == path), "{error}");
    assert!(error.to_string().contains("proophi forfeit") && !error.to_string().contains(&FEE.to_string()));
    assert_eq!(Opening::read(old), Err(NoOpening::OtherVersion));
}

#[test]
fn an_ask_of_another_version_still_opens_its_commitment() {
    let mut old: serde_json::Value = serde_json::to_value(ask(9)).unwrap();
    old.as_object_mut().unwrap().remove("format").unwrap();
    assert_eq!(Opening::read(old), Ok(ask(9)));
}

#[test]
fn one_bad_file_hides_no_good_one() {
    let (_dir, store) = store();
    let damaged = store.keep(&bid(9, 2)).unwrap();
    fs::write(&damaged, "{").unwrap();
    let open = store.keep(&ask(9)).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o644)).unwrap();
    fs::create_dir(damaged.with_file_name("directory.json")).unwrap();
    store.keep(&bid(9, 3)).unwrap();
    store.keep(&ask(10)).unwrap();
    let Kept { openings, faults } = store.of_market(&venue());
    assert_eq!(openings, [bid(9, 3), ask(10)]);
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults.iter().any(|fault| matches!(fault, OpeningsError::NotAnOpening(at) if *at == damaged)));
    assert!(
        faults.iter().any(|fault| matches!(fault, OpeningsError::OpenToOthers { path, .. } if *path == open))
    );
}

#[test]
fn a_file_that_goes_while_the_directory_is_read_is_skipped() {
    let (_dir, store) = store();
    store.keep(&bid(9, 2)).unwrap();
    store.keep(&bid(9, 3)).unwrap();
    let paths = file::list(&store.dir_of(&venue())).unwrap();
    assert_eq!(paths.len(), 2);
    store.forget(bid(9, 2).key()).unwrap();
    let Kept { openings, faults } = store.read(paths);
    assert_eq!((openings, faults.len()), (vec![bid(9, 3)], 0));
}

#[test]
fn what_a_crash_left_unfinished_is_nobodys_opening() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 2)).unwrap();
    fs::write(path.with_extension("77.unfinished"), b"{\"chain_id\": 1").unwrap();
    assert_eq!(sound(&store, &venue()), [bid(9, 2)]);
}

#[test]
fn a_forgotten_opening_is_gone_and_may_be_forgotten_again() {
    let (_dir, store) = store();
    store.keep(&bid(9, 2)).unwrap();
    store.keep(&bid(9, 3)).unwrap();
    store.forget(bid(9, 2).key()).unwrap();
    store.forget(bid(9, 2).key()).unwrap();
    assert_eq!(sound(&store, &venue()), [bid(9, 3)]);
}

#[test]
fn no_message_shows_what_an_opening_holds() {
    let (_dir, store) = store();
    let path = store.keep(&bid(9, 0xd7)).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("public_inputs", "inputs")).unwrap();
    let error = the_fault(&store);
    for said in [format!("{error} {error:?}"), format!("{:?} {:?}", bid(9, 0xd7), ask(9))] {
        assert!(!said.contains(&FEE.to_string()) && !said.contains("d7d7d7"), "{said}");
    }
}

#[test]
fn amounts_are_written_as_decimal_texts() {
    let json: serde_json::Value = serde_json::to_value(bid(9, 2)).unwrap();
    assert_eq!(
        (&json["kind"], &json["round"], &json["chain_id"]),
        (&"bid".into(), &9.into(), &31_337.into())
    );
    assert_eq!(json["fee"], FEE.to_string());
}

/// Set in the process that is to be killed.
const VICTIM: &str = "OPENINGS_OF_A_VICTIM";

/// A process that keeps an opening, says so, and then hangs as one that waits for its commitment.
#[test]
fn a_victim_keeps_an_opening() {
    let Some(dir) = std::env::var_os(VICTIM) else { return };
    OpeningStore::at(dir).keep(&bid(9, 2)).unwrap();
    println!("\nkept");
    loop {
        std::thread::park();
    }
}

#[test]
fn an_opening_survives_a_kill_right_after_it_was_kept() {
    let (_dir, store) = store();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "openings::tests::a_victim_keeps_an_opening", "--nocapture"])
        .env(VICTIM, &store.dir)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(victim.stdout.take().unwrap());
    assert!(said.lines().any(|line| line.unwrap() == "kept"));
    victim.kill().unwrap();
    victim.wait().unwrap();
    assert_eq!(sound(&store, &venue()), [bid(9, 2)]);
}
