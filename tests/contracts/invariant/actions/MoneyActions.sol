// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {OutcomeMirror} from "../mirror/OutcomeMirror.sol";

/// @notice Money in and out, by every door.
abstract contract MoneyActions is OutcomeMirror {
    bytes32 private constant PERMIT_TYPEHASH =
        keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
    bytes32 private constant PERMIT2_TYPEHASH = keccak256(
        "PermitWitnessTransferFrom(TokenPermissions permitted,address spender,uint256 nonce,uint256 deadline,MarketDeposit witness)MarketDeposit(bytes32 market)TokenPermissions(address token,uint256 amount)"
    );
    address internal constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;

    uint256 private _permit2Nonce;

    /// @dev For oneself or for somebody else.
    function deposit(uint256 salt) external acts("deposit", salt) {
        _succeeded(_deposit(_anyActor(), _anyAccount(), _between(1, 5000)));
    }

    /// @dev What is not a number of ticks, or not what the call carries, is refused.
    function depositWrongly(uint256 salt) external acts("depositWrongly", salt) {
        uint256 amount = _between(1, 100) * params.tick;
        uint256 carried = _isNative() ? amount + params.tick : _between(1, 2);
        if (_oneIn(2)) (amount, carried) = (amount + 1, _isNative() ? amount + 1 : 0);
        address who = cast.people[_draw(cast.people.length)];
        bool ok = _tryWith(who, carried, abi.encodeCall(market.deposit, (id, who, amount)));
        require(!ok, "a deposit carries what it says, in whole ticks");
        _succeeded(true);
    }

    /// @dev Signed by its owner, by somebody else, or used by somebody else before.
    function depositWithPermit(uint256 salt) external acts("depositWithPermit", salt) {
        uint256 which = _draw(cast.people.length);
        address owner = cast.people[which];
        uint256 ticks = _between(1, 500);
        uint256 amount = ticks * params.tick;
        uint256 kind = _draw(4);
        uint256 signer = kind == 0 ? (which + 1) % cast.keys.length : which;
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(cast.keys[signer], _permitDigest(owner, amount));
        cast.token.mint(owner, amount);
        if (kind == 1) cast.token.permit(owner, address(market), amount, block.timestamp, v, r, s);
        bool ok =
            _try(owner, abi.encodeCall(market.depositWithPermit, (id, amount, block.timestamp, v, r, s)));
        require(ok == (kind != 0), "who has signed the allowance deposits");
        if (ok) _noteDeposit(owner, ticks);
        else cast.token.burn(owner, amount);
        _succeeded(ok);
    }

    function _permitDigest(address owner, uint256 amount) private view returns (bytes32) {
        bytes32 structHash = keccak256(
            abi.encode(
                PERMIT_TYPEHASH, owner, address(market), amount, cast.token.nonces(owner), block.timestamp
            )
        );
        return keccak256(abi.encodePacked(hex"1901", cast.token.DOMAIN_SEPARATOR(), structHash));
    }

    /// @dev Sent by anyone; refused for another amount than the signed one, and a second time.
    function depositWithPermit2(uint256 salt) external acts("depositWithPermit2", salt) {
        uint256 which = _draw(cast.people.length);
        address owner = cast.people[which];
        uint256 ticks = _between(1, 500);
        uint256 amount = ticks * params.tick;
        uint256 nonce = uint256(keccak256(abi.encode(address(this), ++_permit2Nonce)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(cast.keys[which], _permit2Digest(amount, nonce));
        bool good = !_oneIn(3);
        uint256 asked = good ? amount : amount + params.tick;
        bytes memory signature = abi.encodePacked(r, s, v);
        cast.token.mint(owner, asked);
        bytes memory call =
            abi.encodeCall(market.depositWithPermit2, (id, owner, asked, nonce, block.timestamp, signature));
        bool ok = _try(_anyActor(), call);
        require(ok == good, "what its owner has signed is deposited");
        if (ok) {
            _noteDeposit(owner, ticks);
            require(!_try(_anyActor(), call), "a signature deposits once");
        } else {
            cast.token.burn(owner, asked);
        }
        _succeeded(ok);
    }

    function _permit2Digest(uint256 amount, uint256 nonce) private view returns (bytes32) {
        bytes32 permitted = keccak256(
            abi.encode(keccak256("TokenPermissions(address token,uint256 amount)"), cast.token, amount)
        );
        bytes32 witness = keccak256(abi.encode(keccak256("MarketDeposit(bytes32 market)"), id));
        bytes32 structHash = keccak256(
            abi.encode(PERMIT2_TYPEHASH, permitted, address(market), nonce, block.timestamp, witness)
        );
        (, bytes memory answer) = PERMIT2.staticcall(abi.encodeWithSignature("DOMAIN_SEPARATOR()"));
        return keccak256(abi.encodePacked(hex"1901", answer, structHash));
    }

    /// @dev Some, all, or more than there is, to oneself or to somebody else. Who refuses the payment keeps its balance, and an attacker
    /// that is paid tries to withdraw once more.
    function withdraw(uint256 salt) external acts("withdraw", salt) {
        address who = _anyAccount();
        address to = _isWallet(who) || _oneIn(2) ? _anyActor() : who;
        uint256 held = balances[who];
        uint256 kind = _draw(4);
        uint256 amount = kind == 0 ? held + 1 + _draw(3) : kind == 1 ? type(uint256).max : _draw(held + 1);
        bool ok = _try(who, abi.encodeCall(market.withdraw, (id, amount, to)));
        if (amount == type(uint256).max) amount = held;
        bool refused = _isNative() && to == cast.refuser;
        require(ok == (amount <= held && !refused), "withdrawal of what is there, and of no more");
        if (ok) {
            balances[who] -= amount;
            _notePayout(to, amount);
        }
        _succeeded(ok && amount != 0);
    }

    /// @dev Moves nothing: `MarketProperties` finds every balance as it was.
    function fold(uint256 salt) external acts("fold", salt) {
        _succeeded(_try(_anyActor(), abi.encodeCall(market.fold, (id, _anyAccount()))));
    }

    function collectSurplus(uint256 salt) external acts("collectSurplus", salt) {
        uint256 collected = surplus;
        require(
            _try(_anyActor(), abi.encodeCall(market.collectSurplus, (id))),
            "surplus is paid whenever asked for"
        );
        surplus = 0;
        _notePayout(params.sink, collected);
        _succeeded(collected != 0);
    }
}
