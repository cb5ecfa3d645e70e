//! Contract, market, money, and the prover's seat.

use super::Role;
use super::findings::Findings;
use super::settings::Found;
use crate::amount::Currency;
use crate::commands::money::available;
use crate::commands::seats::seats;
use crate::commands::session::{OpenMarket, Session};
use alloy::primitives::{Address, U256};
use alloy::providers::Provider;
use bindings::Groth16Verifier::Groth16VerifierInstance;
use chain::{CallError, Client, Connection, MarketId};
use circuits::{CircuitId, CircuitKind, keys::KeyStore};
use std::path::Path;

/// The contract, with those that it is made of.
pub(super) async fn contract(
    connection: &Connection,
    settings: &Found,
    findings: &mut Findings,
) -> Option<Client> {
    const CHECK: &str = "contract";
    let Some(address) = settings.contract else {
        findings.fail(CHECK, "none is named", "name it with --contract, or in the settings");
        return None;
    };
    let client = match Client::at(connection.clone(), address).await {
        Ok(client) => client,
        Err(error) => {
            findings.fail(CHECK, error.to_string(), "take the address that `proophi deploy` printed");
            return None;
        }
    };
    findings.ok(CHECK, format!("{address}"));
    for (check, part) in [
        ("auditor", client.market().auditor().call().await.map_err(CallError::from)),
        ("extension", client.market().extension().call().await.map_err(CallError::from)),
    ] {
        let advice = "the contract is not whole: deploy it anew, or take another";
        let code = match part {
            Ok(part) => {
                client.provider().get_code_at(part).await.map(|code| (part, code)).map_err(CallError::from)
            }
            Err(error) => Err(error),
        };
        match code {
            Ok((part, code)) if code.is_empty() => {
                findings.fail(check, format!("there is no contract at {part}"), advice);
            }
            Ok((part, code)) => findings.ok(check, format!("{part}, {} bytes", code.len())),
            Err(error) => findings.fail(check, error.to_string(), advice),
        }
    }
    Some(client)
}

/// What the wallet pays for at the present price of gas.
pub(super) async fn wallet(
    client: &Client,
    account: Address,
    role: Option<Role>,
    wanted: u32,
    findings: &mut Findings,
) {
    const CHECK: &str = "wallet";
    let (balance, price) = tokio::join!(client.balance_of(account), client.provider().get_gas_price());
    let (balance, price) = match (balance, price) {
        (Ok(balance), Ok(price)) => (balance, U256::from(price)),
        (Err(error), _) => return findings.fail(CHECK, error.to_string(), "use another node"),
        (_, Err(error)) => {
            return findings.fail(CHECK, CallError::from(error).to_string(), "use another node");
        }
    };
    let gas = Role::gas(role);
    let each = price.saturating_mul(U256::from(gas)).max(U256::ONE);
    let pays_for = balance / each;
    let found = format!(
        "{} of {account} pays for {pays_for} transactions of {gas} gas at {price} wei each",
        Currency::ether().show(balance)
    );
    let advice = format!(
        "send {} to it",
        Currency::ether().show(each.saturating_mul(U256::from(wanted)).saturating_sub(balance))
    );
    if pays_for.is_zero() {
        findings.fail(CHECK, found, advice);
    } else if pays_for < U256::from(wanted) {
        findings.warn(CHECK, found, advice);
    } else {
        findings.ok(CHECK, found);
    }
}

/// The market, or those that a relayer serves.
pub(super) async fn market(
    session: &Session,
    settings: &Found,
    role: Option<Role>,
    findings: &mut Findings,
) -> Option<OpenMarket> {
    const CHECK: &str = "market";
    if role == Some(Role::Relayer) && settings.markets.is_empty() {
        findings.ok(CHECK, "every market of the contract is served");
        return None;
    }
    let mut first = None;
    for text in settings.markets.iter().filter(|_| role == Some(Role::Relayer)) {
        let loaded = load(session, text, findings).await;
        first = first.or(loaded);
    }
    match (role, settings.market.as_deref()) {
        (Some(Role::Relayer), _) => first,
        (Some(Role::Prover), None) => {
            findings.fail(CHECK, "none is named", "name the one to serve with market = \"0x…\"");
            None
        }
        (Some(Role::Prover), Some(text)) => load(session, text, findings).await,
        // Commands take a prefix as well, or the only market that there is.
        (None, _) => match session.market().await {
            Ok(open) => {
                standing(session, &open, findings).await;
                Some(open)
            }
            Err(failure) => {
                findings.warn(CHECK, failure.to_string(), "commands about a market need one: --market ID");
                None
            }
        },
    }
}

async fn load(session: &Session, text: &str, findings: &mut Findings) -> Option<OpenMarket> {
    const ADVICE: &str = "write the whole id, as `proophi market list` shows it";
    let id: MarketId = match text.parse() {
        Ok(id) => id,
        Err(error) => {
            findings.fail("market", format!("{error}"), ADVICE);
            return None;
        }
    };
    match session.load(id).await {
        Ok(open) => {
            standing(session, &open, findings).await;
            Some(open)
        }
        Err(failure) => {
            findings.fail("market", failure.to_string(), ADVICE);
            None
        }
    }
}

/// Whether it has opened.
async fn standing(session: &Session, open: &OpenMarket, findings: &mut Findings) {
    let id = open.market.id;
    match session.now().await.map(|now| id.round_at(now)) {
        Ok(Ok(round)) => findings.ok("market", format!("{id}, round {round} is open")),
        Ok(Err(_)) => findings.warn(
            "market",
            format!("{id} opens at {} (seconds since the epoch)", id.genesis()),
            "nobody can take a seat or bid before that",
        ),
        Err(failure) => findings.fail("market", failure.to_string(), "use another node"),
    }
}

