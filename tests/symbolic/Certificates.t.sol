// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ClosedRound} from "../../contracts/clearing/Claim.sol";
import {RoundAuditor} from "../../contracts/clearing/RoundAuditor.sol";
import {Verdict} from "../../contracts/interfaces/IRoundAuditor.sol";
import {BidChain} from "../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {Certificate} from "../../contracts/types/Certificate.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice Rounds of `core` with two asks and one or two bids: what the mechanism document asks for is accepted, and nothing else. The
/// certificate, unit costs, capacity cap and reserve price are any; sizes and capacities are of few units, and a seat that is not there is
/// number 2, as where an array is looked into must be known.
contract CertificatesSymbolic is Symbolic {
    struct Side {
        uint64[2] cost;
        uint256[2] capacity;
        uint64 cap;
        uint64 reserve;
    }

    struct Bids {
        uint64[] fee;
        uint256[] size;
    }

    uint256 private constant VIRTUAL = type(uint32).max;

    RoundAuditor private _auditor;

    function setUp() public {
        _auditor = new RoundAuditor();
    }

    /// @dev A bid at any fee.
    function check_oneBidHasOneCertificate(Side memory s, uint64 fee, uint256 size, Certificate memory c)
        external
        view
    {
        s.capacity = [1 + each(s.capacity[0], 1), 1 + each(s.capacity[1], 1)];
        Bids memory bids = Bids(new uint64[](1), new uint256[](1));
        (bids.fee[0], bids.size[0]) = (fee, 1 + each(size, 1));
        _check(s, bids, c);
    }

    /// @dev The first fee is lower than the second, the same, or higher; against them costs and reserve price are any.
    function check_twoBidsHaveOneCertificate(Side memory s, uint256 order, uint256 size, Certificate memory c)
        external
        view
    {
        s.capacity = [uint256(1), 2];
        Bids memory bids = Bids(new uint64[](2), new uint256[](2));
        // The leaves of two winners are ordered by their hashes, which must be known.
        (bids.fee[0], bids.fee[1]) = (uint64(4 + each(order, 2)), 5);
        (bids.size[0], bids.size[1]) = (1 + each(size, 1), 1);
        _check(s, bids, c);
    }

    function _check(Side memory s, Bids memory bids, Certificate memory c) private view {
        c.pivotSeat = uint8(each(c.pivotSeat, 2));
        (ClosedRound memory closed, bytes32[] memory words) = _closed(s, bids);
        bool right = _isRight(s, bids, c);
        try _auditor.audit(closed, c, words) returns (Verdict memory v) {
            assert(right);
            assert(v.outcome.units() == c.units && v.dust == 0);
            if (c.units == 0) return;
            // No unit costs more than it brings in, nor brings in less than the reserve price.
            assert(s.cost[c.pivotSeat] <= c.pivotFee && s.reserve <= c.pivotFee);
            assert(v.loads[0] == c.units && v.seats[0] == 1 - c.pivotSeat);
        } catch {
            assert(!right);
        }
    }

    /// @dev Whether `c` is what comes out if the round is cleared by the document's words.
    function _isRight(Side memory s, Bids memory bids, Certificate memory c) private pure returns (bool) {
        if (c.batchFee != 0 || c.batchIndex != 0 || c.batchUnits != 0) return false;
        if (c.batchRevenue != 0 || c.revenue != 0) return false;
        uint256 first = s.cost[1] < s.cost[0] ? 1 : 0;
        uint256 capacity = s.capacity[first];
        uint256 price = s.cost[1 - first];
        bool wins = capacity <= s.cap && (_isUnbounded(s, price) || _demand(s, bids, price) > capacity);
        if (!wins) {
            return c.pivotSeat == first && c.pivotFee == type(uint64).max && c.pivotIndex == 0 && c.units == 0;
        }
        (uint256 fee, uint256 index, uint256 units) = _prefix(s, bids, capacity);
        return c.pivotSeat == 1 - first && c.pivotFee == fee && c.pivotIndex == index && c.units == units;
    }

    function _isUnbounded(Side memory s, uint256 price) private pure returns (bool) {
        return s.reserve > 0 && price <= s.reserve;
    }

    function _demand(Side memory s, Bids memory bids, uint256 price) private pure returns (uint256 sum) {
        for (uint256 i; i < bids.fee.length; ++i) {
            if (bids.fee[i] >= price && bids.fee[i] >= s.reserve) sum += bids.size[i];
        }
    }

    /// @dev Bids in user order as long as they fit, and the first that does not.
    function _prefix(Side memory s, Bids memory bids, uint256 capacity)
        private
        pure
        returns (uint256 fee, uint256 index, uint256 units)
    {
        uint256 n = bids.fee.length;
        uint256 best = n == 2 && bids.fee[1] > bids.fee[0] ? 1 : 0;
        for (uint256 k; k < n; ++k) {
            uint256 i = k == 0 ? best : 1 - best;
            if (bids.fee[i] < s.reserve) break;
            if (units + bids.size[i] > capacity) return (bids.fee[i], i, units);
            units += bids.size[i];
        }
        return (s.reserve, VIRTUAL, units);
    }

    function _closed(Side memory s, Bids memory bids)
        private
        pure
        returns (ClosedRound memory closed, bytes32[] memory words)
    {
        (closed.round, closed.capacityCap, closed.reservePrice) = (1, s.cap, s.reserve);
        (closed.costs, closed.capacities) = (new uint256[](2), new uint256[](2));
        for (uint256 i; i < 2; ++i) {
            (closed.costs[i], closed.capacities[i]) = (s.cost[i], s.capacity[i]);
        }
        closed.seed = BidChain.wrap(1 << 56);
        BidChain chain = closed.seed;
        words = new bytes32[](bids.fee.length);
        for (uint256 i; i < words.length; ++i) {
            BidWord word = BidWordLib.pack(bids.fee[i], uint32(bids.size[i]), 0, uint144(i));
            words[i] = BidWord.unwrap(word);
            chain = chain.absorb(word);
        }
        closed.bids = chain;
    }
}
