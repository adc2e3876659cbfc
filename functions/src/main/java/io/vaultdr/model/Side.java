package io.vaultdr.model;

import com.fasterxml.jackson.annotation.JsonProperty;

import java.util.Locale;

/** One of the two clusters of a pair. Which of them serves is a matter of the ledger. */
public enum Side {
    @JsonProperty("home")
    HOME,
    @JsonProperty("dr")
    DR;

    /** The other cluster of the pair. */
    public Side other() {
        return this == HOME ? DR : HOME;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
