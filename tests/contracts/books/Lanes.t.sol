// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Lane, LaneLib} from "../../../contracts/types/Lane.sol";
import {SignedBid} from "../../../contracts/types/SignedBid.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";

/// @notice What a bid takes from the two lanes of an account, up to the most that they count.
contract LanesTest is SignedBidTest {
    uint256 private constant MOST = type(uint96).max;
    uint32 private constant LARGEST = 2 ** 30;

    function setUp() public override {
        super.setUp();
        params.tick = 1;
        fixTaskSize(LARGEST);
        fixCap(2 ** 32);
        id = market.createMarket(params);
    }

    /// @dev What the account has before a bid, without the results that it waits for, and with them.
    struct Before {
        uint256[2] held;
        uint256[2] folded;
        uint256 round;
        uint256 amount;
    }

    function _amount(uint256 x) private pure returns (uint256) {
        if (x % 4 == 0) return 0;
        if (x % 4 == 1) return MOST - (x >> 8) % 4;
        if (x % 4 == 2) return (x >> 8) % 1000;
        return (x >> 8) % (MOST + 1);
    }

    /// @dev An entry that costs close to `target`, or 0 for a random one.
    function _entry(uint256 target, uint256 x) private pure returns (BidWord word, uint256 cost) {
        uint256 count = 1 + x % 40;
        uint32 size = (x >> 16) % 2 == 0 ? 1 : uint32(1 + (x >> 24) % LARGEST);
        uint256 each = target / count;
        uint256 fee = each > FEE ? (each - FEE) / size : 1 + (x >> 64) % type(uint64).max;
        if (fee > type(uint64).max) (fee, size) = (each / LARGEST, LARGEST);
        if (fee > type(uint64).max) fee = type(uint64).max;
        if (fee == 0) fee = 1;
        return (entryWord(uint64(fee), size, count, uint144(x >> 128)), count * (fee * size + FEE));
    }

    /// @dev Balances of any size in both lanes, and perhaps a bid of a void round in each, for more than a lane holds.
    function _prepare(uint256[6] memory x) private returns (Before memory b) {
        uint256[2] memory locked;
        for (uint256 parity; parity < 2; ++parity) {
            open(parity);
            fund(dora.addr, _amount(x[parity]));
            if (x[2 + parity] % 2 == 0) continue;
            uint256 all = available(dora.addr);
            (BidWord word, uint256 cost) = _entry(all, x[2 + parity] >> 1);
            if (cost > all) continue;
            vm.prank(dora.addr);
            market.submitOneBid(id, word);
            locked[parity] = cost;
            fund(dora.addr, _more(x[2 + parity], MOST - laneOf(dora.addr, parity).balance()));
        }
        b.round = 3 + x[4] % 2;
        open(b.round);
        for (uint256 parity; parity < 2; ++parity) {
            b.held[parity] = laneOf(dora.addr, parity).balance();
            b.folded[parity] = b.held[parity] + locked[parity];
        }
    }

    function _more(uint256 x, uint256 room) private pure returns (uint256) {
        return (x >> 8) % 3 == 0 ? room : (x >> 16) % (room + 1);
    }

    function _expected(Before memory b) private pure returns (bytes4) {
        uint256 all = b.folded[0] + b.folded[1];
        if (b.amount > all) return IMarketLog.InsufficientBalance.selector;
        uint256 own = b.folded[b.round & 1];
        bool fits = b.amount <= own ? own - b.amount <= MOST : all - b.amount <= 2 * MOST;
        return fits ? bytes4(0) : LaneLib.BalanceOverflow.selector;
    }

    function _assertTaken(Before memory b) private view {
        (uint256 own, uint256 other) = (b.round & 1, (b.round + 1) & 1);
        uint256 rest = b.folded[0] + b.folded[1] - b.amount;
        assertEq(available(dora.addr), rest);
        Lane lane = laneOf(dora.addr, own);
        assertTrue(lane.hasBid());
        assertEq(lane.round(own), b.round);
        if (b.amount <= b.folded[own]) {
            assertEq(lane.balance(), b.folded[own] - b.amount);
            assertEq(laneOf(dora.addr, other).balance(), b.held[other]);
            return;
        }
        uint256 half = (rest + 1) / 2;
        assertEq(laneOf(dora.addr, other).balance(), half > MOST ? MOST : half);
        assertEq(lane.balance(), half > MOST ? rest - MOST : rest - half);
        assertFalse(laneOf(dora.addr, other).hasBid());
    }

    /// @dev Direct and signed alike: both lanes lose what the bid costs and hold the rest, or nothing changes.
    function testFuzz_lanesLoseWhatABidCostsAndHoldTheRest(uint256[6] memory x) public {
        Before memory b = _prepare(x);
        uint256 all = b.folded[0] + b.folded[1];
        assertEq(available(dora.addr), all);
        BidWord word;
        (word, b.amount) = _entry(x[5] % 3 == 0 ? 0 : _near(x[5], b), x[4] >> 8);
        bytes4 expected = _expected(b);
        uint256 start = vm.snapshotState();

        if (expected != 0) vm.expectPartialRevert(expected);
        vm.prank(dora.addr);
        market.submitOneBid(id, word);
        if (expected == 0) _assertTaken(b);
        else assertEq(available(dora.addr), all);
        vm.revertToState(start);

        // Beside one that is accepted, so that the refusal does not undo what was done before it.
        fund(emil.addr, 100);
        SignedBid[] memory list = new SignedBid[](2);
        (list[0], list[1]) = (signed(dora, word), signed(emil, plainWord(1, 1)));
        bytes32 before = accountHash(dora.addr);
        if (expected != 0) expectRefusal(dora.addr, 0, expected);
        assertEq(relay(list), expected == 0 ? 2 : 1);
        if (expected == 0) _assertTaken(b);
        else assertEq(accountHash(dora.addr), before);
    }

    /// @dev All there is, or what one of the lanes has, or about that.
    function _near(uint256 x, Before memory b) private pure returns (uint256) {
        uint256 target = x % 3 == 1 ? b.folded[0] + b.folded[1] : b.folded[b.round & 1];
        return target + (x >> 8) % 200 > 100 ? target + (x >> 8) % 200 - 100 : target;
    }

    function test_lanesHoldAllThatTheyCountAndNotOneTickMore() public {
        fund(dora.addr, MOST);
        open(1);
        fund(dora.addr, MOST);
        open(2);
        uint64 fee = uint64((2 * MOST / 9 - FEE) / LARGEST);
        vm.prank(dora.addr);
        market.submitOneBid(id, entryWord(fee, LARGEST, 9, 0)); // nearly all that both lanes have
        fund(dora.addr, MOST - laneOf(dora.addr, 2).balance());
        open(5);
        uint256 cost = 16 * uint256(LARGEST) + FEE;
        uint256 tooMuch = available(dora.addr) - cost - 2 * MOST - 1;
        vm.prank(dora.addr);
        market.withdraw(id, tooMuch, alice);
        SignedBid memory bid_ = signed(dora, plainWord(16, LARGEST));
        assertRefused(bid_, dora.addr, LaneLib.BalanceOverflow.selector);
        vm.prank(dora.addr);
        market.withdraw(id, 1, alice);
        assertEq(relay(only(bid_)), 1);
        assertEq(laneOf(dora.addr, 0).balance(), MOST);
        assertEq(laneOf(dora.addr, 1).balance(), MOST);
    }

    function testFuzz_withdrawalTakesFromBothLanes(uint256[6] memory x) public {
        Before memory b = _prepare(x);
        uint256 all = b.folded[0] + b.folded[1];
        uint256 amount = x[5] % (all + 1);
        vm.prank(dora.addr);
        try market.withdraw(id, amount, alice) {
            assertEq(available(dora.addr), all - amount);
            assertEq(alice.balance, amount);
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), LaneLib.BalanceOverflow.selector);
            assertGt(b.folded[0] > b.folded[1] ? b.folded[0] : b.folded[1], MOST);
        }
        if (amount <= b.held[0] + b.held[1]) assertEq(alice.balance, amount);
    }
}
