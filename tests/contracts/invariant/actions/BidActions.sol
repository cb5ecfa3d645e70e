// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidWord} from "../../../../contracts/types/BidWord.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";
import {MoneyActions} from "./MoneyActions.sol";

/// @notice Bids that their requesters send, and what comes back of them.
abstract contract BidActions is MoneyActions {
    /// Most bids that these actions put into a round, so that clearing it by the book stays quick.
    uint256 private constant MANY = 18;

    function _hasRoom(uint256 bids) internal view returns (bool) {
        return rounds[openRound()].bids + bids <= MANY;
    }

    /// @dev Three of four are told.
    function _anyDraft(address requester, uint256 count) internal returns (Draft memory) {
        uint32 size = uint32(_between(1, MAX_SIZE));
        return _draft(requester, uint64(_between(1, 30)), size, count, !_oneIn(4));
    }

    function submitOneBid(uint256 salt) external acts("submitOneBid", salt) {
        if (!_hasRoom(1)) return;
        _succeeded(_submit(_anyDraft(_anyActor(), 1)));
    }

    /// @dev One entry of several bids.
    function submitLot(uint256 salt) external acts("submitLot", salt) {
        uint256 count = _between(2, 5);
        if (!_hasRoom(count)) return;
        _succeeded(_submit(_anyDraft(_anyActor(), count)));
    }

    /// @dev From the balance, or with the currency attached.
    function _submit(Draft memory d) private returns (bool ok) {
        address requester = d.tasks[0].requester;
        bytes memory call = abi.encodeCall(market.submitOneBid, (id, d.word));
        tell(d.tasks);
        if (_isNative() && _oneIn(4)) {
            ok = _tryWith(requester, d.cost * params.tick, call);
            require(ok, "a bid that brings its money is taken");
            _noteDeposit(requester, d.cost);
        } else {
            _fundFor(requester, d.cost);
            ok = _try(requester, call);
            require(ok == (balances[requester] >= d.cost), "a bid with its money, and no other, is taken");
        }
        if (ok) _accept(openRound(), d);
    }

    /// @dev Several entries, which come back by one `release`.
    function submitBids(uint256 salt) external acts("submitBids", salt) {
        Draft[] memory list = new Draft[](_between(1, 3));
        BidWord[] memory entries = new BidWord[](list.length);
        if (!_hasRoom(2 * list.length)) return;
        address requester = _anyActor();
        uint256 cost;
        for (uint256 i; i < list.length; ++i) {
            list[i] = _anyDraft(requester, _between(1, 2));
            (entries[i], cost) = (list[i].word, cost + list[i].cost);
            tell(list[i].tasks);
        }
        _fundFor(requester, cost);
        bool ok = _try(requester, abi.encodeCall(market.submitBids, (id, entries)));
        require(ok == (balances[requester] >= cost), "bids with their money, and no others, are taken");
        if (ok) _acceptAll(openRound(), list);
        _succeeded(ok);
    }

    /// @dev Tells and bids in one call, with a deposit before where the currency is a token. If one part fails, nothing has happened.
    function multicall(uint256 salt) external acts("multicall", salt) {
        if (!_hasRoom(1)) return;
        Draft memory d = _anyDraft(_anyActor(), 1);
        address requester = d.tasks[0].requester;
        uint256 brought = _isNative() ? 0 : d.cost;
        if (_isNative()) _fundFor(requester, d.cost);
        bytes[] memory parts = new bytes[](3);
        parts[0] = abi.encodeCall(market.publish, (id, requester, statementsOf(d.tasks)));
        parts[1] = _isNative()
            ? abi.encodeCall(market.fold, (id, requester))
            : abi.encodeCall(market.deposit, (id, requester, brought * params.tick));
        parts[2] = abi.encodeCall(market.submitOneBid, (id, d.word));
        if (brought != 0) {
            cast.token.mint(requester, brought * params.tick);
            vm.prank(requester);
            cast.token.approve(address(market), brought * params.tick);
        }
        bool ok = _try(requester, abi.encodeCall(Multicallable.multicall, (parts)));
        require(ok == (balances[requester] + brought >= d.cost), "all parts of a call, or none");
        if (ok && brought != 0) _noteDeposit(requester, brought);
        if (ok) _accept(openRound(), d);
        _succeeded(ok);
    }

    /// @dev A bid below 1 tick, of a wrong size, of too many bids, or told without a word about what is asked for.
    function submitWrongly(uint256 salt) external acts("submitWrongly", salt) {
        address requester = _anyActor();
        _fundFor(requester, 1000);
        uint256 kind = _draw(4);
        BidWord word = kind == 0
            ? entryWord(0, 3, 1, 7)
            : kind == 1 ? entryWord(9, MAX_SIZE + 1, 1, 7) : entryWord(9, 0, 1, 7);
        if (kind == 3) word = _draft(requester, 9, 3, 1, true).word;
        require(
            !_try(requester, abi.encodeCall(market.submitOneBid, (id, word))), "what is no bid is refused"
        );
        _succeeded(true);
    }

    /// @dev Statements can be told at any time, which changes nothing once their entry is in.
    function publish(uint256 salt) external acts("publish", salt) {
        uint256 round = openRound();
        uint256 n = entriesOf[round].length;
        if (n == 0) return;
        Placed memory e = entriesOf[round][_draw(n)];
        bytes memory call = abi.encodeCall(market.publish, (id, e.requester, statementsOf(_tasksOf(e))));
        require(_try(_anyActor(), call), "anyone can tell");
        _succeeded(true);
    }

    function release(uint256 salt) external acts("release", salt) {
        if (bundles.length != 0) _succeeded(_release(_draw(bundles.length)));
    }
}
