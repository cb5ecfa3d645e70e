// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {Opening} from "../../../contracts/types/Sealed.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";

/// @notice Bids that are committed to, opened, and forfeited.
contract SealedBidBookTest is SealedMarketTest {
    uint256 private constant DEPOSIT = 1000;
    uint256 private constant BOND = DEPOSIT * BOND_BPS / 10_000;

    function _one(Opening memory opening) private pure returns (Opening[] memory list) {
        list = new Opening[](1);
        list[0] = opening;
    }

    function _refused(Opening memory opening, bytes4 reason) private {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingRevealed.selector, reason));
        market.revealBids(id, _one(opening));
    }

    function _stake(uint256 round, Posted memory p) private view returns (uint256 deposit) {
        (deposit,) = market.stakeOf(id, p.requester, round, commitmentOf(round, p));
    }

    // -------------------------------------------------------------------------------------------- committing

    function test_commitmentLocksItsDepositAndShowsNothingElse() public {
        Posted memory p = newTask(alice, 20, 8);
        fund(alice, DEPOSIT + 5);
        bytes32 commitment = commitmentOf(0, p);
        vm.expectEmit(address(market));
        emit IMarketLog.Committed(id, alice, 0, commitment, DEPOSIT, BOND);
        vm.prank(alice);
        market.commitBid(id, commitment, uint96(DEPOSIT), openRound());
        assertEq(available(alice), 5);
        (uint256 deposit, uint256 bond) = market.stakeOf(id, alice, 0, commitment);
        assertEq(deposit, DEPOSIT);
        assertEq(bond, BOND);
        assertEq(market.bidChainOf(id, 0).count(), 0);
    }

    function test_commitmentCarriesItsOwnMoney() public {
        vm.deal(alice, 1 ether);
        vm.prank(alice);
        market.commitBid{value: 1100 * TICK}(id, keccak256("c"), 1000, openRound());
        assertEq(available(alice), 100);
    }

    function test_bondIsAtLeastTheSettlementFee() public {
        fund(alice, 100);
        bytes4 small = IMarketLog.DepositTooSmall.selector;
        vm.startPrank(alice);
        vm.expectRevert(abi.encodeWithSelector(small, FEE - 1, FEE));
        market.commitBid(id, keccak256("c"), uint96(FEE - 1), openRound());
        market.commitBid(id, keccak256("c"), uint96(FEE), openRound());
        (uint256 deposit, uint256 bond) = market.stakeOf(id, alice, 0, keccak256("c"));
        assertEq(deposit, FEE);
        assertEq(bond, FEE);
    }

    function test_RevertWhen_DepositIsNotThere() public {
        fund(alice, 99);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.InsufficientBalance.selector, 99, 100));
        vm.prank(alice);
        market.commitBid(id, keccak256("c"), 100, openRound());
    }

    function test_RevertWhen_CommitmentIsMadeTwice() public {
        fund(alice, 300);
        fund(bob, 100);
        vm.startPrank(alice);
        market.commitBid(id, keccak256("c"), 100, openRound());
        vm.expectRevert(IMarketLog.CommitmentExists.selector);
        market.commitBid(id, keccak256("c"), 100, openRound());
        vm.stopPrank();
        // It is the account's own: nobody keeps another from committing, and it counts anew in the next round.
        vm.prank(bob);
        market.commitBid(id, keccak256("c"), 100, openRound());
        open(1);
        vm.prank(alice);
        market.commitBid(id, keccak256("c"), 100, openRound());
    }

    function test_RevertWhen_BidIsOpenInASealedMarketOrSealedInAnOpenOne() public {
        fund(alice, 1000);
        vm.startPrank(alice);
        vm.expectRevert(IMarketLog.MarketIsSealed.selector);
        market.submitOneBid(id, plainWord(10, 1));
        vm.expectRevert(IMarketLog.MarketIsSealed.selector);
        market.submitBids(id, new BidWord[](1));
        id = _openMarket();
        vm.expectRevert(IMarketLog.MarketIsOpen.selector);
        market.commitBid(id, keccak256("c"), 100, openRound());
        vm.expectRevert(IMarketLog.MarketIsOpen.selector);
        market.commitAsk(id, 0, keccak256("c"), openRound());
        vm.expectRevert(IMarketLog.MarketIsOpen.selector);
        market.revealBids(id, new Opening[](1));
        vm.expectRevert(IMarketLog.MarketIsOpen.selector);
        market.revealAsk(id, 0, 1, 0);
        vm.expectRevert(IMarketLog.MarketIsOpen.selector);
        market.forfeit(id, alice, 0, keccak256("c"));
    }

    function test_RevertWhen_MarketUnknown() public {
        MarketId other = MarketId.wrap(bytes32(uint256(MarketId.unwrap(id)) ^ (1 << 255)));
        bytes memory unknown = abi.encodeWithSelector(IMarketLog.UnknownMarket.selector, other);
        vm.expectRevert(unknown);
        market.commitBid(other, keccak256("c"), 100, openRound());
        vm.expectRevert(unknown);
        market.revealBids(other, new Opening[](1));
        vm.expectRevert(unknown);
        market.forfeit(other, alice, 0, keccak256("c"));
    }

    // --------------------------------------------------------------------------------------------- revealing

    function test_openedBidIsWhatItWouldBeInAnOpenMarket() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        vm.expectEmit(address(market));
        emit IMarketLog.BidSubmitted(id, uint256(uint160(alice)) << 64, wordOf(p));
        vm.prank(alice);
        assertEq(market.revealBids(id, _one(openingOf(p))), 1);
        remember(0, p);
        assertEq(market.bidChainOf(id, 0).count(), 1);
        assertEq(available(alice), DEPOSIT - 160 - FEE); // the surplus, at once
        assertEq(_stake(0, p), 0);
        vm.warp(revealBy(0));
        settle(0);
        assertEq(available(alice), DEPOSIT - FEE);
        assertEq(available(relayer), FEE);
    }

    function test_indexIsThePlaceInTheOrderOfOpening() public {
        Posted memory a = commit(alice, 20, 8, DEPOSIT);
        Posted memory b = commit(bob, 30, 8, DEPOSIT);
        open(1);
        reveal(b);
        reveal(a);
        assertEq(market.lanesOf(id, bob)[0].index(), 0);
        assertEq(market.lanesOf(id, alice)[0].index(), 1);
    }

    function test_depositOfEverySizeFromTheCostUpHidesTheFee() public {
        Posted memory p = newTask(alice, 20, 8);
        uint256 cost = costOf(p);
        assertEq(cost, 167);
        for (uint256 extra; extra < 3; ++extra) {
            uint256 start = vm.snapshotState();
            commitTo(p, cost - 1 + extra);
            open(1);
            if (extra == 0) {
                _refused(openingOf(p), IMarketLog.DepositTooSmall.selector);
                assertEq(_stake(0, p), cost - 1);
            } else {
                reveal(p);
                assertEq(available(alice), extra - 1);
            }
            vm.revertToStateAndDelete(start);
        }
    }

    function test_badOpeningsAreReportedAndStopNobodyElse() public {
        Posted memory a = commit(alice, 20, 8, DEPOSIT);
        Posted memory b = commit(bob, 30, 8, DEPOSIT);
        Posted memory c = commit(carol, 25, 8, 200); // costs 207
        open(1);
        Opening[] memory list = new Opening[](7);
        for (uint256 i; i < 7; ++i) {
            list[i] = openingOf(a);
        }
        list[0] = openingOf(c);
        list[1].word = plainWord(0, 8);
        list[2].word = plainWord(20, MAX_SIZE + 1);
        list[4] = openingOf(b);
        list[6].word = entryWord(20, 8, 2, 0);
        bytes4[7] memory reasons = [
            IMarketLog.DepositTooSmall.selector,
            IMarketLog.ZeroFee.selector,
            IMarketLog.TaskSizeOutOfRange.selector,
            bytes4(0),
            0,
            IMarketLog.UnknownCommitment.selector, // doubled
            IMarketLog.LotTooLarge.selector
        ];
        for (uint256 i; i < 7; ++i) {
            if (reasons[i] == 0) continue;
            vm.expectEmit(address(market));
            emit IMarketLog.BidNotRevealed(id, list[i].requester, 0, i, reasons[i]);
        }
        vm.prank(steve);
        assertEq(market.revealBids(id, list), 2);
        assertEq(market.bidChainOf(id, 0).count(), 2);
        assertEq(_stake(0, c), 200);
        assertEq(available(carol), 0);
    }

    function test_RevertWhen_NothingIsRevealed() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingRevealed.selector, bytes4(0)));
        market.revealBids(id, new Opening[](0));
        Opening memory zero = openingOf(p);
        zero.word = plainWord(20, 0);
        _refused(zero, IMarketLog.TaskSizeOutOfRange.selector);
        reveal(p);
        _refused(openingOf(p), IMarketLog.UnknownCommitment.selector);
    }

    function test_RevertWhen_OpeningIsNotWhatWasCommittedTo() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        for (uint256 field; field < 8; ++field) {
            Opening memory o = abi.decode(abi.encode(openingOf(p)), (Opening));
            if (field == 0) o.requester = bob;
            if (field == 6) o.salt ^= bytes32(uint256(1));
            Posted memory q = abi.decode(abi.encode(p), (Posted));
            if (field == 1) q.fee += 1;
            if (field == 2) q.fee -= 1;
            if (field == 3) q.circuit = circuitOf(7);
            if (field == 4) q.inputs[0] += 1;
            if (field == 5) q.data[0] ^= 0x01;
            if (field == 7) q.requester = bob;
            o.word = wordOf(q);
            _refused(o, IMarketLog.UnknownCommitment.selector);
        }
        reveal(p);
    }

    /// @dev The commitment of Alice's opening in another round, market, contract or chain is another one.
    function test_RevertWhen_OpeningIsOfAnotherRoundMarketOrChain() public {
        Posted memory p = newTask(alice, 20, 8);
        fund(alice, 5 * DEPOSIT);
        bytes32 wrongRound = commitmentOf(1, p);
        vm.chainId(block.chainid + 1);
        bytes32 wrongChain = commitmentOf(0, p);
        vm.chainId(block.chainid - 1);
        params.sink = bob;
        MarketId here = id;
        id = market.createMarket(params);
        bytes32 wrongMarket = commitmentOf(0, p);
        id = here;
        bytes32 wrongContract = keccak256(
            abi.encode(
                keccak256(abi.encode(block.chainid, address(this), id, 0)) >> 56 << 56,
                alice,
                wordOf(p),
                saltOf(p)
            )
        );
        vm.startPrank(alice);
        market.commitBid(id, wrongRound, 1000, openRound());
        market.commitBid(id, wrongChain, 1000, openRound());
        market.commitBid(id, wrongMarket, 1000, openRound());
        market.commitBid(id, wrongContract, 1000, openRound());
        vm.stopPrank();
        open(1);
        _refused(openingOf(p), IMarketLog.UnknownCommitment.selector);
    }

    /// @dev Committed to for round 0, it cannot be opened in the window of round 1 either.
    function test_RevertWhen_OpenedInTheWindowOfAnotherRound() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(2);
        _refused(openingOf(p), IMarketLog.UnknownCommitment.selector);
    }

    function test_copiedCommitmentIsWorthlessToTheCopier() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        fund(bob, DEPOSIT);
        bytes32 copied = commitmentOf(0, p);
        vm.prank(bob);
        market.commitBid(id, copied, uint96(DEPOSIT), openRound());
        open(1);
        // Bob sees the opening of Alice, and can do nothing with it.
        Opening memory o = openingOf(p);
        o.requester = bob;
        _refused(o, IMarketLog.UnknownCommitment.selector);
        reveal(p);
        _refused(openingOf(p), IMarketLog.UnknownCommitment.selector);
        assertEq(market.bidChainOf(id, 0).count(), 1);
        vm.warp(revealBy(0));
        assertEq(market.forfeit(id, bob, 0, copied), DEPOSIT - BOND);
        assertEq(available(bob), DEPOSIT - BOND);
    }

    function test_RevertWhen_RevealedOutsideOfItsWindow() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundOpen.selector, 0, closeAt(0)));
        market.revealBids(id, _one(openingOf(p)));
        open(1);
        p = commit(alice, 20, 8, DEPOSIT); // round 1
        vm.warp(closeAt(1) - 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RevealClosed.selector, 0, revealBy(0)));
        market.revealBids(id, _one(openingOf(p)));
        vm.warp(revealBy(1));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RevealClosed.selector, 1, revealBy(1)));
        market.revealBids(id, _one(openingOf(p)));
        uint256 start = vm.snapshotState();
        vm.warp(revealBy(1) - 1);
        reveal(p);
        vm.revertToState(start);
        vm.warp(closeAt(1));
        reveal(p);
    }

    function test_secondBidOfARequesterBecomesABundle() public {
        Posted[] memory list = new Posted[](2);
        list[0] = commit(alice, 20, 8, DEPOSIT);
        list[1] = commit(alice, 10, 2, DEPOSIT);
        open(1);
        vm.expectEmit(address(market));
        emit IMarketLog.BidsBundled(id, alice, 0, 1, 1);
        reveal(list);
        assertEq(market.bundleHash(id, alice, 0, 1), keccak256(abi.encodePacked(words(0, 1, 1))));
        assertEq(available(alice), 2 * DEPOSIT - 160 - 20 - 2 * FEE);
        vm.warp(revealBy(0));
        settle(0);
        assertEq(market.release(id, alice, 0, 1, words(0, 1, 1)), 20);
        assertEq(available(alice), 2 * DEPOSIT - 2 * FEE);
    }

    // -------------------------------------------------------------------------------------------- forfeiting

    function test_unopenedCommitmentLosesItsBondOnce() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        bytes32 commitment = commitmentOf(0, p);
        bytes memory early = abi.encodeWithSelector(IMarketLog.RevealOpen.selector, 0, revealBy(0));
        vm.expectRevert(early);
        market.forfeit(id, alice, 0, commitment);
        vm.warp(revealBy(0) - 1);
        vm.expectRevert(early);
        market.forfeit(id, alice, 0, commitment);
        vm.warp(revealBy(0));
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.forfeit(id, bob, 0, commitment);
        vm.expectEmit(address(market));
        emit IMarketLog.Forfeited(id, alice, 0, commitment, DEPOSIT - BOND, BOND);
        vm.prank(steve);
        assertEq(market.forfeit(id, alice, 0, commitment), DEPOSIT - BOND);
        assertEq(available(alice), DEPOSIT - BOND);
        assertEq(market.surplusOf(id), BOND);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.forfeit(id, alice, 0, commitment);
        vm.prank(alice);
        market.withdraw(id, type(uint256).max, alice);
        market.collectSurplus(id);
        assertEq(address(market).balance, 0);
    }

    function test_RevertWhen_OpenedCommitmentIsForfeited() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        reveal(p);
        vm.warp(revealBy(0));
        bytes32 commitment = commitmentOf(0, p);
        vm.expectRevert(IMarketLog.UnknownCommitment.selector);
        market.forfeit(id, alice, 0, commitment);
    }

    function testFuzz_forfeitSplitsTheDepositToTheTick(uint96 deposit, uint16 bondBps, uint32 fee) public {
        params.bondBps = uint16(bound(bondBps, 1, 10_000));
        params.settlementFee = fee;
        (params.tick, params.sink) = (1, bob);
        id = market.createMarket(params);
        uint256 floor = fee == 0 ? 1 : fee;
        deposit = uint96(bound(deposit, floor, type(uint96).max));
        fund(alice, deposit);
        vm.prank(alice);
        market.commitBid(id, keccak256("c"), deposit, openRound());
        vm.warp(revealBy(0));
        uint256 bond = uint256(deposit) * params.bondBps / 10_000;
        if (bond < floor) bond = floor;
        market.forfeit(id, alice, 0, keccak256("c"));
        assertEq(available(alice), deposit - bond);
        assertEq(market.surplusOf(id), bond);
    }

    // ----------------------------------------------------------------------------------------- whole rounds

    function test_roundWithoutAnOpeningHasNothingToSettle() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        vm.warp(revealBy(0));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingToSettle.selector, 0));
        this.trySettle(0);
        market.forfeit(id, alice, 0, commitmentOf(0, p));
        assertEq(available(alice), DEPOSIT - BOND);
    }

    function test_sealedRoundIsSettledFromTheEndOfItsWindow() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        reveal(p);
        bytes memory early = abi.encodeWithSelector(IMarketLog.RoundOpen.selector, 0, revealBy(0));
        vm.expectRevert(early);
        this.trySettle(0);
        vm.warp(revealBy(0) - 1);
        vm.expectRevert(early);
        this.trySettle(0);
        uint256 start = vm.snapshotState();
        vm.warp(revealBy(0));
        this.trySettle(0);
        vm.revertToState(start);
        vm.warp(settleBy(0) - 1);
        this.trySettle(0);
        vm.revertToState(start);
        vm.warp(settleBy(0));
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundVoid.selector, 0, settleBy(0)));
        this.trySettle(0);
    }

    function test_voidSealedRoundRefundsEverything() public {
        Posted memory p = commit(alice, 20, 8, DEPOSIT);
        open(1);
        reveal(p);
        vm.warp(settleBy(0) - 1);
        assertEq(available(alice), DEPOSIT - 160 - FEE);
        vm.warp(settleBy(0));
        assertEq(available(alice), DEPOSIT);
        vm.prank(alice);
        market.withdraw(id, DEPOSIT, alice);
        assertEq(address(market).balance, 0);
    }

    /// @dev A round that is full but for twenty commitments, each of which still finds room when it is opened.
    function test_everyCommitmentThatARoundTakesCanBeOpened() public {
        uint256 most = 2 ** 24 - 1;
        uint256 slot = roundSlot(0);
        vm.store(address(market), bytes32(slot), bytes32((uint256(keccak256("bids")) << 56) | (most - 20)));
        vm.store(address(market), bytes32(slot + 3), bytes32(most - 20));
        assertEq(market.bidChainOf(id, 0).count(), most - 20);
        Posted[] memory list = new Posted[](20);
        for (uint256 i; i < 20; ++i) {
            list[i] = commit(alice, 1, 1, 1 + FEE);
        }
        fund(alice, 100);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.RoundFull.selector, most, closeAt(0)));
        vm.prank(alice);
        market.commitBid(id, keccak256("one more"), 100, openRound());
        open(1);
        vm.prank(alice);
        market.commitBid(id, keccak256("one more"), 100, openRound());
        reveal(list);
        assertEq(market.bidChainOf(id, 0).count(), most);
    }

    /// @dev Why a salt: everything else about Alice's bid is guessed, and of 2^32 fees the first thousand are tried. With a known
    /// salt the fee is found at once, without it never.
    function test_withoutItsSaltNoDictionaryFindsTheFee() public {
        Posted memory p = commit(alice, 123, 1, DEPOSIT);
        bytes32 commitment = commitmentOf(0, p);
        bytes32 salt = saltOf(p);
        uint256 found;
        bytes32 seed = seedOf(0);
        for (uint64 fee = 1; fee <= 1000; ++fee) {
            p.fee = fee;
            BidWord word = wordOf(p);
            if (keccak256(abi.encode(seed, alice, word, salt)) == commitment) found = fee;
            assertTrue(keccak256(abi.encode(seed, alice, word, bytes32(0))) != commitment);
            assertTrue(keccak256(abi.encode(seed, alice, word)) != commitment);
        }
        assertEq(found, 123);
    }

    function _openMarket() private returns (MarketId) {
        (params.revealPeriod, params.bondBps, params.sink) = (0, 0, bob);
        return market.createMarket(params);
    }

    function trySettle(uint256 round) external {
        settle(round);
    }
}