/// What an account could withdraw.
pub(super) async fn balance(session: &Session, open: &OpenMarket, account: Address, findings: &mut Findings) {
    match available(session, open, account).await {
        Ok(ticks) => {
            findings.ok("balance", format!("{} of {account} in the market", open.money.money(ticks)));
        }
        Err(failure) => findings.fail("balance", failure.to_string(), "use another node"),
    }
}

/// Whether the key may act for the prover, and whether that has a seat that takes part.
pub(super) async fn seat(
    session: &Session,
    open: &OpenMarket,
    settings: &Found,
    key: Address,
    findings: &mut Findings,
) {
    let prover = settings.prover.unwrap_or(key);
    if prover != key && !is_operator(session, open, prover, key, findings).await {
        return;
    }
    let all = match seats(session, open).await {
        Ok(all) => all,
        Err(failure) => return findings.fail("seat", failure.to_string(), "use another node"),
    };
    let mut own = all.into_iter().filter(|seat| seat.prover == prover).peekable();
    if own.peek().is_none() {
        return no_seat(session, open, settings, (prover, key), findings).await;
    }
    for seat in own {
        let found = format!("{}: {} units, {} at work", seat.seat, seat.capacity, seat.open_units);
        if seat.capacity < open.market.id.least_capacity() {
            let least = open.market.id.least_capacity();
            let advice =
                format!("it takes part with {least} units or more; `proophi prover capacity` adds some");
            findings.warn("seat", found, advice);
        } else {
            findings.ok("seat", found);
        }
    }
}

async fn is_operator(
    session: &Session,
    open: &OpenMarket,
    prover: Address,
    key: Address,
    findings: &mut Findings,
) -> bool {
    let found = session.client.market().operatorOf(open.market.id.get(), prover).call().await;
    let found = match found.map_err(CallError::from) {
        Ok(found) => found,
        Err(error) => {
            findings.fail("operator", error.to_string(), "use another node");
            return false;
        }
    };
    if found == key {
        findings.ok("operator", format!("{key} acts for {prover}"));
        return true;
    }
    let who = if found.is_zero() { "nobody".to_owned() } else { found.to_string() };
    findings.fail(
        "operator",
        format!("{who} acts for {prover}, not the key's account {key}"),
        format!("run `proophi prover operator {key}` with the key of {prover}"),
    );
    false
}

/// Whether a seat can be taken.
async fn no_seat(
    session: &Session,
    open: &OpenMarket,
    settings: &Found,
    (prover, key): (Address, Address),
    findings: &mut Findings,
) {
    const CHECK: &str = "seat";
    if prover != key {
        let advice =
            format!("an operator takes no seat; run `proophi prover register` with the key of {prover}");
        return findings.fail(CHECK, format!("{prover} has none"), advice);
    }
    let Some(capacity) = settings.capacity else {
        return findings.warn(CHECK, format!("{prover} has none"), "say what to offer: capacity and cost");
    };
    let params = &open.market.params;
    let collateral = u128::from(capacity).saturating_mul(params.collateral_per_unit.into());
    let needed = U256::from(collateral.saturating_add(params.seat_fee.into()));
    let (wallet, balance) =
        (session.client.wallet(params.currency, prover).await, available(session, open, prover).await);
    let (Ok(wallet), Ok(balance)) = (wallet, balance) else { return };
    let missing = open.market.ticks_to_wei(needed.saturating_sub(balance));
    let found = format!("none yet; {capacity} units need {}", open.money.money(needed));
    if missing > wallet {
        let short = open.money.currency.show(missing.saturating_sub(wallet));
        findings.fail(CHECK, found, format!("send {short} more to {prover}, or offer less capacity"));
    } else {
        findings.ok(CHECK, format!("{found}, which {prover} has"));
    }
}

/// Whether the proving keys of the market's circuits are there.
pub(super) async fn proving_keys(session: &Session, open: &OpenMarket, dir: &Path, findings: &mut Findings) {
    const CHECK: &str = "proving keys";
    let known = match circuits_of(session, open.market.params.verifier).await {
        Ok(ids) => ids.into_iter().filter_map(|id| CircuitKind::from_id(id).ok()).collect::<Vec<_>>(),
        Err(error) => {
            return findings.fail(CHECK, error.to_string(), "the market's verifier does not answer");
        }
    };
    if known.is_empty() {
        let advice = "run the version that the verifier was deployed with, or join another market";
        return findings.fail(CHECK, "none of the verifier's circuits can be proved here", advice);
    }
    // Opening a store would make its directory.
    let store = if dir.is_dir() { KeyStore::open(dir).ok() } else { None };
    let is_there = |kind: &CircuitKind| store.as_ref().is_some_and(|store| store.path(*kind).is_file());
    let missing: Vec<String> = known.iter().filter(|kind| !is_there(kind)).map(ToString::to_string).collect();
    if missing.is_empty() {
        findings.ok(CHECK, format!("{} circuits, in {}", known.len(), dir.display()));
    } else {
        findings.warn(
            CHECK,
            format!("{} are not in {}", missing.join(", "), dir.display()),
            "insecure development keys are made at the first start, which takes a while",
        );
    }
}

async fn circuits_of(session: &Session, verifier: Address) -> Result<Vec<CircuitId>, CallError> {
    let verifier = Groth16VerifierInstance::new(verifier, session.client.provider().clone());
    let count: u64 = verifier.circuitCount().call().await?.saturating_to();
    let mut ids = Vec::new();
    for index in (0..count).map(U256::from) {
        ids.push(CircuitId::new(verifier.circuitAt(index).call().await?));
    }
    Ok(ids)
}
