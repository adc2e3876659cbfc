package io.vaultdr.promotion;

import java.util.Map;

/** Where a promotion writes down how far it came, so that it can be taken up again. */
public interface Journal {
    /** What was remembered, in this attempt or in one that was killed. */
    Map<String, String> remembered();

    /** Remembers a fact that a later attempt must know; people read it, so not a secret. */
    void remember(String key, String value);

    /** Adds a sentence that a person has to know. */
    void find(String sentence);
}
