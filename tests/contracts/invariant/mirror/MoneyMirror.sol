// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {RoundMirror} from "./RoundMirror.sol";

/// @notice Everybody's money, in ticks.
abstract contract MoneyMirror is RoundMirror {
    /// @dev Entries of one requester that come back by one `release`.
    struct Bundle {
        address requester;
        uint32 round;
        /// Number of its first entry, and of its entries.
        uint32 entry;
        uint32 entries;
    }

    mapping(address account => uint256) internal balances;
    uint256 internal surplus;
    Bundle[] internal bundles;
    Bundle[] internal releasedBundles;
    /// What came in and went out, and what reached each account outside of the market.
    uint256 internal paidIn;
    uint256 internal paidOut;
    mapping(address account => uint256) public received;

    mapping(uint256 round => mapping(address account => bool)) internal hasEntry;

    // ------------------------------------------------------------------------------------------------------- money

    /// @dev Makes `ticks` of the currency and deposits them for `account`.
    function _deposit(address payer, address account, uint256 ticks) internal returns (bool ok) {
        uint256 amount = ticks * params.tick;
        bytes memory call = abi.encodeCall(market.deposit, (id, account, amount));
        if (_isNative()) {
            ok = _tryWith(payer, amount, call);
        } else {
            cast.token.mint(payer, amount);
            vm.prank(payer);
            cast.token.approve(address(market), amount);
            ok = _try(payer, call);
        }
        require(ok, "a deposit is taken");
        _noteDeposit(account, ticks);
    }

    function _noteDeposit(address account, uint256 ticks) internal {
        balances[account] += ticks;
        paidIn += ticks;
    }

    /// @dev Deposits what an account lacks of `ticks`, most of the time.
    function _fundFor(address account, uint256 ticks) internal {
        if (balances[account] >= ticks || _oneIn(12)) return;
        address payer = _isWallet(account) ? cast.people[0] : account;
        _deposit(payer, account, ticks - balances[account] + _draw(3));
    }

    function _notePayout(address to, uint256 ticks) internal {
        received[to] += ticks;
        paidOut += ticks;
    }

    /// @notice All that the market owes (ticks).
    function owed() public view returns (uint256 sum) {
        for (uint256 i; i < accounts.length; ++i) {
            sum += balances[accounts[i]];
        }
        for (uint256 i; i < bundles.length; ++i) {
            if (isResolved(bundles[i].round)) sum += _bundleResult(bundles[i]);
        }
        for (uint256 round = _unbooked; round <= _noted; ++round) {
            if (!rounds[round].booked) sum += _lockedIn(round);
        }
        sum += surplus + _collateral() + _staked() + _escrow();
    }

    function _lockedIn(uint256 round) private view returns (uint256 sum) {
        for (uint256 i; i < entriesOf[round].length; ++i) {
            Placed storage e = entriesOf[round][i];
            sum += e.count * (uint256(e.fee) * e.size + params.settlementFee);
        }
    }

    /// @dev Behind seats, commitments and open tasks.
    function _collateral() internal view virtual returns (uint256);
    function _staked() internal view virtual returns (uint256);
    function _escrow() internal view virtual returns (uint256);

    // ------------------------------------------------------------------------------------------------------ entries

    /// @dev An entry of the round that takes bids was accepted: in its requester's lane if that has none of the round.
    function _accept(uint256 round, Draft memory d) internal {
        address requester = d.tasks[0].requester;
        bool inLane = !hasEntry[round][requester];
        hasEntry[round][requester] = true;
        balances[requester] -= d.cost;
        _noteEntry(round, d, inLane);
        if (!inLane) bundles.push(Bundle(requester, uint32(round), uint32(entriesOf[round].length - 1), 1));
    }

    /// @dev Entries were accepted together.
    function _acceptAll(uint256 round, Draft[] memory list) internal {
        address requester = list[0].tasks[0].requester;
        uint256 first = entriesOf[round].length;
        for (uint256 i; i < list.length; ++i) {
            balances[requester] -= list[i].cost;
            _noteEntry(round, list[i], false);
        }
        bundles.push(Bundle(requester, uint32(round), uint32(first), uint32(list.length)));
    }

    function _bookResult(uint256 round) internal override {
        rounds[round].booked = true;
        for (uint256 i; i < entriesOf[round].length; ++i) {
            Placed storage e = entriesOf[round][i];
            if (e.inLane) balances[e.requester] += _resultOf(round, e);
        }
    }

    function _bundleResult(Bundle memory b) internal view returns (uint256 sum) {
        for (uint256 i = b.entry; i < b.entry + b.entries; ++i) {
            sum += _resultOf(b.round, entriesOf[b.round][i]);
        }
    }

    function _firstIndex(Bundle memory b) internal view returns (uint256) {
        return entriesOf[b.round][b.entry].first;
    }

    /// @dev Anyone asks for a bundle, which comes back exactly if its round's result is known.
    function _release(uint256 at) internal returns (bool ok) {
        Bundle memory b = bundles[at];
        bytes memory call = abi.encodeCall(
            market.release, (id, b.requester, b.round, _firstIndex(b), _wordsOf(b.round, b.entry, b.entries))
        );
        ok = _try(_anyActor(), call);
        require(ok == isResolved(b.round), "released as soon as, and not before, the result is known");
        if (!ok) return false;
        require(!_try(_anyActor(), call), "a bundle comes back once");
        balances[b.requester] += _bundleResult(b);
        releasedBundles.push(b);
        bundles[at] = bundles[bundles.length - 1];
        bundles.pop();
    }
}
