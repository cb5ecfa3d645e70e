// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {BidChain} from "../../../contracts/types/BidChain.sol";
import {BidWord} from "../../../contracts/types/BidWord.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {SignedBid, WalletBid} from "../../../contracts/types/SignedBid.sol";
import {
    AnsweringWallet,
    BurningWallet,
    ChattyWallet,
    ReenteringWallet,
    RevertingWallet,
    SlowWallet,
    Wallet
} from "../mocks/Wallets.sol";
import {SignedBidTest} from "../support/SignedBidTest.sol";

/// @notice Bids of contracts: what they say about their signature decides, whatever they do instead.
contract WalletBidsTest is SignedBidTest {
    bytes4 private constant MAGIC = 0x1626ba7e;
    uint256 private constant WALLET_GAS = 100_000;
    uint256 private constant GAS_FOR_WALLET = WALLET_GAS * 64 / 63 + 5000;

    BidWord private _word = plainWord(10, 4);
    Wallet private _good;

    function setUp() public override {
        super.setUp();
        _good = new Wallet(dora.addr);
        fund(address(_good), 1000);
    }

    function _signedWith(Binding memory b, uint256 key, address wallet, BidWord word)
        private
        pure
        returns (WalletBid memory)
    {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digestOf(b, word));
        return WalletBid(wallet, word, abi.encode(v, r, s));
    }

    function _signed(BidWord word) private view returns (WalletBid memory) {
        return _signedWith(here(), dora.privateKey, address(_good), word);
    }

    function _unsigned(address wallet) private view returns (WalletBid memory) {
        return WalletBid(wallet, _word, "");
    }

    function _relay(WalletBid[] memory list) private returns (uint256) {
        vm.prank(relayer);
        return market.submitWalletBids(id, list);
    }

    /// @dev The wallet has money, and its bid is refused for its signature alone, between two good ones.
    function _assertRefused(WalletBid memory bad) private {
        fund(bad.requester, 1000);
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(bad));
        Wallet other = new Wallet(emil.addr);
        fund(address(other), 40 + FEE);
        WalletBid[] memory list = new WalletBid[](3);
        list[0] = _signed(_word);
        list[1] = bad;
        list[2] = _signedWith(here(), emil.privateKey, address(other), _word);
        bytes32 before = accountHash(bad.requester);
        expectRefusal(bad.requester, 1, IMarketLog.WrongSignature.selector);
        assertEq(_relay(list), 2);
        assertEq(accountHash(bad.requester), before);
        assertEq(available(address(_good)), 1000 - 40 - FEE);
        assertEq(available(address(other)), 0);
    }

    function _assertAccepted(address wallet) private {
        fund(wallet, 1000);
        assertEq(_relay(only(_unsigned(wallet))), 1);
        assertEq(available(wallet), 1000 - 40 - FEE);
    }

    // ---------------------------------------------------------------------------------------------------- accepted

    function test_bidOfAContractEqualsADirectOne() public {
        fundedBid(alice, 12, 1);
        uint256 start = vm.snapshotState();
        vm.prank(address(_good));
        market.submitOneBid(id, _word);
        bytes32 direct = keccak256(abi.encode(market.bidChainOf(id, 0), accountHash(address(_good))));
        vm.revertToState(start);
        vm.expectEmit(address(market));
        emit IMarketLog.SignedBidsSubmitted(id, 0, 1, submittedOf(address(_good), _word));
        assertEq(_relay(only(_signed(_word))), 1);
        assertEq(keccak256(abi.encode(market.bidChainOf(id, 0), accountHash(address(_good)))), direct);
    }

    function test_bidOfAContractComesBackToIt() public {
        Posted[] memory list = newTasks(address(_good), 10, 4, 2);
        rememberLot(0, list);
        assertEq(_relay(only(_signed(wordOf(list)))), 1);
        assertEq(available(address(_good)), 1000 - 2 * (40 + FEE));
        vm.warp(settleBy(0));
        vm.prank(address(_good));
        market.withdraw(id, type(uint256).max, alice);
        assertEq(alice.balance, 1000 * TICK);
    }

    function test_contractGetsTheDigestAndItsSignatureAsTheyAre() public {
        bytes memory signature = hex"0102030405060708091011121314151617181920212223242526272829303132333435";
        vm.expectCall(
            address(_good), abi.encodeWithSelector(MAGIC, digestOf(here(), _word), signature), uint64(1)
        );
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(WalletBid(address(_good), _word, signature)));
    }

    function test_answerOfMoreThanAWordIsReadByItsFirst() public {
        _assertAccepted(address(new AnsweringWallet(abi.encode(MAGIC, uint256(7)))));
        _assertAccepted(address(new ChattyWallet(33)));
        _assertAccepted(address(new ChattyWallet(64_000)));
    }

    function test_contractMayUseAHundredThousandGas() public {
        _assertAccepted(address(new SlowWallet(WALLET_GAS - 1000)));
        _assertRefused(_unsigned(address(new SlowWallet(WALLET_GAS + 1))));
    }

    // ----------------------------------------------------------------------------------------------------- refused

    function test_signatureThatTheContractRefusesIsRefused() public {
        Wallet strict = new Wallet(fred.addr);
        _assertRefused(_signedWith(here(), emil.privateKey, address(strict), _word));
    }

    function test_signatureOfAnotherEntryRoundMarketContractOrChainIsRefused() public {
        WalletBid memory bad = _signed(_word);
        bad.entry = plainWord(11, 4);
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(bad));
        Binding memory b = here();
        b.round = 1;
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(_signedWith(b, dora.privateKey, address(_good), _word)));
        b = here();
        b.chain = 5;
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(_signedWith(b, dora.privateKey, address(_good), _word)));
        b = here();
        b.market = address(this);
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(_signedWith(b, dora.privateKey, address(_good), _word)));
        b = here();
        b.id = MarketId.wrap(MarketId.unwrap(id) ^ bytes32(uint256(1)));
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(_signedWith(b, dora.privateKey, address(_good), _word)));
        bad = _signed(_word);
        uint256 chain = block.chainid;
        vm.chainId(chain + 1); // a fork
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(bad));
        vm.chainId(chain);
        assertEq(available(address(_good)), 1000);
        assertEq(_relay(only(bad)), 1);
    }

    function test_replayIsRefused() public {
        WalletBid[] memory list = new WalletBid[](2);
        list[0] = list[1] = _signed(_word);
        expectRefusal(address(_good), 1, IMarketLog.BidInRoundAlready.selector);
        assertEq(_relay(list), 1);
        expectNothing(IMarketLog.BidInRoundAlready.selector);
        _relay(list);
        open(1);
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(list);
    }

    function test_acceptedSignatureDoesNotHelpABadEntry() public {
        address wallet = address(new AnsweringWallet(abi.encode(MAGIC)));
        expectNothing(IMarketLog.InsufficientBalance.selector);
        _relay(only(_unsigned(wallet)));
        expectNothing(IMarketLog.ZeroFee.selector);
        _relay(only(WalletBid(wallet, plainWord(0, 4), "")));
        expectNothing(IMarketLog.TaskSizeOutOfRange.selector);
        _relay(only(WalletBid(wallet, plainWord(1, MAX_SIZE + 1), "")));
    }

    function test_revertWithTheRightAnswerIsARefusal() public {
        _assertRefused(_unsigned(address(new RevertingWallet())));
    }

    function test_accountWithoutCodeIsRefused() public {
        _assertRefused(_unsigned(alice));
    }

    function test_keyDoesNotSpeakForTheContractItIsOf() public {
        _assertRefused(_signedWith(here(), dora.privateKey, dora.addr, _word));
    }

    /// @dev Whatever precompiles answer, it is no signature.
    function test_precompileIsRefused() public {
        for (uint160 i = 1; i < 18; ++i) {
            fund(address(i), 1000);
            vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
            _relay(only(WalletBid(address(i), _word, abi.encodePacked(bytes32(0), MAGIC))));
        }
    }

    function test_marketItselfIsRefused() public {
        _assertRefused(_unsigned(address(market)));
    }

    function test_shortAnswerIsRefused() public {
        _assertRefused(_unsigned(address(new AnsweringWallet(abi.encodePacked(MAGIC)))));
    }

    function test_answerOneByteShortIsRefused() public {
        _assertRefused(_unsigned(address(new ChattyWallet(31))));
    }

    function test_emptyAnswerIsRefused() public {
        _assertRefused(_unsigned(address(new AnsweringWallet(""))));
    }

    function test_dirtyAnswerIsRefused() public {
        _assertRefused(_unsigned(address(new AnsweringWallet(abi.encodePacked(MAGIC, bytes27(0), uint8(1))))));
    }

    function test_answerOfTrueIsRefused() public {
        _assertRefused(_unsigned(address(new AnsweringWallet(abi.encode(true)))));
    }

    function testFuzz_otherAnswersAreRefused(bytes32 answer) public {
        if (answer == bytes32(MAGIC)) answer = 0;
        fund(alice, 1000);
        address wallet = address(new AnsweringWallet(abi.encode(answer)));
        expectNothing(IMarketLog.WrongSignature.selector);
        _relay(only(_unsigned(wallet)));
    }

    // -------------------------------------------------------------------------------------------------- re-entering

    function _assertCannot(bytes memory attack) private {
        address wallet = address(new ReenteringWallet(address(market), attack));
        fund(wallet, 1000);
        vm.expectPartialRevert(IMarketLog.NothingSubmitted.selector);
        _relay(only(_unsigned(wallet)));
        assertEq(available(wallet), 1000);
        assertEq(BidChain.unwrap(market.bidChainOf(id, 0)), 0);
    }

    function test_contractThatCallsBackChangesNothing() public {
        fund(emil.addr, 1000);
        _assertCannot(abi.encodeCall(market.submitOneBid, (id, _word)));
        _assertCannot(abi.encodeCall(market.withdraw, (id, 10, address(this))));
        _assertCannot(abi.encodeCall(market.submitSignedBids, (id, only(signed(emil, _word)))));
        _assertCannot(abi.encodeCall(market.submitWalletBids, (id, only(_signed(_word)))));
        _assertCannot(abi.encodeCall(market.fold, (id, alice)));
        assertEq(available(emil.addr), 1000);
        assertEq(available(address(_good)), 1000);
    }

    /// @dev Looking is allowed.
    function test_contractMayReadTheMarket() public {
        _assertAccepted(
            address(
                new ReenteringWallet(
                    address(market), abi.encodeCall(market.availableOf, (id, address(_good)))
                )
            )
        );
    }

    // --------------------------------------------------------------------------------------------------------- gas

    /// @dev Ten burn all they get, and an eleventh bid goes through.
    function test_burnersCostNoMoreThanTheirGasAndStopNobody() public {
        WalletBid[] memory list = new WalletBid[](11);
        for (uint256 i; i < 10; ++i) {
            address wallet = address(new BurningWallet());
            fund(wallet, 1000);
            list[i] = _unsigned(wallet);
        }
        list[10] = _signed(_word);
        uint256 before = gasleft();
        assertEq(_relay(list), 1);
        assertLt(before - gasleft(), 10 * (WALLET_GAS + 10_000) + 300_000);
        assertEq(available(address(_good)), 1000 - 40 - FEE);
    }

    function relayWith(uint256 gas_, WalletBid[] memory list) external returns (uint256) {
        return market.submitWalletBids{gas: gas_}(id, list);
    }

    /// @dev Whatever gas the call has, a wallet that accepts within its gas is never said to have refused.
    function testFuzz_tooLittleGasIsNeverAWrongSignature(uint256 gas_, uint16 length, uint8 n) public {
        WalletBid[] memory list = new WalletBid[](1 + n % 3);
        for (uint256 i; i < list.length; ++i) {
            list[i] = _unsigned(address(new SlowWallet(WALLET_GAS - 1000)));
            list[i].signature = new bytes(length);
            fund(list[i].requester, 1000);
        }
        gas_ = bound(gas_, 20_000, 400_000 + list.length * 200_000);
        vm.recordLogs();
        try this.relayWith(gas_, list) returns (uint256 accepted) {
            assertEq(accepted, list.length);
            assertEq(vm.getRecordedLogs().length, 1);
        } catch (bytes memory reason) {
            if (reason.length != 0) assertEq(bytes4(reason), IMarketLog.InsufficientGas.selector);
            assertEq(market.bidChainOf(id, 0).count(), 0);
        }
    }

    function test_RevertWhen_TooLittleGasIsLeftForAWallet() public {
        WalletBid[] memory list = only(_signed(_word));
        vm.expectPartialRevert(IMarketLog.InsufficientGas.selector);
        market.submitWalletBids{gas: GAS_FOR_WALLET + 2000}(id, list);
        assertEq(market.submitWalletBids{gas: GAS_FOR_WALLET + 150_000}(id, list), 1);
    }

    /// @dev However long its signature: copying it is not at the wallet's cost.
    function test_longSignatureLeavesAWalletItsGas() public {
        WalletBid[] memory list = only(_unsigned(address(new SlowWallet(WALLET_GAS - 1000))));
        list[0].signature = new bytes(100_000);
        fund(list[0].requester, 1000);
        uint256 refusals;
        for (uint256 gas_ = 110_000; gas_ < 500_000; gas_ += 1000) {
            uint256 start = vm.snapshotState();
            try this.relayWith(gas_, list) {}
            catch (bytes memory reason) {
                ++refusals;
                if (reason.length != 0) assertEq(bytes4(reason), IMarketLog.InsufficientGas.selector);
            }
            vm.revertToState(start);
        }
        assertGt(refusals, 20);
        assertLt(refusals, 300);
    }
}
