package io.vaultdr.failover;

/** Tells people that something happened which they have to know, and what they can do. */
public interface Pager {
    /**
     * Sends {@code page}; returning means that it was accepted for delivery.
     *
     * @throws io.vaultdr.model.Failure when it was not
     */
    void page(Page page);

    /**
     * Asks how many receivers a page would go to, without sending one: the way there and back is a
     * page's.
     *
     * @throws io.vaultdr.model.Failure when there is no answer
     */
    int receivers();

    /**
     * What a person is told. Holds no secret: it travels by mail and chat.
     *
     * @param subject what happened, one line of at most 100 characters
     * @param text what was found and what is to be done
     * @param runbook the name of the runbook that goes on from here, such as {@code
     *     failover-failed}
     */
    record Page(String subject, String text, String runbook) {}
}
