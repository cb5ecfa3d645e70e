//! Balances, and what comes in and goes out.

use super::refusal::Refusal;
use super::round::State;
use super::{Model, Parcel};
use alloy::primitives::Address;

impl Model {
    pub(crate) fn balance(&self, account: Address) -> u128 {
        self.balances.get(&account).copied().unwrap_or(0)
    }

    pub(crate) fn credit(&mut self, account: Address, amount: u128) {
        *self.balances.entry(account).or_default() += amount;
    }

    pub(crate) fn debit(&mut self, account: Address, amount: u128) -> Result<(), Refusal> {
        let left = self.balance(account).checked_sub(amount).ok_or(Refusal::InsufficientBalance)?;
        self.balances.insert(account, left);
        Ok(())
    }

    /// `amount` and `value`, what is attached to the call, in the currency's smallest unit.
    pub(crate) fn deposit(&mut self, account: Address, amount: u128, value: u128) -> Result<(), Refusal> {
        if account.is_zero() {
            return Err(Refusal::ZeroAddress);
        }
        if value != if self.rules.is_native() { amount } else { 0 } {
            return Err(Refusal::WrongValue);
        }
        self.pay_in(account, amount)
    }

    /// What is attached to another call is deposited first.
    pub(crate) fn attach(&mut self, caller: Address, value: u128) -> Result<(), Refusal> {
        match value {
            0 => Ok(()),
            _ if !self.rules.is_native() => Err(Refusal::WrongValue),
            value => self.pay_in(caller, value),
        }
    }

    fn pay_in(&mut self, account: Address, amount: u128) -> Result<(), Refusal> {
        let tick = self.rules.0.tick;
        if !amount.is_multiple_of(tick) {
            return Err(Refusal::NotMultipleOfTick);
        }
        self.credit(account, amount / tick);
        self.holdings += amount / tick;
        Ok(())
    }

    /// `None`: all that is there. Returns what was paid, in the currency's smallest unit.
    pub(crate) fn withdraw(
        &mut self,
        caller: Address,
        amount: Option<u128>,
        to: Address,
    ) -> Result<u128, Refusal> {
        if to.is_zero() {
            return Err(Refusal::ZeroAddress);
        }
        let amount = amount.unwrap_or_else(|| self.balance(caller));
        self.debit(caller, amount)?;
        self.holdings -= amount;
        Ok(amount * self.rules.0.tick)
    }

    /// Returns what was paid to the sink, in the currency's smallest unit.
    pub(crate) fn collect_surplus(&mut self) -> u128 {
        let amount = std::mem::take(&mut self.surplus);
        self.holdings -= amount;
        amount * self.rules.0.tick
    }

    /// Credits the results of entries that were submitted together. Returns how much.
    pub(crate) fn release(&mut self, parcel: Parcel, same_words: bool) -> Result<u128, Refusal> {
        if !same_words || !self.parcels.contains(&parcel) {
            return Err(Refusal::UnknownBundle);
        }
        if !self.is_resolved(parcel.1) {
            return Err(Refusal::RoundUnresolved);
        }
        let amount = self.result_of(parcel);
        self.parcels.remove(&parcel);
        self.credit(parcel.0, amount);
        Ok(amount)
    }

    fn result_of(&self, parcel: Parcel) -> u128 {
        let round = &self.rounds[&parcel.1];
        let of_parcel = round.parcel(parcel.0, parcel.2);
        of_parcel.map(|placed| round.result_of(placed, self.rules.0.settlement_fee)).sum()
    }

    /// All that somebody can claim, now or later: what the market must hold to the tick.
    pub(crate) fn claims(&self) -> u128 {
        let fee = self.rules.0.settlement_fee;
        let balances: u128 = self.balances.values().sum();
        let collateral: u128 = self.seats.iter().map(|seat| self.rules.collateral(seat.capacity)).sum();
        let stakes: u128 = self.stakes.values().map(|stake| stake.deposit).sum();
        let open = self.rounds.values().filter(|round| round.state == State::Open);
        let locked: u128 = open.flat_map(|round| &round.entries).map(|placed| placed.entry.most(fee)).sum();
        let resolved = self.parcels.iter().filter(|parcel| self.rounds[&parcel.1].state != State::Open);
        let waiting: u128 = resolved.map(|parcel| self.result_of(*parcel)).sum();
        let held: u128 = self
            .rounds
            .values()
            .flat_map(|round| {
                round.tasks.values().filter(|task| task.end.is_none()).map(move |task| (round, task))
            })
            .map(|(round, task)| round.held(task.fee, task.size))
            .sum();
        balances + self.surplus + collateral + stakes + locked + waiting + held
    }
}
