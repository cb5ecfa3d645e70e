// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certificate} from "../../../contracts/types/Certificate.sol";

/// @notice Both mechanisms transcribed from the mechanism document, sorting and all, with none of the market's own code: what
/// the market accepts is compared with what this finds.
library SlowClearing {
    struct Bid {
        uint256 fee;
        uint256 size;
    }

    /// @dev `capacity` 0: the seat does not take part. The position in the array is the number of the seat.
    struct Ask {
        uint256 cost;
        uint256 capacity;
    }

    struct Round {
        /// `average-fee`, else `core`.
        bool averageFee;
        uint256 number;
        uint256 capacityCap;
        uint256 reservePrice;
        Bid[] bids;
        Ask[] asks;
    }

    struct Result {
        /// Whether each bid wins, and the seat it then falls to.
        bool[] wins;
        uint256[] seatOf;
        /// Winning seats in ask-book order.
        uint256[] winners;
        /// `core` only.
        uint256 userPrice;
        uint256 proverPrice;
        uint256 units;
        /// What all deliveries are paid together.
        uint256 revenue;
        /// What the winners offer together.
        uint256 capacity;
        /// Whether more would be cleared under a higher capacity cap.
        bool capBinds;
        Certificate certificate;
    }

    /// @dev The bids that `prefix(limit)` takes, and the first one that it does not.
    struct Prefix {
        bool[] taken;
        uint256 units;
        uint256 revenue;
        uint64 pivotFee;
        uint32 pivotIndex;
    }

    function clear(Round memory r) internal pure returns (Result memory out) {
        out.seatOf = new uint256[](r.bids.length);
        if (r.averageFee) _clearAverageFee(r, out);
        else _clearCore(r, out);
        out.certificate.units = uint64(out.units);
        if (out.units != 0) _assign(r, out);
    }

    /// @notice `prefix(limit)`: stops at the first bid that does not fit.
    function prefix(Round memory r, uint256 limit) internal pure returns (Prefix memory p) {
        p.taken = new bool[](r.bids.length);
        (p.pivotFee, p.pivotIndex) = (uint64(r.reservePrice), type(uint32).max);
        uint256[] memory users = userOrder(r.bids, r.reservePrice);
        for (uint256 i; i < users.length; ++i) {
            Bid memory bid = r.bids[users[i]];
            if (p.units + bid.size > limit) {
                (p.pivotFee, p.pivotIndex) = (uint64(bid.fee), uint32(users[i]));
                return p;
            }
            p.units += bid.size;
            p.revenue += bid.fee * bid.size;
            p.taken[users[i]] = true;
        }
    }

    /// @notice Seats by rank: lower cost first, equal cost by lower seat.
    function proverOrder(Ask[] memory asks) internal pure returns (uint256[] memory order) {
        uint256 n;
        for (uint256 i; i < asks.length; ++i) {
            if (asks[i].capacity != 0) ++n;
        }
        order = new uint256[](n);
        uint256 filled;
        for (uint256 i; i < asks.length; ++i) {
            if (asks[i].capacity == 0) continue;
            uint256 at = filled++;
            for (; at > 0 && asks[order[at - 1]].cost > asks[i].cost; --at) {
                order[at] = order[at - 1];
            }
            order[at] = i;
        }
    }

    /// @notice Bids by rank: higher fee first, equal fee by lower index; those below the reserve are out.
    function userOrder(Bid[] memory bids, uint256 reserve) internal pure returns (uint256[] memory order) {
        uint256 n;
        for (uint256 i; i < bids.length; ++i) {
            if (bids[i].fee >= reserve) ++n;
        }
        order = new uint256[](n);
        uint256 filled;
        for (uint256 i; i < bids.length; ++i) {
            if (bids[i].fee < reserve) continue;
            uint256 at = filled++;
            for (; at > 0 && bids[order[at - 1]].fee < bids[i].fee; --at) {
                order[at] = order[at - 1];
            }
            order[at] = i;
        }
    }

    function capacityOf(Round memory r, uint256[] memory provers, uint256 w)
        internal
        pure
        returns (uint256 sum)
    {
        for (uint256 i; i < w; ++i) {
            sum += r.asks[provers[i]].capacity;
        }
    }

    function largestW(Round memory r, uint256[] memory provers) internal pure returns (uint256 w) {
        for (uint256 candidate = 1; candidate < provers.length; ++candidate) {
            uint256 capacity = capacityOf(r, provers, candidate);
            if (capacity <= r.capacityCap && _demandExceeds(r, r.asks[provers[candidate]].cost, capacity)) {
                w = candidate;
            }
        }
    }

    function sortedCopy(uint256[] memory values, uint256 n) internal pure returns (uint256[] memory copy) {
        copy = new uint256[](n);
        for (uint256 i; i < n; ++i) {
            uint256 at = i;
            for (; at > 0 && copy[at - 1] > values[i]; --at) {
                copy[at] = copy[at - 1];
            }
            copy[at] = values[i];
        }
    }

    function _demandExceeds(Round memory r, uint256 price, uint256 capacity) private pure returns (bool) {
        if (r.reservePrice > 0 && price <= r.reservePrice) return true;
        return _demand(r, price) > capacity;
    }

    /// @dev Of bids alone.
    function _demand(Round memory r, uint256 price) private pure returns (uint256 demand) {
        for (uint256 i; i < r.bids.length; ++i) {
            if (r.bids[i].fee >= price && r.bids[i].fee >= r.reservePrice) demand += r.bids[i].size;
        }
    }

    function _clearCore(Round memory r, Result memory out) private pure {
        uint256[] memory provers = proverOrder(r.asks);
        uint256 w = provers.length == 0 ? 0 : largestW(r, provers);
        out.winners = sortedCopy(provers, w);
        out.capacity = capacityOf(r, provers, w);
        out.certificate.pivotSeat = provers.length == 0 ? type(uint8).max : uint8(provers[w]);
        out.proverPrice = provers.length == 0 ? 0 : r.asks[provers[w]].cost;
        out.capBinds = _isWantedBeyondCap(r, provers, w + 1);
        _takeUsers(out, prefix(r, out.capacity));
        out.userPrice = w == 0 ? 0 : out.certificate.pivotFee;
        out.revenue = out.proverPrice * out.units;
    }

    function _clearAverageFee(Round memory r, Result memory out) private pure {
        Prefix memory batch = prefix(r, r.capacityCap);
        out.winners = new uint256[](r.asks.length);
        uint256 n;
        for (uint256 i; i < r.asks.length; ++i) {
            if (r.asks[i].capacity == 0 || r.asks[i].cost * batch.units >= batch.revenue) continue;
            out.winners[n++] = i;
            out.capacity += r.asks[i].capacity;
        }
        out.winners = sortedCopy(out.winners, n);
        Certificate memory c = out.certificate;
        (c.pivotSeat, c.batchFee, c.batchIndex) = (type(uint8).max, batch.pivotFee, batch.pivotIndex);
        (c.batchUnits, c.batchRevenue) = (uint64(batch.units), uint128(batch.revenue));
        out.capBinds = batch.pivotIndex != type(uint32).max && out.capacity >= batch.units;
        Prefix memory users = out.capacity < batch.units ? prefix(r, out.capacity) : batch;
        _takeUsers(out, users);
        if (n != 0) out.revenue = users.revenue;
        c.revenue = uint128(out.revenue);
    }

    function _takeUsers(Result memory out, Prefix memory users) private pure {
        if (out.winners.length == 0) {
            out.wins = new bool[](users.taken.length);
            (out.certificate.pivotFee, out.certificate.pivotIndex) = (type(uint64).max, 0);
            return;
        }
        (out.wins, out.units) = (users.taken, users.units);
        (out.certificate.pivotFee, out.certificate.pivotIndex) = (users.pivotFee, users.pivotIndex);
    }

    /// @dev Whether `w` winners would be wanted, and only the cap forbids them.
    function _isWantedBeyondCap(Round memory r, uint256[] memory provers, uint256 w)
        private
        pure
        returns (bool)
    {
        if (w >= provers.length) return false;
        uint256 capacity = capacityOf(r, provers, w);
        return capacity > r.capacityCap && _demand(r, r.asks[provers[w]].cost) > capacity;
    }

    /// @dev Task i belongs to the winner whose scaled interval contains floor(o_i * K / Q), the walk starting at winner
    /// number `round mod w`.
    function _assign(Round memory r, Result memory out) private pure {
        uint256 w = out.winners.length;
        uint256 offset;
        for (uint256 i; i < r.bids.length; ++i) {
            if (!out.wins[i]) continue;
            uint256 at = offset * out.capacity / out.units;
            uint256 end;
            for (uint256 k; k < w; ++k) {
                uint256 seat = out.winners[(r.number + k) % w];
                end += r.asks[seat].capacity;
                if (at < end) {
                    out.seatOf[i] = seat;
                    break;
                }
            }
            offset += r.bids[i].size;
        }
    }
}
