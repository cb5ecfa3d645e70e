// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BidChain} from "../../contracts/types/BidChain.sol";
import {BidWord, BidWordLib} from "../../contracts/types/BidWord.sol";
import {Lane, LaneLib} from "../../contracts/types/Lane.sol";
import {Digest} from "../../contracts/types/Outcome.sol";
import {Books} from "./Books.sol";
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

/// @notice The way that most bids go (docs/adr/0027), against what the types say of lanes, digests and words: any lane, round and running
/// hash, any fees and tickets; sizes and numbers of bids are known on each path, as they are multiplied.
abstract contract Entering is Symbolic {
    uint256 private constant FEE = 2;
    uint256 internal constant MAX_SIZE = 4;

    struct Case {
        uint96 balance;
        bool hasEntry;
        uint256 entryRound;
        uint24 entryIndex;
        uint64 entryFee;
        uint256 chain;
        uint256 round;
        uint64 fee;
        bool told;
        bool published;
        uint144 ticket;
        bool pays;
    }

    Books private _books;

    function setUp() public {
        _books = new Books();
        vm.deal(address(this), 1);
    }

    function _check(Case memory c, uint256 size, uint256 count, uint256 entrySize, uint256 entryCount)
        internal
    {
        Lane lane = _lane(c, entrySize, entryCount);
        // forge-lint: disable-next-line(unsafe-typecast) -- a few bids
        uint16 lot = uint16((c.told ? 1 << 15 : 0) | (count - 1));
        // forge-lint: disable-next-line(unsafe-typecast) -- a few units
        BidWord word = BidWordLib.pack(c.fee, uint32(size), lot, c.told ? _ticket(c) : c.ticket);
        BidChain before = BidChain.wrap(c.chain);
        Digest digest = before.digest();

        uint256 most = count * (uint256(c.fee) * size + FEE);
        uint256 held = c.balance;
        bool usual = !c.pays && c.fee != 0 && (!c.told || (c.published && count == 1)) && c.round < 2 ** 28
            && before.count() != 0 && before.hasRoomFor(word);
        if (c.hasEntry) {
            usual = usual && c.entryRound + 2 == c.round && digest.decides(c.entryFee);
            if (usual) held += digest.refund(c.entryFee, entrySize, entryCount);
        }
        usual = usual && held >= most && held - most <= type(uint96).max;

        Lane after_ = _after(c, word, lane);
        if (!usual) {
            assert(Lane.unwrap(after_) == 0);
            return;
        }
        assert(after_.balance() == held - most);
        assert(after_.round(c.round & 1) == c.round && after_.index() == before.count());
        assert(after_.count() == count && after_.fee() == c.fee && after_.size() == size);
    }

    /// @dev Of an entry that says that it is told: of one bid that is, or of another one.
    function _ticket(Case memory c) private returns (uint144) {
        uint144 told = _books.publish();
        return c.published ? told : told ^ 1;
    }

    function _after(Case memory c, BidWord word, Lane lane) internal returns (Lane) {
        return _books.laneWith{value: c.pays ? 1 : 0}(lane, c.round, BidChain.wrap(c.chain), word);
    }

    /// @dev Of the parity of the round.
    function _lane(Case memory c, uint256 size, uint256 count) internal pure returns (Lane lane) {
        lane = Lane.wrap(0).withBalance(c.balance);
        if (!c.hasEntry) return lane;
        vm.assume(below(c.entryRound, 28) && (c.entryRound ^ c.round) & 1 == 0);
        return lane.withBid(c.entryRound, c.entryIndex, count, c.entryFee, size);
    }
}

/// @notice Of single bids, and of what is none.
contract EnteringSymbolic is Entering {
    /// @dev The account has no entry, or one of a bid of one unit.
    function check_oneBidIsEnteredAsTheTypesSay(Case memory c) external {
        _check(c, 1, 1, 1, 1);
    }

    /// @dev What is none, whatever else holds: a task of no size or beyond the market's largest, or a lot that a lane cannot count.
    function check_whatIsNoEntryIsNeverEntered(Case memory c, uint32 size, uint16 further) external {
        vm.assume(size == 0 || size > MAX_SIZE || further > BidWordLib.MAX_LOT - 1);
        vm.assume(further < 2 ** 15);
        BidWord word = BidWordLib.pack(c.fee, size, further, c.ticket);
        assert(Lane.unwrap(_after(c, word, _lane(c, 1, 1))) == 0);
    }
}

/// @notice Of lots of up to two tasks of up to two units.
contract EnteringLotsSymbolic is Entering {
    function check_lotsAreEnteredAsTheTypesSay(Case memory c, uint256 size, uint256 count, uint256 entryCount)
        external
    {
        _check(c, 1 + each(size, 1), 1 + each(count, 1), 2, 1 + each(entryCount, 1));
    }
}
