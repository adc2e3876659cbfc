package io.vaultdr.failover;

import io.vaultdr.model.Side;

import java.time.Instant;
import java.util.OptionalLong;

/**
 * What one vantage found of a pair's serving side in one slot.
 *
 * @param vantage the vantage's region
 * @param slot the slot's number
 * @param side the side that served to the vantage's knowledge and was probed
 * @param evidence what it found
 * @param committedIndex the leader's committed Raft index, where it could be asked
 * @param at when it was found
 */
public record Observation(
        String vantage,
        long slot,
        Side side,
        Evidence evidence,
        OptionalLong committedIndex,
        Instant at) {

    /** What a slot's probe found. */
    public enum Evidence {
        /** 200 from the active node itself. */
        REACHED,
        /** Nodes answer and all that do are sealed. */
        SEALED,
        /** Nodes answer, at least one unsealed, and nobody leads. */
        NO_ACTIVE,
        /** No node answers. */
        SILENT
    }
}
