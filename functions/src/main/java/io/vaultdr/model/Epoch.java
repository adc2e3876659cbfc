package io.vaultdr.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/**
 * The number of a pair's incidents so far, raised by a conditional write when one opens, like a
 * Raft term. All that acts carries it and a stale one is refused. The epoch of the promotion that
 * made the serving side serve is the <em>lineage</em> of the snapshots taken from it.
 *
 * @param value 0 (no incident yet) or more
 */
public record Epoch(@JsonValue long value) implements Comparable<Epoch> {
    /** Before the first incident; the lineage of a home that always served. */
    public static final Epoch ZERO = new Epoch(0);

    @JsonCreator
    public Epoch {
        if (value < 0) {
            throw new IllegalArgumentException("epoch " + value + ": expected 0 or more");
        }
    }

    /** The epoch of the incident that opens after this one. */
    public Epoch next() {
        return new Epoch(value + 1);
    }

    @Override
    public int compareTo(Epoch other) {
        return Long.compare(value, other.value);
    }

    @Override
    public String toString() {
        return Long.toString(value);
    }
}
