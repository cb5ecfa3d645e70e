use super::*;
use alloy::signers::local::PrivateKeySigner;

fn signer(byte: u8) -> PrivateKeySigner {
    PrivateKeySigner::from_bytes(&B256::repeat_byte(byte)).unwrap()
}

fn statement(data: u8) -> Statement {
    Statement {
        circuit: CircuitId::of(1, 14),
        public_inputs: vec![U256::from(7)],
        data: vec![data; 3].into(),
    }
}

/// A lot of two.
async fn submission() -> Submission {
    let statements = [statement(1), statement(2)];
    let key = signer(1);
    let ticket = Ticket::new(key.address(), statement_tree(&statements).root());
    let (fee, size, bids) =
        (UnitFee::new(u64::MAX).unwrap(), TaskSize::new(14).unwrap(), LotSize::new(2).unwrap());
    let bid = BidToSign {
        chain_id: 31_337,
        contract: Address::repeat_byte(0xcc),
        market: MarketId::from(B256::repeat_byte(0x11)),
        round: RoundNumber::new(7),
        entry: BidWord::new(fee, size, bids, ticket).told(),
    };
    Submission::new(&bid.sign(&key).await.unwrap(), key.address(), Some(&statements))
}

#[tokio::test]
async fn what_is_written_is_read_back_and_signed_by_its_requester() {
    let submission = submission().await;
    let text = serde_json::to_string(&submission).unwrap();
    assert!(text.contains(r#""fee":"18446744073709551615""#) && text.contains(r#""round":7"#), "{text}");
    let read: Submission = serde_json::from_str(&text).unwrap();
    assert_eq!(read, submission);
    assert!(matches!(read.signed(), Ok(SignedEntry::Key(signed)) if signed.is_of(signer(1).address())));
    assert_eq!(read.published().unwrap().unwrap(), [statement(1), statement(2)]);
}

#[tokio::test]
async fn an_unknown_member_is_an_error_that_names_it() {
    let mut value = serde_json::to_value(submission().await).unwrap();
    value["fees"] = "1".into();
    let error = serde_json::from_value::<Submission>(value).unwrap_err().to_string();
    assert!(error.contains("fees"), "{error}");
}

#[tokio::test]
async fn either_form_of_a_signature_will_do_and_no_other() {
    let mut submission = submission().await;
    let long = Signature::from_raw(&submission.signature).unwrap();
    submission.signature = long.as_erc2098().to_vec().into();
    assert!(submission.signed().is_ok());
    submission.signature = vec![1; 66].into();
    assert_eq!(submission.signed(), Err(SubmissionError::Signature(66)));
    submission.signer = Signer::Wallet;
    assert!(matches!(submission.signed(), Ok(SignedEntry::Wallet(_))), "only the contract can say");
}

#[tokio::test]
async fn a_change_of_anything_that_was_signed_shows() {
    let changes: [fn(&mut Submission); 8] = [
        |s| s.chain_id += 1,
        |s| s.contract = Address::ZERO,
        |s| s.market = B256::ZERO,
        |s| s.round = RoundNumber::new(8),
        |s| s.fee = UnitFee::new(1).unwrap(),
        |s| s.told = false,
        |s| s.ticket = U256::ONE,
        |s| s.requester = Address::ZERO,
    ];
    for (case, change) in changes.iter().enumerate() {
        let mut submission = submission().await;
        change(&mut submission);
        let refused = submission.signed();
        assert!(matches!(refused, Err(SubmissionError::OtherSigner { .. })), "case {case}: {refused:?}");
    }
    let mut submission = submission().await;
    submission.ticket = U256::ONE << 144;
    assert_eq!(submission.signed(), Err(SubmissionError::Ticket(U256::ONE << 144)));
}

#[tokio::test]
async fn statements_have_to_be_those_of_the_ticket() {
    let changed = async |change: fn(&mut Vec<StatementJson>)| {
        let mut submission = submission().await;
        change(submission.statements.as_mut().unwrap());
        submission.published().unwrap_err()
    };
    let error = changed(|statements| drop(statements.pop())).await;
    assert_eq!(error, SubmissionError::Count { given: 1, bids: 2 });
    let error = changed(|statements| statements[1].circuit = CircuitId::of(1, 15)).await;
    assert!(matches!(error, SubmissionError::Size { position: 1, units: 15, .. }));
    let error = changed(|statements| statements.swap(0, 1)).await;
    assert!(matches!(error, SubmissionError::OtherTicket { .. }));
    let mut without = submission().await;
    without.statements = None;
    assert_eq!(without.published(), Err(SubmissionError::Untold));
    without.told = false;
    assert_eq!(without.published(), Ok(None));
}
