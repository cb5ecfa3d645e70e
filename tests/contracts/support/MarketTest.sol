// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IProofVerifier} from "../../../contracts/interfaces/IProofVerifier.sol";
import {IProverMarket} from "../../../contracts/interfaces/IProverMarket.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {CapacityChange} from "../../../contracts/types/CapacityChange.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {MarketParams, Mechanism} from "../../../contracts/types/MarketParams.sol";
import {Offer} from "../../../contracts/types/Offer.sol";
import {Delivery, Task} from "../../../contracts/types/Task.sol";
import {HashVerifier} from "../mocks/HashVerifier.sol";
import {PostedTasks} from "./PostedTasks.sol";
import {SlowClearing} from "./SlowClearing.sol";
import {SlowMerkle} from "./SlowMerkle.sol";

/// @notice A market and everything to drive it: bids are remembered, asks are noted at each close, and rounds are cleared by
/// `SlowClearing`. The market is deployed from its artifact, so that tests compile without it.
abstract contract MarketTest is PostedTasks {
    /// @dev What a seat asks and has free at a round's close, and what the round is cleared under.
    struct Noted {
        uint256 cost;
        uint256 unused;
    }

    struct NotedTerms {
        uint256 capacityCap;
        uint256 reservePrice;
    }

    uint256 internal constant NO_ASK = type(uint64).max;
    uint256 internal constant TICK = 1 gwei;
    uint256 internal constant FEE = 7;
    uint256 internal constant PER_UNIT = 100;
    uint32 internal constant MAX_SIZE = 8;
    /// Capacity that offers `offered` units.
    uint32 internal constant MARGIN = MAX_SIZE - 1;

    IProverMarket internal market;
    HashVerifier internal verifier;
    MarketParams internal params;

    address internal sink = makeAddr("sink");
    address internal relayer = makeAddr("relayer");
    address internal alice = makeAddr("alice");
    address internal bob = makeAddr("bob");
    address internal carol = makeAddr("carol");
    address internal paul = makeAddr("paul");
    address internal quentin = makeAddr("quentin");
    address internal rita = makeAddr("rita");
    address internal steve = makeAddr("steve");

    mapping(MarketId => mapping(uint256 round => Noted[])) private _asks;
    mapping(MarketId => mapping(uint256 round => NotedTerms)) private _terms;
    /// Sizes of the pages in which a round was settled (bids), from the last page to the first; none for one page.
    mapping(MarketId => mapping(uint256 round => uint256[])) private _pages;

    function setUp() public virtual {
        market = deployMarket();
        verifier = new HashVerifier();
        params = defaultParams();
        vm.warp(params.genesis);
        id = market.createMarket(params);
    }

    /// @notice A market's contract from its artifact: what is tested is the build that is deployed.
    function deployMarket() internal returns (IProverMarket) {
        address auditor = vm.deployCode("RoundAuditor.sol:RoundAuditor");
        address extension = vm.deployCode("MarketExtension.sol:MarketExtension");
        return IProverMarket(
            payable(vm.deployCode("ProverMarket.sol:ProverMarket", abi.encode(auditor, extension)))
        );
    }

    function defaultParams() internal view returns (MarketParams memory) {
        return MarketParams({
            currency: address(0),
            tick: uint96(TICK),
            capacityCap: 1000,
            reservePrice: 5,
            revealPeriod: 0,
            settlementPeriod: 60,
            provingPeriod: 250,
            takeoverPeriod: 50,
            maxTakeovers: 2,
            maxSeats: 5,
            capacityDelay: 1,
            mechanism: Mechanism.Core,
            verifier: IProofVerifier(verifier),
            verifierGas: 300_000,
            bountyBps: 5000,
            compensationBps: 3000,
            penaltyBps: 1000,
            bondBps: 0,
            sink: sink,
            collateralPerUnit: uint64(PER_UNIT),
            minSeatCapacity: 2 * MAX_SIZE - 1,
            genesis: 1_000_000,
            biddingPeriod: 100,
            settlementFee: uint32(FEE),
            maxTaskSize: MAX_SIZE,
            seatFee: 0,
            capMin: 1000,
            capMax: 1000,
            reserveMin: 5,
            reserveMax: 5
        });
    }

    /// @notice A capacity cap and a reserve price that never move.
    function fixCap(uint64 cap) internal {
        (params.capacityCap, params.capMin, params.capMax) = (cap, cap, cap);
    }

    function fixReserve(uint64 reserve) internal {
        (params.reservePrice, params.reserveMin, params.reserveMax) = (reserve, reserve, reserve);
    }

    function fixTaskSize(uint32 size) internal {
        (params.maxTaskSize, params.minSeatCapacity) = (size, 2 * size - 1);
    }

    // -------------------------------------------------------------------------------------------------------- time

    function openRound() internal view returns (uint32) {
        return uint32((block.timestamp - params.genesis) / params.biddingPeriod);
    }

    function openAt(uint256 round) internal view returns (uint256) {
        return params.genesis + round * params.biddingPeriod;
    }

    function closeAt(uint256 round) internal view returns (uint256) {
        return openAt(round + 1);
    }

    function revealBy(uint256 round) internal view returns (uint256) {
        return closeAt(round) + params.revealPeriod;
    }

    function settleBy(uint256 round) internal view returns (uint256) {
        return revealBy(round) + params.settlementPeriod;
    }

    function proveBy(uint256 round) internal view returns (uint256) {
        return settleBy(round) + params.provingPeriod;
    }

    function finalAt(uint256 round) internal view returns (uint256) {
        return proveBy(round) + uint256(params.maxTakeovers) * params.takeoverPeriod;
    }

    /// @notice Opens `round`, noting the asks at the close of the one before.
    function open(uint256 round) internal {
        vm.warp(openAt(round));
        if (round > 0) noteAsks(round - 1);
    }

    /// @notice Notes what the seats offer for `round`, and what it is cleared under; called at the second of its close. Asks of
    /// a sealed market are noted when they are opened.
    function noteAsks(uint256 round) internal {
        delete _asks[id][round];
        uint256 n = market.seatCount(id);
        for (uint256 i; i < n; ++i) {
            (,, Offer offer, CapacityChange change) = market.seatOf(id, i);
            bool isHidden = (round >= change.round()) == change.shrinks();
            uint256 hidden = isHidden ? change.units() : 0;
            uint256 cost = params.revealPeriod == 0 ? offer.costAt(round) : NO_ASK;
            noteAsk(round, cost, offer.free() < hidden ? 0 : offer.free() - hidden);
        }
        (uint256 cap, uint256 reserve) = market.termsOf(id, round);
        _terms[id][round] = NotedTerms(cap, reserve);
    }

    function noteAsk(uint256 round, uint256 cost, uint256 unused) internal {
        _asks[id][round].push(Noted(cost, unused));
    }

    function noteCost(uint256 round, uint256 seat_, uint256 cost) internal {
        _asks[id][round][seat_].cost = cost;
    }

    function noteTerms(uint256 round, uint256 cap, uint256 reserve) internal {
        _terms[id][round] = NotedTerms(cap, reserve);
    }

    /// @notice The ask book of a closed round, from what was noted.
    function asks(uint256 round) internal view returns (SlowClearing.Ask[] memory list) {
        Noted[] storage noted = _asks[id][round];
        list = new SlowClearing.Ask[](noted.length);
        uint256 margin = params.maxTaskSize - 1;
        for (uint256 i; i < list.length; ++i) {
            Noted memory ask = noted[i];
            if (ask.cost == NO_ASK || ask.unused < margin + params.maxTaskSize) continue;
            list[i] = SlowClearing.Ask(ask.cost, ask.unused - margin);
        }
    }

    // ------------------------------------------------------------------------------------------------------- money

    function fund(address account, uint256 ticks) internal {
        vm.deal(address(this), address(this).balance + ticks * params.tick);
        market.deposit{value: ticks * params.tick}(id, account, ticks * params.tick);
    }

    function available(address account) internal view returns (uint256) {
        return market.availableOf(id, account);
    }

    // -------------------------------------------------------------------------------------------------------- bids

    /// @notice A bid of `requester` for a task of its own, from its balance.
    function bid(address requester, uint64 fee, uint32 size) internal returns (uint256 index) {
        return submit(newTask(requester, fee, size));
    }

    /// @notice The same with the money for it.
    function fundedBid(address requester, uint64 fee, uint32 size) internal returns (uint256 index) {
        return fundedLot(requester, fee, size, 1);
    }

    /// @notice One entry of `count` bids of `requester` for tasks of its own, from its balance.
    function lot(address requester, uint64 fee, uint32 size, uint256 count)
        internal
        returns (uint256 firstIndex)
    {
        return submitLot(newTasks(requester, fee, size, count));
    }

    function fundedLot(address requester, uint64 fee, uint32 size, uint256 count)
        internal
        returns (uint256 firstIndex)
    {
        fund(requester, count * (uint256(fee) * size + params.settlementFee));
        return lot(requester, fee, size, count);
    }

    function submit(Posted memory p) internal returns (uint256 index) {
        return submitLot(_only(p));
    }

    function submitLot(Posted[] memory list) internal returns (uint256 firstIndex) {
        uint256 round;
        BidWord word = wordOf(list);
        tell(list);
        vm.prank(list[0].requester);
        (round, firstIndex) = market.submitOneBid(id, word);
        rememberLot(round, list);
    }

    /// @notice Publishes the statements of an entry that is to be told. A test is one transaction, unless its profile says otherwise.
    function tell(Posted[] memory list) internal {
        if (list[0].told) market.publish(id, list[0].requester, statementsOf(list));
    }

    function tell(Posted memory p) internal {
        tell(_only(p));
    }

    function bundle(address requester, uint64[] memory fees, uint32[] memory sizes)
        internal
        returns (uint256 firstIndex)
    {
        BidWord[] memory entries = new BidWord[](fees.length);
        Posted[] memory all = new Posted[](fees.length);
        for (uint256 i; i < fees.length; ++i) {
            all[i] = newTask(requester, fees[i], sizes[i]);
            entries[i] = wordOf(all[i]);
            tell(all[i]);
        }
        uint256 round;
        vm.prank(requester);
        (round, firstIndex) = market.submitBids(id, entries);
        for (uint256 i; i < fees.length; ++i) {
            remember(round, all[i]);
        }
    }

    /// @notice Where the market stores a round: bids, outcome, assignment root, number of commitments.
    function roundSlot(uint256 round) internal view returns (uint256) {
        return uint256(keccak256(abi.encode(id, 1))) + 4 * round;
    }

    // ------------------------------------------------------------------------------------------------------- seats

    /// @notice A seat that offers `offered` units.
    function seat(address prover, uint32 offered, uint64 cost) internal returns (uint256) {
        uint32 registered = offered + params.maxTaskSize - 1;
        fund(prover, uint256(registered) * params.collateralPerUnit + params.seatFee);
        vm.prank(prover);
        return market.register(id, registered, cost);
    }

    function free(uint256 seat_) internal view returns (uint256) {
        (,, Offer offer,) = market.seatOf(id, seat_);
        return offer.free();
    }

    function capacity(uint256 seat_) internal view returns (uint256 registered) {
        (, registered,,) = market.seatOf(id, seat_);
    }

    // -------------------------------------------------------------------------------------------------- settlement

    function cleared(uint256 round) internal view returns (SlowClearing.Result memory) {
        SlowClearing.Round memory r;
        r.averageFee = params.mechanism == Mechanism.AverageFee;
        r.number = round;
        NotedTerms memory terms = _terms[id][round];
        (r.capacityCap, r.reservePrice) = (terms.capacityCap, terms.reservePrice);
        r.bids = new SlowClearing.Bid[](postedCount(round));
        for (uint256 i; i < r.bids.length; ++i) {
            Posted memory p = posted(round, i);
            r.bids[i] = SlowClearing.Bid(p.fee, p.circuit.units());
        }
        r.asks = asks(round);
        return SlowClearing.clear(r);
    }

    function settle(uint256 round) internal returns (SlowClearing.Result memory result) {
        result = cleared(round);
        vm.prank(relayer);
        market.settle(id, round, result.certificate, words(round));
    }

    // ------------------------------------------------------------------------------------------------------- tasks

    /// @notice The task of a winning bid and its path under the round's root.
    function taskOf(uint256 round, uint256 index)
        internal
        view
        returns (Task memory task, bytes32[] memory path)
    {
        SlowClearing.Result memory result = cleared(round);
        Posted memory p = posted(round, index);
        Entry memory entry = entryOf(round, index);
        (uint256 first, uint256 last) = runOf(result, entry, index);
        task = Task({
            round: uint32(round),
            index: uint32(index),
            position: uint16(index - entry.first),
            runBefore: uint16(index - first),
            runAfter: uint16(last - index),
            lot: lotBits(p.told, entry.count),
            seat: uint8(result.seatOf[index]),
            fee: p.fee,
            size: p.circuit.units(),
            requester: p.requester,
            statements: statementsRoot(lotOf(round, entry))
        });
        (bytes32[] memory leaves, uint256 at) = leavesOf(round, result, index);
        path = SlowMerkle.path(leaves, at);
    }

    /// @notice The bids of an entry that fell to one prover with bid `index`, which won: indexes of the first and of the last.
    function runOf(SlowClearing.Result memory result, Entry memory entry, uint256 index)
        internal
        pure
        returns (uint256 first, uint256 last)
    {
        (first, last) = (index, index);
        while (first > entry.first && _fellTogether(result, first - 1, index)) --first;
        while (last + 1 < entry.first + entry.count && _fellTogether(result, last + 1, index)) ++last;
    }

    function _fellTogether(SlowClearing.Result memory result, uint256 i, uint256 k)
        private
        pure
        returns (bool)
    {
        return result.wins[i] && result.wins[k] && result.seatOf[i] == result.seatOf[k];
    }

    /// @notice Leaves of the round's assignment tree, one for each run, and where the one of bid `index` is among them: page by page in
    /// order of settling, within a page in order of submission.
    function leavesOf(uint256 round, SlowClearing.Result memory result, uint256 index)
        internal
        view
        returns (bytes32[] memory leaves, uint256 at)
    {
        uint256[] memory pages = _pages[id][round];
        if (pages.length == 0) {
            pages = new uint256[](1);
            pages[0] = result.wins.length;
        }
        BidWord[] memory list = words(round);
        uint256 n;
        uint256 end = result.wins.length;
        leaves = new bytes32[](end);
        for (uint256 k; k < pages.length; ++k) {
            for (uint256 i = end - pages[k]; i < end; ++i) {
                if (!result.wins[i]) continue;
                (, uint256 last) = runOf(result, entryOf(round, i), i);
                if (index >= i && index <= last) at = n;
                leaves[n++] = _leaf(round, list[entryNumberOf(round, i)], i, last, result.seatOf[i]);
                i = last;
            }
            end -= pages[k];
        }
        assembly ("memory-safe") {
            mstore(leaves, n)
        }
    }

    /// @dev Of the run from bid `first` to `last`.
    function _leaf(uint256 round, BidWord word, uint256 first, uint256 last, uint256 seat_)
        private
        view
        returns (bytes32)
    {
        uint256 which = ((first - entryOf(round, first).first) << 32) | first;
        return keccak256(abi.encode(word, which, ((last - first) << 8) | seat_));
    }

    function notePages(uint256 round, uint256[] memory bids) internal {
        _pages[id][round] = bids;
    }

    function proofOf(uint256 round, uint256 index) internal view returns (bytes memory) {
        Posted memory p = posted(round, index);
        return verifier.proofOf(p.circuit, p.inputs);
    }

    /// @notice What delivers a winning bid's task, with the proof that the verifier of these tests accepts.
    function deliveryOf(uint256 round, uint256 index) internal view returns (Delivery memory d) {
        (d.task, d.path) = taskOf(round, index);
        Posted memory p = posted(round, index);
        (d.circuit, d.publicInputs, d.dataHash) = (p.circuit, p.inputs, keccak256(p.data));
        Entry memory entry = entryOf(round, index);
        d.statementPath = SlowMerkle.path(statementLeaves(lotOf(round, entry)), index - entry.first);
        d.proof = proofOf(round, index);
    }

    function deliver(uint256 round, uint256 index) internal {
        Delivery memory d = deliveryOf(round, index);
        vm.prank(relayer);
        market.deliver(id, d);
    }

    function takeOver(uint256 round, uint256 index, uint256 seat_) internal returns (uint256 deadline) {
        (Task memory task, bytes32[] memory path) = taskOf(round, index);
        (address prover,,,) = market.seatOf(id, seat_);
        vm.prank(prover);
        return market.takeOver(id, task, path, seat_);
    }

    function expire(uint256 round, uint256 index) internal {
        (Task memory task, bytes32[] memory path) = taskOf(round, index);
        market.expire(id, task, path);
    }
}
