package io.vaultdr.promotion;

/** The group of instances that a cluster's nodes belong to. */
public interface Capacity {
    /** How many instances the group wants, and may have. */
    Size size();

    /** Makes the group want {@code instances}, which must not be more than it may have. */
    void want(int instances);

    /** Keeps the group from ending instances by itself: while a cluster grows, each one counts. */
    void suspendTermination();

    /** Lets the group end unhealthy instances again. */
    void resumeTermination();

    /** Desired and greatest number of instances. */
    record Size(int desired, int max) {}
}
