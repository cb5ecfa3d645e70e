// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Opening} from "../../../contracts/types/Sealed.sol";
import {SealedMarketTest} from "../support/SealedMarketTest.sol";

/// @notice What each action of a sealed market costs as a transaction of its own: run with the profile `gas`.
contract SealedMarketGasTest is SealedMarketTest {
    function _record(string memory name) private {
        vm.snapshotGasLastCall("ProverMarket", name);
    }

    /// @dev Of an account that has money, in a round that others have committed to.
    function test_gasOfBids() public {
        fund(alice, 1e6);
        Posted memory p = _task(alice);
        Posted[] memory many = new Posted[](100);
        commit(bob, 20, 8, 1000);
        bytes32 commitment = commitmentOf(0, p);
        vm.prank(alice);
        market.commitBid(id, commitment, 1000, openRound());
        _record("commitBid");
        Posted memory first = commit(carol, 20, 8, 1000);
        for (uint256 i; i < 100; ++i) {
            many[i] = _task(address(uint160(0xb000 + i)));
            commitTo(many[i], 1000);
        }
        open(1);
        reveal(first);
        _reveal(_listOf(p));
        _record("revealBids, 1");
        _reveal(many);
        _record("revealBids, 100, of as many requesters");
    }

    function test_gasOfForfeit() public {
        Posted memory p = commit(alice, 20, 8, 1000);
        bytes32 commitment = commitmentOf(0, p);
        vm.warp(revealBy(0));
        market.forfeit(id, alice, 0, commitment);
        _record("forfeit");
    }

    function test_gasOfAsks() public {
        sealedSeat(paul, 10);
        open(1);
        fund(paul, 1e6);
        bytes32 commitment = askCommitment(1, 0, 6, "salt");
        vm.prank(paul);
        market.commitAsk(id, 0, commitment, openRound());
        _record("commitAsk");
        open(2);
        market.revealAsk(id, 0, 6, "salt");
        _record("revealAsk");
    }

    /// @dev One public input and no data, as for `submitOneBid`.
    function _task(address requester) private pure returns (Posted memory p) {
        p = Posted(requester, 30, circuitOf(8), new uint256[](1), "", false);
        p.inputs[0] = uint256(keccak256("statement"));
    }

    function _listOf(Posted memory p) private pure returns (Posted[] memory list) {
        list = new Posted[](1);
        list[0] = p;
    }

    function _reveal(Posted[] memory list) private {
        Opening[] memory openings = new Opening[](list.length);
        for (uint256 i; i < list.length; ++i) {
            openings[i] = openingOf(list[i]);
        }
        market.revealBids(id, openings);
    }
}
