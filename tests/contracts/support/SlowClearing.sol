// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Certificate} from "../../../contracts/types/Certificate.sol";

/// @notice Mechanism `core` transcribed from the mechanism document, sorting and all, with none of the market's own code:
/// what the market accepts is compared with what this finds.
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
        uint256 userPrice;
        uint256 proverPrice;
        uint256 units;
        Certificate certificate;
    }

    function clear(Round memory r) internal pure returns (Result memory out) {
        out.wins = new bool[](r.bids.length);
        out.seatOf = new uint256[](r.bids.length);
        uint256[] memory provers = proverOrder(r.asks);
        if (provers.length == 0) {
            out.certificate = Certificate(type(uint8).max, type(uint64).max, 0, 0);
            return out;
        }
        uint256 w = largestW(r, provers);
        out.winners = sortedCopy(provers, w);
        uint256 pivotSeat = provers[w];
        if (w == 0) {
            out.certificate = Certificate(uint8(pivotSeat), type(uint64).max, 0, 0);
            out.proverPrice = r.asks[pivotSeat].cost;
            return out;
        }
        out.proverPrice = r.asks[pivotSeat].cost;
        _clearUsers(r, out, capacityOf(r, provers, w));
        out.certificate.pivotSeat = uint8(pivotSeat);
        out.certificate.units = uint64(out.units);
        _assign(r, out);
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
        uint256 demand;
        for (uint256 i; i < r.bids.length; ++i) {
            if (r.bids[i].fee >= price && r.bids[i].fee >= r.reservePrice) demand += r.bids[i].size;
        }
        return demand > capacity;
    }

    function _clearUsers(Round memory r, Result memory out, uint256 capacity) private pure {
        uint256[] memory users = userOrder(r.bids, r.reservePrice);
        out.userPrice = r.reservePrice;
        out.certificate.pivotFee = uint64(r.reservePrice);
        out.certificate.pivotIndex = type(uint32).max;
        for (uint256 i; i < users.length; ++i) {
            Bid memory bid = r.bids[users[i]];
            if (out.units + bid.size > capacity) {
                out.userPrice = bid.fee;
                out.certificate.pivotFee = uint64(bid.fee);
                out.certificate.pivotIndex = uint32(users[i]);
                return;
            }
            out.units += bid.size;
            out.wins[users[i]] = true;
        }
    }

    /// @dev Task i belongs to the winner whose scaled interval contains floor(o_i * K / Q), the walk starting at winner
    /// number `round mod w`.
    function _assign(Round memory r, Result memory out) private pure {
        uint256 w = out.winners.length;
        uint256 total;
        for (uint256 k; k < w; ++k) {
            total += r.asks[out.winners[k]].capacity;
        }
        uint256 offset;
        for (uint256 i; i < r.bids.length; ++i) {
            if (!out.wins[i]) continue;
            uint256 at = offset * total / out.units;
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
