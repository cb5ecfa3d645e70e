// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Lane, LaneLib} from "../../contracts/types/Lane.sol";
import {Symbolic} from "./Symbolic.sol";

/// @notice One half of an account.
contract LanesSymbolic is Symbolic {
    function check_laneGivesBackWhatItHolds(
        uint96 balance,
        uint256 round,
        uint24 index,
        uint256 count,
        uint64 fee,
        uint256 size
    ) external pure {
        vm.assume(below(round, 28) && below(count, 14) && count != 0 && below(size, 31));
        Lane lane = Lane.wrap(0).withBalance(balance).withBid(round, index, count, fee, size);
        assert(lane.hasBid());
        assert(lane.balance() == balance);
        assert(lane.round(round & 1) == round);
        assert(lane.index() == index);
        assert(lane.count() == count);
        assert(lane.fee() == fee);
        assert(lane.size() == size);
    }

    function check_balanceAndBidOfALaneDoNotTouch(Lane lane, uint96 balance) external pure {
        Lane other = lane.withBalance(balance);
        assert(other.balance() == balance);
        assert(Lane.unwrap(other.withoutBid()) == uint256(balance) << 160);
        assert(other.hasBid() == lane.hasBid());
        assert(other.index() == lane.index() && other.count() == lane.count());
        assert(other.fee() == lane.fee() && other.size() == lane.size());
        assert(other.round(1) == lane.round(1));
        assert(lane.withoutBid().balance() == lane.balance());
        assert(!lane.withoutBid().hasBid());
    }

    /// @dev What does not fit is refused, and only that.
    function check_creditIsCountedToTheTickOrRefused(Lane lane, uint256 amount) external view {
        bool fits = amount <= type(uint96).max && lane.balance() + amount <= type(uint96).max;
        try this.credit(lane, amount) returns (Lane after_) {
            assert(fits);
            assert(after_.balance() == lane.balance() + amount);
            assert(Lane.unwrap(after_.withoutBid()) == (lane.balance() + amount) << 160);
            assert(
                Lane.unwrap(after_) << 96 == Lane.unwrap(lane) << 96 // the entry
            );
        } catch {
            assert(!fits);
        }
    }

    function check_balanceThatALaneCannotCountIsRefused(uint256 balance) external view {
        try this.checkBalance(balance) returns (uint256 same) {
            assert(same == balance && balance <= type(uint96).max);
        } catch {
            assert(balance > type(uint96).max);
        }
    }

    function credit(Lane lane, uint256 amount) external pure returns (Lane) {
        return lane.credit(amount);
    }

    function checkBalance(uint256 balance) external pure returns (uint256) {
        return LaneLib.checkBalance(balance);
    }
}
