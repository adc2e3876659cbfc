package io.vaultdr.traffic;

/** A traffic flag: standing, it turns the clients to DR without any call to Route 53. */
public interface TrafficFlag {
    /** Where it stands, for people: region and name. */
    String place();

    /** Whether it stands. */
    boolean raised();

    /** Raises it; again changes nothing. */
    void raise();
}
