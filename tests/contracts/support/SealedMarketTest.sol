// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Opening} from "../../../contracts/types/Sealed.sol";
import {MarketTest} from "./MarketTest.sol";

/// @notice A market with sealed bids and asks, and everything to commit and to reveal. Commitments are made from their
/// documentation, with none of the market's own code.
abstract contract SealedMarketTest is MarketTest {
    /// @dev Of a deposit, and of a seat's collateral.
    uint256 internal constant BOND_BPS = 2000;

    function setUp() public virtual override {
        super.setUp();
        params.revealPeriod = 30;
        params.settlementPeriod = 60;
        params.bondBps = uint16(BOND_BPS);
        id = market.createMarket(params);
    }

    // -------------------------------------------------------------------------------------------------------- bids

    function seedOf(uint256 round) internal view returns (bytes32) {
        bytes32 hash = keccak256(abi.encode(block.chainid, address(market), id, round));
        return hash >> 56 << 56;
    }

    function saltOf(Posted memory p) internal pure returns (bytes32) {
        return keccak256(abi.encode("salt", p.requester, p.inputs));
    }

    function openingOf(Posted memory p) internal pure returns (Opening memory) {
        return Opening(p.requester, wordOf(p), saltOf(p));
    }

    function commitmentOf(uint256 round, Posted memory p) internal view returns (bytes32) {
        return keccak256(abi.encode(seedOf(round), p.requester, wordOf(p), saltOf(p)));
    }

    /// @notice What a bid needs at least as its deposit.
    function costOf(Posted memory p) internal view returns (uint256) {
        return uint256(p.fee) * p.circuit.units() + params.settlementFee;
    }

    /// @notice Commits to a bid of `requester` in the open round, with the money for its deposit.
    function commit(address requester, uint64 fee, uint32 size, uint256 deposit)
        internal
        returns (Posted memory p)
    {
        p = newTask(requester, fee, size);
        commitTo(p, deposit);
    }

    function commitTo(Posted memory p, uint256 deposit) internal {
        fund(p.requester, deposit);
        bytes32 commitment = commitmentOf(openRound(), p);
        vm.prank(p.requester);
        market.commitBid(id, commitment, uint96(deposit), openRound());
    }

    /// @notice Opens bids of the round that closed last. All are expected to be accepted.
    function reveal(Posted[] memory list) internal {
        Opening[] memory openings = new Opening[](list.length);
        for (uint256 i; i < list.length; ++i) {
            openings[i] = openingOf(list[i]);
            remember(openRound() - 1, list[i]);
            tell(list[i]);
        }
        vm.prank(relayer);
        assertEq(market.revealBids(id, openings), list.length);
    }

    function reveal(Posted memory p) internal {
        Posted[] memory list = new Posted[](1);
        list[0] = p;
        reveal(list);
    }

    // -------------------------------------------------------------------------------------------------------- asks

    function askCommitment(uint256 round, uint256 seat_, uint64 cost, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        (address prover,,,) = market.seatOf(id, seat_);
        uint256 who = (uint256(uint160(prover)) << 64) | cost;
        return keccak256(abi.encode(seedOf(round), who, seat_, salt));
    }

    function sealedSeat(address prover, uint32 offered) internal returns (uint256) {
        return seat(prover, offered, type(uint64).max);
    }

    function bondOf(uint256 seat_) internal view returns (uint256 bond) {
        bond = capacity(seat_) * params.collateralPerUnit * params.bondBps / 10_000;
        if (bond < params.settlementFee) bond = params.settlementFee;
    }

    /// @notice Commits a seat to a cost in the open round, with the money for the bond.
    function commitAsk(uint256 seat_, uint64 cost) internal returns (bytes32 salt) {
        salt = keccak256(abi.encode("ask", seat_, cost, openRound()));
        fund(_proverOf(seat_), bondOf(seat_));
        bytes32 commitment = askCommitment(openRound(), seat_, cost, salt);
        vm.prank(_proverOf(seat_));
        market.commitAsk(id, seat_, commitment, openRound());
    }

    function revealAsk(uint256 seat_, uint64 cost, bytes32 salt) internal {
        vm.prank(relayer);
        market.revealAsk(id, seat_, cost, salt);
        noteCost(openRound() - 1, seat_, cost);
    }

    function _proverOf(uint256 seat_) internal view returns (address prover) {
        (prover,,,) = market.seatOf(id, seat_);
    }
}
