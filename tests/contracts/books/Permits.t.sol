// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {stdJson} from "forge-std/StdJson.sol";
import {ERC20} from "solady/tokens/ERC20.sol";
import {SafeTransferLib} from "solady/utils/SafeTransferLib.sol";
import {IMarketLog} from "../../../contracts/interfaces/IMarketLog.sol";
import {MarketId} from "../../../contracts/types/MarketId.sol";
import {FeeToken, PlainToken} from "../mocks/Tokens.sol";
import {MarketTest} from "../support/MarketTest.sol";

/// @notice A token that takes signatures for its allowances.
contract PermitToken is ERC20 {
    function name() public pure override returns (string memory) {
        return "Permit Token";
    }

    function symbol() public pure override returns (string memory) {
        return "PT";
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @notice Deposits by signature, with the real Permit2 at its address.
contract PermitsTest is MarketTest {
    using stdJson for string;

    address private constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    PermitToken private token;
    address private owner;
    uint256 private key;

    function setUp() public override {
        super.setUp();
        vm.etch(PERMIT2, vm.readFile("tests/vectors/permit2.json").readBytes(".code"));
        token = new PermitToken();
        (owner, key) = makeAddrAndKey("owner");
        token.mint(owner, 3000);
        _marketIn(address(token));
    }

    function _marketIn(address currency) private {
        (params.currency, params.tick) = (currency, 3);
        id = market.createMarket(params);
    }

    // --------------------------------------------------------------------------------------------------- EIP-2612

    struct Signed {
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    function _permit(uint256 amount, uint256 deadline) private view returns (Signed memory p) {
        bytes32 typehash =
            keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes32 structHash =
            keccak256(abi.encode(typehash, owner, address(market), amount, token.nonces(owner), deadline));
        (p.v, p.r, p.s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash)));
    }

    function test_permitDepositsWithoutAnApproval() public {
        Signed memory p = _permit(300, block.timestamp);
        vm.expectEmit(address(market));
        emit IMarketLog.Deposited(id, owner, owner, 100);
        vm.prank(owner);
        market.depositWithPermit(id, 300, block.timestamp, p.v, p.r, p.s);
        assertEq(available(owner), 100);
        assertEq(token.balanceOf(address(market)), 300);
    }

    function test_permitThatSomebodyElseHasUsedStillDeposits() public {
        Signed memory p = _permit(300, block.timestamp);
        token.permit(owner, address(market), 300, block.timestamp, p.v, p.r, p.s);
        vm.prank(owner);
        market.depositWithPermit(id, 300, block.timestamp, p.v, p.r, p.s);
        assertEq(available(owner), 100);
    }

    function test_RevertWhen_PermitIsAnotherOwners() public {
        Signed memory p = _permit(300, block.timestamp);
        token.mint(alice, 300);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        vm.prank(alice);
        market.depositWithPermit(id, 300, block.timestamp, p.v, p.r, p.s);
        assertEq(available(alice), 0);
        assertEq(token.balanceOf(alice), 300);
    }

    function test_RevertWhen_PermitHasExpired() public {
        Signed memory p = _permit(300, block.timestamp - 1);
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        vm.prank(owner);
        market.depositWithPermit(id, 300, block.timestamp - 1, p.v, p.r, p.s);
    }

    function test_RevertWhen_PermittedAmountIsNoMultipleOfTick() public {
        Signed memory p = _permit(301, block.timestamp);
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NotMultipleOfTick.selector, 301, 3));
        vm.prank(owner);
        market.depositWithPermit(id, 301, block.timestamp, p.v, p.r, p.s);
    }

    function test_permitOfATokenThatTakesNoneNeedsAnAllowance() public {
        PlainToken plain = new PlainToken();
        plain.mint(owner, 300);
        _marketIn(address(plain));
        vm.expectRevert(SafeTransferLib.TransferFromFailed.selector);
        vm.prank(owner);
        market.depositWithPermit(id, 300, block.timestamp, 27, 0, 0);
        vm.prank(owner);
        plain.approve(address(market), 300);
        vm.prank(owner);
        market.depositWithPermit(id, 300, block.timestamp, 27, 0, 0);
        assertEq(available(owner), 100);
    }

    function test_RevertWhen_CurrencyIsNative() public {
        _marketIn(address(0));
        vm.expectRevert(IMarketLog.NativeCurrency.selector);
        market.depositWithPermit(id, 300, block.timestamp, 27, 0, 0);
        vm.expectRevert(IMarketLog.NativeCurrency.selector);
        market.depositWithPermit2(id, owner, 300, 0, block.timestamp, "");
    }

    // ---------------------------------------------------------------------------------------------------- Permit2

    function _permit2(MarketId id_, uint256 amount, uint256 nonce) private view returns (bytes memory) {
        bytes32 permitted =
            keccak256(abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), token, amount));
        bytes32 witness = keccak256(abi.encode(keccak256("MarketDeposit(bytes32 market)"), id_));
        bytes32 typehash = keccak256(
            "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,MarketDeposit witness)MarketDeposit(bytes32 market)TokenPermissions(address token,uint256 amount)"
        );
        bytes32 structHash =
            keccak256(abi.encode(typehash, permitted, address(market), nonce, block.timestamp, witness));
        bytes32 domain = PermitToken(PERMIT2).DOMAIN_SEPARATOR();
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(key, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }

    function _approvePermit2() private {
        vm.prank(owner);
        token.approve(PERMIT2, type(uint256).max);
    }

    function _permit2Fails(
        MarketId id_,
        address account,
        uint256 amount,
        uint256 nonce,
        bytes memory signature
    ) private {
        uint256 before = token.balanceOf(owner);
        vm.prank(relayer);
        (bool success,) = address(market)
            .call(
                abi.encodeCall(
                    market.depositWithPermit2, (id_, account, amount, nonce, block.timestamp, signature)
                )
            );
        assertFalse(success);
        assertEq(token.balanceOf(owner), before);
    }

    function test_anyoneSendsAPermit2DepositForItsOwner() public {
        _approvePermit2();
        bytes memory signature = _permit2(id, 300, 7);
        vm.expectEmit(address(market));
        emit IMarketLog.Deposited(id, owner, relayer, 100);
        vm.prank(relayer);
        market.depositWithPermit2(id, owner, 300, 7, block.timestamp, signature);
        assertEq(available(owner), 100);
        assertEq(available(relayer), 0);
        assertEq(token.balanceOf(address(market)), 300);
    }

    function test_permit2IsSpentOnce() public {
        _approvePermit2();
        bytes memory signature = _permit2(id, 300, 7);
        market.depositWithPermit2(id, owner, 300, 7, block.timestamp, signature);
        _permit2Fails(id, owner, 300, 7, signature);
        assertEq(available(owner), 100);
    }

    function test_permit2IsForItsMarketOwnerAndAmountAlone() public {
        _approvePermit2();
        bytes memory signature = _permit2(id, 300, 7);
        _permit2Fails(id, alice, 300, 7, signature);
        _permit2Fails(id, owner, 303, 7, signature);
        _permit2Fails(id, owner, 300, 8, signature);
        MarketId first = id;
        params.sink = alice;
        _marketIn(address(token));
        _permit2Fails(id, owner, 300, 7, signature);
        market.depositWithPermit2(first, owner, 300, 7, block.timestamp, signature);
        assertEq(market.availableOf(first, owner), 100);
    }

    function test_RevertWhen_TokenTakesAFeeOfAPermit2Deposit() public {
        FeeToken fee = new FeeToken();
        token = PermitToken(address(fee));
        fee.mint(owner, 3000);
        _marketIn(address(fee));
        vm.prank(owner);
        fee.approve(PERMIT2, type(uint256).max);
        _permit2Fails(id, owner, 300, 1, _permit2(id, 300, 1));
        assertEq(available(owner), 0);
    }

    function test_RevertWhen_ChainHasNoPermit2() public {
        vm.etch(PERMIT2, "");
        vm.expectRevert(abi.encodeWithSelector(IMarketLog.NoPermit2.selector, PERMIT2));
        market.depositWithPermit2(id, owner, 300, 0, block.timestamp, "");
    }
}
