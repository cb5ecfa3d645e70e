// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Vm} from "forge-std/Vm.sol";
import {Multicallable} from "solady/utils/Multicallable.sol";
import {IMarketLog} from "../../contracts/interfaces/IMarketLog.sol";
import {IMarketExtension, IProverMarket} from "../../contracts/interfaces/IProverMarket.sol";
import {Lane} from "../../contracts/types/Lane.sol";
import {MarketId} from "../../contracts/types/MarketId.sol";
import {SignedBid} from "../../contracts/types/SignedBid.sol";
import {Opening} from "../../contracts/types/Sealed.sol";
import {SignedBidTest} from "./support/SignedBidTest.sol";

/// @notice One market of two contracts: what is where must show nowhere.
contract ExtensionTest is SignedBidTest {
    function setUp() public override {
        super.setUp();
        tells = true;
    }

    function _extension() private view returns (address extension) {
        extension = market.extension();
        assertGt(extension.code.length, 0);
        assertGt(address(market.auditor()).code.length, 0);
        assertTrue(extension != address(market.auditor()));
    }

    function test_RevertWhen_AuditorOrExtensionHasNoCode() public {
        address auditor = address(market.auditor());
        address extension = _extension();
        vm.expectRevert(IMarketLog.NotAContract.selector);
        this.deploy(alice, extension);
        vm.expectRevert(IMarketLog.NotAContract.selector);
        this.deploy(auditor, alice);
        vm.expectRevert(IMarketLog.NotAContract.selector);
        this.deploy(address(0), address(0));
        IProverMarket fresh = IProverMarket(this.deploy(auditor, extension));
        assertEq(address(fresh.auditor()), auditor);
        assertEq(fresh.extension(), extension);
    }

    /// @dev Creates a market's contract and passes on what its constructor says.
    function deploy(address auditor, address extension) external returns (address created) {
        bytes memory code = vm.getCode("ProverMarket.sol:ProverMarket");
        code = bytes.concat(code, abi.encode(auditor, extension));
        assembly ("memory-safe") {
            created := create(0, add(code, 0x20), mload(code))
            if iszero(created) {
                returndatacopy(0x00, 0x00, returndatasize())
                revert(0x00, returndatasize())
            }
        }
    }

    function _answers(address to, bytes4 selector) private returns (bool) {
        // Enough zeros for any list of arguments: offsets of zero are lists without an element.
        (bool ok, bytes memory answer) = to.call(abi.encodePacked(selector, new bytes(1024)));
        return ok || answer.length != 0;
    }

    function test_marketAnswersEverythingThatItsInterfaceSays() public {
        string memory json = vm.readFile("out/IProverMarket.sol/IProverMarket.json");
        string[] memory functions = vm.parseJsonKeys(json, ".methodIdentifiers");
        assertGt(functions.length, 35);
        for (uint256 i; i < functions.length; ++i) {
            assertTrue(_answers(address(market), bytes4(keccak256(bytes(functions[i])))), functions[i]);
        }
        assertFalse(_answers(address(market), bytes4(keccak256("owner()"))));
    }

    /// @dev None of them does anything with money there, so that none can be caught in it.
    function test_extensionAloneIsNoMarket() public {
        IMarketExtension extension = IMarketExtension(_extension());
        vm.expectRevert(IMarketLog.NotTheMarket.selector);
        extension.createMarket(params);
        bytes memory unknown = abi.encodeWithSelector(IMarketLog.UnknownMarket.selector, id);
        vm.deal(address(this), 1 ether);
        vm.expectRevert(unknown);
        extension.commitBid{value: 1 ether}(id, "c", 1, 0);
        vm.expectRevert(unknown);
        extension.commitAsk{value: 1 ether}(id, 0, "c", 0);
        vm.expectRevert(unknown);
        extension.revealBids(id, new Opening[](1));
        fund(dora.addr, 1000);
        SignedBid[] memory bids = new SignedBid[](1);
        Binding memory b = Binding(block.chainid, address(extension), id, 0);
        bids[0] = signedFor(b, dora.privateKey, plainWord(10, 1));
        bytes4 poor = IMarketLog.InsufficientBalance.selector;
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NothingSubmitted.selector, poor));
        extension.submitSignedBids(id, bids);
        vm.expectRevert(unknown);
        extension.marketParams(id);
        (bool ok,) = address(extension).call{value: 1}("");
        assertFalse(ok);
        assertEq(address(extension).balance, 0);
    }

    function test_RevertWhen_EtherComesWithoutACallThatNeedsIt() public {
        vm.deal(address(this), 1 ether);
        (bool ok, bytes memory reason) = address(market).call{value: 5}("");
        assertFalse(ok);
        assertEq(reason, abi.encodeWithSelector(IMarketLog.WrongValue.selector, 5, 0));
        (ok,) = address(market).call{value: 5}(abi.encodeWithSignature("owner()"));
        assertFalse(ok);
        (ok,) = address(market).call{value: 5}(abi.encodeCall(market.seatCount, (id)));
        assertFalse(ok);
        (ok,) = address(market).call{value: 5}(abi.encodeCall(market.createMarket, (params)));
        assertFalse(ok);
        assertEq(address(market).balance, 0);
    }

    function test_errorsOfTheExtensionComeThroughAsTheyAre() public {
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.MarketExists.selector, id));
        market.createMarket(params);
        vm.expectRevert(IMarketLog.NoBids.selector);
        market.submitSignedBids(id, new SignedBid[](0));
    }

    function test_multicallReachesBothContracts() public {
        fund(paul, 2000);
        bytes[] memory calls = new bytes[](5);
        calls[0] = abi.encodeCall(market.register, (id, 17, 6));
        calls[1] = abi.encodeCall(market.ask, (id, 0, 7));
        calls[2] = abi.encodeCall(market.withdraw, (id, 50, paul));
        calls[3] = abi.encodeCall(market.availableOf, (id, paul));
        calls[4] = abi.encodeCall(market.setOperator, (id, rita));
        vm.prank(paul);
        bytes[] memory answers = Multicallable(address(market)).multicall(calls);
        assertEq(abi.decode(answers[0], (uint256)), 0);
        assertEq(abi.decode(answers[3], (uint256)), 250);
        assertEq(paul.balance, 50 * TICK);
        (address prover,,,) = market.seatOf(id, 0);
        assertEq(prover, paul);
        assertEq(market.operatorOf(id, paul), rita);
    }

    // ----------------------------------------------------------------------------------------------------- storage

    function _load(bytes32 slot) private view returns (uint256) {
        return uint256(vm.load(address(market), slot));
    }

    /// @dev Slot of an entry of the mapping at `slot`.
    function _at(bytes32 key, uint256 slot) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    /// @dev Each book's storage is where the order of inheritance puts it, whichever of the two contracts wrote it: the
    /// market's own code (bids, seats, settlement, deliveries) or the extension (markets, takeovers, expiry).
    function test_bothContractsHaveOneLayout() public {
        bytes32 key = MarketId.unwrap(id);
        assertEq(address(uint160(_load(_at(key, 0)))), address(0)); // currency, the low part of the first slot
        assertEq(_load(_at(key, 0)) >> 160, TICK);
        seat(paul, 10, 6);
        seat(quentin, 24, 9);
        assertEq(_load(_at(key, 7)), 2); // seats
        open(1);
        fundedBid(alice, 20, 8);
        fundedBid(alice, 19, 8);
        fundedBid(bob, 18, 8);
        Lane[2] memory lanes = market.lanesOf(id, alice);
        bytes32 lane = keccak256(abi.encode(alice, _at(key, 3)));
        assertEq(_load(bytes32(uint256(lane) + 1)), Lane.unwrap(lanes[1]));
        uint256 round = uint256(_at(key, 1)) + 4;
        assertEq(_load(bytes32(round)) & type(uint24).max, 3);
        open(2);
        assertEq(settle(1).units, 8);
        assertEq(_load(bytes32(round + 2)), uint256(market.assignmentRoot(id, 1)));
        // The settlement has put the task on the seat.
        assertEq(capacity(0) - free(0), 8);
        vm.warp(proveBy(1));
        takeOver(1, 0, 1);
        bytes32 task = keccak256(abi.encode(key, 1, 0));
        assertTrue(_load(_at(task, 11)) != 0);
        deliver(1, 0);
        assertEq(_load(keccak256(abi.encode(0, keccak256(abi.encode(1, _at(key, 10)))))), 1);
        assertEq(_load(_at(key, 5)), market.surplusOf(id));
        // Nothing of all this is in the extension's own storage.
        for (uint256 slot; slot < 13; ++slot) {
            assertEq(vm.load(_extension(), bytes32(slot)), 0);
            assertEq(vm.load(_extension(), _at(key, slot)), 0);
        }
    }
}
