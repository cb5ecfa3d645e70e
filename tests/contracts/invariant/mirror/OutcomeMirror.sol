// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certificate} from "../../../../contracts/types/Certificate.sol";
import {Mechanism} from "../../../../contracts/types/Mechanism.sol";
import {Outcome} from "../../../../contracts/types/Outcome.sol";
import {SlowClearing} from "../../support/SlowClearing.sol";
import {SlowTerms} from "../../support/SlowTerms.sol";
import {TaskMirror} from "./TaskMirror.sol";

/// @notice What a round comes to, by the transcribed mechanism, and everything that its settlement changes.
abstract contract OutcomeMirror is TaskMirror {
    /// @dev Entries of a page start at `first` and end where the page before, which is behind it in the round, started.
    struct PageSettled {
        uint256 first;
        address settler;
    }

    function _clear(uint256 round) internal view returns (SlowClearing.Result memory) {
        SlowClearing.Round memory r;
        r.averageFee = params.mechanism == Mechanism.AverageFee;
        (r.number, r.capacityCap, r.reservePrice) = (round, rounds[round].cap, rounds[round].reserve);
        r.bids = new SlowClearing.Bid[](rounds[round].bids);
        uint256 n;
        for (uint256 i; i < entriesOf[round].length; ++i) {
            Placed storage e = entriesOf[round][i];
            (uint256 fee, uint256 size, uint256 count) = (e.fee, e.size, e.count);
            for (uint256 k; k < count; ++k) {
                r.bids[n++] = SlowClearing.Bid(fee, size);
            }
        }
        r.asks = asks(round);
        return SlowClearing.clear(r);
    }

    function _charge(uint256 round, Placed memory e) internal view override returns (uint256) {
        return (params.mechanism == Mechanism.Core ? rounds[round].userPrice : e.fee) * e.size;
    }

    /// @dev Books a settlement in pages, from the last to the first.
    function _bookSettlement(uint256 round, SlowClearing.Result memory result, PageSettled[] memory pages)
        internal
    {
        Round storage r = rounds[round];
        Certificate memory c = result.certificate;
        (r.settled, r.pivotFee, r.pivotIndex) = (true, c.pivotFee, c.pivotIndex);
        (r.userPrice, r.revenue, r.units) = (result.userPrice, result.revenue, result.units);
        r.outcome = Outcome.unwrap(market.outcomeOf(id, round));
        uint256 end = entriesOf[round].length;
        for (uint256 k; k < pages.length; ++k) {
            _bookPage(round, result, pages[k], end);
            end = pages[k].first;
        }
        _bookDust(round);
        _bookResult(round);
        _bookTerms(round, result);
    }

    function _bookPage(uint256 round, SlowClearing.Result memory result, PageSettled memory page, uint256 end)
        private
    {
        for (uint256 i = page.first; i < end; ++i) {
            Placed memory e = entriesOf[round][i];
            balances[page.settler] += uint256(e.count) * params.settlementFee;
            uint16 won;
            while (won < e.count && result.wins[e.first + won]) {
                won = _assignRun(round, e, i, won, result);
            }
            if (won != 0) entriesOf[round][i].won = won;
        }
    }

    /// @dev Tasks of an entry from its bid number `from` on as far as they fall to one prover.
    function _assignRun(
        uint256 round,
        Placed memory e,
        uint256 entry,
        uint16 from,
        SlowClearing.Result memory result
    ) private returns (uint16 end) {
        uint256 seat_ = result.seatOf[e.first + from];
        end = from + 1;
        while (end < e.count && result.wins[e.first + end] && result.seatOf[e.first + end] == seat_) ++end;
        for (uint16 k = from; k < end; ++k) {
            Held memory t;
            (t.entry, t.position, t.runBefore, t.runAfter) = (uint32(entry), k, k - from, end - 1 - k);
            _assign(round, e, t, seat_);
        }
        uint256 which = (uint256(from) << 32) | (e.first + from);
        uint256 who = (uint256(end - 1 - from) << 8) | seat_;
        rounds[round].leaves.push(keccak256(abi.encode(e.word, which, who)));
    }

    function _assign(uint256 round, Placed memory e, Held memory t, uint256 seat_) private {
        Round storage r = rounds[round];
        (t.round, t.index) = (uint32(round), e.first + t.position);
        (t.leaf, t.holders) = (uint16(r.leaves.length), seat_);
        t.payment = uint128(r.revenue * e.size / r.units);
        t.held = params.mechanism == Mechanism.Core ? uint128(_charge(round, e)) : t.payment;
        t.deadline = uint40(proveBy(round));
        seats[seat_].free -= e.size;
        _pushTask(t);
    }

    /// @dev Where requesters pay their own bids, what no delivery is paid is the sink's at once.
    function _bookDust(uint256 round) private {
        if (params.mechanism == Mechanism.Core) return;
        uint256 dust = rounds[round].revenue;
        // Its tasks are the last so far.
        for (uint256 i = tasks.length; i != 0 && tasks[i - 1].round == round; --i) {
            dust -= tasks[i - 1].payment;
        }
        surplus += dust;
        rounds[round].paid += dust;
    }

    /// @dev The terms of the round after the next, by docs/controllers.md.
    function _bookTerms(uint256 round, SlowClearing.Result memory result) private {
        SlowTerms.Settled memory s;
        (s.units, s.capacity, s.capBinds) = (result.units, result.capacity, result.capBinds);
        s.isLeftOut = result.certificate.pivotIndex != type(uint32).max;
        s.pivotFee = result.certificate.pivotFee;
        if (params.mechanism == Mechanism.AverageFee && result.certificate.batchUnits == 0) {
            s.isLeftOut = false;
            s.capacity = _waiting(round);
        }
        Round storage latest = rounds[round + 1];
        Round storage next = rounds[round + 2];
        next.moved = true;
        next.cap = SlowTerms.nextCap(
            latest.cap, rounds[round].cap, s, SlowTerms.Bounds(params.capMin, params.capMax)
        );
        next.reserve =
            SlowTerms.nextReserve(latest.reserve, s, SlowTerms.Bounds(params.reserveMin, params.reserveMax));
    }

    /// @dev Without a batch nobody is left out, and the capacity is that of the asks below the reserve.
    function _waiting(uint256 round) private view returns (uint256 sum) {
        SlowClearing.Ask[] memory list = asks(round);
        for (uint256 i; i < list.length; ++i) {
            if (list[i].cost < rounds[round].reserve) sum += list[i].capacity;
        }
    }
}
