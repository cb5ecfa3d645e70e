// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IBatchVerifier} from "../../../contracts/interfaces/IBatchVerifier.sol";
import {CircuitId, toCircuitId} from "../../../contracts/types/CircuitId.sol";
import {PlainToken} from "./Tokens.sol";

/// @notice Takes hashes for proofs as `HashVerifier` does, one by one and together, unless it is in a mood. None of its moods is an answer,
/// so that no proof counts: what a market does with them is what is tested.
contract MoodyVerifier is IBatchVerifier {
    enum Mood {
        Honest,
        Reverts,
        RevertsWithTrue,
        Burns,
        SaysTwo,
        SaysOneByte,
        SaysNothing,
        SaysTooMuch
    }

    Mood private _mood;
    Mood private _batchMood;

    function feel(Mood mood, Mood batchMood) external {
        (_mood, _batchMood) = (mood, batchMood);
    }

    function verify(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proof)
        external
        view
        returns (bool)
    {
        _act(_mood);
        return _isProof(circuit, publicInputs, proof);
    }

    function verifyBatch(CircuitId circuit, uint256[] calldata publicInputs, bytes calldata proofs)
        external
        view
        returns (bytes4 answer, uint256 valid)
    {
        _act(_batchMood);
        answer = IBatchVerifier.verifyBatch.selector;
        for (uint256 i; i < proofs.length / 32; ++i) {
            if (_isProof(circuit, publicInputs[2 * i:2 * i + 2], proofs[32 * i:32 * i + 32])) {
                valid |= 1 << i;
            }
        }
    }

    function _isProof(CircuitId circuit, uint256[] memory publicInputs, bytes calldata proof)
        private
        pure
        returns (bool)
    {
        return keccak256(proof) == keccak256(abi.encode(keccak256(abi.encode(circuit, publicInputs))));
    }

    function _act(Mood mood) private pure {
        if (mood == Mood.Honest) return;
        uint256 m = uint256(mood);
        assembly ("memory-safe") {
            switch m
            case 1 { revert(0x00, 0x00) }
            case 2 {
                mstore(0x00, 1)
                revert(0x00, 0x20)
            }
            case 3 { invalid() }
            case 4 {
                mstore(0x00, 2)
                return(0x00, 0x20)
            }
            case 5 {
                mstore8(0x00, 1)
                return(0x00, 0x01)
            }
            case 6 { return(0x00, 0x00) }
            default {
                mstore(0x00, 0)
                return(0x00, 100000)
            }
        }
    }

    function isCircuit(CircuitId) external pure returns (bool) {
        return true;
    }

    function circuitCount() external pure returns (uint256) {
        return type(uint32).max;
    }

    function circuitAt(uint256 index) external pure returns (CircuitId) {
        return toCircuitId(uint32(index), 1);
    }
}

/// @notice A token that does what it wants with a transfer.
contract MoodyToken is PlainToken {
    enum Mood {
        Honest,
        SaysNothing,
        SaysFalse,
        Reverts,
        TakesAFee,
        GivesMore,
        MovesNothing
    }

    Mood private _mood;

    function feel(Mood mood) external {
        _mood = mood;
    }

    /// @notice Changes a balance from outside, as a rebase does.
    function rebase(address account, uint256 balance) external {
        balanceOf[account] = balance;
    }

    function _move(address from, address to, uint256 amount) internal override returns (bool) {
        Mood mood = _mood;
        if (mood == Mood.SaysFalse) return false;
        require(mood != Mood.Reverts, "not today");
        if (mood == Mood.MovesNothing) return true;
        balanceOf[from] -= amount;
        if (mood == Mood.TakesAFee) balanceOf[to] += amount - 1;
        else if (mood == Mood.GivesMore) balanceOf[to] += amount + 1;
        else balanceOf[to] += amount;
        if (mood == Mood.SaysNothing) {
            assembly ("memory-safe") {
                return(0, 0)
            }
        }
        return true;
    }
}
