package io.vaultdr.promotion;

import java.util.Map;

/** Where a promotion writes down how far it came, so that it can be taken up again. */
public interface Journal {
    /** What was remembered, in this attempt or in one that was killed. */
    Map<String, String> remembered();

    /** Remembers facts that a later attempt must know; people read them, so no secrets. */
    void remember(Map<String, String> facts);

    /** Remembers one fact. */
    default void remember(String key, String value) {
        remember(Map.of(key, value));
    }

    /** Adds a sentence that a person has to know. */
    void find(String sentence);
}
