package io.vaultdr.model;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

import java.util.regex.Pattern;

/**
 * The name of a pair: one logical Vault service with a home and a DR cluster.
 *
 * @param value 1 to 16 characters, lower-case letters, digits and inner hyphens, starting with a
 *     letter; short enough that every resource name made from it fits its service's limit
 */
public record PairId(@JsonValue String value) {
    /** What a pair's name must match. */
    public static final Pattern FORM = Pattern.compile("[a-z]([a-z0-9-]{0,14}[a-z0-9])?");

    @JsonCreator
    public PairId {
        if (!FORM.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "pair name '"
                            + value
                            + "': expected 1 to 16 of a-z, 0-9 and inner hyphens, starting with a"
                            + " letter");
        }
    }

    @Override
    public String toString() {
        return value;
    }
}
