// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {Lane} from "../../../contracts/types/Lane.sol";
import {SignedBid, SubmittedBid, WalletBid} from "../../../contracts/types/SignedBid.sol";
import {BidSignatures} from "./BidSignatures.sol";
import {MarketTest} from "./MarketTest.sol";

/// @notice Requesters with keys, and somebody who submits what they sign.
abstract contract SignedBidTest is MarketTest, BidSignatures {
    Vm.Wallet internal dora;
    Vm.Wallet internal emil;
    Vm.Wallet internal fred;

    function setUp() public virtual override {
        super.setUp();
        (dora, emil, fred) = (vm.createWallet("dora"), vm.createWallet("emil"), vm.createWallet("fred"));
    }

    // -------------------------------------------------------------------------------------------------- signatures

    function here() internal view returns (Binding memory) {
        return Binding(block.chainid, address(market), id, openRound());
    }

    function signed(Vm.Wallet memory signer, BidWord word) internal view returns (SignedBid memory) {
        return signedFor(here(), signer.privateKey, word);
    }

    /// @notice A signed entry for new tasks, remembered as the next of the open round.
    function rememberSigned(Vm.Wallet memory signer, uint64 fee, uint32 size, uint256 count)
        internal
        returns (SignedBid memory)
    {
        Posted[] memory list = newTasks(signer.addr, fee, size, count);
        rememberLot(openRound(), list);
        tell(list);
        return signed(signer, wordOf(list));
    }

    // -------------------------------------------------------------------------------------------------- submitting

    function only(SignedBid memory bid_) internal pure returns (SignedBid[] memory list) {
        list = new SignedBid[](1);
        list[0] = bid_;
    }

    function only(WalletBid memory bid_) internal pure returns (WalletBid[] memory list) {
        list = new WalletBid[](1);
        list[0] = bid_;
    }

    function relay(SignedBid[] memory list) internal returns (uint256) {
        vm.prank(relayer);
        return market.submitSignedBids(id, list);
    }

    /// @notice Expects that the next call finds nothing to submit.
    function expectNothing(bytes4 reason) internal {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingSubmitted.selector, reason));
    }

    function expectRefusal(address requester, uint256 position, bytes4 reason) internal {
        vm.expectEmit(address(market));
        emit IMarketLog.SignedBidRefused(id, requester, openRound(), position, reason);
    }

    /// @notice Submits `bad` between two good ones: it alone is refused, and changes nothing.
    function assertRefused(SignedBid memory bad, address requester, bytes4 reason) internal {
        expectNothing(reason);
        relay(only(bad));
        Vm.Wallet[2] memory others = [vm.createWallet("before"), vm.createWallet("after")];
        SignedBid[] memory list = new SignedBid[](3);
        list[1] = bad;
        for (uint256 i; i < 2; ++i) {
            fund(others[i].addr, 30 + FEE);
            list[2 * i] = signed(others[i], plainWord(10, 3));
        }
        bytes32 before = accountHash(requester);
        uint256 bids = market.bidChainOf(id, openRound()).count();
        expectRefusal(requester, 1, reason);
        assertEq(relay(list), 2);
        assertEq(accountHash(requester), before);
        assertEq(market.bidChainOf(id, openRound()).count(), bids + 2);
        for (uint256 i; i < 2; ++i) {
            assertEq(available(others[i].addr), 0);
            assertTrue(market.lanesOf(id, others[i].addr)[openRound() & 1].hasBid());
        }
    }

    function submittedOf(address requester, BidWord word) internal pure returns (SubmittedBid[] memory list) {
        list = new SubmittedBid[](1);
        list[0] = SubmittedBid(requester, word);
    }

    function accountHash(address account) internal view returns (bytes32) {
        return keccak256(abi.encode(market.lanesOf(id, account)));
    }

    function laneOf(address account, uint256 round) internal view returns (Lane) {
        return market.lanesOf(id, account)[round & 1];
    }
}
