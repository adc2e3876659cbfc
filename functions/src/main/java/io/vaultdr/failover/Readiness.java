package io.vaultdr.failover;

import io.vaultdr.model.Epoch;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a vantage found of the side that doesn't serve: whether a failover could use it.
 *
 * @param vantage the vantage's region
 * @param at when it looked
 * @param missing what a failover would lack, a sentence each; empty when it is ready
 * @param newest the snapshot of the lineage in the DR region's bucket that a promotion would begin
 *     with
 */
public record Readiness(String vantage, Instant at, List<String> missing, Optional<Newest> newest) {

    /** The snapshot that a restore would begin with. */
    public record Newest(String id, Epoch lineage, Instant takenAt, long index) {}
}
