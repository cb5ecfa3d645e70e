// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A contract that bids by its owner's key (ERC-1271).
contract Wallet {
    address private immutable _owner;

    constructor(address owner_) {
        _owner = owner_;
    }

    function isValidSignature(bytes32 digest, bytes calldata signature) external view returns (bytes4) {
        (uint8 v, bytes32 r, bytes32 s) = abi.decode(signature, (uint8, bytes32, bytes32));
        return ecrecover(digest, v, r, s) == _owner ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}

/// @notice Answers with whatever bytes it is given, for whatever it is asked.
contract AnsweringWallet {
    bytes private _answer;

    constructor(bytes memory answer) {
        _answer = answer;
    }

    fallback(bytes calldata) external returns (bytes memory) {
        return _answer;
    }
}

/// @notice Reverts with the answer that would accept.
contract RevertingWallet {
    fallback() external {
        assembly ("memory-safe") {
            mstore(0x00, shl(224, 0x1626ba7e))
            revert(0x00, 0x20)
        }
    }
}

/// @notice Accepts with zeros behind the answer, or with a part of it.
contract ChattyWallet {
    uint256 private immutable _length;

    constructor(uint256 length) {
        _length = length;
    }

    fallback() external {
        uint256 length = _length;
        assembly ("memory-safe") {
            mstore(0x00, shl(224, 0x1626ba7e))
            return(0x00, length)
        }
    }
}

/// @notice Accepts after it has used up this much gas.
contract SlowWallet {
    uint256 private immutable _gas;

    constructor(uint256 gas_) {
        _gas = gas_;
    }

    function isValidSignature(bytes32, bytes calldata) external view returns (bytes4) {
        uint256 until = gasleft() - _gas;
        while (gasleft() > until) {}
        return 0x1626ba7e;
    }
}

/// @notice Uses up all gas that it gets.
contract BurningWallet {
    fallback() external {
        assembly ("memory-safe") {
            invalid()
        }
    }
}

/// @notice Calls back before it accepts, and accepts only if that worked.
contract ReenteringWallet {
    address private immutable _target;
    bytes private _attack;

    constructor(address target_, bytes memory attack_) {
        (_target, _attack) = (target_, attack_);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool ok,) = _target.call(_attack);
        return ok ? bytes4(0x1626ba7e) : bytes4(0xffffffff);
    }
}
